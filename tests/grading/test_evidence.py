"""A test that shows nothing is no pass; what a candidate decides is no way out of the count."""

import textwrap
from textwrap import dedent

import pytest

from tests.conftest import run_pytest

RIGHT = """\
LIMIT, CASES, ITEMS = 2, [1, 2], [6]
def double(x):
    return 2 * x
"""
WRONG = """\
LIMIT, CASES, ITEMS = 9, [], []
def double(x):
    return None
"""


@pytest.fixture
def grade(tmp_path):
    """Grade the right and the wrong candidate by tests; gives the run."""
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            testpaths = task
        """)
    )
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)

    def run(tests, *arguments, **files):
        for name, text in {"test_task": tests, **files}.items():
            path = tmp_path / "task" / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text))
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        given = ("--solution=right.py", "--solution=wrong.py", "--solution-timeout=1")
        return run_pytest(*given, *arguments, cwd=tmp_path, report_file=report)

    return run


CHECKED = """\
def test_ok(solution):
    assert solution.LIMIT
"""
UNCHECKED = {
    "returns a comparison": dedent("""\
        def test_x(solution):
            return solution.double(3) == 6
    """),
    "returns what it calls, in a branch": """
        def test_x(solution):
            for x in solution.CASES:
                if x:
                    return solution.double(x)
    """,
    "a coroutine in a TestCase": """
        import unittest

        class XTest(unittest.TestCase):
            async def test_x(self):
                self.fail()
    """,
    "a generator in a TestCase": """
        import unittest

        class XTest(unittest.IsolatedAsyncioTestCase):
            def test_x(self):
                yield self.fail()
    """,
    "decorated": """
        import functools

        def twice(function):
            @functools.wraps(function)
            def run(*arguments, **named):
                return function(*arguments, **named)
            return run

        class TestX:
            @twice
            def test_x(self, solution):
                return solution.double(3) == 6
    """,
}


@pytest.mark.parametrize("tests", UNCHECKED.values(), ids=UNCHECKED)
def test_a_test_that_checks_nothing_grades_nobody(grade, tests):
    """The author learns of it, whatever pytest's filters for warnings say."""
    run = grade(CHECKED, "-Wignore", test_more=tests)
    assert run.exit_status == 4, run.output
    assert "test_x" in run.output
    assert ("assert, do not return" if "return" in tests else "never runs") in run.output


def test_returns_that_give_nothing(grade):
    """Are honest: a wrapper's, and the call of an assertion."""
    tests = """
        import unittest

        def plain(function):
            def test_inner(solution):
                return function(solution)
            return test_inner

        @plain
        def test_wrapped(solution):
            assert solution.double(3) == 6

        class XTest(unittest.TestCase):
            def test_x(self):
                def inner():
                    return 3
                return self.assertEqual(inner(), 3)

        def test_none(solution):
            if solution.LIMIT == 2:
                return None
            return
    """
    run = grade(tests)
    assert [graded["outcome"] for graded in run.grades] == ["passed", "failed"], run.output


def test_a_value_that_only_a_run_shows(grade):
    """Fails the test."""
    tests = """
        def plain(function):
            def run(solution):
                return function(solution)
            return run

        test_wrapped = plain(lambda solution: solution.double(3) == 6)
    """
    run = grade(CHECKED + textwrap.dedent(tests))
    assert [graded["outcome"] for graded in run.grades] == ["failed"] * 2, run.output
    assert "assert, do not return" in run.grades[0]["message"]


UNCOLLECTED = """
    import functools

    class TestConstructed:
        def __init__(self):
            pass

        def test_x(self, solution):
            assert solution.double(3) == 6

    def check(solution, x):
        assert solution.double(x) == 2 * x

    class Check:
        def __call__(self, solution):
            assert solution.double(3) == 6

    test_called = Check()

    def test_twice(solution):
        assert solution.double(3) == 6

    def test_twice(solution):
        assert solution.LIMIT

    class TestTwice:
        def test_x(self, solution):
            assert solution.double(3) == 6

        def test_x(self, solution):
            assert solution.LIMIT

    def load_tests(loader, tests, pattern):
        return tests
"""


def test_what_is_not_collected_is_named_without_a_warning(grade):
    """Filters for warnings, or no plugin for them, make no pass."""
    for arguments in (["-Wignore"], ["-p", "no:warnings"]):
        run = grade(CHECKED + textwrap.dedent(UNCOLLECTED), *arguments)
        assert [graded["outcome"] for graded in run.grades] == ["incomplete"] * 2, run.output
        for name in ("TestConstructed", "test_called", "test_twice", "test_x", "load_tests"):
            assert name in run.grades[0]["message"]


DECIDED = """
    import threading, unittest, pytest

    STORED = []

    def test_store(solution):
        STORED.extend(solution.ITEMS)

    def test_look():
        assert STORED == [6]

    def test_look_or_skip():
        if not STORED:
            pytest.skip("nothing was stored")

    FIRST = []

    def test_store_a_list(solution):
        items = solution.ITEMS
        assert isinstance(items, list)
        FIRST.extend(items)

    def test_look_at_the_first():
        assert FIRST[0] == 6

    def test_skip(solution):
        if solution.double(3) != 6:
            pytest.skip("no double")

    def test_xfail(solution):
        if solution.double(3) != 6:
            pytest.xfail("no double")

    def test_importorskip(solution):
        if solution.double(3) != 6:
            pytest.importorskip("nowhere_to_be_found")

    @pytest.fixture
    def six(solution):
        if solution.double(3) != 6:
            pytest.skip("no double")

    def test_fixture(six):
        pass

    def test_unittest(solution):
        if solution.double(3) != 6:
            raise unittest.SkipTest("no double")

    def test_thread(solution):
        def check():
            assert solution.double(3) == 6

        thread = threading.Thread(target=check)
        thread.start()
        thread.join()
"""
OF_THE_VERY_TYPE = """
    SIXES = []

    def test_store_of_the_very_type(solution):
        assert type(solution.ITEMS) is list
        SIXES.extend(solution.ITEMS)

    def test_look_at_sixes():
        assert SIXES[0] == 6
"""
IMPORTING = """
    import unittest, pytest
    from right import CASES, ITEMS, LIMIT, double

    ITEMS = list(ITEMS)

    def test_items():
        assert ITEMS == [6]

    @pytest.mark.parametrize("x", CASES)
    def test_cases(x):
        assert double(x) == 2 * x

    @pytest.mark.skipif(LIMIT > 5, reason="above the limit")
    def test_skipif():
        pass

    @unittest.skipIf(not ITEMS, "no items")
    class ItemsTest(unittest.TestCase):
        def test_first(self):
            self.assertEqual(ITEMS[0], 6)

    @unittest.skipUnless(ITEMS, "no items")
    class MoreItemsTest(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            if double(3) != 6:
                raise unittest.SkipTest("no double")

        def test_first(self):
            self.assertEqual(ITEMS[0], 6)
"""
IMPORTING_SKIPPED = """
    import pytest
    from right import LIMIT

    if LIMIT > 5:
        pytest.skip("above the limit", allow_module_level=True)

    def test_limit():
        assert LIMIT == 2
"""


@pytest.mark.parametrize(
    ("tests", "options"),
    [(DECIDED, ()), (DECIDED + OF_THE_VERY_TYPE, ("--solution-reference=right.py",))],
    ids=["by a stand-in", "by the reference"],
)
def test_what_the_candidate_decides_counts_against_it(grade, tests, options):
    """A skip, an expected failure and a stored answer that equals none fail it, and it alone."""
    run = grade(tests, *options)
    right, wrong = run.grades
    assert right["outcome"] == "passed", run.output
    passed = {name for name, outcome in wrong["tests"].items() if outcome == "passed"}
    assert passed == {name for name in right["tests"] if "_store" in name}, run.output
    assert set(wrong["tests"].values()) == {"passed", "failed"}
    # Own tests of the task, in the grade of the right one.
    looks = set(wrong["tests"]) - set(right["tests"])
    assert looks
    assert all("test_look" in name for name in looks)


def test_what_the_candidate_decides_when_it_is_imported(grade):
    """The same holds for marks and parameters that are taken from it."""
    run = grade(IMPORTING, "--solution-module=right", test_skipped=IMPORTING_SKIPPED)
    right, wrong = run.grades
    assert right["outcome"] == "passed", run.output
    assert set(wrong["tests"].values()) == {"failed"}, run.output
    assert len(wrong["tests"]) == 6


AUTHORS_SKIPS = """
    import sys, unittest, pytest

    @pytest.mark.skip("not now")
    def test_marked():
        pass

    @pytest.mark.xfail
    def test_expected():
        raise ValueError

    class XTest(unittest.TestCase):
        @unittest.skipIf(sys.version_info > (3,), "old")
        def test_old(self):
            pass

    def test_inside():
        pytest.skip("not here")
"""


@pytest.mark.parametrize("mode", ["fixture", "import"])
def test_what_the_author_decides_leaves_grades_incomplete(grade, mode):
    """Whatever the candidate is; a test that fails is still a failure."""
    head = {
        "fixture": dedent("""\
            def test_ok(solution):
                assert solution.double(3) == 6
        """),
        "import": dedent("""\
            from right import LIMIT, double
            def test_ok():
                assert double(3) == 6
        """),
    }[mode]
    skipped = dedent("""\
        import pytest
        from right import LIMIT
        pytest.skip('x', allow_module_level=True)
    """)
    more = {"test_skipped": skipped} if mode == "import" else {}
    arguments = ["--solution-module=right"] if mode == "import" else []
    run = grade(head + textwrap.dedent(AUTHORS_SKIPS), *arguments, **more)
    right, wrong = run.grades
    assert (right["outcome"], wrong["outcome"]) == ("incomplete", "failed"), run.output
    for graded in run.grades:
        left_out = [is_ for is_ in graded["tests"].values() if is_ in ("skipped", "xfailed")]
        assert len(left_out) == 4 + len(more), run.output


TEARDOWNS = """
    import pytest

    @pytest.fixture(scope="{scope}", autouse=True)
    def server({request}):
        {setup}
        raise OSError("no server")

    def test_ok(solution):
        assert solution.double(3) == 6
"""
TEARDOWN = """\
def close():
            raise OSError('no server')
        request.addfinalizer(close)
"""


@pytest.mark.parametrize("scope", ["module", "session"])
def test_the_authors_fault_when_a_fixture_is_torn_down(grade, scope):
    """Grades nobody, where the candidate has no part in it; else it is the candidate's."""
    tests = TEARDOWNS.format(scope=scope, request="", setup="yield")
    run = grade(tests)
    assert [graded["outcome"] for graded in run.grades] == ["harness_error", "failed"], run.output
    assert "no server" in run.grades[0]["message"]
    stores = """
        import pytest

        @pytest.fixture(scope="%s")
        def stored():
            results = []
            yield results
            assert results == [6]

        def test_ok(solution, stored):
            stored.extend(solution.ITEMS)
    """
    run = grade(stores % scope)
    assert [graded["outcome"] for graded in run.grades] == ["passed", "failed"], run.output
