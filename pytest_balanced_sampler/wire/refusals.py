"""What an error says of a value that cannot cross to a candidate: its type, and the way round."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import types
import zoneinfo
from collections.abc import Iterator
from typing import Any

from . import array_kinds


def refusal(item: object) -> str:
    """Why a value of the test's cannot be sent to the candidate, and what to send instead."""
    kind = type(item)
    return f"a value of type {kind.__qualname__!r} cannot be sent to the candidate: {_way(item)}"


def refusal_of_derived(item: object) -> str:
    """Why a value of a class of the candidate's that derives from data cannot be sent."""
    return f"a {type(item).__qualname__!r} of the candidate's holds what cannot be sent as data"


def _way(item: Any) -> str:
    if array_kinds.is_array(item):
        return array_kinds.WAY_ROUND
    match item:
        case datetime.datetime() | datetime.time():
            zone = type(item.tzinfo).__qualname__
            return f"its time zone is a {zone!r}: use a datetime.timezone or a zoneinfo.ZoneInfo"
        case zoneinfo.ZoneInfo():
            return "it has no key: make it by zoneinfo.ZoneInfo(key)"
        case memoryview():
            return "its format or shape is not simple: send memoryview.tobytes()"
        case types.ModuleType():
            return "import_beside(solution, name) imports it in the candidate's process"
        case enum.Enum():
            return "its class is the test's: send its value"
        case Iterator():
            return "send a list of its items"
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        return "its class is the test's: send dataclasses.asdict(it)"
    if isinstance(item, type) or callable(item):
        return "it is code of the test's: define it in a function for run_beside"
    return "send what it has in it as built-in values, or make it in a function for run_beside"
