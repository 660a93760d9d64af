"""Exceptions of the candidate's, as a test meets them.

An exception arrives as what was raised, unless Python or a test runner reads a meaning into it.
"""

from __future__ import annotations

import builtins
from contextlib import suppress
from typing import Any

from ..errors import CandidateFault, LoadError, Raised, SolutionCrash, SolutionError, mark_as_raised
from ..text import printable, printable_line

_OF_ITERATORS = frozenset(("next", "pull", "pull_on", "send", "throw", "finish"))
"""The operations out of which an iterator's end is one (PEP 479)."""

_NOT_ATTRIBUTES = ("args", "with_traceback", "add_note")


def raised(error: BaseException, traceback: str, *, operation: str) -> BaseException:
    """What to raise in the test for what was raised in the worker, out of this operation."""
    shown = printable(traceback)
    name = printable_line(type(error).__qualname__)
    if isinstance(error, StopIteration | StopAsyncIteration) and operation not in _OF_ITERATORS:
        error = RuntimeError(
            f"the candidate raised {name} outside of an iterator, where a loop of the test's would "
            "take it for its own end"
        )
    elif not isinstance(error, Exception) and _ends_more_than_a_call(type(error)):
        return SolutionCrash(
            f"the candidate raised {name}: {printable(str(error))}",
            traceback=shown,
            tampering=f"raised {name}, which only ends processes and tests",
        )
    mode = None
    if isinstance(error, MemoryError):
        mode = CandidateFault.failure_mode
        error.args = error.args or ("the candidate needs more memory than it may use",)
    mark_as_raised(error, Raised(shown, mode))
    return error


def error_from(status: str, described: object, *, operation: str) -> BaseException | None:
    """The exception for a reply that is no value; None for a reply of no known kind."""
    match status, described:
        case "error", [BaseException() as error, str() as traceback]:
            return raised(error, traceback, operation=operation)
        case "load_error", [str() as kind, str() as message, str() as text]:
            return LoadError(
                printable(f"{printable_line(kind)}: {message}"), traceback=printable(text)
            )
        case "unsendable", str():
            return SolutionError(f"the candidate's result cannot be used: {printable(described)}")
    return None


def rebuild(kind: type[BaseException], args: list[Any], attributes: dict[str, Any]) -> Any:
    """An exception of this class, without running any code of its class."""
    base: Any = kind
    while base.__module__ != builtins.__name__:
        base = base.__base__
    # A class of exceptions is made by the built-in class that gives it its layout.
    try:
        error = base.__new__(kind, *args)
        base.__init__(error, *args)
    except Exception:
        if issubclass(kind, BaseExceptionGroup):
            return RuntimeError(*args)
        error = base.__new__(kind)
    error.args = tuple(args)
    for name, value in attributes.items():
        if name == "__notes__":
            for note in value if isinstance(value, list) else ():
                error.add_note(str(note))
        elif name in ("__cause__", "__context__") and isinstance(value, BaseException):
            setattr(error, name, value)
        elif not name.startswith("_") and name not in _NOT_ATTRIBUTES:
            with suppress(Exception):
                BaseException.__setattr__(error, name, value)
    return error


def _ends_more_than_a_call(kind: type[BaseException]) -> bool:
    """Whether Python or a test runner gives this a meaning of its own."""
    builtin = next(base for base in kind.__mro__ if base.__module__ == builtins.__name__)
    is_own = hasattr(type(kind), "__solution_reference__")
    of_runners = kind.__module__.partition(".")[0] in ("_pytest", "unittest", "pytest")
    return builtin is not BaseException or not is_own or of_runners
