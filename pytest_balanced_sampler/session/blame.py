"""Whose doing it is that a test failed, or was skipped, before it asked the candidate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .forked_process import ForkedProcess
from .record import PhaseRecord
from .report_record import untouched_errors_in

Errors = dict[tuple[str, str], str]
"""What a test ended with in a phase of it, before it asked for a candidate."""


class Blame:
    """Runs the tests without the candidate, so that it has no part in the answer.

    Only what happens there too is the author's, and then nothing can be graded. The test runs alone
    without any candidate; twice, since messages may vary from run to run: then an error of the same
    type is the same error. And it runs after the tests before it with another candidate, the task's
    reference or a stand-in: what ends otherwise there depends on what those have stored of the
    candidate's.
    """

    def __init__(
        self,
        run_alone: Callable[[str, int], ForkedProcess],
        run_with_another: Callable[[], ForkedProcess],
    ) -> None:
        self._run_alone = run_alone
        self._run_with_another = run_with_another
        self._alone: dict[str, tuple[Errors, Errors]] = {}
        self._with_another: Errors | None = None

    def is_authors(self, record: PhaseRecord) -> bool:
        """Whether a test ends so whatever the candidate is."""
        assert record.untouched_error is not None
        place = record.test, record.phase
        if record.test not in self._alone:
            once, again = (_errors(partial(self._run_alone, record.test, run)) for run in (1, 2))
            self._alone[record.test] = once, again
        first, second = (errors.get(place) for errors in self._alone[record.test])
        if first is None or second is None:
            return False
        is_steady = first == second
        if not _is_same(record.untouched_error, first, is_steady):
            return False
        if self._with_another is None:
            self._with_another = _errors(self._run_with_another)
        error = self._with_another.get(place)
        return error is not None and _is_same(error, first, is_steady)


def _errors(start: Callable[[], ForkedProcess]) -> Errors:
    process = start()
    errors: Errors = {}
    try:
        for message in process.messages():
            if message["kind"] in ("collected", "test"):
                errors |= untouched_errors_in(message["reports"])
            if message["kind"] == "test":
                process.answer(go_on=True)
            if message["kind"] == "end":
                break
    finally:
        process.kill()
    return errors


def _is_same(error: str, other: str, is_steady: bool) -> bool:
    if is_steady:
        return error == other
    return error.partition(":")[0] == other.partition(":")[0]
