"""`--solution-module NAME`: suites that import the module under test grade candidates unchanged."""

import textwrap
from textwrap import dedent

import pytest

from pytest_balanced_sampler import Grader
from tests.conftest import run_pytest

RIGHT = """\
LIMIT = 2
def double(x):
    return 2 * x
"""
WRONG = """\
LIMIT = 2
def double(x):
    return 5
"""
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
HELPER = """\
import twice
def quadruple(x):
    return twice.double(twice.double(x))
"""
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
        dedent("""\
            [pytest]
            testpaths = task
            solution_module = twice
            python_files = *_test.py
        """)
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
            "--solution-timeout=0.5",
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


NOT_IMPORTABLE = [
    ("", "no_solution", "empty"),
    (
        dedent("""\
            def double(x):
                return 2 * x
        """),
        "load_error",
        "cannot import name 'LIMIT'",
    ),
    ("1 / 0\n", "load_error", "ZeroDivisionError"),
    ("while True: pass\n", "timeout", "the candidate"),
    (
        dedent("""\
            import os
            os._exit(0)
        """),
        "crash",
        "ended",
    ),
    (
        dedent("""\
            import unittest
            raise unittest.SkipTest
        """),
        "load_error",
        "SkipTest",
    ),
    (
        dedent("""\
            import pytest
            pytest.skip('no', allow_module_level=True)
        """),
        "load_error",
        "Skipped",
    ),
]


def test_a_candidate_that_cannot_be_imported(grade):
    """It fails every test there is, by name, and the next candidate is graded as ever."""
    run = grade([each for source, *_ in NOT_IMPORTABLE for each in (source, RIGHT)], TESTS)
    pairs = zip(run.grades[::2], run.grades[1::2], strict=True)
    for (first, second), (_, mode, message) in zip(pairs, NOT_IMPORTABLE, strict=True):
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
        dedent("""\
            CASES = [1, 2]
            LIMIT = 2
            def double(x):
                return 2 * x
        """),
        dedent("""\
            CASES = []
            LIMIT = 2
            def double(x):
                return 4
        """),
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
    empty = grade(
        [
            dedent("""\
                CASES = []
                LIMIT = 2
                def double(x):
                    return 2 * x
            """)
        ],
        tests,
    )
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
    source = dedent("""\
        import sys
        __all__ = ['double', 'name']
        name = __name__
        hidden = 1
        _hidden = 2
        def double(x):
            return 2 * x
        assert sys.modules['twice'].double is double
    """)
    run = grade([source], tests)
    assert run.grade["outcome"] == "passed", run.output


def test_a_broken_suite_is_the_authors(grade):
    """Tests that fail to import before they ask for the candidate grade nobody."""
    run = grade(
        [RIGHT, WRONG],
        dedent("""\
            import nowhere_to_be_found
            from twice import double
        """),
    )
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


PACKAGE = {
    "task/__init__.py": "",
    "task/conftest.py": """
        import pytest
        from twice import double
        from .tools.build import quadruple

        @pytest.fixture
        def six():
            return double(3)

        @pytest.fixture
        def twelve():
            return quadruple(3)
    """,
    "task/tools/build.py": """
        import twice

        def quadruple(x):
            return twice.double(twice.double(x))
    """,
    "conftest.py": "pytest_plugins = ['shared_fixtures']",
    "shared_fixtures.py": """
        import pytest
        from twice import double

        @pytest.fixture(scope="session")
        def eight():
            return double(4)
    """,
    "task/more/__init__.py": "",
    "task/more/more_test.py": """
        from task.tools import build

        def test_conftest(six):
            assert six == 6

        def test_helper_of_conftest(twelve):
            assert twelve == 12

        def test_plugin(eight):
            assert eight == 8

        def test_helper():
            assert build.quadruple(1) == 4
    """,
}


@pytest.fixture
def write(tmp_path):
    """Write files of the task."""

    def write_files(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))

    return write_files


def test_conftest_files_plugins_and_helpers_use_the_candidate(grade, write):
    """Those that pytest imports before it collects, too; the local module is never imported."""
    write(PACKAGE)
    run = grade(
        [RIGHT, WRONG, RIGHT],
        dedent("""\
            import twice
            def test_two():
                assert twice.LIMIT == 2
        """),
    )
    assert [grade["outcome"] for grade in run.grades] == ["passed", "failed", "passed"], run.output
    assert list(run.grades[1]["tests"].values()).count("failed") == 4


@pytest.mark.parametrize(
    "tests",
    [
        """
        import twice

        def test_double(x=3):
            assert twice.double(x) == 2 * x
        """,
        """
        import pytest
        import twice

        @pytest.mark.parametrize("x", range(twice.LIMIT + 1))
        def test_double(x):
            assert twice.double(x) == 2 * x
        """,
    ],
    ids=["collected without a candidate", "collected with one only"],
)
def test_batches_of_a_host(tmp_path, tests):
    """No batch sees the candidate, or the placeholder, of the one before."""
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            solution_module = twice
        """)
    )
    (tmp_path / "conftest.py").write_text("import twice\n")
    (tmp_path / "test_twice.py").write_text(dedent(tests))
    with Grader(tmp_path) as grader:
        for _ in range(2):
            outcomes = [grade.outcome for grade in grader.grade([RIGHT, WRONG, RIGHT])]
            assert outcomes == ["passed", "failed", "passed"]


@pytest.mark.parametrize(
    ("broken", "names"),
    [
        (
            dedent("""\
                def test_broken():
                    open('nowhere_to_be_found')
            """),
            "test_broken",
        ),
        (
            dedent("""\
                import nowhere_to_be_found
                def test_broken():
                    pass
            """),
            "z_test.py",
        ),
    ],
    ids=["test", "module"],
)
def test_the_authors_fault_beside_tests_of_the_candidate(grade, write, broken, names):
    """It grades nobody, wherever it lies."""
    write({"task/z_test.py": broken})
    run = grade([RIGHT, WRONG], TESTS)
    for graded in run.grades:
        (fault,) = [name for name, is_ in graded["tests"].items() if is_ == "harness_error"]
        assert names in fault
    assert run.grades[0]["outcome"] == "harness_error", run.output


def test_a_class_that_is_gone(grade):
    """Is missed, though another class has a test of the same name; so is a file's only test."""
    tests = """
        import twice

        class TestOne:
            def test_double(self):
                assert twice.double(2) == 4

        if not twice.LIMIT > 5:
            class TestTwo:
                def test_double(self):
                    assert twice.double(3) == 6
    """
    run = grade(
        [
            dedent("""\
                LIMIT = 9
                def double(x):
                    return 4
            """),
            RIGHT,
        ],
        tests,
    )
    assert run.grades[0]["outcome"] == "failed", run.output
    assert run.grades[0]["tests"]["TestTwo::test_double"] == "failed"
    assert run.grades[1]["outcome"] == "passed"


def test_doctests(grade, tmp_path):
    """Count in modules and in text files, with the candidate that they import."""
    (tmp_path / "task" / "test_text.txt").write_text(
        dedent("""\
            >>> from twice import double
            >>> double(3)
            6
        """)
    )
    tests = '''
        from twice import double

        def helper():
            """
            >>> double(4)
            8
            """
    '''
    run = grade([RIGHT, WRONG, RIGHT], tests, "--doctest-modules", "--ignore-glob=*/twice.py")
    assert [grade["outcome"] for grade in run.grades] == ["passed", "failed", "passed"], run.output
    assert len(run.grades[1]["tests"]) == 2
    assert set(run.grades[1]["tests"].values()) == {"failed"}


def test_a_module_that_skips_itself(grade, write):
    """Leaves the grade incomplete; where the candidate decides, it is a failure."""
    write(
        {
            "task/z_test.py": dedent("""\
                import pytest
                pytest.importorskip('nowhere_to_be_found')
            """)
        }
    )
    run = grade([RIGHT], TESTS)
    assert run.grade["outcome"] == "incomplete", run.output
    write(
        {
            "task/z_test.py": """
                import pytest, twice
                if twice.LIMIT > 1:
                    pytest.skip("not for this one", allow_module_level=True)
            """
        }
    )
    run = grade([RIGHT], TESTS)
    assert run.grade["outcome"] == "failed", run.output


def test_what_kept_the_placeholder(grade, tmp_path, monkeypatch):
    """Is the author's fault, and no value that compares equal to itself."""
    folder = tmp_path / "elsewhere" / "site-packages"
    folder.mkdir(parents=True)
    (folder / "kept.py").write_text("from twice import double\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    run = grade(
        [RIGHT],
        dedent("""\
            import kept
            def test_kept():
                assert kept.double(1) == kept.double(1)
        """),
    )
    assert run.grade["outcome"] == "harness_error", run.output


def test_one_test_by_its_id(grade):
    """Runs alone."""
    run = grade([RIGHT], TESTS, "task/twice_test.py::DoubleTest::test_stored")
    assert run.grade["tests"] == {"DoubleTest::test_stored": "passed"}, run.output
    assert run.grade["outcome"] == "incomplete"
