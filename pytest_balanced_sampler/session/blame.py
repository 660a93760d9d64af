"""Whose fault it is that a test failed before it asked the candidate for anything."""

from __future__ import annotations

from collections.abc import Callable

from .forked_process import ForkedProcess
from .report_record import untouched_error_in


class Blame:
    """Runs such a test once more without any candidate.

    When it fails there with the same error, before it asks for a candidate, the author is to blame,
    and nothing can be graded. It runs twice, since messages may vary from run to run: then an error
    of the same type is the same error. In any other case the failure is the candidate's: what an
    earlier test left behind may have come from it. A candidate has no part in the answer.
    """

    def __init__(self, run_without_candidate: Callable[[str, int], ForkedProcess]) -> None:
        self._run_without_candidate = run_without_candidate
        self._errors: dict[str, list[str | None]] = {}

    def is_authors(self, test: str, error: str) -> bool:
        """Whether this test fails with this error when there is no candidate."""
        if test not in self._errors:
            self._errors[test] = [self._error_without_candidate(test, run) for run in (1, 2)]
        first, second = self._errors[test]
        if first is None or second is None:
            return False
        return error == first if first == second else _type_of(error) == _type_of(first)

    def _error_without_candidate(self, test: str, run: int) -> str | None:
        process = self._run_without_candidate(test, run)
        error = None
        try:
            for message in process.messages():
                if message["kind"] in ("collected", "test"):
                    error = error or untouched_error_in(message["reports"])
                if message["kind"] == "test":
                    process.answer(go_on=False)
        finally:
            process.kill()
        return error


def _type_of(error: str) -> str:
    return error.partition(":")[0]
