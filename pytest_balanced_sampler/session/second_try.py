"""When a test runs once more before its verdict stands."""

from __future__ import annotations

from ..errors import HarnessError, SolutionTimeout


def needs_second_try(fault: BaseException | None, *, tries: int, had_timeout: bool) -> bool:
    """Whether a test must run once more, alone in a fresh process, before this fault may stand.

    A candidate may have run out of time because the machine was busy; one timeout that was
    confirmed is enough for the rest of its tests. What may be the machine's fault is tried again.
    """
    if tries > 1:
        return False
    if isinstance(fault, SolutionTimeout):
        return not had_timeout
    return isinstance(fault, HarnessError)
