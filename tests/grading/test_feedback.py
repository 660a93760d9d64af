"""What a grade tells of each test, and what of it a model may be shown."""

import json
from pathlib import Path

import fastjsonschema
import pytest

from pytest_balanced_sampler import grade as grades
from pytest_balanced_sampler.grade import Grade, Outcome
from pytest_balanced_sampler.results.read import read_results
from tests.conftest import ROOT, run_pytest

OLD_REPORT = ROOT / "tests" / "grading" / "old_reports" / "revision_1.json"
SCHEMA = ROOT / "pytest_balanced_sampler" / "results" / "grades.schema.json"

CANDIDATE = r"""
import os

def add(a, b):
    print("adding", a, b)
    return a + b + 1

def wrong_type(x):
    raise KeyError(x)

def says_much():
    print("x" * 100_000 + "\x1b[31m end")
    raise ValueError("y" * 100_000)

def slow():
    while True:
        pass

def ends():
    print("bye", flush=True)
    os._exit(3)

def big():
    return len(bytearray(64 * 2**20))

def call(function):
    return function()

def repeats(text):
    assert text == "own", "my own assertion"
    return text

def takes(x):
    return x
"""
TESTS = """
import pytest

def test_secret_sum(solution):
    '''SECRET'''
    secret = 5
    assert solution.add(2, 3) == secret, f"SECRET: expected {secret}"

def test_secret_introspection(solution):
    assert solution.add(0, 0) == 424242

def test_secret_raises(solution):
    with pytest.raises(LookupError, match="SECRET"):
        solution.wrong_type(1)

def test_secret_no_raise(solution):
    with pytest.raises(ZeroDivisionError):
        solution.add(1, 1)

def test_secret_much(solution):
    solution.says_much()

def test_secret_slow(solution):
    solution.slow()

def test_secret_end(solution):
    solution.ends()

def test_secret_big(solution):
    assert solution.big() == 64 * 2**20

def test_secret_small(solution):
    assert solution.add(1, 1) == 3

def test_secret_callback(solution):
    def function():
        raise ValueError("SECRET in a function of the test")
    solution.call(function)

def test_secret_skip(solution):
    solution.big()
    pytest.skip("SECRET reason")

def test_secret_assertion(solution):
    solution.repeats("other")

def test_secret_argument(solution):
    solution.takes()

@pytest.fixture
def secret(solution):
    yield solution.add
    assert solution.add(1, 2) == "SECRET", "SECRET in a fixture"

def test_secret_fixture(secret):
    pass

@pytest.mark.parametrize("x", ["SECRET"])
def test_secret_parameter(solution, x):
    assert solution.takes("a") == x
"""
LEAKS = ("SECRET", "secret", "424242", "assert ", "pytest", "test_", "expected 5")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All of them on one candidate."""
    folder = tmp_path_factory.mktemp("feedback")
    (folder / "test_task.py").write_text(TESTS)
    (folder / "solution.py").write_text(CANDIDATE)
    arguments = ("--solution=solution.py", "--solution-timeout=1.5")
    return run_pytest(*arguments, cwd=folder, report_file=folder / "report.json")


@pytest.fixture(scope="module")
def grade(run):
    return Grade.from_json(run.grade)


@pytest.fixture(scope="module")
def details(grade):
    return grade.details


@pytest.fixture(scope="module")
def feedback(grade):
    return grade.feedback()


def test_each_test_has_details(grade):
    """In the order of the tests."""
    assert list(grade.details) == list(grade.tests)


def test_a_report_with_details_fits_the_schema(run):
    """Its version is the first, of a later revision."""
    assert run.report["grades_version"] == 1 < run.report["grades_revision"]
    fastjsonschema.validate(json.loads(SCHEMA.read_text()), run.report)


def test_details_survive_json(grade):
    """A grade that was written and read is the same."""
    assert Grade.from_json(json.loads(json.dumps(grade.as_json()))) == grade


def test_details_have_the_message(details):
    """That of the assertion; a test that passed has none."""
    assert details["test_secret_sum"].message == "SECRET: expected 5"
    assert details["test_secret_small"].message == details["test_secret_small"].told == ""


def test_details_have_what_the_candidate_printed(details):
    """Also where its process ended."""
    assert details["test_secret_sum"].output == "adding 2 3\n"
    assert details["test_secret_end"].output == "bye\n"


def test_details_have_who_ran_out_of_time(details):
    """No other test is said to have."""
    assert {name for name, seen in details.items() if seen.timed_out} == {"test_secret_slow"}


def test_details_have_the_memory(details):
    """The most that the candidate had in this test, not in one before."""
    big, small = details["test_secret_big"], details["test_secret_small"]
    assert big.peak_memory > small.peak_memory + 50 * 2**20


def test_details_have_the_time(details):
    """On the clock, and the CPU's; that of a worker that was ended, too."""
    slow = details["test_secret_slow"]
    assert details["test_secret_big"].duration > 0
    assert slow.cpu_seconds > 0 < slow.peak_memory
    assert 0 < details["test_secret_small"].cpu_seconds < 1


def test_details_are_cut(details):
    """However much a candidate prints or raises."""
    assert len(details["test_secret_much"].output) < 5000 > len(details["test_secret_much"].told)


def test_details_drive_no_terminal(run):
    """What a candidate prints is escaped."""
    assert "\x1b" not in json.dumps(run.grade, ensure_ascii=False)


def test_feedback_tells_nothing_of_the_tests(feedback):
    """The only assertion that it shows is the candidate's own."""
    assert [leak for leak in LEAKS if leak in feedback] == ["assert "], feedback
    assert feedback.count("assert ") == 1
    assert 'assert text == "own"' in feedback


@pytest.mark.parametrize(
    "part",
    [
        "2 of 15 tests passed.",
        "Test 1 failed: the behavior of your code is not what the test expects.\n"
        "Your code printed:\n"
        "| adding 2 3",
        "Test 6 exceeded the time limit.",
        "process ended (exit status 3)",
        "Your code printed:\n| bye",
        "AssertionError: my own assertion",
        "3 more tests failed.",
    ],
)
def test_feedback_tells_what_the_code_did(feedback, part):
    """How many tests passed, and of those that failed what the candidate's own code did."""
    assert part in feedback, feedback


def test_feedback_is_short(grade, feedback):
    """Its length can be chosen."""
    assert len(feedback) < 6000
    assert len(grade.feedback(1000)) < 2000


def test_feedback_of_what_is_no_list_of_failures():
    """No code, no fault of the code's, tests that were not run."""
    whole = Grade.from_json(json.loads(OLD_REPORT.read_text())["grades"][0])
    assert whole.feedback().startswith("1 of 8 tests passed.\n\nTest 1 failed")
    fields = vars(whole)
    empty = Grade(**fields | {"outcome": Outcome.NO_SOLUTION})
    assert "There is no code" in empty.feedback()
    for outcome in (Outcome.INCOMPLETE, Outcome.HARNESS_ERROR):
        text = Grade(**fields | {"outcome": outcome}).feedback()
        assert text == (
            "Your code could not be graded. This is an error of the grader, not of your code."
        )
    not_run = dict.fromkeys(whole.tests, grades.TestOutcome.NOT_RUN)
    assert "8 tests were not run." in Grade(**fields | {"tests": not_run}).feedback()


def test_a_report_of_the_first_revision_is_read():
    """By `Grade.from_json`, by the schema and by what reads results."""
    report = json.loads(OLD_REPORT.read_text())
    fastjsonschema.validate(json.loads(SCHEMA.read_text()), report)
    (result,) = read_results(Path(OLD_REPORT)).results
    assert (result.grade.details, result.grade.outcome) == ({}, "failed")
