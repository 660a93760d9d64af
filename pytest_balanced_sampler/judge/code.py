"""Code objects that say of a candidate's functions what `inspect` asks, and hold no code."""

from __future__ import annotations

from types import CodeType
from typing import Any


def source_file(proxy: Any) -> str:
    """The candidate's file. Raises `AttributeError` where it is none that lies here."""
    if not (file := proxy.__solution_worker__.source_file):
        raise AttributeError("this candidate has no file that could be read here")
    return str(file)


def code_of(file: str, described: Any) -> CodeType:
    """What a worker says of a function's code, as of code in this file.

    Raises `AttributeError` for what no code can be.
    """
    try:
        names = tuple(map(str, described["co_varnames"]))
        return _NOTHING.replace(
            co_filename=file,
            co_name=str(described["co_name"]),
            co_varnames=names,
            co_nlocals=len(names),
            co_flags=int(described["co_flags"]),
            co_argcount=int(described["co_argcount"]),
            co_posonlyargcount=int(described["co_posonlyargcount"]),
            co_kwonlyargcount=int(described["co_kwonlyargcount"]),
            co_firstlineno=int(described["co_firstlineno"]),
        )
    except (TypeError, ValueError, KeyError, OverflowError, SystemError) as error:
        raise AttributeError(f"the candidate's function has no code: {error}") from error


_NOTHING = (lambda: None).__code__
