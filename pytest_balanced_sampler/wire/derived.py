"""Values of classes of the candidate's that derive from a type of data: `class Stack(list)`.

Such a value crosses as what it is to that type, and as the object that it is. So what the type does
with it, a test does with data that nobody can change on the way, and what the class adds is asked
of the object.
"""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import arrays

CONTAINERS = (list, deque, dict, set)
"""Those that can be changed."""

OF_TIME = (date, time, timedelta)

DATA_TYPES = frozenset(
    {*CONTAINERS, OrderedDict, Counter, defaultdict, *OF_TIME, datetime, Decimal, Fraction}
    | {int, float, complex, str, bytes, tuple, frozenset}
)

_IS_MADE_BY_PYTHON = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: spares built-in types a search."""

_LIBRARIES = {*sys.stdlib_module_names, *arrays.LIBRARIES, __package__.partition(".")[0]}


def is_proxy(item: object) -> bool:
    """Whether this stands for an object of a candidate's: an object, a class or an exception."""
    return hasattr(type(item), "__solution_reference__")


def data_type(kind: type) -> Any:
    """The type of data that a class derives from, or is; None for none."""
    return next((base for base in _mro(kind) if base in DATA_TYPES), None)


def is_derived(kind: type) -> bool:
    """Whether a class, in a candidate's process, is one of its own that derives from data."""
    if not kind.__flags__ & _IS_MADE_BY_PYTHON or data_type(kind) is None:
        return False
    libraries = [_library_of(base) for base in _mro(kind)]
    return libraries[0] not in _LIBRARIES and not {*libraries} & {*arrays.LIBRARIES}


def is_kept(kind: type) -> bool:
    """Whether values of a derived class can be changed, on both sides."""
    return is_derived(kind) and issubclass(kind, CONTAINERS)


def own_classes(kind: type) -> list[type]:
    """The classes that come before the type of data where a method is looked up."""
    mro = _mro(kind)
    return list(mro[: mro.index(data_type(kind))])


def make(kind: type, value: Any) -> Any:
    """A value of a derived class that is to its type of data what `value` is.

    No method of the class is called, but for `__setattr__`.
    """
    match value:
        case list() | deque() | dict() | set():
            item: Any = type(value).__new__(kind)
            if isinstance(value, deque):
                deque.__init__(item, (), value.maxlen)
            if isinstance(value, defaultdict):
                _FACTORY.__set__(item, value.default_factory)
            return item
        case date() | time() | timedelta():
            return type(value).__new__(kind, *value.__reduce_ex__(4)[1])
        case tuple():
            return tuple.__new__(kind, value)
    return type(value).__new__(kind, value)


_FACTORY: Any = vars(defaultdict)["default_factory"]


def _mro(kind: type) -> tuple[Any, ...]:
    mro: tuple[Any, ...] = vars(type)["__mro__"].__get__(kind)
    return mro


def _library_of(kind: type) -> str:
    module = vars(type)["__module__"].__get__(kind)
    return module.partition(".")[0] if type(module) is str else ""
