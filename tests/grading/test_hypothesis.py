"""Hypothesis' own plugin in a session that grades: it costs only the sessions that use it."""

from textwrap import dedent

from tests.conftest import GOOD, TEST, run_pytest

SAYS_WHAT_IS_IMPORTED = """\
import sys
def pytest_unconfigure():
    print("imported:", "hypothesis" in sys.modules)
"""


def grade(folder, tests, *arguments):
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(SAYS_WHAT_IS_IMPORTED)
    (folder / "test_task.py").write_text(tests)
    (folder / "solution.py").write_text(GOOD)
    options = ["test_task.py", "--solution=solution.py", "-s", *arguments]
    report = folder / "report.json"
    # The suite's own setting is without the plugin.
    return run_pytest(*options, cwd=folder, report_file=report, PYTEST_ADDOPTS="")


def test_a_session_without_hypothesis_does_not_import_it(tmp_path):
    """The plugin's part of the summary would import all of it, and print nothing."""
    run = grade(tmp_path, TEST)
    assert run.grade["outcome"] == "passed", run.output
    assert "imported: False" in run.output


def test_a_session_with_hypothesis_keeps_its_summary(tmp_path):
    """What the plugin has to say about tests that use Hypothesis is printed as ever."""
    tests = dedent("""\
        from hypothesis import given, strategies
        @given(strategies.integers())
        def test_double(solution, x):
            assert solution.double(x) == 2 * x
    """)
    run = grade(tmp_path, tests, "--hypothesis-show-statistics")
    assert run.grade["outcome"] == "passed", run.output
    assert "imported: True" in run.output
    assert "Hypothesis Statistics" in run.output
