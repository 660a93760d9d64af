"""Code objects that say of a candidate's functions what `inspect` asks, and hold no code."""

from __future__ import annotations

from types import CodeType
from typing import Any


def code_of(file: str, described: Any) -> CodeType:
    """What a worker says of a function's code, as of code in this file if it is the candidate's.

    Raises `AttributeError` for what no code can be.
    """
    try:
        names = tuple(map(str, described["co_varnames"]))
        return _NOTHING.replace(
            co_filename=file if described["is_own"] and file else "<candidate>",
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
