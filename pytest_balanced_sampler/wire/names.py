"""Modules, classes and functions on the wire, by name: what both sides can import.

To a candidate any name of the standard library and of the preloaded modules crosses. From a
candidate only some types of data and built-in exceptions do. A function that a candidate returns
is called in its own process, so it must never arrive as one of the test's: `os.system` has a name.
"""

from __future__ import annotations

import importlib
import operator
import os
import sys
import types
from collections.abc import Container
from typing import Any

from . import library
from .tags import WireError

_STANDARD_FOLDER = os.path.dirname(os.__file__)
_TYPE_CANNOT_BE_CHANGED = 1 << 8
_NEVER_FROM_CANDIDATE = (StopIteration, StopAsyncIteration, BaseExceptionGroup)
"""They mean something to Python where a test raises them or catches them."""

_FUNCTIONS: tuple[type, ...] = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)
_WITHOUT_MODULE = {
    kind: ("types", name) for name, kind in vars(types).items() if isinstance(kind, type)
}
"""`type(None)` says that it is `builtins.NoneType`, and there is no such name."""

Name = tuple[str, str]


def _data_types() -> dict[type, Name]:
    data = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, slice, object)
    kinds = [*data, *(kind.type for kind in library.KINDS.values())]
    found = {
        kind: _WITHOUT_MODULE.get(kind, (kind.__module__, kind.__qualname__))
        for kind in [*kinds, type(None)]
        if kind.__flags__ & _TYPE_CANNOT_BE_CHANGED
    }
    for name, kind in vars(sys.modules["builtins"]).items():
        if (
            isinstance(kind, type)
            and issubclass(kind, Exception)
            and not issubclass(kind, _NEVER_FROM_CANDIDATE)
        ):
            found[kind] = ("builtins", name)
    return found


_DATA_TYPES = _data_types()
_DATA_TYPES_BY_NAME = {name: kind for kind, name in _DATA_TYPES.items()}


def name_of(item: Any, importable: Container[str] | None) -> Name | None:
    """The module of an object and its name there, if it may cross by that.

    `importable` has the modules that are there in the candidate's process beside the standard
    library's; it is None in that process.
    """
    kind = type(item)
    if importable is None:
        return _DATA_TYPES.get(item) if issubclass(kind, type) else None
    if kind is types.ModuleType:
        is_there = _is_importable(item.__name__, importable)
        return (item.__name__, "") if is_there and sys.modules[item.__name__] is item else None
    home = kind.__module__
    if not issubclass(kind, (type, *_FUNCTIONS)) and not (
        type(home) is str and home.partition(".")[0] in importable and callable(item)
    ):
        return None
    if issubclass(kind, type) and item in _WITHOUT_MODULE:
        return _WITHOUT_MODULE[item]
    owner = getattr(item, "__objclass__", None) or getattr(item, "__self__", None)
    if isinstance(owner, types.ModuleType):
        owner = None
    # A bound method has a state, which is the test's.
    if owner is not None and not isinstance(owner, type):
        return None
    module = getattr(item, "__module__", None) or getattr(owner, "__module__", None)
    for name in (getattr(item, "__qualname__", None), getattr(item, "__name__", None)):
        if (
            type(module) is str
            and type(name) is str
            and _is_importable(module, importable)
            and _is_same(_found(sys.modules[module], name), item)
        ):
            return module, name
    return None


def look_up(name: Name) -> Any:
    """What is called that in the candidate's process. Raises what importing it does."""
    module = importlib.import_module(name[0])
    return operator.attrgetter(name[1])(module) if name[1] else module


def data_type(name: Name) -> type:
    """The type of data that a candidate may name so. Raises `WireError`."""
    kind = _DATA_TYPES_BY_NAME.get(name)
    if kind is None:
        raise WireError("a message names something that is no type of data")
    return kind


def _is_importable(module: str, importable: Container[str]) -> bool:
    top = module.partition(".")[0]
    if module not in sys.modules:
        return False
    if top not in sys.stdlib_module_names:
        return top in importable
    # A helper of the tests may have the name of a module of the standard library.
    file = getattr(sys.modules[module], "__file__", None)
    return file is None or (type(file) is str and file.startswith(_STANDARD_FOLDER))


def _found(module: object, name: str) -> object:
    try:
        return operator.attrgetter(name)(module)
    except AttributeError:
        return None


def _is_same(found: object, item: object) -> bool:
    if found is item:
        return True
    # A class gives another object for each access to one of its methods.
    bound = (types.BuiltinFunctionType, types.MethodType)
    return type(found) is type(item) and isinstance(item, bound) and found == item
