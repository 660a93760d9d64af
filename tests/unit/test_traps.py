"""verify/traps.py: places in test files where nothing may be checked."""

from textwrap import dedent, indent

import pytest

from pytest_balanced_sampler.verify.traps import traps_in, traps_of
from tests.conftest import ROOT

HEAD = """import random
import numpy as np
import numpy.random as numbers
import pytest
from random import choice

@pytest.fixture
def cache(solution):
    return solution.Cache()

"""
FOUND = {
    "assert np.allclose(solution.f([1]), 5)": "allclose",
    "assert solution.is_prime(7)": "any object",
    "assert cache.has(3)": "any object",
    dedent("""\
        ok = solution.is_prime(7)
        assert ok, 'no'
    """): "any object",
    "assert not solution.is_prime(8)": "None and 0",
    "self.assertTrue(solution.is_prime(7))": "any object",
    dedent("""\
        for x in solution.items():
            assert x > 0
    """): "no turn",
    dedent("""\
        for x, y in zip(solution.items(), [1, 2]):
            assert x == y
    """): "no turn",
    dedent("""\
        got = solution.items()
        for x in got:
            assert x > 0
    """): "no turn",
    "assert all(x > 0 for x in solution.items())": "all() of nothing",
    "assert solution.mean([1, 3]) == pytest.approx(2.0)": "approx",
    dedent("""\
        got = solution.mean([1, 3])
        assert pytest.approx(2 / 3, abs=1) == got
    """): "approx",
    "assert cache.get('a')[0].x == pytest.approx(-math.sqrt(2))": "approx",
    "assert solution.f(3) == solution.f(3)": "itself",
    "assert solution.f(random.randint(0, 9)) >= 0": "seed",
    dedent("""\
        x = numbers.rand(3)
        assert solution.f(x) == sum(x)
    """): "seed",
    dedent("""\
        x = choice([1, 2])
        assert solution.f(x) == x
    """): "seed",
    dedent("""\
        x = random.Random().random()
        assert solution.f(x) == x
    """): "seed",
    dedent("""\
        for x in []:
            assert solution.f(x) == 1
    """): "no cases",
    dedent("""\
        for x in range(0):
            assert solution.f(x) == 1
    """): "no cases",
}
QUIET = [
    dedent("""\
        got = solution.f([1])
        assert got.shape == (1,)
        assert np.allclose(got, 5)
    """),
    "assert solution.is_prime(7) is True",
    dedent("""\
        got = solution.items()
        assert got
        assert got == [1]
    """),
    "assert isinstance(solution.f(1), int)",
    dedent("""\
        x = solution.f(1)
        np.testing.assert_array_equal(x, [1])
        assert np.allclose(x, 1)
    """),
    dedent("""\
        got = solution.f(1)
        self.assertEqual(got, [1])
        assert all(x > 0 for x in got)
    """),
    dedent("""\
        got = solution.items()
        assert len(got) == 3
        for x in got:
            assert x > 0
    """),
    dedent("""\
        got = solution.items()
        assert got == [1, 2]
        assert all(x > 0 for x in got)
    """),
    dedent("""\
        for x, y in zip(solution.items(), [1, 2], strict=True):
            assert x == y
    """),
    dedent("""\
        for x in [1, 2]:
            assert solution.f(x) == x
    """),
    "assert all(solution.f(x) == x for x in range(3))",
    "assert solution.f(3) == solution.f(3) == 9",
    dedent("""\
        got = solution.f(1)
        assert got == pytest.approx(2.0)
        assert type(got) is float
    """),
    dedent("""\
        got = solution.f(1)
        assert got == pytest.approx(2.0)
        assert got.shape == ()
    """),
    "assert isinstance(solution.f(1), float) and solution.f(1) == pytest.approx(2.0)",
    "assert float(solution.f(1)) == pytest.approx(2.0)",
    "assert solution.f(1) == pytest.approx([2.0, 3.0])",
    "assert len(solution.f(1)) / 3 == pytest.approx(2.0)",
    "assert solution.decode(solution.encode('a')) == 'a'",
    dedent("""\
        x = random.Random(3).random()
        assert solution.f(x) == x
    """),
    dedent("""\
        random = grading_random
        assert solution.f(2) == 2
    """),
    "assert solution.is_prime(7)  # trap: an object is welcome",
]


def in_a_test(body):
    signature = "def test_it(self, solution, cache, grading_random):"
    return f"{HEAD}{signature}\n{indent(body, '    ')}\n"


@pytest.mark.parametrize(("body", "reason"), FOUND.items())
def test_found(tmp_path, body, reason):
    """Each with its line, once."""
    file = tmp_path / "test_it.py"
    file.write_text(in_a_test(body))
    (trap,) = traps_of(file)
    assert reason in trap.message
    assert trap.line > HEAD.count("\n")
    assert str(trap).startswith(f"test_it.py:{trap.line}: ")


@pytest.mark.parametrize("body", QUIET)
def test_quiet(tmp_path, body):
    """What is checked elsewhere in the function, and what an author has answered for."""
    file = tmp_path / "test_it.py"
    file.write_text(in_a_test(body))
    assert traps_of(file) == []


@pytest.mark.parametrize("place", ["grading_tests", *sorted((ROOT / "examples").glob("*/"))])
def test_quiet_on_the_tasks_here(place):
    """None of this project's own tasks has a trap."""
    assert traps_in(ROOT / place) == []


def test_files_in_folders(tmp_path):
    """Those of tests are read, those of candidates are not."""
    for folder in (".venv", "broken_solutions/any", "reference_solutions", "unit", "."):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        text = dedent("""\
            def test_it(solution):
                assert solution.f()
        """)
        (tmp_path / folder / "test_it.py").write_text(text)
        (tmp_path / folder / "helper.py").write_text(text)
    found = [trap.file.relative_to(tmp_path) for trap in traps_in(tmp_path)]
    assert [file.as_posix() for file in found] == ["test_it.py", "unit/test_it.py"]


def test_parameters_without_cases(tmp_path):
    """The decorator is named."""
    file = tmp_path / "test_it.py"
    file.write_text(
        dedent("""\
            import pytest
            @pytest.mark.parametrize('x', [])
            def test_it(solution, x):
                assert solution.f(x) == 1
        """)
    )
    assert [(trap.line, trap.message[:18]) for trap in traps_of(file)] == [
        (2, "there are no cases")
    ]
