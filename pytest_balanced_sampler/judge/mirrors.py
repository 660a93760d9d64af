"""Makes the proxies of one worker: a local class for each class there, an object for each object.

What a worker says of its classes is not trusted further than this: a name, special methods out of
a fixed list, and bases that are other such classes or exceptions that this process has as well.
"""

from __future__ import annotations

import re
import sys
from abc import ABCMeta
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any, cast

from ..text import printable_line
from ..wire import arrays
from ..wire.specials import IS_ITS_ITERATOR
from ..wire.tags import Extension, Tag, WireError
from .awaiting import METHODS, METHODS_OF_COROUTINES
from .proxy import Proxy, ProxyType, read_attribute, reference_to
from .raised import rebuild
from .read_ahead import ReadAhead
from .remote_worker import RemoteWorker
from .special_methods import ask, special_methods

MAX_CLASSES = 2000
"""Of one candidate. Each costs the trusted side a few kilobytes and some 50 microseconds."""

MAX_REFERENCES = 2**32

_LIBRARIES = frozenset((*sys.stdlib_module_names, *arrays.LIBRARIES)) - {"bdb", "unittest"}
"""Where exceptions are the same on both sides. What test runners take for a verdict is not."""

_UNNAMED_TYPES: dict[tuple[str, str], type] = {
    ("builtins", "async_generator"): AsyncGeneratorType,
    ("builtins", "builtin_function_or_method"): BuiltinFunctionType,
    ("builtins", "coroutine"): CoroutineType,
    ("builtins", "function"): FunctionType,
    ("builtins", "generator"): GeneratorType,
    ("builtins", "method"): MethodType,
    ("builtins", "module"): ModuleType,
}


class Mirrors:
    """The proxies of one worker: what an extension in one of its messages stands for."""

    def __init__(self, worker: RemoteWorker) -> None:
        self._worker = worker
        self._classes: dict[int, type] = {}

    def resolve(self, extension: Extension) -> object:
        """The object for an extension. Raises `WireError`."""
        match extension:
            case (Tag.REFERENCE, [int() as number, list() as kind]):
                return self._object(_checked(number), self._class(kind))
            case (Tag.CLASS, kind):
                return self._class(kind)
            case (Tag.EXCEPTION, [int() as number, list() as kind, list(), str(), dict()]):
                return self._exception(_checked(number), self._class(kind), *extension.fields[2:])
        raise WireError("a message has an object that no worker describes so")

    def _object(self, number: int, kind: type) -> object:
        if not isinstance(kind, ProxyType) or not issubclass(kind, Proxy):
            raise WireError("a message has an object of a class that is none")
        proxy: Any = self._known(number)
        if proxy is None:
            proxy = object.__new__(kind)
            object.__setattr__(proxy, "__solution_number__", number)
            ahead = ReadAhead() if hasattr(kind, "__next__") else None
            object.__setattr__(proxy, "__solution_ahead__", ahead)
            object.__setattr__(proxy, "__solution_driver__", None)
            self._worker.proxies[number] = proxy
        return proxy

    def _exception(
        self, number: int, kind: type, args: list[Any], message: str, attributes: dict[str, Any]
    ) -> object:
        if not issubclass(kind, BaseException):
            raise WireError("a message has an exception that is none")
        if not isinstance(kind, ProxyType):
            self._worker.released.add(number)
            return rebuild(kind, args, attributes)
        error: Any = self._known(number)
        if error is None:
            error = rebuild(kind, args, attributes)
            vars(error)["__solution_number__"] = number
            vars(error)["__solution_message__"] = message
            self._worker.proxies[number] = error
        return error

    def _known(self, number: int) -> object:
        # Even where the proxy is gone: its release, not sent yet, must not end the next one's hold.
        self._worker.released.discard(number)
        return self._worker.proxies.get(number)

    def _class(self, fields: list[Any]) -> type:
        match fields:
            case [int() as number, *_] if number in self._classes:
                return self._classes[number]
            case [
                int() as number,
                str() as name,
                str() as qualified_name,
                str() as module,
                list() as bases,
                list() as names,
            ]:
                if len(self._classes) >= MAX_CLASSES:
                    raise WireError(f"a message has a class beyond {MAX_CLASSES:,} others")
                # Each of them, needed or not: it is described this once.
                kinds = [self._class(base) for base in bases]
                local = _local_class(module, qualified_name)
                if local is None or not issubclass(local, BaseException):
                    is_of_library = module.partition(".")[0] in _LIBRARIES
                    local = self._mirror(_checked(number), kinds, names, local, is_of_library)
                    _name(local, name, qualified_name, module)
                self._classes[_checked(number)] = local
                return local
        raise WireError("a message has a class that no worker describes so")

    def _mirror(
        self,
        number: int,
        bases: list[type],
        special_names: list[str],
        local: type | None,
        is_of_library: bool,
    ) -> type:
        exceptions = tuple(base for base in bases if issubclass(base, BaseException))
        namespace: dict[str, Any] = {
            **special_methods(special_names),
            **{name: METHODS[name] for name in METHODS if name in special_names},
            "__solution_worker__": self._worker,
            "__solution_class_number__": number,
            "__annotations__": property(lambda self: read_attribute(self, "__annotations__")),
            "__doc__": property(lambda self: read_attribute(self, "__doc__")),
        }
        if exceptions:
            namespace |= _METHODS_OF_EXCEPTIONS
        else:
            namespace["__slots__"] = ()
            if is_of_library and "__repr__" in namespace:
                namespace["__repr__"] = _repr_without_address
            if local in _UNNAMED_TYPES.values():
                # What Python gives no class to inherit from: isinstance asks for `__class__`.
                namespace["__class__"] = property(lambda _: local)
            if "__next__" in namespace:
                namespace["__next__"] = _next
                if not (is_of_library or IS_ITS_ITERATOR in special_names):
                    namespace["__iter__"] = _start_over
            if local is GeneratorType:
                namespace |= _METHODS_OF_GENERATORS
            if local is CoroutineType:
                namespace |= METHODS_OF_COROUTINES
        try:
            mirror: type = type.__new__(
                cast("type[type]", ProxyType), "Mirror", exceptions or _proxies(bases), namespace
            )
        except TypeError as error:
            raise WireError(f"a message has an impossible class: {error}") from error
        if isinstance(local, ABCMeta):
            local.register(mirror)
        return mirror


def _proxies(bases: list[type]) -> tuple[type, ...]:
    return tuple(base for base in bases if issubclass(base, Proxy)) or (Proxy,)


def _name(kind: type, name: str, qualified_name: str, module: str) -> None:
    for attribute, text in (
        ("__name__", name),
        ("__qualname__", qualified_name),
        ("__module__", module),
    ):
        type.__setattr__(kind, attribute, printable_line(text))


def _checked(number: int) -> int:
    if not 0 <= number < MAX_REFERENCES:
        raise WireError("a message has a reference of an impossible number")
    return number


def _local_class(module: str, qualified_name: str) -> type | None:
    """The class of a library that goes by this name in both processes."""
    if (module, qualified_name) in _UNNAMED_TYPES:
        return _UNNAMED_TYPES[module, qualified_name]
    found: object = sys.modules.get(module) if module.partition(".")[0] in _LIBRARIES else None
    for part in qualified_name.split("."):
        found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
    return found if isinstance(found, type) else None


def _repr_without_address(self: Any) -> str:
    """An address would make the message of an assertion differ from run to run."""
    __tracebackhide__ = True
    return re.sub(r" at 0x[0-9a-f]+", "", ask(self, "repr", self))


def _start_over(self: Any) -> Any:
    """`iter()` of an iterator of the candidate's own, which may start over each time."""
    __tracebackhide__ = True
    iterator = ask(self, "iter", self)
    if iterator is self:
        self.__solution_ahead__.clear()
    return iterator


def _next(self: Any) -> Any:
    __tracebackhide__ = True
    return self.__solution_ahead__.next(self)


def _send(self: Any, value: object, /) -> Any:
    __tracebackhide__ = True
    return ask(self, "send", self, value)


def _throw(self: Any, error: Any, value: object = None, _: object = None, /) -> Any:
    __tracebackhide__ = True
    if isinstance(error, type):
        error = value if isinstance(value, BaseException) else error(*filter(None, [value]))
    return ask(self, "throw", self, error)


_METHODS_OF_GENERATORS = {"send": _send, "throw": _throw}


def _reference(self: Any, worker: RemoteWorker) -> Extension | None:
    return reference_to(self, worker, self.__solution_number__)


def _message(self: Any) -> str:
    message: str = vars(self).get("__solution_message__", "")
    return message


def _set_attribute(self: Any, name: str, value: object) -> None:
    __tracebackhide__ = True
    if name == "args" or (name.startswith("__") and name.endswith("__")):
        BaseException.__setattr__(self, name, value)
    else:
        ask(self, "setattr", self, name, value)


def _release(self: Any) -> None:
    if "__solution_number__" in vars(self):
        self.__solution_worker__.released.add(self.__solution_number__)


_METHODS_OF_EXCEPTIONS: dict[str, Any] = {
    "__solution_reference__": _reference,
    "__str__": _message,
    "__getattr__": read_attribute,
    "__setattr__": _set_attribute,
    "__del__": _release,
}
