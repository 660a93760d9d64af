"""Exceptions of the candidate's, as a test meets them.

An exception arrives as what was raised, unless Python or a test runner reads a meaning into it.
"""

from __future__ import annotations

import builtins
import sys
from contextlib import suppress
from typing import Any

from ..errors import CandidateFault, Raised, SolutionCrash, mark_as_raised
from ..text import printable, printable_line
from ..wire.tags import Extension, Tag

_OF_ITERATORS = frozenset(("next", "pull", "pull_on", "send", "throw", "anext"))
"""The operations out of which an iterator's end is one (PEP 479)."""

_OF_BOTH_SIDES = sys.stdlib_module_names

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
            f"the candidate raised {name}: {error}",
            traceback=shown,
            tampering=f"raised {name}, which only ends processes and tests",
        )
    mode = None
    if isinstance(error, MemoryError):
        mode = CandidateFault.failure_mode
        error.args = error.args or ("the candidate needs more memory than it may use",)
    mark_as_raised(error, Raised(shown, mode))
    return error


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
        elif not name.startswith("_") and name not in _NOT_ATTRIBUTES:
            with suppress(Exception):
                BaseException.__setattr__(error, name, value)
    return error


def describe_exception(error: BaseException) -> Extension:
    """What stands, in a message to a worker, for an exception of a test's own."""
    kind = next(base for base in type(error).__mro__ if base.__module__ in _OF_BOTH_SIDES)
    name = f"{kind.__module__}:{kind.__qualname__}"
    return Extension(Tag.EXCEPTION, [name, list(error.args)])


def _ends_more_than_a_call(kind: type[BaseException]) -> bool:
    """Whether Python or a test runner gives this a meaning of its own."""
    builtin = next(base for base in kind.__mro__ if base.__module__ == builtins.__name__)
    is_own = hasattr(type(kind), "__solution_reference__")
    of_runners = kind.__module__.partition(".")[0] in ("_pytest", "unittest", "pytest")
    return builtin is not BaseException or not is_own or of_runners
