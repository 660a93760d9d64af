"""The special methods of proxies: each one passes on one operation to the worker.

A proxy has those that its object's class has, so that `callable`, `hasattr`, `iter` and the classes
of `collections.abc` tell of it what they would tell of the object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..wire.specials import BINARY, COMPARISONS, OPERATION_OF


def ask(proxy: Any, operation: str, /, *args: object, **kwargs: object) -> Any:
    """Ask a proxy's worker for an operation."""
    __tracebackhide__ = True
    return proxy.__solution_worker__.request(operation, *args, **kwargs)


def is_proxy(item: object) -> bool:
    """Whether this stands for an object of a candidate's: an object, a class or an exception."""
    return hasattr(type(item), "__solution_reference__")


def special_methods(names: list[str]) -> dict[str, Callable[..., Any]]:
    """Those of these special methods that are passed on, by name."""
    return {name: _METHODS[name] for name in names if type(name) is str and name in _METHODS}


def _passing_on(operation: str) -> Callable[..., Any]:
    def method(self: Any, /, *args: object, **kwargs: object) -> Any:
        __tracebackhide__ = True
        return ask(self, operation, self, *args, **kwargs)

    return method


def _reflected(operation: str) -> Callable[..., Any]:
    def method(self: Any, other: object, /) -> Any:
        __tracebackhide__ = True
        return ask(self, operation, other, self)

    return method


def _comparing(operation: str) -> Callable[..., Any]:
    def method(self: Any, other: object, /) -> Any:
        """Ask where both sides are the candidate's.

        Compared with data an object of the candidate's is never equal: one that claims to equal
        everything must not pass, and what a test expects must not be sent to the code that it is
        expected of.
        """
        __tracebackhide__ = True
        if not is_proxy(other):
            return NotImplemented
        return ask(self, operation, self, other)

    return method


def _is_true(operation: str) -> Callable[..., Any]:
    def method(self: Any, /, *args: object) -> bool:
        __tracebackhide__ = True
        return ask(self, operation, self, *args) is True

    return method


def may_swallow(error: BaseException | None) -> bool:
    """Whether a context of the candidate's may end an exception: a test's verdict it may not."""
    return isinstance(error, Exception) and not isinstance(error, AssertionError)


def _exit(self: Any, _: object, error: BaseException | None, __: object) -> bool:
    __tracebackhide__ = True
    is_swallowed = ask(self, "exit", self, error)
    return may_swallow(error) and bool(is_swallowed)


_METHODS: dict[str, Callable[..., Any]] = {
    **{name: _passing_on(operation) for name, operation in OPERATION_OF.items()},
    **{f"__r{name}__": _reflected(name) for name in BINARY},
    **{f"__{name}__": _comparing(name) for name in COMPARISONS},
    "__bool__": _is_true("bool"),
    "__contains__": _is_true("contains"),
    "__exit__": _exit,
}
for _name, _method in _METHODS.items():
    _method.__name__ = _method.__qualname__ = _name
