"""Every exception of the package. Tests catch them by importing from `pytest_balanced_sampler`.

Two families, on purpose. `SolutionError` is an ordinary `Exception`: the candidate raised, and a
test may expect that. A `CandidateFault` or a `HarnessError` is a `BaseException`: nothing came
back that a test could judge, and `pytest.raises(Exception)` must not take that for an answer.
"""

from __future__ import annotations

import builtins
from functools import cache


class SolutionError(Exception):
    """Raised in a test when the candidate's code raised.

    Where the candidate raised a built-in exception (or a subclass of one), the error is of that
    built-in type too, so that `pytest.raises(ValueError)` works.
    """

    failure_mode: str | None = None

    def __init__(self, message: str, *, type_name: str = "", traceback: str = "") -> None:
        Exception.__init__(self, message)
        self.message = message
        self.type_name = type_name
        self.traceback = traceback

    def __str__(self) -> str:
        return self.message


class CandidateFault(BaseException):
    """Raised when the candidate gave no answer at all; its subclasses say why.

    `tampering` names what was seen that no honest candidate does, or is empty.
    """

    failure_mode = "crash"

    def __init__(self, message: str, *, traceback: str = "", tampering: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback
        self.tampering = tampering


class NoSolution(CandidateFault):
    """Raised when the candidate's file is empty."""

    failure_mode = "no_solution"


class LoadError(CandidateFault):
    """Raised when the candidate's file cannot be imported, or lacks a name the tests ask for."""

    failure_mode = "load_error"


class SolutionTimeout(CandidateFault):
    """Raised when the candidate used up a test's time."""

    failure_mode = "timeout"


class UnconfirmedTimeout(SolutionTimeout):
    """Raised when the candidate gave no answer in time, which may be the machine's doing.

    `slept` says that the candidate hardly ran and hardly waited for a CPU all the while.
    """

    slept = False


class SolutionCrash(CandidateFault):
    """Raised when the candidate's process ended, or ran out of memory, before it answered."""


class ProtocolBreach(CandidateFault):
    """Raised when the candidate's process sent something that no worker sends."""


class NeedsCandidate(CandidateFault):
    """Raised when a test that runs without a candidate, to see whose fault it is, asks for one."""


class HarnessError(BaseException):
    """Raised when the grader or the machine failed. Never counted as a failure of the candidate."""


class WorkerLost(HarnessError):
    """Raised when a worker died in a way that may have been the machine's doing.

    The test runs once more in a fresh warm process. What happens again there is the candidate's.
    """


class GraderError(Exception):
    """Raised when pytest refuses to grade by this task at all; the text says what to change."""


class FaultInFixture(Exception):
    """Raised in a fixture in place of a `CandidateFault` or `HarnessError`, which it holds.

    pytest's machinery expects an `Exception` from fixtures: after any other it keeps finalizers,
    and the next test that uses the fixture fails in pytest itself.
    """

    def __init__(self, fault: CandidateFault | HarnessError) -> None:
        super().__init__(str(fault))
        self.fault = fault


@cache
def solution_error_type(builtin_name: str) -> type[SolutionError]:
    """The `SolutionError` that is the built-in `Exception` of this name too."""
    builtin: type[Exception] = getattr(builtins, builtin_name)
    if builtin is Exception or issubclass(builtin, ExceptionGroup):
        return SolutionError
    members: dict[str, object] = {"__module__": __name__}
    if issubclass(builtin, MemoryError):
        members["failure_mode"] = SolutionCrash.failure_mode
    return type(f"Solution{builtin_name}", (SolutionError, builtin), members)
