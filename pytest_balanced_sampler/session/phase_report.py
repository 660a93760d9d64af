"""From what pytest saw of one phase of a test to its record and its report; for the session.

Whatever a candidate made is escaped here, before a report leaves the process.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from ..errors import (
    CandidateFault,
    FaultInFixture,
    HarnessError,
    Raised,
    SolutionError,
    WorkerLost,
    solution_error,
    told_by_worker,
)
from ..grade import Outcome, TestOutcome
from ..text import printable
from .candidate_run import CandidateRun
from .foreign import escape_traceback
from .record import PhaseRecord, failure_mode_of

_OWN_LINE = re.compile(r'^  File "[^/"<]+", line (\d+).*\n +(.{1,120})', re.MULTILINE)
_DIFFERS_BY_PROCESS = re.compile(
    r"(?<=0x)[0-9a-f]+|(?<=/)candidate-\w+/\w+|(?<=/tmp)[a-z0-9_]{8}\b"
)
"""Addresses, and the temporary folders of pytest and of `tempfile`."""

_RECORD = "solution_record"
"""The attribute of a report that holds the record, as plain data: pytest-xdist sends it along."""


_LEFT_OUT = (TestOutcome.SKIPPED, TestOutcome.XFAILED)


class Test(NamedTuple):
    """A test of one candidate, and what it has done by the end of a phase.

    `is_import_touched` says whether its file asked the candidate for something when imported.
    """

    candidate: int
    name: str
    is_touched: bool
    reaches_candidate: bool
    is_import_touched: bool = False


def record_of(report: pytest.TestReport) -> PhaseRecord | None:
    """The record that a report carries, if its test grades a candidate."""
    fields = getattr(report, _RECORD, None)
    if fields is None:
        return None
    return PhaseRecord(**fields | {"outcome": TestOutcome(fields["outcome"])})


def attach(report: pytest.TestReport, record: PhaseRecord) -> None:
    """Have a report carry this record."""
    # pytest-xdist sends plain text only.
    setattr(report, _RECORD, vars(record) | {"outcome": str(record.outcome)})


def include_subtests(report: pytest.TestReport, subtests: list[pytest.TestReport]) -> None:
    """Have a test's report say what its subtests say, whose own records are removed.

    pytest lets the test itself pass: only what it shows at the end tells that a part has failed.
    """
    records = [record for subtest in subtests if (record := record_of(subtest)) is not None]
    for subtest in subtests:
        vars(subtest).pop(_RECORD, None)
    whole = record_of(report)
    assert whole is not None
    for outcome in (TestOutcome.HARNESS_ERROR, TestOutcome.FAILED, TestOutcome.SKIPPED):
        part = next((record for record in records if record.outcome is outcome), None)
        if part is not None and whole.outcome in (TestOutcome.PASSED, TestOutcome.SKIPPED):
            attach(report, replace(part, duration=whole.duration, tampering=whole.tampering))
            if outcome is not TestOutcome.SKIPPED:
                report.outcome = "failed"
                report.longrepr = f"a subtest failed: {part.message}"
            return


def untouched_errors_in(reports: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """The untouched errors in serialised reports, by test and phase."""
    records = (report.get(_RECORD) or {} for report in reports)
    return {
        (record["test"], record["phase"]): record["untouched_error"]
        for record in records
        if record.get("untouched_error") is not None
    }


def add_tampering(report: pytest.TestReport, signs: list[str]) -> None:
    """Add signs of tampering to the record that a report carries."""
    record = record_of(report)
    assert record is not None
    attach(report, replace(record, tampering=[*record.tampering, *signs]))


def add_late_fault(report: pytest.TestReport, fault: CandidateFault) -> None:
    """Have the last report of a candidate tell what it did when all its tests had been run."""
    record = record_of(report)
    assert record is not None
    if record.outcome is not TestOutcome.PASSED:
        return
    report.outcome = "failed"
    report.longrepr = message = f"after the last test: {fault}"
    failed = replace(
        record,
        outcome=TestOutcome.FAILED,
        failure_mode=failure_mode_of(fault, record.test, TestOutcome.FAILED),
        message=message,
        tampering=[*record.tampering, *filter(None, [fault.tampering])],
        reaches_candidate=True,
    )
    attach(report, failed)


def annotate(
    report: pytest.TestReport,
    error: BaseException | None,
    test: Test,
    run: CandidateRun,
    *,
    total: int | None,
    keeps_details: bool,
) -> None:
    """Add to the report what a grade needs to know, and what a reader wants to see.

    Without details it shows the message only: of thousands of tracebacks none is read.
    """
    if isinstance(error, FaultInFixture):
        error = error.fault
    fault = run.fault()
    if report.when != "setup" and report.passed and fault not in (None, run.reported_fault):
        # The test caught the fault; that is no evidence that the candidate can do anything.
        report.outcome = "failed"
        report.longrepr = f"{type(fault).__name__}: {fault}"
    if not report.passed:
        if error is not None and fault is run.reported_fault:
            fault = None  # An earlier phase has told of it; this one ends with an error of its own.
        run.reported_fault = run.fault()
    outcome = phase_outcome(report, fault or error, run)
    cause = None if outcome in (TestOutcome.PASSED, TestOutcome.XPASSED) else fault or error
    told = told_by_worker(cause)
    is_touched = test.is_touched or bool(told) or isinstance(cause, SolutionError | HarnessError)
    is_skip = outcome in _LEFT_OUT
    is_untouched = not is_touched and (is_skip or not test.is_import_touched)
    record = PhaseRecord(
        candidate=test.candidate,
        test=test.name,
        phase=report.when or "call",
        outcome=outcome,
        duration=report.duration,
        failure_mode=None if cause is None else failure_mode_of(cause, test.name, outcome),
        message=printable(message_of(cause), 1000) if cause is not None else "",
        tampering=[told.tampering] if told and told.tampering else [],
        sha256=run.sha256,
        reaches_candidate=test.reaches_candidate or is_touched,
        untouched_error=describe_error(cause) if cause is not None and is_untouched else None,
        tries=run.tries,
        total=total,
    )
    attach(report, record)
    if is_skip and is_touched:
        record = count_as_failure(report)
    if not keeps_details:
        _make_brief(report, record)
    elif report.failed:
        _add_sections(report, cause, run)
    if not report.passed:
        _make_printable(report)


def describe_error(error: BaseException) -> str:
    """An error's type and message, the same in each process that meets it."""
    return _DIFFERS_BY_PROCESS.sub("", printable(f"{type(error).__name__}: {error}", 1000))


def settle(report: pytest.TestReport, is_authors: Callable[[PhaseRecord], bool]) -> None:
    """Have a report say whose doing it is that it is no pass, where that is open."""
    record = record_of(report)
    if record is None or record.untouched_error is None:
        return
    is_skip = record.outcome in _LEFT_OUT
    if not is_authors(record):
        if is_skip:
            count_as_failure(report)
    elif not is_skip:
        _blame_the_author(report, record)


def count_as_failure(report: pytest.TestReport) -> PhaseRecord:
    """Have a test count as failed that was left out because of the candidate."""
    record = record_of(report)
    assert record is not None
    message = f"{record.outcome} because of the candidate, or after it was asked: {record.message}"
    vars(report).pop("wasxfail", None)
    report.outcome = "failed"
    report.longrepr = message
    mode = record.failure_mode or record.test
    record = replace(record, outcome=TestOutcome.FAILED, failure_mode=mode, message=message)
    attach(report, record)
    return record


def _blame_the_author(report: pytest.TestReport, record: PhaseRecord) -> None:
    message = f"this fails without any candidate, too: {record.message}"
    mode = Outcome.HARNESS_ERROR.value
    outcome = TestOutcome.HARNESS_ERROR
    attach(report, replace(record, outcome=outcome, failure_mode=mode, message=message))


def phase_outcome(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> TestOutcome:
    """What a phase came to, as pytest and the fault that was seen tell it."""
    if hasattr(report, "wasxfail"):
        return TestOutcome.XPASSED if report.passed else TestOutcome.XFAILED
    if not report.failed:
        return TestOutcome(report.outcome)
    if isinstance(cause, WorkerLost) and run.tries > 1:
        return TestOutcome.FAILED
    return TestOutcome.HARNESS_ERROR if isinstance(cause, HarnessError) else TestOutcome.FAILED


def message_of(cause: BaseException) -> str:
    """What a grade says of an error."""
    text = str(cause)
    raised = solution_error(cause)
    if isinstance(cause, AssertionError) and raised is None:
        # pytest writes the author's own message first, and what it knows of the values after it.
        text = text.partition("\nassert ")[0]
    if raised is not None:
        text = f"{type(cause).__qualname__}: {text}"
    return text + _where(told_by_worker(cause))


def _where(told: CandidateFault | Raised | None) -> str:
    """The innermost line of the candidate's own in a traceback, in brackets."""
    # Its own file is shown without a folder, other people's with one.
    lines = re.findall(_OWN_LINE, told.traceback) if told else []
    return f" (line {lines[-1][0]}: {lines[-1][1]})" if lines else ""


def _make_brief(report: pytest.TestReport, record: PhaseRecord) -> None:
    report.keywords = {}
    report.sections.clear()
    if report.failed:
        report.longrepr = record.message


def _add_sections(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> None:
    if (told := told_by_worker(cause)) and told.traceback:
        report.sections.append(("the candidate's traceback", _quote(told.traceback)))
    if output := run.drain_output():
        report.sections.append(("what the candidate printed", _quote(output)))


def _quote(text: str) -> str:
    """Set off what a candidate wrote, so that it cannot look like a line of pytest's."""
    return "\n".join(f"| {line}" for line in text.splitlines())


def _make_printable(report: pytest.TestReport) -> None:
    """Escape, in what pytest is going to show, the text that came from a candidate.

    An assertion that compares strings shows them raw.
    """
    match report.longrepr:
        case (path, line, reason):
            report.longrepr = (path, line, printable(reason))
        case None:
            pass
        case shown:
            if not escape_traceback(shown, printable):
                report.longrepr = printable(str(shown), 20_000)
    # What a candidate printed is among what the test did, and must not look like pytest's.
    report.sections[:] = [
        (name, _quote(shown) if name.startswith("Captured ") else shown)
        for name, text in report.sections
        for shown in [printable(text, 20_000)]
    ]
