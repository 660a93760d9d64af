"""From what pytest saw of one phase of a test to its record and its report; for the session.

Whatever a candidate made is escaped here, before a report leaves the process.
"""

from __future__ import annotations

import re
from dataclasses import asdict, replace

import pytest
from _pytest._code.code import ExceptionChainRepr

from ..errors import CandidateFault, HarnessError, SolutionError, WorkerLost
from ..grade import Outcome, TestOutcome
from ..text import printable
from .candidate_run import CandidateRun
from .collection import TestKey
from .record import PhaseRecord, failure_mode_of

_OWN_LINE = re.compile(r'^  File "[^/"<]+", line (\d+).*\n +(.{1,120})', re.MULTILINE)
_RECORD = "solution_record"
"""The attribute of a report that holds the record, as plain data: pytest-xdist sends it along."""


def record_of(report: pytest.TestReport) -> PhaseRecord | None:
    """The record that a report carries, if its test grades a candidate."""
    fields = getattr(report, _RECORD, None)
    if fields is None:
        return None
    return PhaseRecord(**fields | {"outcome": TestOutcome(fields["outcome"])})


def attach(report: pytest.TestReport, record: PhaseRecord) -> None:
    """Have a report carry this record."""
    # pytest-xdist sends plain text only.
    setattr(report, _RECORD, asdict(record) | {"outcome": str(record.outcome)})


def add_tampering(report: pytest.TestReport, signs: list[str]) -> None:
    """Add signs of tampering to the record that a report carries."""
    record = record_of(report)
    assert record is not None
    attach(report, replace(record, tampering=[*record.tampering, *signs]))


def annotate(
    report: pytest.TestReport,
    error: BaseException | None,
    key: TestKey,
    run: CandidateRun,
    *,
    is_brief: bool,
) -> None:
    """Add to the report what a grade needs to know, and what a reader wants to see.

    A brief one shows the message only: thousands of tracebacks are read by nobody.
    """
    fault = run.fault()
    if report.when == "call" and report.passed and fault is not None:
        # The test caught the fault; that is no evidence that the candidate can do anything.
        report.outcome = "failed"
        report.longrepr = f"{type(fault).__name__}: {fault}"
    candidate, test = key
    outcome = _phase_outcome(report, fault or error, run)
    cause = (fault or error) if outcome in (TestOutcome.FAILED, TestOutcome.HARNESS_ERROR) else None
    record = PhaseRecord(
        candidate=candidate,
        test=test,
        phase=report.when or "call",
        outcome=outcome,
        duration=report.duration,
        failure_mode=_mode(cause, outcome, test) if cause is not None else None,
        message=printable(_message(cause), 1000) if cause is not None else "",
        tampering=list(filter(None, [getattr(cause, "tampering", "")])),
        sha256=run.sha256,
    )
    attach(report, record)
    if is_brief:
        _make_brief(report, record)
    elif report.failed:
        _add_sections(report, cause, run)
    if not report.passed:
        _make_printable(report)


def _phase_outcome(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> TestOutcome:
    if hasattr(report, "wasxfail"):
        return TestOutcome.XPASSED if report.passed else TestOutcome.XFAILED
    if not report.failed:
        return TestOutcome(report.outcome)
    if isinstance(cause, WorkerLost) and run.is_second_try:
        return TestOutcome.FAILED
    if isinstance(cause, HarnessError):
        return TestOutcome.HARNESS_ERROR
    # A fixture of the author's that fails before it asked the candidate for anything.
    is_authors = report.when != "call" and not run.was_touched
    return TestOutcome.HARNESS_ERROR if is_authors else TestOutcome.FAILED


def _mode(cause: BaseException, outcome: TestOutcome, test: str) -> str:
    if outcome is TestOutcome.HARNESS_ERROR:
        return Outcome.HARNESS_ERROR.value
    return (
        CandidateFault.failure_mode
        if isinstance(cause, WorkerLost)
        else failure_mode_of(cause, test)
    )


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
        case ExceptionChainRepr():
            for traceback, location, _ in report.longrepr.chain:
                for entry in traceback.reprentries:
                    entry.lines = [printable(line) for line in entry.lines]
                if location is not None:
                    # On a CI server pytest's summary shows all lines of it, not the first alone.
                    location.message = printable(location.message).replace("\n", "\n| ")
        case None:
            pass
        case other:
            report.longrepr = printable(str(other), 20_000)
    report.sections[:] = [(name, printable(text, 20_000)) for name, text in report.sections]
