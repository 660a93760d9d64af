"""The record that a report carries: written, read and changed; for the session."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from ..grade import Outcome, TestOutcome
from .record import PhaseRecord

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


def untouched_error_in(reports: list[dict[str, Any]]) -> str | None:
    """The first error, in the serialised reports of a test, before a candidate was asked."""
    records = (report.get(_RECORD) or {} for report in reports)
    failed = (record for record in records if record.get("failure_mode") is not None)
    error: str | None = next(failed, {}).get("untouched_error")
    return error


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


def blame_the_author(report: pytest.TestReport) -> None:
    """Have the report of an untouched failure say that nothing can be graded because of it."""
    record = record_of(report)
    assert record is not None
    message = f"this test fails before it asks the candidate for anything: {record.message}"
    mode = Outcome.HARNESS_ERROR.value
    outcome = TestOutcome.HARNESS_ERROR
    attach(report, replace(record, outcome=outcome, failure_mode=mode, message=message))
