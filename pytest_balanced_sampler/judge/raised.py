"""Exceptions that a worker describes, as exceptions to raise in a test."""

from __future__ import annotations

import builtins

from ..errors import CandidateFault, LoadError, SolutionCrash, SolutionError, solution_error_type
from ..text import printable, printable_line
from ..wire import tags


def error_from(status: str, described: object) -> BaseException | None:
    """The exception for a reply that is no value; None for a reply of no known kind."""
    match status, described:
        case "error", (str(), str(), str(), str()):
            return exception_from(tags.RemoteException(*described))
        case "load_error", (str() as kind, str(), str() as message, str() as text):
            return LoadError(
                printable(f"{printable_line(kind)}: {message}"), traceback=printable(text)
            )
        case "unsendable", str():
            return SolutionError(f"the candidate's result cannot be used: {printable(described)}")
    return None


def exception_from(described: tags.RemoteException) -> SolutionError | CandidateFault:
    """The exception for what the worker says that the candidate raised."""
    kind, builtin_name = map(printable_line, (described.type_name, described.builtin_name))
    message, traceback = map(printable, (described.message, described.traceback))
    builtin = getattr(builtins, builtin_name, None)
    if builtin is MemoryError:
        message = message or "the candidate needs more memory than it may use"
    if isinstance(builtin, type) and issubclass(builtin, Exception):
        return solution_error_type(builtin_name)(message, type_name=kind, traceback=traceback)
    return SolutionCrash(
        f"the candidate raised {kind}: {message}",
        traceback=traceback,
        tampering=f"raised {kind}, which only ends processes and tests",
    )
