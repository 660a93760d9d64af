"""The special methods of proxies: each one passes on one operation to the worker.

A proxy has those that its object's class has, so that `callable`, `hasattr`, `iter` and the classes
of `collections.abc` tell of it what they would tell of the object.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from ..text import printable_line
from ..wire.derived import is_proxy as is_proxy
from ..wire.specials import BINARY, COMPARISONS, IN_PLACE, OPERATION_OF


def ask(proxy: Any, operation: str, /, *args: object, **kwargs: object) -> Any:
    """Ask a proxy's worker for an operation."""
    __tracebackhide__ = True
    return proxy.__solution_worker__.request(operation, *args, **kwargs)


def special_methods(names: list[str]) -> dict[str, Callable[..., Any]]:
    """Those of these special methods that are passed on, by name."""
    return {name: _METHODS[name] for name in names if type(name) is str and name in _METHODS}


def may_judge(proxy: Any, other: object) -> bool:
    """Whether an object of the candidate's may be asked what it makes of another.

    Of what the test expects only where the test has used its class. In place of a number a
    candidate could return an object from which every number is 0 away, and that contains all.
    """
    return type(proxy).__solution_is_used__ or is_proxy(other)


def _refuse_to_judge(proxy: Any) -> TypeError:
    name = printable_line(type(proxy).__name__)
    return TypeError(
        f"an object of the candidate's class {name!r} would be asked what it makes of the test's "
        f"data, and the test has used no class {name!r}: where such an object is right, let the "
        f"test use the class first, as isinstance(it, solution.{name}) does"
    )


def _passing_on(operation: str) -> Callable[..., Any]:
    def method(self: Any, /, *args: object, **kwargs: object) -> Any:
        __tracebackhide__ = True
        return ask(self, operation, self, *args, **kwargs)

    return method


def _binary(operation: str) -> Callable[..., Any]:
    def method(self: Any, other: object, /, *modulus: object) -> Any:
        __tracebackhide__ = True
        if not may_judge(self, other):
            raise _refuse_to_judge(self)
        return ask(self, operation, self, other, *modulus)

    return method


def _reflected(operation: str) -> Callable[..., Any]:
    def method(self: Any, other: object, /) -> Any:
        __tracebackhide__ = True
        if not may_judge(self, other):
            raise _refuse_to_judge(self)
        return ask(self, operation, other, self)

    return method


def _comparing(operation: str) -> Callable[..., Any]:
    def method(self: Any, other: object, /) -> Any:
        """Ask where both sides are the candidate's. What a `UserDict` wraps is compared here.

        Compared with data an object of the candidate's is never equal: one that claims to equal
        everything must not pass, and what a test expects must not be sent to the code that it is
        expected of.
        """
        __tracebackhide__ = True
        if is_proxy(other):
            return ask(self, operation, self, other)
        data = ask(self, "getattr", self, "data") if type(self).__solution_wraps_data__ else self
        return NotImplemented if is_proxy(data) else getattr(operator, operation)(data, other)

    return method


def _is_true(self: Any, /) -> bool:
    __tracebackhide__ = True
    return ask(self, "bool", self) is True


def _contains(self: Any, item: object, /) -> bool:
    __tracebackhide__ = True
    if may_judge(self, item):
        return ask(self, "contains", self, item) is True
    if not isinstance(self, Iterable):
        raise _refuse_to_judge(self)
    return any(item is found or item == found for found in self)


def may_swallow(error: BaseException | None) -> bool:
    """Whether a context of the candidate's may end an exception: a test's verdict it may not."""
    return isinstance(error, Exception) and not isinstance(error, AssertionError)


def _exit(self: Any, _: object, error: BaseException | None, __: object) -> bool:
    __tracebackhide__ = True
    is_swallowed = ask(self, "exit", self, error)
    return may_swallow(error) and bool(is_swallowed)


def _array(self: Any, dtype: object = None, **_: object) -> Any:
    """What NumPy and PyTorch make an array of; it is copied on its way, whatever they ask for."""
    __tracebackhide__ = True
    return ask(self, "array", self, *([] if dtype is None else [dtype]))


_METHODS: dict[str, Callable[..., Any]] = {
    **{name: _passing_on(operation) for name, operation in OPERATION_OF.items()},
    **{f"__{name}__": _binary(name) for name in (*BINARY, *IN_PLACE)},
    **{f"__r{name}__": _reflected(name) for name in BINARY},
    **{f"__{name}__": _comparing(name) for name in COMPARISONS},
    "__bool__": _is_true,
    "__contains__": _contains,
    "__exit__": _exit,
    "__array__": _array,
}
for _name, _method in _METHODS.items():
    _method.__name__ = _method.__qualname__ = _name
