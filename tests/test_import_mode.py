"""`--solution-module NAME`: suites that import the module under test grade candidates unchanged."""

import textwrap

import pytest

from tests.conftest import run_pytest

RIGHT = "LIMIT = 2\ndef double(x):\n    return 2 * x\n"
WRONG = "LIMIT = 2\ndef double(x):\n    return 5\n"
TESTS = """
    import unittest

    import helper
    from twice import LIMIT, double

    CASES = zip([1, 2, 3], [2, 4, 6])

    class DoubleTest(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.three = double(3)

        def setUp(self):
            self.four = double(4)
            self.addCleanup(lambda: None)

        def test_stored(self):
            self.assertEqual((self.three, self.four), (6, 8))

        def test_subtests(self):
            for number in range(LIMIT + 1):
                with self.subTest(number=number):
                    self.assertEqual(double(number), 2 * number)

        def test_helper(self):
            self.assertEqual(helper.quadruple(3), 12)

    class AsyncTest(unittest.IsolatedAsyncioTestCase):
        async def test_async(self):
            self.assertEqual(double(5), 10)

    def test_cases():
        for x, wanted in CASES:
            assert double(x) == wanted

    def test_inside():
        import twice
        assert twice.double(6) == 12
"""
HELPER = "import twice\ndef quadruple(x):\n    return twice.double(twice.double(x))\n"
NAMES = {
    "DoubleTest::test_stored",
    "DoubleTest::test_subtests",
    "DoubleTest::test_helper",
    "AsyncTest::test_async",
    "test_cases",
    "test_inside",
}


@pytest.fixture
def grade(tmp_path):
    """Grade sources by tests that import `twice`, which lies beside them as a stub."""
    (tmp_path / "task").mkdir()
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\ntestpaths = task\nsolution_module = twice\npython_files = *_test.py\n"
    )
    (tmp_path / "task" / "twice.py").write_text("raise AssertionError('the stub was imported')\n")
    (tmp_path / "task" / "helper.py").write_text(HELPER)

    def run(sources, tests, *arguments):
        (tmp_path / "task" / "twice_test.py").write_text(textwrap.dedent(tests))
        given = []
        for number, source in enumerate(sources):
            (tmp_path / f"candidate_{number}.py").write_text(source)
            given.append(f"--solution=candidate_{number}.py")
        return run_pytest(
            *given,
            "--solution-timeout=1",
            *arguments,
            cwd=tmp_path,
            report_file=tmp_path / "r.json",
        )

    return run


@pytest.mark.parametrize("more", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_a_suite_for_an_ordinary_import(grade, more):
    """Classes, set-up, subtests, coroutines, helpers and functions count, for each candidate."""
    run = grade([RIGHT, WRONG, RIGHT], TESTS, *more)
    assert [grade["outcome"] for grade in run.grades] == ["passed", "failed", "passed"], run.output
    for graded in run.grades:
        assert set(graded["tests"]) == NAMES
    assert set(run.grades[1]["tests"].values()) == {"failed"}


@pytest.mark.parametrize(
    ("source", "mode", "message"),
    [
        ("", "no_solution", "empty"),
        ("def double(x):\n    return 2 * x\n", "load_error", "cannot import name 'LIMIT'"),
        ("1 / 0\n", "load_error", "ZeroDivisionError"),
        ("while True: pass\n", "timeout", "CPU time"),
        ("import os\nos._exit(0)\n", "crash", "ended"),
        ("import unittest\nraise unittest.SkipTest\n", "load_error", "SkipTest"),
        ("import pytest\npytest.skip('no', allow_module_level=True)\n", "load_error", "Skipped"),
    ],
)
def test_a_candidate_that_cannot_be_imported(grade, source, mode, message):
    """It fails every test there is, by name, and the next candidate is graded as ever."""
    run = grade([source, RIGHT], TESTS)
    first, second = run.grades
    assert first["failure_mode"] == mode, run.output
    assert message in first["message"]
    assert first["tests"] == dict.fromkeys(first["tests"], "failed")
    assert set(first["tests"]) == NAMES
    assert second["outcome"] == "passed"


def test_a_candidate_cannot_make_tests_disappear(grade):
    """A test that is there for others only, or has no cases left, is no pass."""
    tests = """
        import pytest
        import twice

        @pytest.mark.parametrize("x", twice.CASES)
        def test_cases(x):
            assert twice.double(x) == 2 * x

        if twice.LIMIT:
            def test_limit():
                assert twice.double(3) == 6

        def test_two():
            assert twice.double(2) == 4
    """
    sources = [
        "CASES = [1, 2]\nLIMIT = 2\ndef double(x):\n    return 2 * x\n",
        "CASES = []\nLIMIT = 2\ndef double(x):\n    return 4\n",
    ]
    run = grade(sources, tests)
    assert run.grades[0]["outcome"] == "passed", run.output
    assert set(run.grades[0]["tests"]) == {
        "test_cases[1]",
        "test_cases[2]",
        "test_limit",
        "test_two",
    }
    assert run.grades[1]["outcome"] == "failed"
    empty = grade(["CASES = []\nLIMIT = 2\ndef double(x):\n    return 2 * x\n"], tests)
    assert empty.grade["outcome"] != "passed"


def test_star_import_and_self_import(grade):
    """`from NAME import *` gives what the module exports, and the module bears the tests' name."""
    tests = """
        from twice import *

        def test_double():
            assert double(2) == 4

        def test_hidden():
            assert "_hidden" not in globals() and "hidden" not in globals()

        def test_name():
            assert double.__name__ == "double" and name == "twice"
    """
    source = (
        "import sys\n__all__ = ['double', 'name']\nname = __name__\nhidden = 1\n_hidden = 2\n"
        "def double(x):\n    return 2 * x\nassert sys.modules['twice'].double is double\n"
    )
    run = grade([source], tests)
    assert run.grade["outcome"] == "passed", run.output


def test_a_broken_suite_is_the_authors(grade):
    """Tests that fail to import before they ask for the candidate grade nobody."""
    run = grade([RIGHT, WRONG], "import nowhere_to_be_found\nfrom twice import double\n")
    assert [grade["outcome"] for grade in run.grades] == ["harness_error"] * 2, run.output
    assert run.exit_status == 3


def test_deselected_tests_are_no_pass(grade):
    """As with the fixture."""
    run = grade([RIGHT], TESTS, "-k", "test_cases")
    assert run.grade["outcome"] == "incomplete", run.output


def test_a_name_that_is_none(grade):
    """Is refused, with what to give instead."""
    run = grade([RIGHT], TESTS, "--solution-module=twice.py")
    assert run.exit_status == 4
    assert "without .py" in run.output
