"""The untrusted side: loads one candidate and answers requests about it, in a process of its own.

Called by the warm process in a freshly forked child, and by nobody else. A request is
`[number, operation, arguments, keyword arguments, released references]`, and its reply
`[number, status, value]`; `OPERATIONS` is all that can be asked for. Nothing here is relied on
for a verdict: the candidate can change every line of it, in its own process only.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import io
import linecache
import operator
import os
import socket
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from ..wire import frames, tags, values

MAX_PULLED_BYTES = 2**20
_MAX_MESSAGE = 20_000
_MAX_TRACEBACK_FRAMES = 10


class CandidateServer:
    """Answers requests on `channel` about the one candidate that it is told to load."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._objects: dict[int, object] = {}
        self._numbers: dict[int, int] = {}
        self._next_number = 0

    def serve(self, hello: object) -> NoReturn:
        """Say hello, then answer until the trusted side hangs up; never returns."""
        self._send(self._encode(hello))
        while True:
            request = self._receive()
            if request is None:
                os._exit(0)
            number, operation, args, kwargs, released = request
            for reference in released:
                self._numbers.pop(id(self._objects.pop(reference)))
            self._send(self._answer(number, OPERATIONS[operation], args, kwargs))

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
        except _LoadFailed as error:
            status, described = "load_error", _describe_exception(error.__cause__)
        except BaseException as error:
            status, described = "error", _describe_exception(error)
        return self._encode([number, status, described])

    def _encode_pull(self, pull: _Pull) -> bytes:
        """`[items, how it ended, iterator]`.

        It ended with None for "there may be more", [] for the end, or an error; the iterator is
        there where more could be wanted. Each item is encoded before the next one is asked for:
        an iterator may hand out one list again and again with new contents.
        """
        items: list[bytes] = []
        size = 0
        ended: object = None
        while len(items) < pull.limit and size < MAX_PULLED_BYTES:
            try:
                items.append(self._encode(next(pull.iterator)))
            except StopIteration:
                ended = []
                break
            except tags.WireError:
                raise
            except BaseException as error:
                ended = _describe_exception(error)
                break
            size += len(items[-1])
        iterator = pull.iterator if ended is None and len(items) < pull.limit else None
        return values.encode_list(
            [values.encode_list(items), self._encode(ended), self._encode(iterator)]
        )

    def _encode(self, value: object) -> bytes:
        return values.encode(value, self._refer)

    def _refer(self, item: object) -> tags.Reference:
        number = self._numbers.get(id(item))
        if number is None:
            number = self._next_number
            self._next_number += 1
            self._numbers[id(item)] = number
            self._objects[number] = item
        return tags.Reference(number, _describe(item))

    def _send(self, message: bytes) -> None:
        if len(message) > frames.MAX_FRAME_BYTES:
            error = f"a value of {len(message):,} bytes is too large to be sent"
            message = values.encode_list(map(self._encode, [None, "unsendable", error]))
        frames.send_frame(self._channel, message)

    def _receive(self) -> Any:
        received = frames.receive_frame(self._channel)
        if received is None:
            return None
        return values.decode(received, lambda ref: self._objects[ref.number], to_candidate=True)


class _LoadFailed(Exception):
    """Carries, as its cause, what the candidate's file raised when it was imported."""


class _Pull:
    """At most `limit` items of an iterator, to be encoded one by one."""

    def __init__(self, iterator: Iterator[object], limit: int) -> None:
        self.iterator = iterator
        self.limit = limit


def _pull_anew(iterable: Iterable[object], limit: int) -> _Pull:
    return _Pull(iter(iterable), limit)


def _store(name: str, source: bytes) -> str:
    """Write the source into a file of its own; give the name of the module that it is to be.

    A request of its own, before the candidate's first line: what goes wrong is not its doing.
    """
    if name in sys.modules or name in sys.stdlib_module_names or not name.isidentifier():
        name = "solution"
    Path(f"{name}.py").write_bytes(source)
    return name


def _load(name: str, source: bytes) -> types.ModuleType:
    """Import what was stored as a real module: in `sys.modules` before it runs.

    Dataclasses with postponed annotations, pickling and `inspect.getsource` rely on that.
    """
    path = Path.cwd() / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(source, path.name, "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        raise _LoadFailed from error
    return module


def _run(source: str) -> int:
    """Run a script in the working directory, as `python script.py` would; give its exit status."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    sys.path.insert(0, str(Path.cwd()))
    linecache.cache["<run_python>"] = (len(source), None, source.splitlines(keepends=True), "")
    try:
        exec(compile(source, "<run_python>", "exec", dont_inherit=True), main.__dict__)
    except SystemExit as error:
        if isinstance(error.code, str):
            sys.stderr.write(f"{error.code}\n")
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        sys.stderr.write("".join(_format_traceback(error)))
        return 1
    return 0


def _set_stdin(text: str) -> None:
    sys.stdin = io.StringIO(text)


def _is_instance(item: object, kind: Any, qualified_name: str = "") -> bool:
    if isinstance(kind, str):
        kind = operator.attrgetter(qualified_name)(importlib.import_module(kind))
    return issubclass(type(item), kind)


def _call(function: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    return function(*args, **kwargs)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "store": _store,
    "load": _load,
    "run": _run,
    "stdin": _set_stdin,
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


def _describe_exception(error: BaseException | None) -> tags.RemoteException:
    assert error is not None
    kind = type(error)
    builtin = next(base for base in kind.__mro__ if base.__module__ == builtins.__name__)
    return tags.RemoteException(
        type_name=kind.__qualname__,
        builtin_name=builtin.__name__,
        message=_text_of(lambda: str(error)),
        traceback=_text_of(lambda: "".join(_format_traceback(error))),
    )


def _format_traceback(error: BaseException) -> list[str]:
    own_frames = 0
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename == __file__:
        own_frames += 1
        frame = frame.tb_next
    return traceback.format_exception(
        type(error), error, frame, limit=-_MAX_TRACEBACK_FRAMES, chain=True
    )


def _text_of(make: Callable[[], str]) -> str:
    try:
        text = make()
        return text[:_MAX_MESSAGE] if type(text) is str else "<not a text>"
    except BaseException:
        return "<it cannot be shown: showing it raises>"
