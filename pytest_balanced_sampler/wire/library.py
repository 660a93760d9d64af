"""Encodes the standard library's data types as fields, and creates them again from the fields.

A value is created by the type's own constructor, from fields of checked types; an instance of a
subclass arrives as one of the base type. Nothing here runs code or opens a file that a message
names, with one exception: `ZoneInfo` searches for a time zone with that name.
"""

from __future__ import annotations

import builtins
import datetime
import decimal
import enum
import fractions
import os
import pathlib
import re
import sys
import time
import types
import uuid
import zoneinfo
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from . import library_fields as checked
from . import named_tuples
from .tags import WireError

FROZENDICT: Any = getattr(builtins, "frozendict", None)
"""None before Python 3.15."""

MAX_RANGE = 10_000_000
"""Against a huge range: a longer one stays with the candidate, because `list()` of it would use
memory of the test's process."""

_BITS_OF_A_SMALL_KEY = 20
"""There are too few integers of this size for many hash collisions."""

_BYTES_PER_NUMBER = 36
_MAX_CHARGED_RANGE = 2**40

_BUILT_IN = frozenset(
    {int, float, complex, str, bytes, list, dict, tuple, set, frozenset, slice, object}
)


class Kind(NamedTuple):
    """How values of one type are sent."""

    type: type
    take: Callable[[Any], list[Any] | None]
    """The fields of a value; None if it has no such fields and cannot be sent."""
    fields: tuple[Any, ...]
    """The required types of the fields on arrival."""
    make: Callable[..., Any]
    weight: int = 1
    """What comparing two values of this type costs, next to comparing two floats; its root, as a
    chain of equal hashes costs the square of its length. 0 where hashes cannot be made to collide.
    """
    comes_back: bool = True
    """Whether it may also be sent from a candidate to the test."""


def _text_of_path(item: pathlib.PurePath) -> list[Any]:
    is_path = isinstance(item, pathlib.PurePath)
    return [pathlib.PurePath.__str__(item) if is_path else os.fspath(item)]


def _the_one(value: Any) -> Kind:
    return Kind(type(value), lambda _: [], (), lambda: value)


_DATE = ("year", "month", "day")
_TIME = ("hour", "minute", "second", "microsecond")
_INTS = (int,) * 7
KINDS: dict[str, Kind] = {
    "ellipsis": _the_one(...),
    "not_implemented": _the_one(NotImplemented),
    "date": Kind(
        datetime.date, checked.attributes(datetime.date, *_DATE), _INTS[:3], datetime.date, 0
    ),
    "time": Kind(
        datetime.time,
        checked.moment(datetime.time, *_TIME),
        (*_INTS[:5], checked.ZONE),
        checked.make_moment(datetime.time),
        3,
    ),
    "datetime": Kind(
        datetime.datetime,
        checked.moment(datetime.datetime, *_DATE, *_TIME),
        (*_INTS, int, checked.ZONE),
        checked.make_moment(datetime.datetime),
        3,
    ),
    "timedelta": Kind(
        datetime.timedelta,
        checked.attributes(datetime.timedelta, "days", "seconds", "microseconds"),
        _INTS[:3],
        datetime.timedelta,
    ),
    "timezone": Kind(
        datetime.timezone,
        lambda item: [list(item.__getinitargs__())],
        (list,),
        lambda fields: datetime.timezone(*fields),
    ),
    "zone": Kind(zoneinfo.ZoneInfo, checked.take_zone_key, (str,), checked.make_zone),
    "decimal": Kind(decimal.Decimal, checked.take_decimal, (str,), checked.make_decimal, 2),
    "fraction": Kind(
        fractions.Fraction, checked.take_fraction, (int, int), checked.make_fraction, 3
    ),
    "range": Kind(range, checked.attributes(range, "start", "stop", "step"), _INTS[:3], range, 4),
    "deque": Kind(
        deque,
        lambda item: [list(deque.__iter__(item)), item.maxlen],
        (list, int | None),
        deque,
    ),
    "counter": Kind(Counter, lambda item: [dict(dict.items(item))], (dict,), Counter),
    "ordered_dict": Kind(
        OrderedDict, lambda item: [dict(OrderedDict.items(item))], (dict,), OrderedDict
    ),
    "defaultdict": Kind(
        defaultdict,
        lambda item: [item.default_factory, dict(dict.items(item))],
        (object, dict),
        defaultdict,
    ),
    "dict_keys": Kind(type({}.keys()), lambda item: [dict.fromkeys(item)], (dict,), dict.keys),
    "dict_values": Kind(
        type({}.values()), lambda item: [list(item)], (list,), lambda v: dict(enumerate(v)).values()
    ),
    "dict_items": Kind(type({}.items()), lambda item: [dict(item)], (dict,), dict.items),
    "mappingproxy": Kind(
        types.MappingProxyType, lambda item: [dict(item)], (dict,), types.MappingProxyType
    ),
    "namespace": Kind(
        types.SimpleNamespace,
        lambda item: [dict(vars(item))],
        (dict,),
        lambda names: types.SimpleNamespace(**names),
    ),
    "uuid": Kind(
        uuid.UUID,
        lambda item: [item.int.to_bytes(16), item.is_safe.value],
        (bytes, int | None),
        lambda data, is_safe: uuid.UUID(bytes=data, is_safe=uuid.SafeUUID(is_safe)),
        3,
    ),
    **{
        kind.__name__: Kind(kind, _text_of_path, (str,), kind, 3)
        for kind in (
            pathlib.PurePosixPath,
            pathlib.PureWindowsPath,
            type(pathlib.Path()),
        )
    },
    "bytearray": Kind(bytearray, lambda item: [bytes(memoryview(item))], (bytes,), bytearray),
    "memoryview": Kind(
        memoryview, checked.take_memory, (bytes, str, list, bool), checked.make_memory
    ),
    "array": Kind(array, checked.take_array, (str, bytes | str), checked.make_array),
    "struct_time": Kind(
        time.struct_time,
        lambda item: [[*tuple.__iter__(item), item.tm_zone, item.tm_gmtoff]],
        (list,),
        checked.make_struct_time,
    ),
    "pattern": Kind(
        re.Pattern,
        lambda item: [item.pattern, item.flags],
        (str | bytes, int),
        re.compile,
        comes_back=False,
    ),
    "enum": Kind(enum.Enum, checked.take_enum, (str, str, int | str | None), checked.make_enum),
    "named_tuple": Kind(tuple, named_tuples.take, (str, list, list), named_tuples.make),
}
if FROZENDICT is not None:
    KINDS["frozendict"] = Kind(FROZENDICT, lambda item: [dict(item)], (dict,), FROZENDICT)
_NAMES = {kind.type: name for name, kind in KINDS.items() if kind.type not in (tuple, enum.Enum)}


def fields_of(item: Any, to_candidate: bool) -> list[Any] | None:
    """The kind of a value and its fields; None if it is another value or cannot be sent."""
    kind = type(item)
    name = _NAMES.get(kind) or _name_of_subclass(kind)
    if name is None or not (to_candidate or KINDS[name].comes_back):
        return None
    if name == "range" and not to_candidate and _length(item) > MAX_RANGE:
        return None
    try:
        fields = KINDS[name].take(item)
    except WireError:
        raise
    except Exception:  # The object is inconsistent with its type, so it stays in its process.
        return None
    return None if fields is None else [name, *fields]


def _name_of_subclass(kind: type) -> str | None:
    # The value of pytest's fixture `tmpdir`. Its methods run commands, so it is not handed over.
    if kind is getattr(sys.modules.get("_pytest._py.path"), "LocalPath", None):
        return type(pathlib.Path()).__name__
    if issubclass(kind, tuple) and named_tuples.is_named(kind):
        return "named_tuple"
    if issubclass(kind, enum.Enum) and kind.__module__ in checked.ENUMS:
        return "enum"
    for base in kind.__mro__:
        if base in _BUILT_IN:
            return None
        if base in _NAMES:
            return _NAMES[base]
    return None


def make(fields: list[Any], to_candidate: bool) -> Any:
    """Create a value from the fields in a message. Raises `WireError`, or the errors of its
    type."""
    match fields:
        case [str() as name, *values] if (kind := KINDS.get(name)) is not None and (
            (to_candidate or kind.comes_back)
            and len(values) == len(kind.fields)
            and all(map(isinstance, values, kind.fields))
        ):
            return kind.make(*values)
    raise WireError("a value of an unknown kind")


def hidden_size(value: object) -> int:
    """The memory of a list of a value's items, in bytes, if it is much larger than the value."""
    if type(value) is not range:
        return 0
    return _BYTES_PER_NUMBER * min(_length(value), _MAX_CHARGED_RANGE)


def key_weight(key: object) -> int:
    """The cost of comparing this key, if hashes can be made to collide; otherwise 0."""
    match key:
        case str() | bytes() | None:
            return 0
        case int():
            return 0 if key.bit_length() <= _BITS_OF_A_SMALL_KEY else 1 + key.bit_length() // 64
        case tuple() | frozenset():
            return 1 + sum(1 + key_weight(item) for item in key)
        case _ if FROZENDICT is not None and isinstance(key, FROZENDICT):
            return 1 + sum(1 + key_weight(item) for pair in key.items() for item in pair)
        case datetime.datetime() | datetime.time() if key.tzinfo is None:
            return 0
    name = _NAMES.get(type(key))
    return 1 if name is None else KINDS[name].weight


def _length(numbers: range) -> int:
    return max(0, (numbers.stop - numbers.start) // numbers.step)
