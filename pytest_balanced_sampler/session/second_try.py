"""Decides when a test runs once more before its result is final."""

from __future__ import annotations

from ..errors import CannotSend, HarnessError, UnconfirmedTimeout, WorkerLost
from .budget import Budget


def needs_second_try(fault: BaseException | None, tries: int, budget: Budget) -> bool:
    """Whether a test must run once more, alone in a new process, before this fault is final.

    CPU seconds hardly depend on other load of the machine, so such a timeout is final at once. A
    wall-clock timeout may be caused by the machine, so it is tried again until one of this
    candidate has been confirmed. So is a worker that was killed, because each such try imports all
    preloaded modules again. Other possible faults of the machine are always tried again.
    """
    if tries > 1:
        return False
    if isinstance(fault, UnconfirmedTimeout):
        return not budget.had_timeout
    if isinstance(fault, WorkerLost):
        return not budget.had_loss
    return isinstance(fault, HarnessError) and not isinstance(fault, CannotSend)
