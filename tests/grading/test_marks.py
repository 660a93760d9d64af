"""Tests that are held out, and tests that are required."""

import json
from textwrap import dedent

import pytest

from pytest_balanced_sampler import Grader
from pytest_balanced_sampler.adapters.step_rates import step_rates
from pytest_balanced_sampler.grade import Grade
from pytest_balanced_sampler.grade import TestOutcome as Result
from pytest_balanced_sampler.results.page import page_html
from pytest_balanced_sampler.results.read import read_results
from pytest_balanced_sampler.results.summary import summarise
from pytest_balanced_sampler.results.tables import summary_tables
from pytest_balanced_sampler.session.marks import HELD_OUT as HELD_OUT_MARK
from pytest_balanced_sampler.session.record import CandidateRecord, PhaseRecord
from pytest_balanced_sampler.task import Expectations
from tests.conftest import run_pytest

TESTS = """
import pytest

held_out = pytest.mark.solution_held_out

@held_out
def test_large(solution):
    assert solution.double(10**6) == 2 * 10**6

@pytest.mark.solution_required
def test_type(solution):
    assert type(solution.double(1)) is int

@pytest.mark.parametrize("n", [0, 1, pytest.param(7, marks=held_out), 3])
def test_small(solution, n):
    assert solution.double(n) == 2 * n
"""
REWARDED = ["test_type", "test_small[0]", "test_small[1]", "test_small[3]"]
HELD_OUT = ["test_large", "test_small[7]"]
CANDIDATES = {
    "right": "def double(n): return 2 * n",
    "remembers": "def double(n): return {0: 0, 1: 2, 3: 6}[n]",
    "wrong": "def double(n): return 2 * n if n != 3 else 7",
    "untyped": "def double(n): return 2.0 * n",
    "loops": dedent("""\
        def double(n):
            while n > 5: pass
            return 2 * n
    """),
    "exits": dedent("""\
        import os
        def double(n): return 2 * n if n < 5 else os._exit(0)
    """),
    "bad_end": dedent("""\
        import atexit, os
        def double(n):
            os.write(3, b'x')
            return 2 * n
    """),
}


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    (folder / "task").mkdir()
    (folder / "task" / "test_double.py").write_text(TESTS)
    (folder / "candidates").mkdir()
    for name, source in CANDIDATES.items():
        (folder / "candidates" / f"{name}.py").write_text(source)
    return folder


def graded(task, *arguments):
    run = run_pytest(
        "task", *arguments, "--solution-timeout=0.5", cwd=task, report_file=task / "report.json"
    )
    return run, {grade["solution"].split("/")[-1][:-3]: grade for grade in run.grades}


@pytest.fixture(scope="module")
def all_graded(task):
    return graded(task, "--solution=candidates")


@pytest.fixture(scope="module")
def grades(all_graded):
    return all_graded[1]


@pytest.fixture(scope="module")
def untyped(grades):
    """The grade of a candidate that fails a required test only."""
    return Grade.from_json(grades["untyped"])


def test_a_held_out_test_decides_no_outcome(grades):
    """Whether it fails, runs out of time or ends the process."""
    assert {name: grade["outcome"] for name, grade in grades.items()} == {
        "right": "passed",
        "remembers": "passed",
        "wrong": "failed",
        "untyped": "failed",
        "loops": "passed",
        "exits": "passed",
        "bad_end": "failed",
    }


def test_held_out_tests_are_reported_apart(grades):
    """`tests` has the rewarded ones only."""
    assert all(list(grade["tests"]) == REWARDED for grade in grades.values())
    assert all(list(grade["held_out"]) == HELD_OUT for grade in grades.values())


def test_who_passed_what_is_held_out(grades):
    """Whatever came of the rewarded tests."""
    passed = {name: Grade.from_json(grade).passed_held_out for name, grade in grades.items()}
    assert passed.pop("bad_end") is not True
    assert passed == {
        "right": True,
        "remembers": False,
        "wrong": True,
        "untyped": True,
        "loops": False,
        "exits": False,
    }


def test_held_out_tests_have_details(grades):
    """As all others do."""
    assert grades["loops"]["details"]["test_large"]["timed_out"]


def test_a_held_out_test_is_no_part_of_the_score(grades):
    """One of the four that count has failed."""
    assert grades["wrong"]["score"] == 0.75


def test_without_a_required_test_the_score_is_0(grades):
    """Though all others passed."""
    assert grades["untyped"]["required"] == ["test_type"]
    assert grades["untyped"]["score"] == 0.0


def test_a_session_says_what_was_required_and_held_out(all_graded):
    """Where tests of the kind failed; its exit status is that of the grades."""
    run, _ = all_graded
    assert run.exit_status == 1
    assert "[held out: 0/2]" in run.output
    assert "failed (test_type)  assert" in run.output
    assert "  [required: 0/1]  [held out: 2/2]" in run.output


def test_without_a_required_test_there_is_no_reward(untyped):
    """Neither by the score nor by the weights of other tests."""
    assert untyped.reward("score") == untyped.reward({"test_small[0]": 1}) == 0.0


def test_a_held_out_test_has_no_weight(untyped):
    """To give it one is refused."""
    with pytest.raises(ValueError, match="test_large is held out"):
        untyped.reward({"test_large": 1})


def test_feedback_counts_no_held_out_tests(untyped):
    """Of six tests four are rewarded."""
    assert untyped.feedback().startswith("3 of 4 tests passed.")


def test_same_verdict_without_held_out_tests(task, all_graded):
    """What is held out can be left out: all else in the grades is the same."""
    _, grades = graded(task, "--solution=candidates", "-k", "not large and not 7")
    _, others = all_graded
    for name, grade in grades.items():
        for key in ("outcome", "score", "failure_mode", "message", "tests", "stopped", "required"):
            assert grade[key] == others[name][key], (name, key)


@pytest.fixture(scope="module")
def results(task, all_graded):
    report = task / "all_graded.json"
    report.write_text(json.dumps(all_graded[0].report))
    return read_results(report)


@pytest.fixture(scope="module")
def summary(results):
    return summarise(results, Expectations(None, {}))


def test_the_pass_rate_is_that_of_the_rewarded_tests(summary):
    """Four of seven candidates pass them."""
    assert (summary.pass_rate.count, summary.pass_rate.of) == (4, 7)


def test_the_gap_is_counted_among_those_that_passed(summary):
    """Three of the four fail what is held out."""
    assert (summary.held_out.gap.count, summary.held_out.gap.of) == (3, 4)


def test_a_summary_tells_held_out_tests_apart(summary):
    """And counts where a test was the only one that failed."""
    assert summary.tests["test_large"].is_held_out
    assert summary.tests["test_type"].failed_alone == 1


def test_the_gap_is_told_with_an_interval(results, summary):
    """In the tables of the terminal and on the page."""
    sentence = "held-out tests failed by 75.0% (95% interval 30.1% to 95.4%) of the 4 that passed"
    (headline, *_) = summary_tables(summary)
    assert any(sentence in line for line in headline.sentences)
    assert sentence[1:] in page_html(results, summary)


def test_the_rates_of_a_training_step_have_the_gap(results):
    """They are the same numbers; a step without grades has none."""
    rates = step_rates(result.grade for result in results.results)
    assert rates["grade/held_out_gap"] == 0.75
    assert rates["grade/pass_rate"] == pytest.approx(4 / 7)
    assert rates["grade/harness_error_rate"] == 0
    assert step_rates([]) == {}


def test_exit_status_is_that_of_the_grades(task):
    """A candidate that fails held-out tests only has passed, with -n and by its name, too."""
    (task / "imports").mkdir()
    tests = TESTS.replace("(solution, n)", "(n)").replace("(solution)", "()")
    tests = tests.replace("import pytest", "import pytest, double as solution")
    (task / "imports" / "test_imports.py").write_text(tests)
    for arguments in (["task", "-n2"], ["imports", "--solution-module=double"]):
        candidate = "--solution=candidates/remembers.py"
        run = run_pytest(candidate, *arguments, cwd=task, report_file=task / "report.json")
        assert run.exit_status == 0, run.output
        assert list(run.grade["tests"]) == REWARDED
        assert set(run.grade["held_out"].values()) <= {"failed", "not_run"}


REFERENCE = "def double(n): return 2 * n\n"


def test_a_reference_sets_the_limits_of_held_out_tests(task):
    """The reference runs them, too; one that fails a held-out test shows that the task is wrong."""
    (task / "good.py").write_text(REFERENCE)
    (task / "bad.py").write_text(CANDIDATES["remembers"])
    for reference, status in (("good.py", 0), ("bad.py", 3)):
        run = run_pytest(
            "task",
            f"--solution-reference={reference}",
            "--solution=candidates/loops.py",
            "--solution-timeout=0.5",
            cwd=task,
            report_file=task / "report.json",
        )
        assert run.exit_status == status, run.output
    assert "the reference bad.py fails test_large: " in run.output
    (task / "with_reference").mkdir()
    (task / "with_reference" / "test_double.py").write_text(TESTS)
    (task / "with_reference" / "good.py").write_text(REFERENCE)
    (task / "with_reference" / "task.toml").write_text('reference = "good.py"\n')
    with Grader(task / "with_reference") as grader:
        grades = grader.grade([CANDIDATES["right"], CANDIDATES["remembers"]])
    assert [grade.passed_held_out for grade in grades] == [True, False]


def test_a_process_that_is_lost_in_a_held_out_test():
    """pytest-xdist's controller knows no more than the test's name; the grade stays."""
    record = CandidateRecord("candidate.py")
    record.expect("test_x", [])
    record.expect("test_held_out", [HELD_OUT_MARK])
    for phase in ("setup", "call", "teardown"):
        record.add(PhaseRecord(0, "test_x", phase, Result.PASSED, 0.0))
    lost = Result.HARNESS_ERROR
    record.add(PhaseRecord(0, "test_held_out", "teardown", lost, 0.0, "harness_error"))
    grade = record.grade(0, {"mode": "auto"})
    assert (grade.outcome, grade.score, grade.failure_mode) == ("passed", 1.0, None)
    assert grade.held_out == {"test_held_out": "harness_error"}


def test_an_error_of_the_author_in_a_held_out_test(grade_source):
    """It is no fault of the candidate, and changes no grade."""
    tests = """
import pytest

@pytest.fixture
def broken(): raise OSError("no such server")

@pytest.mark.solution_held_out
def test_held_out(broken, solution): assert solution.x == 1

def test_x(solution): assert solution.x == 1
"""
    run = grade_source("x = 1\n", tests)
    assert run.grade["outcome"] == "passed"
    assert run.grade["held_out"] == {"test_held_out": "harness_error"}


def test_marks_that_contradict_are_refused(tmp_path):
    """Nothing is graded by tests that all are held out, or by one that is required as well."""
    case = {"stdin": "", "stdout": "1\n", "name": "one"}
    (tmp_path / "task.toml").write_text("")
    (tmp_path / "solution.py").write_text("print(1)\n")
    for marks, message in (
        ({"held_out": True}, "every test is marked as solution_held_out"),
        ({"held_out": True, "required": True}, "'one' is marked as solution_held_out and as"),
        ({"held_out": 1}, "'held_out' is 1, not true or false"),
    ):
        (tmp_path / "cases.jsonl").write_text(json.dumps(case | marks) + "\n")
        report = tmp_path / "report.json"
        run = run_pytest("--solution=solution.py", ".", cwd=tmp_path, report_file=report)
        assert run.exit_status in (2, 4)
        assert message in run.output
