"""From what pytest saw of one phase of a test to its record and its report; for the session.

Whatever a candidate made is escaped here, before a report leaves the process.
"""

from __future__ import annotations

import re
import unittest
from typing import NamedTuple

import pytest

from ..errors import (
    CandidateFault,
    FaultInFixture,
    HarnessError,
    LoadError,
    SolutionError,
    WorkerLost,
)
from ..grade import Outcome, TestOutcome
from ..text import printable
from .candidate_run import CandidateRun
from .foreign import escape_traceback
from .record import PhaseRecord, failure_mode_of
from .report_record import attach

_OWN_LINE = re.compile(r'^  File "[^/"<]+", line (\d+).*\n +(.{1,120})', re.MULTILINE)
_DIFFERS_BY_PROCESS = re.compile(
    r"(?<=0x)[0-9a-f]+|(?<=/)candidate-\w+/\w+|(?<=/tmp)[a-z0-9_]{8}\b"
)
"""Addresses, and the temporary folders of pytest and of `tempfile`."""

_SKIPS = (pytest.skip.Exception, unittest.SkipTest)


class Test(NamedTuple):
    """A test of one candidate, and what it has done by the end of a phase."""

    candidate: int
    name: str
    is_touched: bool
    reaches_candidate: bool


def uncollected_test(
    test: Test, nodeid: str, error: BaseException, run: CandidateRun
) -> pytest.TestReport:
    """The report of a test that cannot be collected with this candidate.

    Where the candidate was asked for something, what the import of the tests raised is its failure.
    """
    cause = (run.fault() or error) if test.is_touched else error
    file = nodeid.partition("::")[0]
    shown = printable(_in_short(_message(cause)), 1000)
    report = pytest.TestReport(nodeid, (file, None, nodeid), {}, "failed", shown, "setup")
    if isinstance(error, _SKIPS) and not test.is_touched:
        report.outcome = "skipped"
    outcome = _phase_outcome(report, cause, run)
    mode = None
    if outcome is TestOutcome.HARNESS_ERROR:
        mode = Outcome.HARNESS_ERROR.value
    elif outcome is TestOutcome.FAILED:
        mode = getattr(cause, "failure_mode", None) or LoadError.failure_mode
    record = PhaseRecord(
        candidate=test.candidate,
        test=test.name,
        phase="setup",
        outcome=outcome,
        duration=0.0,
        failure_mode=mode,
        message=shown,
        sha256=run.sha256,
        untouched_error=None if test.is_touched else f"{type(error).__name__}: {shown}",
        tries=run.tries,
    )
    attach(report, record)
    return report


def _in_short(message: str) -> str:
    """The error itself, where pytest has wrapped it in the traceback of the tests' import."""
    lines = [line[1:].strip() for line in message.splitlines() if line.startswith("E ")]
    return lines[-1] if lines else message.strip()


def lost_test(candidate: int, test: str, is_touched: bool, why: str) -> pytest.TestReport:
    """The report of a test whose process was lost twice.

    Once the candidate had been asked for something, the loss is its own: otherwise a way to end the
    process would be a way out of the count.
    """
    message = "the process that ran this test died twice"
    outcome = TestOutcome.FAILED if is_touched else TestOutcome.HARNESS_ERROR
    mode = CandidateFault.failure_mode if is_touched else Outcome.HARNESS_ERROR.value
    shown = printable(f"{message}\n{why}".strip())
    report = pytest.TestReport(test, ("", None, test), {}, "failed", shown, "teardown")
    record = PhaseRecord(candidate, test, "teardown", outcome, 0.0, mode, message, tries=2)
    attach(report, record)
    return report


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
        run.reported_fault = fault
    outcome = _phase_outcome(report, fault or error, run)
    cause = (fault or error) if outcome in (TestOutcome.FAILED, TestOutcome.HARNESS_ERROR) else None
    is_touched = test.is_touched or isinstance(cause, SolutionError | CandidateFault | HarnessError)
    record = PhaseRecord(
        candidate=test.candidate,
        test=test.name,
        phase=report.when or "call",
        outcome=outcome,
        duration=report.duration,
        failure_mode=None if cause is None else failure_mode_of(cause, test.name, outcome),
        message=printable(_message(cause), 1000) if cause is not None else "",
        tampering=list(filter(None, [getattr(cause, "tampering", "")])),
        sha256=run.sha256,
        reaches_candidate=test.reaches_candidate or is_touched,
        untouched_error=None if cause is None or is_touched else describe_error(cause),
        tries=run.tries,
        total=total,
    )
    attach(report, record)
    if not keeps_details:
        _make_brief(report, record)
    elif report.failed:
        _add_sections(report, cause, run)
    if not report.passed:
        _make_printable(report)


def describe_error(error: BaseException) -> str:
    """An error's type and message, the same in each process that meets it."""
    return _DIFFERS_BY_PROCESS.sub("", printable(f"{type(error).__name__}: {error}", 1000))


def _phase_outcome(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> TestOutcome:
    if hasattr(report, "wasxfail"):
        return TestOutcome.XPASSED if report.passed else TestOutcome.XFAILED
    if not report.failed:
        return TestOutcome(report.outcome)
    if isinstance(cause, WorkerLost) and run.tries > 1:
        return TestOutcome.FAILED
    return TestOutcome.HARNESS_ERROR if isinstance(cause, HarnessError) else TestOutcome.FAILED


def _message(cause: BaseException) -> str:
    text = str(cause)
    if isinstance(cause, AssertionError) and not isinstance(cause, SolutionError):
        # pytest writes the author's own message first, and what it knows of the values after it.
        text = text.partition("\nassert ")[0]
    if isinstance(cause, SolutionError):
        text = f"{cause.type_name}: {text}"
    return text + _where(getattr(cause, "traceback", ""))


def _where(traceback: object) -> str:
    """The innermost line of the candidate's own in a traceback, in brackets."""
    # Its own file is shown without a folder, other people's with one.
    lines = re.findall(_OWN_LINE, traceback) if isinstance(traceback, str) else []
    return f" (line {lines[-1][0]}: {lines[-1][1]})" if lines else ""


def _make_brief(report: pytest.TestReport, record: PhaseRecord) -> None:
    report.keywords = {}
    report.sections.clear()
    if report.failed:
        report.longrepr = record.message


def _add_sections(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> None:
    traceback = getattr(cause, "traceback", "")
    if isinstance(traceback, str) and traceback:
        report.sections.append(("the candidate's traceback", _quote(traceback)))
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
    report.sections[:] = [(name, printable(text, 20_000)) for name, text in report.sections]
