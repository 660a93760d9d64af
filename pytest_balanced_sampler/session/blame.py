"""Whose fault it is that a test failed before it asked the candidate for anything."""

from __future__ import annotations

from collections.abc import Callable

from .forked_process import ForkedProcess
from .phase_report import untouched_error_in


class Blame:
    """Runs such a test once more without any candidate.

    When it fails there in the same way, before it asks for a candidate, the author is to blame, and
    nothing can be graded. In any other case the failure is the candidate's: what an earlier test
    left behind may have come from it. A candidate has no part in the answer.
    """

    def __init__(self, run_without_candidate: Callable[[str], ForkedProcess]) -> None:
        self._run_without_candidate = run_without_candidate
        self._errors: dict[str, str | None] = {}

    def is_authors(self, test: str, error: str) -> bool:
        """Whether this test fails with this error when there is no candidate."""
        if test not in self._errors:
            self._errors[test] = self._error_without_candidate(test)
        return self._errors[test] == error

    def _error_without_candidate(self, test: str) -> str | None:
        process = self._run_without_candidate(test)
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
