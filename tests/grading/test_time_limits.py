"""Time limits by a reference, the budget after a timeout, and `--solution-maxfail`."""

import re
from textwrap import dedent

import pytest

from pytest_balanced_sampler.errors import SolutionTimeout, UnconfirmedTimeout
from pytest_balanced_sampler.session.budget import Budget, SecondsUsed, TimeLimits
from tests.conftest import run_pytest

REFERENCE = """
import time
end = time.process_time() + 0.05
while time.process_time() < end: pass
def quick(x): return 2 * x
def slow(x):
    end = time.process_time() + 0.05
    while time.process_time() < end: pass
    return 2 * x
"""
LOOPS = """\
def quick(x):
    while True: pass
slow = quick
"""
TESTS = """
import pytest
@pytest.fixture(scope="module")
def double(solution):
    return solution.slow(1)
def test_quick(solution):
    assert solution.quick(2) == 4
def test_slow(solution):
    assert solution.slow(2) == 4
def test_fixture(solution, double):
    assert double == 2
def test_fixture_again(solution, double):
    assert double == 2
def test_fixture_once_more(solution, double):
    assert double == 2
"""


def test_limits_come_from_the_reference():
    """20 times what it took, never below 2 s, never above what was given; fixtures once more."""
    assert TimeLimits().seconds("test", 20, is_resumed=True) == 20
    limits = TimeLimits({"a": SecondsUsed(0.0, 0.01), "b": SecondsUsed(0.2, 0.3)})
    assert limits.seconds("a", 20, is_resumed=False) == 2
    assert limits.seconds("a", 20, is_resumed=True) == 20 * (0.01 + 0.2)
    assert limits.seconds("b", 20, is_resumed=False) == 20 * 0.3
    assert limits.seconds("b", 5, is_resumed=False) == 5
    assert limits.seconds("unknown", 20, is_resumed=False) == 20


def test_after_a_timeout_the_tests_share_one_more_limit():
    """Each gets a quarter of its own; what loads no more costs nothing."""
    budget = Budget()
    budget.spend(20, 19.0, None, has_failed=False)
    assert budget.limit(8) == 8
    budget.spend(2, None, SolutionTimeout(""), has_failed=True)
    for left in (0.75, 0.5, 0.25, 0.0):
        assert not budget.why_stop()
        assert budget.limit(8) == 2
        budget.spend(8, None, SolutionTimeout(""), has_failed=True)
        assert budget.left == left
    assert "time for the tests after a timeout" in budget.why_stop()
    slept = Budget(slept="no answer")
    assert slept.limit(8) == 2
    slept.spend(8, None, UnconfirmedTimeout(""), has_failed=True)
    assert (slept.left, slept.slept) == (0.25, "")
    wasteful = Budget()
    wasteful.spend(2, 0.9, None, has_failed=True)
    assert not wasteful.had_timeout
    wasteful.spend(2, 1.9, None, has_failed=True)
    assert wasteful.limit(8) == 2


SOURCES = {
    "loops": LOOPS,
    "loads": REFERENCE.replace("0.05", "2.5", 1),
    "bad": "quick = slow = lambda x: 3 * x\n",
    "crashes": REFERENCE
    + dedent("""\
        import os
        quick = lambda x: os._exit(1)
    """),
}


@pytest.fixture
def grade(tmp_path):
    """Grade candidates, given by their names, by a task with a reference, whose name is good."""
    (tmp_path / "task" / "ref").mkdir(parents=True)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "task" / "test_task.py").write_text(TESTS)
    (tmp_path / "task" / "task.toml").write_text('reference = "ref/good.py"\n')
    (tmp_path / "task" / "ref" / "good.py").write_text(REFERENCE)
    for name, source in SOURCES.items():
        (tmp_path / f"{name}.py").write_text(source)

    def grade(names, *options):
        files = ["task/ref/good.py" if name == "good" else f"{name}.py" for name in names]
        given = [f"--solution={file}" for file in files]
        report = tmp_path / "report.json"
        return run_pytest("task", *given, *options, cwd=tmp_path, report_file=report)

    return grade


def test_a_session_with_a_reference(grade):
    """What loops costs seconds, and the grade says what was not run; the rest passes as before."""
    run = grade([*SOURCES, "good"])
    loops, loads, bad, crashes, good = run.grades
    assert good["outcome"] == "passed", run.output
    assert not good["score_is_lower_bound"]
    assert set(crashes["tests"].values()) == {"failed", "passed"}
    assert list(crashes["tests"].values()).count("failed") == 1
    assert (loops["outcome"], loops["failure_mode"]) == ("failed", "timeout")
    assert loads["outcome"] == "passed"
    assert bad["tests"] == dict.fromkeys(bad["tests"], "failed")


def test_no_more_tests_run_after_the_failures_of_maxfail(grade):
    """The grade says why; a candidate with fewer failures is graded as ever."""
    run = grade(["bad", "crashes", "good"], "--solution-maxfail=2")
    bad, crashes, good = run.grades
    assert list(bad["tests"].values()) == ["failed"] * 2 + ["not_run"] * 3
    assert (bad["outcome"], bad["score_is_lower_bound"]) == ("failed", True)
    assert bad["stopped"] == "--solution-maxfail=2 was reached"
    assert "3 tests not run: --solution-maxfail=2 was reached" in run.output
    assert (crashes["stopped"], good["outcome"]) == ("", "passed")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("bad.py", r"the reference bad\.py fails test_quick: "),
        ("x.py", r"reference \S+/x.py cannot be used: .*No such file"),
    ],
)
def test_a_reference_that_cannot_be_used_is_a_harness_error(grade, reference, message):
    """One that fails a test, or is not there: the author's mistake costs no candidate a grade."""
    run = grade(["good"], f"--solution-reference={reference}")
    assert run.exit_status == 3
    assert re.search(message, run.output), run.output


def test_an_empty_reference_means_none(grade):
    """Then the limits are those that were given, and the candidate is graded all the same."""
    run = grade(["bad"], "--solution-reference=")
    assert run.exit_status == 1
    assert run.grade["outcome"] == "failed", run.output
