"""Creates the record of one phase of a test, and completes pytest's report of it.

All text from a candidate is escaped here, before a report leaves the process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from ..errors import (
    CandidateFault,
    CannotSend,
    FaultInFixture,
    HarnessError,
    ProgramTimeout,
    Raised,
    SolutionError,
    WorkerLost,
    solution_error,
    told_by_worker,
)
from ..grade import TestOutcome
from ..text import printable
from .candidate_run import CandidateRun
from .foreign import escape_traceback
from .record import PhaseRecord, failure_mode_of
from .report_record import LEFT_OUT, attach, count_as_failure

MAX_OUTPUT = 4000
MAX_BRIEF_OUTPUT = 400
MAX_TOLD = 4000
"""Characters kept of a candidate's output per phase, in sessions of few and of many candidates; and
of its process's description of an error."""

_OWN_LINE = re.compile(r'^  File "[^/"<][^"<]*", line (\d+).*\n +(.{1,120})', re.MULTILINE)
_DIFFERS_BY_PROCESS = re.compile(
    r"(?<=0x)[0-9a-f]+|[\w./-]*/[0-9a-f]{16}/\w+|(?<=/)candidate-\w+/\w+|(?<=/tmp)[a-z0-9_]{8}\b"
)
"""Addresses, and the temporary folders of pytest and of `tempfile`."""


class Test(NamedTuple):
    """A test of one candidate, and its state at the end of a phase.

    `is_import_touched` says whether the import of its file used the candidate; `marks` are those of
    `marks.py`; `mode` is the failure mode that the test function declares.
    """

    candidate: int
    name: str
    is_touched: bool
    reaches_candidate: bool
    is_import_touched: bool = False
    marks: Sequence[str] = ()
    mode: str | None = None


def annotate(
    report: pytest.TestReport,
    error: BaseException | None,
    test: Test,
    run: CandidateRun,
    *,
    total: int | None,
    keeps_details: bool,
) -> None:
    """Add to the report the data for the grade, and the details for readers.

    Without details it shows the message only, because no one reads thousands of tracebacks.
    """
    if isinstance(error, FaultInFixture):
        error = error.fault
    if isinstance(error, ProgramTimeout):
        run.note_fault(error.fault)
    fault = run.fault()
    if report.when != "setup" and report.passed and fault not in (None, run.reported_fault):
        # The test caught the fault, but that must not make it pass.
        report.outcome = "failed"
        report.longrepr = f"{type(fault).__name__}: {fault}"
    if not report.passed:
        if error is not None and fault is run.reported_fault:
            fault = None  # An earlier phase has reported it; this phase has a different error.
        run.reported_fault = run.fault()
    outcome = phase_outcome(report, fault or error, run)
    cause = None if outcome in (TestOutcome.PASSED, TestOutcome.XPASSED) else fault or error
    told = told_by_worker(cause)
    is_touched = test.is_touched or bool(told) or isinstance(cause, SolutionError | HarnessError)
    is_skip = outcome in LEFT_OUT
    is_untouched = not is_touched and (is_skip or not test.is_import_touched)
    record = PhaseRecord(
        candidate=test.candidate,
        test=test.name,
        phase=report.when or "call",
        outcome=outcome,
        duration=report.duration,
        failure_mode=None
        if cause is None
        else failure_mode_of(cause, test.mode or test.name, outcome),
        message=printable(message_of(cause), 1000) if cause is not None else "",
        tampering=[told.tampering] if told and told.tampering else [],
        sha256=run.sha256,
        reaches_candidate=test.reaches_candidate or is_touched,
        untouched_error=describe_error(cause) if cause is not None and is_untouched else None,
        tries=run.tries,
        total=total,
        cpu_seconds=run.cpu_seconds(),
        peak_memory=run.peak_memory() if report.when == "teardown" else None,
        output=printable(run.take_printed(), MAX_OUTPUT if keeps_details else MAX_BRIEF_OUTPUT),
        told=told_text(cause),
        marks=list(test.marks),
    )
    attach(report, record)
    if is_skip and is_touched:
        record = count_as_failure(report)
    if report.failed and run.had_load_fault and isinstance(cause, CandidateFault):
        report.longrepr = f"{type(cause).__name__}, as in the test before"
    elif not keeps_details:
        _make_brief(report, record)
    elif report.failed:
        _add_sections(report, cause, run)
    if not report.passed:
        _make_printable(report)


def describe_error(error: BaseException) -> str:
    """An error's type and message, without parts that differ between processes."""
    return _DIFFERS_BY_PROCESS.sub("", printable(f"{type(error).__name__}: {error}", 1000))


def phase_outcome(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> TestOutcome:
    """The outcome of a phase, from pytest's report and the observed fault."""
    if hasattr(report, "wasxfail"):
        return TestOutcome.XPASSED if report.passed else TestOutcome.XFAILED
    if not report.failed:
        return TestOutcome(report.outcome)
    if isinstance(cause, WorkerLost) and run.budget.is_last_try(run.tries):
        return TestOutcome.FAILED
    # The tests could send everything to the reference.
    if isinstance(cause, CannotSend) and run.limits.times:
        return TestOutcome.FAILED
    return TestOutcome.HARNESS_ERROR if isinstance(cause, HarnessError) else TestOutcome.FAILED


def message_of(cause: BaseException) -> str:
    """The text for an error in a grade."""
    text = str(cause)
    raised = solution_error(cause)
    if isinstance(cause, AssertionError) and raised is None:
        # pytest writes the author's message first, then details of the compared values.
        text = text.partition("\nassert ")[0]
    if raised is not None:
        text = f"{type(cause).__qualname__}: {text}"
    return text + _where(told_by_worker(cause))


def told_text(cause: BaseException | None) -> str:
    """The description of an error by the candidate's process; it contains nothing of the test's
    code."""
    told = told_by_worker(cause)
    if cause is None or told is None:
        return ""
    if not isinstance(cause, CandidateFault) and told.traceback:
        return printable(told.traceback, MAX_TOLD)
    return printable(f"{type(cause).__name__}: {cause}\n{told.traceback}".strip(), MAX_TOLD)


def _where(told: CandidateFault | Raised | None) -> str:
    """The innermost line of the candidate's file in a traceback, in parentheses."""
    # The candidate's file is shown without a folder, library files with one.
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
    """Prefix each line of a candidate's text, so that it cannot look like pytest's output."""
    return "\n".join(f"| {line}" for line in text.splitlines())


def _make_printable(report: pytest.TestReport) -> None:
    """Escape text from a candidate in everything that pytest will show.

    An assertion that compares strings shows them unescaped.
    """
    match report.longrepr:
        case (path, line, reason):
            report.longrepr = (path, line, printable(reason))
        case None:
            pass
        case shown:
            if not escape_traceback(shown, printable):
                report.longrepr = printable(str(shown), 20_000)
    # The candidate's output is part of the captured sections, and must not look like pytest's
    # output.
    report.sections[:] = [
        (name, _quote(shown) if name.startswith("Captured ") else shown)
        for name, text in report.sections
        for shown in [printable(text, 20_000)]
    ]
