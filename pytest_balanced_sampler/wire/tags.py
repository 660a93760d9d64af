"""The vocabulary of the wire: tags, references, and what can go wrong with a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Tag(IntEnum):
    """What a MessagePack extension of ours stands for."""

    TUPLE = 0
    SET = 1
    FROZENSET = 2
    BIG_INTEGER = 3
    COMPLEX = 4
    SLICE = 5
    ARRAY = 6
    NUMPY_SCALAR = 7
    TENSOR = 8
    REFERENCE = 9
    STAND_IN = 40


class WireError(Exception):
    """Raised when a value cannot be sent, or when received bytes are not a message."""


class AllowanceSpentError(WireError):
    """Raised when messages would take more memory than their receiver has to spare."""


class Allowance:
    """How much memory, in bytes and roughly, decoded values may still take."""

    def __init__(self, size: int) -> None:
        self._left = size

    def spend(self, size: int) -> None:
        """Take this much of it. Raises `AllowanceSpentError`."""
        self._left -= size
        if self._left < 0:
            raise AllowanceSpentError("a message needs more memory than there is to spare")


@dataclass(frozen=True)
class Reference:
    """An object that stays in the worker: its number there, and how to describe it."""

    number: int
    description: str
    kind: str = ""
    """What can be awaited of it: `coroutine`, or names of special methods such as `__aiter__`."""


@dataclass(frozen=True)
class StandIn:
    """An object of the test that stays with the test: its number there, and what it looks like.

    `form` tells a worker what to put in its place; on the way back it is None.
    """

    number: int
    form: object = None


class RemoteException(NamedTuple):
    """An exception that was raised in the worker, described in text that the candidate chooses."""

    type_name: str
    builtin_name: str
    """The nearest built-in exception that it is a subclass of."""
    message: str
    traceback: str
