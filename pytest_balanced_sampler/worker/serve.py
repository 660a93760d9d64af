"""The untrusted side: loads one candidate and answers requests about it, in a process of its own.

Called by the warm process in a freshly forked child, and by nobody else. A request is
`[number, operation, arguments, keyword arguments, released references]`, and its reply
`[number, status, value]`; `OPERATIONS` is all that can be asked for. Nothing here is relied on
for a verdict: the candidate can change every line of it, in its own process only.
"""

from __future__ import annotations

import importlib
import operator
import os
import socket
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NoReturn

from ..wire import frames, tags, values
from . import loading, tasks
from .described import describe_exception
from .stand_ins import StandIns, TestEnded

MAX_PULLED_BYTES = 2**20
_FIELDS_OF_A_REQUEST = 5
_ASYNC_NAMES = ("__await__", "__aiter__", "__anext__", "__aenter__", "__aexit__")


class CandidateServer:
    """Answers requests on `channel` about the one candidate that it is told to load."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._objects: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._next_number = 0
        self._stand_ins = StandIns(self._ask)
        self._deferred: dict[int, tuple[object, BaseException]] = {}
        # Threads of the candidate's may ask the test for something, one at a time.
        self._lock = threading.RLock()
        self._open: list[int] = []

    def serve(self, hello: object) -> NoReturn:
        """Say hello, then answer until the trusted side hangs up; never returns."""
        self._send(self._encode(hello))
        while True:
            self._serve_one(self._receive())

    def _serve_one(self, request: list[Any]) -> None:
        number, operation, args, kwargs, released = request
        self._release(released)
        self._open.append(number)
        reply = self._answer(number, OPERATIONS[operation], args, kwargs)
        with self._lock:
            self._open.pop()
            self._send(reply)

    def _ask(self, operation: str, number: int, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Have the test do something with an object of its own, and serve it meanwhile."""
        with self._lock:
            if not self._open:
                raise RuntimeError(
                    "the test can be asked for something only while it waits for a call to return"
                )
            if operation == "exit":
                args = [*args[:1], *(part for error in args[1:] for part in self._describe(error))]
            dropped, self._stand_ins.dropped = self._stand_ins.dropped, set()
            try:
                body = self._encode(
                    [self._open[-1], "ask", [operation, number, args, kwargs, list(dropped)]]
                )
                if len(body) > frames.MAX_FRAME_BYTES:
                    raise tags.WireError(f"{len(body):,} bytes are too many")
            except tags.WireError as error:
                self._stand_ins.dropped |= dropped
                raise TypeError(f"cannot send this to the test: {error}") from error
            frames.send_frame(self._channel, body)
            while len(message := self._receive()) == _FIELDS_OF_A_REQUEST:
                self._serve_one(message)
        status, result, released = message
        self._release(released)
        match status:
            case "value":
                return result
            case "not_implemented":
                return NotImplemented
            case "error":
                raise self._stand_ins.make_error(result)
        raise TestEnded

    def _release(self, references: list[int]) -> None:
        for reference in references:
            self._numbers.pop(id(self._objects.pop(reference)))

    def _answer(
        self, number: int, operation: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> bytes:
        try:
            result = operation(*args, **kwargs)
            if isinstance(result, _Pull):
                pulled = self._encode_pull(result)
                return values.encode_list([self._encode(number), self._encode("value"), pulled])
            return self._encode([number, "value", result])
        except tags.WireError as error:
            return self._encode([number, "unsendable", str(error)])
        except loading.LoadFailed as error:
            return self._encode([number, "load_error", describe_exception(error.__cause__)])
        except BaseException as error:
            return self._encode([number, *self._describe(error)])

    def _describe(self, error: BaseException) -> list[object]:
        """An exception as the test is told of it: one of its own, or one of the candidate's."""
        own = self._stand_ins.own_error(error)
        if own is None:
            return ["error", describe_exception(error)]
        try:
            self._encode(own)
        except tags.WireError:
            return ["error", describe_exception(error)]
        return ["own_error", own]

    def _encode_pull(self, pull: _Pull) -> bytes:
        """`[items, how it ended, iterator]`.

        It ended with None for "there may be more", [] for the end, or an error; the iterator is
        there where more could be wanted. Each item is encoded before the next one is asked for:
        an iterator may hand out one list again and again with new contents.
        """
        items: list[bytes] = []
        size = 0
        ended: object = None
        if (deferred := self._deferred.pop(id(pull.iterator), None)) is not None:
            raise deferred[1]
        while len(items) < pull.limit and size < MAX_PULLED_BYTES:
            try:
                items.append(self._encode(next(pull.iterator)))
            except StopIteration:
                ended = []
                break
            except tags.WireError:
                raise
            except BaseException as error:
                if self._stand_ins.own_error(error) is not None:
                    if not items:
                        raise
                    # After the items that came before it, as an answer of its own.
                    self._deferred[id(pull.iterator)] = pull.iterator, error
                    break
                ended = describe_exception(error)
                break
            size += len(items[-1])
        iterator = pull.iterator if ended is None and len(items) < pull.limit else None
        return values.encode_list(
            [values.encode_list(items), self._encode(ended), self._encode(iterator)]
        )

    def _encode(self, value: object) -> bytes:
        return values.encode(value, self._refer)

    def _refer(self, item: Any) -> tags.Reference | tags.StandIn:
        if (stand_in := self._stand_ins.refer(item)) is not None:
            return stand_in
        with self._lock:
            number = self._numbers.get(id(item))
            if number is None:
                number = self._next_number
                self._next_number += 1
                self._numbers[id(item)] = number
                self._objects[number] = item
        kind: Any = type(item)
        return tags.Reference(number, _describe(item), _kind_of(kind))

    def _resolve(self, reference: tags.Reference | tags.StandIn) -> object:
        if isinstance(reference, tags.StandIn):
            return self._stand_ins.make(reference)
        return self._objects[reference.number]

    def _send(self, message: bytes) -> None:
        if len(message) > frames.MAX_FRAME_BYTES:
            error = f"a value of {len(message):,} bytes is too large to be sent"
            message = values.encode_list(map(self._encode, [None, "unsendable", error]))
        frames.send_frame(self._channel, message)

    def _receive(self) -> Any:
        received = frames.receive_frame(self._channel)
        if received is None:
            os._exit(0)
        return values.decode(received, self._resolve)


class _Pull:
    """At most `limit` items of an iterator, to be encoded one by one."""

    def __init__(self, iterator: Iterator[object], limit: int) -> None:
        self.iterator = iterator
        self.limit = limit


def _pull_anew(iterable: Iterable[object], limit: int) -> _Pull:
    return _Pull(iter(iterable), limit)


def _is_instance(item: object, kind: Any, qualified_name: str = "") -> bool:
    if isinstance(kind, str):
        kind = operator.attrgetter(qualified_name)(importlib.import_module(kind))
    return issubclass(type(item), kind)


def _call(function: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    return function(*args, **kwargs)


OPERATIONS: dict[str, Callable[..., Any]] = {
    **tasks.OPERATIONS,
    "store": loading.store,
    "load": loading.load,
    "run": loading.run,
    "import": importlib.import_module,
    "is_instance": _is_instance,
    "pull": _pull_anew,
    "pull_on": _Pull,
    "call": _call,
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "iter": iter,
    "next": next,
    "len": len,
    "bool": bool,
    "hash": hash,
    "str": str,
    "dir": dir,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    "contains": operator.contains,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


@cache
def _kind_of(kind: type) -> str:
    """What can be awaited of the instances of a class; see `tags.Reference`."""
    if kind is types.CoroutineType:
        return "coroutine"
    return " ".join(name for name in _ASYNC_NAMES if hasattr(kind, name))


def _describe(item: object) -> str:
    """What a proxy's repr says of the object; never asks the object itself."""
    if isinstance(item, types.ModuleType):
        return "the candidate's module"
    kind = type(item)
    if kind is type or issubclass(kind, type):
        return f"class {type.__dict__['__qualname__'].__get__(item)}"
    if issubclass(kind, types.FunctionType | types.MethodType | types.BuiltinFunctionType):
        return f"function {item.__name__}"  # type: ignore[attr-defined]
    return f"{type.__dict__['__qualname__'].__get__(kind)} object"
