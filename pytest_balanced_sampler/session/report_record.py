"""The record that a report carries: written, read and changed; for the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ..errors import CandidateFault
from ..grade import Outcome, TestOutcome
from .record import PhaseRecord, failure_mode_of

LEFT_OUT = (TestOutcome.SKIPPED, TestOutcome.XFAILED)

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
    setattr(report, _RECORD, vars(record) | {"outcome": str(record.outcome)})


def ascribe(report: pytest.TestReport, candidate: int) -> None:
    """Have the record that a report carries, if any, be of the candidate at this place."""
    if (record := record_of(report)) is not None:
        attach(report, replace(record, candidate=candidate))


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


def failure_in(reports: list[dict[str, Any]]) -> str | None:
    """The first test that did not pass, in the serialised reports of a test, and why."""
    records = (report.get(_RECORD) or {} for report in reports)
    failed = (record for record in records if record.get("failure_mode") is not None)
    return next((f"{record['test']}: {record['message']}" for record in failed), None)


def has_failed(report: pytest.TestReport) -> bool:
    """Whether the report says that its test has failed, and not by a fault of the machine's."""
    record = record_of(report)
    return record is not None and record.outcome is TestOutcome.FAILED


def conclude(report: pytest.TestReport, signs: list[str], why_stop: str) -> None:
    """Add signs of tampering, and why no more tests are run, to the record that a report carries.

    The report is the last of its test.
    """
    record = record_of(report)
    assert record is not None
    attach(report, replace(record, tampering=[*record.tampering, *signs], stops=why_stop))


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


def settle(report: pytest.TestReport, is_authors: Callable[[PhaseRecord], bool]) -> None:
    """Have a report say whose doing it is that it is no pass, where that is open."""
    record = record_of(report)
    if record is None or record.untouched_error is None:
        return
    is_skip = record.outcome in LEFT_OUT
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
