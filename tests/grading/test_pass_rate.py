"""`scripts/pass_rate.py`: what it counts, what it says of it, and what it refuses to read."""

import json
import random
import subprocess
import sys
from dataclasses import asdict

import pytest

from pytest_balanced_sampler.results.intervals import wilson_interval
from pytest_balanced_sampler.results.read import merge, read_results
from pytest_balanced_sampler.results.summary import mean_pass_at_k, summarise
from pytest_balanced_sampler.task import Expectations
from tests.conftest import ROOT
from tests.reports import grade, write_report
from tests.rollout_command import run_script

SCRIPT = ROOT / "scripts" / "pass_rate.py"
EXPECTATIONS = Expectations((0.1, 0.4), {"balance": 0.6, "coverage": 0.4})


def pass_rate(*arguments):
    return run_script(SCRIPT, *arguments)


def some_grades(passed, failed, harness_errors=0):
    return [
        *(grade(f"good{i}.py") for i in range(passed)),
        *(grade(f"bad{i}.py", "failed", "balance", "batch 2 is off") for i in range(failed)),
        *(grade(f"lost{i}.py", "harness_error", message="killed") for i in range(harness_errors)),
    ]


@pytest.fixture
def report(tmp_path):
    grades = [
        grade("a.py"),
        grade("b.py", "failed", "balance", "batch 2 is off", failed=["test_second"]),
        grade("c.py", "failed", "balance", "batch 0 is off", failed=["test_second", "test_third"]),
        grade("d.py", "failed", "timeout", "over 20 s"),
        grade("e.py", "no_solution", "no_solution", "the file is empty", score=0.0),
        grade("f.py", "incomplete"),
        grade("g.py", "harness_error", message="the machine failed"),
    ]
    return write_report(tmp_path / "report.json", grades)


def test_what_is_counted(report):
    """Faults of the harness and incomplete grades are no evidence, and stand beside."""
    summary = summarise(read_results(report), EXPECTATIONS, ks=(1, 2, 9))
    assert summary.outcomes == {
        "passed": 1, "failed": 3, "no_solution": 1, "incomplete": 1, "harness_error": 1
    }  # fmt: skip
    assert (summary.pass_rate.count, summary.pass_rate.of) == (1, 5)
    assert (summary.pass_rate_of_all.count, summary.pass_rate_of_all.of) == (1, 7)
    assert summary.mean_score.rate == pytest.approx((1 + 2 / 3 + 1 / 3) / 5)
    assert summary.pass_at_k == {1: pytest.approx(0.2), 2: pytest.approx(0.4), 9: None}
    assert [(t.passed.count, t.passed.of, t.failed_alone) for t in summary.tests.values()] == [
        (4, 5, 0), (2, 5, 1), (3, 5, 0)
    ]  # fmt: skip
    modes = {
        name: (m.share.count, m.share.of, m.expected) for name, m in summary.failure_modes.items()
    }
    assert modes == {
        "balance": (2, 4, 0.6), "coverage": (0, 4, 0.4),
        "timeout": (1, 4, None), "no_solution": (1, 4, None),
    }  # fmt: skip
    assert summary.failure_modes["balance"].example_message == "batch 2 is off"


@pytest.mark.parametrize(
    ("passed", "failed", "status", "verdict"),
    [
        (20, 60, 0, "inside, decided after 80 of 80"),
        (0, 60, 1, "below, decided after 60 of 60"),
        (60, 20, 1, "above, decided after 80 of 80"),
        (2, 6, 5, "undecided after 8; at this rate, a decision needs about 21 more"),
        (0, 0, 5, "no candidate was graded"),
    ],
)
def test_exit_status_says_the_verdict(passed, failed, status, verdict, tmp_path):
    """--require-band can be used in CI."""
    report = write_report(tmp_path / "report.json", some_grades(passed, failed, 1))
    finished = pass_rate(report, "--require-band", "0.1", "0.4")
    assert (finished.returncode, finished.stderr) == (status, "")
    assert verdict in finished.stdout
    assert pass_rate(report).returncode == 0


def test_what_is_said_beside_the_verdict(tmp_path):
    """The confidence sequence, what the verdict means, and what groups of rollouts are worth."""
    report = write_report(tmp_path / "report.json", some_grades(2, 6))
    printed = pass_rate(report).stdout
    assert "95% confidence sequence 1.5% to 73.2%" in printed
    assert "true rates of 3.0% to 20.0% and 25.0% to 60.0% are close to an edge" in printed
    assert "wrong in at most 0.3% of runs, no matter how often you check" in printed
    assert "68.0% of 4 (95% interval" in printed
    summary = json.loads(pass_rate(report, "--json").stdout)
    assert summary["group_signal"]["16"]["chance"] == pytest.approx(1 - 0.75**16 - 0.25**16)
    assert (summary["band"]["verdict"], summary["band"]["after"]) == ("undecided", None)


@pytest.mark.parametrize(("failures", "missing"), [(0, 13), (1, 12), (12, 1), (13, 0), (40, 0)])
def test_too_few_failures_for_shares(failures, missing, tmp_path):
    """As many more are asked for as it takes to expect five of the rarest mode."""
    report = read_results(write_report(tmp_path / "r.json", some_grades(2, failures)))
    assert summarise(report, EXPECTATIONS).failures_missing == missing
    assert summarise(report, Expectations()).failures_missing == 0


def test_merging_is_associative(tmp_path):
    """Many partial reports give what one gives, in whatever groups they are merged."""
    grades = some_grades(7, 30, 3)
    random.Random(1).shuffle(grades)
    whole = read_results(write_report(tmp_path / "whole.json", grades))
    parts = [
        read_results(write_report(tmp_path / f"{start}.json", grades[start : start + 9]))
        for start in range(0, len(grades), 9)
    ]
    left = merge([merge(parts[:3]), *parts[3:]])
    right = merge([parts[0], merge(parts[1:])])
    expected = {**asdict(summarise(whole, EXPECTATIONS)), "name": ""}
    for merged in (left, right):
        assert {**asdict(summarise(merged, EXPECTATIONS)), "name": ""} == expected


def test_reports_that_differ_are_pointed_out(tmp_path):
    """One pass rate of two tests, or of two seeds, is announced as such."""
    first = write_report(tmp_path / "1.json", some_grades(1, 1))
    other = [grade("x.py", grading_seed=8, isolation={"mode": "off"})]
    second = write_report(tmp_path / "2.json", other, grading_tests_sha256="b" * 64)
    printed = pass_rate(first, second).stdout
    assert "2 values of grading seed: 7, 8" in printed
    assert "2 values of grading tests: aaaaaaaaaaaa, bbbbbbbbbbbb; " in printed
    assert "bbbbbbbbbbbb; a single pass rate is not meaningful" in printed
    assert "--isolation=off" in printed


def test_mean_over_tasks(tmp_path):
    """Each task weighs the same, however many candidates it has and in however many reports."""
    reports = [
        write_report(tmp_path / "easy.json", some_grades(3, 1, harness_errors=1)),
        write_report(tmp_path / "hard.json", some_grades(0, 1), grading_tests_sha256="b" * 64),
        write_report(tmp_path / "more.json", some_grades(1, 0), grading_tests_sha256="b" * 64),
    ]
    means = mean_pass_at_k(map(read_results, reports), [1, 2, 3])
    assert means[1].rate == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert means[1].interval == wilson_interval(1.25, 2)
    assert (means[2].rate, means[2].of) == (1, 2)
    assert means[3] is None
    printed = pass_rate(*reports, "--by-task", "--pass-at", "1", "3").stdout
    assert "7 candidates: 4 passed, 2 failed, 1 harness_error" in printed
    assert "62.5%" in printed
    assert "a task has fewer than 3 graded" in printed
    assert "values of grading tests" not in printed
    as_json = json.loads(pass_rate(*reports, "--by-task", "--json").stdout)
    assert as_json["mean_pass_at_k"]["1"]["rate"] == 0.625


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is damaged: Expecting value"),
        ('{"grades": [', "is damaged: Expecting value"),
        ("[" * 100_000, "is damaged"),
        ("[1]", 'no "grades" in it'),
        ('{"tests": []}', 'no "grades" in it'),
        ('{"grades": [], "grades_version": 99}', "have version 99"),
        ('{"grades": [{}], "grades_version": 1}', "is damaged"),
        ('{"grades": NaN, "grades_version": 1}', "NaN is not a JSON number"),
        ("\ud800", "is damaged"),
    ],
)
def test_damaged_reports_are_named(content, message, tmp_path):
    """What cannot be read is refused with a sentence that names the file."""
    report = tmp_path / "report.json"
    report.write_text(content, "utf-8", "surrogatepass")
    finished = pass_rate(report)
    assert finished.returncode == 4
    assert finished.stderr.startswith(f"pass_rate.py: {report} ")
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_grade_with_a_lie_is_refused(tmp_path):
    """A grade that contradicts itself is no grade."""
    report = write_report(tmp_path / "r.json", [grade("a.py", failed=["test_first"])])
    assert "is damaged" in pass_rate(report).stderr


def test_reports_of_other_releases_are_read(tmp_path):
    """A field of a newer release is ignored, and one that an older release lacks has a default."""
    newer = grade("a.py", tries={"test_first": 2}, colour="green")
    newer["isolation"]["kernel"] = "7.1"
    report = write_report(tmp_path / "r.json", [newer, grade("b.py")], weather="fine")
    finished = pass_rate(report)
    assert finished.returncode == 0, finished.stderr
    assert "2 candidates: 2 passed" in finished.stdout
    assert [result.grade.tries for result in read_results(report).results] == [
        {"test_first": 2}, {}
    ]  # fmt: skip


def test_usage_errors(tmp_path, report):
    """A user's mistake gets a sentence and status 4."""
    for arguments in (
        [tmp_path / "nowhere.json"], [tmp_path], [report, report], [report, "--compare"],
        [report, "--require-band", "0.5", "0.4"], [report, "--html", tmp_path / "no/where.html"],
        [report, "--task", tmp_path / "nowhere"],
        [report, "--pass-at", "0"], [report, "--by-task", "--html", "x"], [],
    ):  # fmt: skip
        finished = pass_rate(*arguments)
        assert finished.returncode == 4, arguments
        assert "Traceback" not in finished.stderr


def test_independent_runs_are_compared(tmp_path):
    """Two runs of other candidates: the difference, its interval and Fisher's test."""
    one = write_report(tmp_path / "1.json", some_grades(48, 32))
    theirs = [
        {**g, "sha256": None, "solution": f"other/{g['solution']}"} for g in some_grades(56, 14)
    ]
    two = write_report(tmp_path / "2.json", theirs)
    (comparison,) = json.loads(pass_rate(one, two, "--compare", "--json").stdout)["comparisons"]
    assert comparison["interval"] == pytest.approx([0.0524, 0.3339], abs=1e-4)
    assert comparison["test"] == "Fisher's exact test"
    assert comparison["pairs"] == 0


def test_flipped_verdicts_are_listed(tmp_path):
    """The same candidates graded twice: which verdicts differ, in what tests, and why."""
    one = write_report(tmp_path / "1.json", some_grades(5, 2))
    changed = [grade("good3.py", "failed", "coverage", "lacks 3", failed=["test_third"])]
    again = [g for g in some_grades(5, 2) if g["solution"] != "good3.py"] + changed
    two = write_report(tmp_path / "2.json", again, grading_tests_sha256="b" * 64)
    finished = pass_rate(one, two, "--compare")
    assert "1 of 7 candidates got a different grade" in finished.stdout
    assert "passed → failed (coverage)" in finished.stdout
    assert "test_third: passed → failed" in finished.stdout
    assert "grading tests" in finished.stdout
    assert "McNemar" in finished.stdout


def test_runs_that_cannot_be_compared(tmp_path):
    """Other tests and other candidates: no difference is given."""
    one = write_report(tmp_path / "1.json", [grade("a.py")])
    two = write_report(tmp_path / "2.json", [grade("b.py")], grading_tests_sha256="b" * 64)
    finished = pass_rate(one, two, "--compare")
    assert "cannot be compared" in finished.stdout
    assert "difference of pass rates" not in finished.stdout


def test_nothing_from_a_candidate_is_markup(tmp_path):
    """In a terminal and in Markdown, names and messages are text."""
    hostile = "[red]x[/red] ![](http://evil/x.png) <img src=x> \x1b[31m | \u202e"
    report = write_report(tmp_path / "r.json", [grade(hostile, "failed", hostile, hostile)])
    terminal, markdown = pass_rate(report).stdout, pass_rate(report, "--markdown").stdout
    assert "[red]x[/red]" in terminal
    assert "\\!\\[\\]\\(http" in markdown
    assert "\\<img" in markdown
    for output in (terminal, markdown):
        assert "\x1b" not in output
        assert "\u202e" not in output


def test_real_report(grade_source, tmp_path):
    """What pytest has just written is read."""
    grade_source("def double(x): return x", "def test_a(solution): assert solution.double(1) == 2")
    command = [sys.executable, SCRIPT, tmp_path / "report.json"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "1 candidate: 1 failed" in finished.stdout
