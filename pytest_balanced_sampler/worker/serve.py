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
from collections.abc import Callable
from typing import Any, NoReturn

from ..wire import frames, tags, values
from ..wire.shared import NO_NEWS, SharedContainers
from .objects import Objects, text_of, text_of_traceback
from .operations import OPERATIONS, LoadFailed, Pull

MAX_PULLED_BYTES = 2**20


class CandidateServer:
    """Answers requests on `channel` about the one candidate that it is told to load."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._objects = Objects()
        self._shared = SharedContainers(-1)

    def serve(self, hello: object) -> NoReturn:
        """Say hello, then answer until the trusted side hangs up; never returns."""
        self._send(self._encode(hello))
        while True:
            request = self._receive()
            if request is None:
                os._exit(0)
            number, operation, args, kwargs, released, first, news = request
            self._objects.release(released)
            self._shared.learn(news)
            self._shared.share_theirs(first, (*args, *kwargs.values()), at_any_size=True)
            self._send(self._answer(number, OPERATIONS[operation], args, kwargs))

    def _answer(
        self, number: int, operation: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> bytes:
        try:
            result = operation(*args, **kwargs)
            if isinstance(result, Pull):
                pulled = self._encode_pull(result)
                news = self._encode(self._shared.news())
                head, none = map(self._encode, (number, "value")), self._encode(0)
                return values.encode_list([*head, pulled, none, news])
            result = self._shared.marked(result)
            first = self._shared.share_ours(result, at_any_size=False)
            return self._encode([number, "value", result, first, self._shared.news()])
        except tags.WireError as error:
            self._objects.message_was_sent(False)
            return self._encode([number, "unsendable", str(error), 0, NO_NEWS])
        except LoadFailed as failed:
            cause = failed.__cause__
            assert cause is not None
            texts = [type(cause).__qualname__, text_of(cause), text_of_traceback(cause)]
            return self._encode([number, "load_error", texts, 0, NO_NEWS])
        except BaseException as error:
            described = self._describe(error)
            return self._encode([number, "error", described, 0, self._shared.news()])

    def _describe(self, error: BaseException) -> list[object]:
        """`[exception, traceback]`, in what can be sent."""
        traceback = text_of_traceback(error)
        try:
            self._encode(error)
            return [error, traceback]
        except tags.WireError:
            return [self._objects.refer_to_text_of(error), traceback]
        finally:
            self._objects.message_was_sent(False)

    def _encode_pull(self, pull: Pull) -> bytes:
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
            except StopIteration as stop:
                ended = [] if stop.value is None else self._describe(stop)
                break
            except tags.WireError:
                raise
            except BaseException as error:
                ended = self._describe(error)
                break
            size += len(items[-1])
        iterator = pull.iterator if ended is None and len(items) < pull.limit else None
        return values.encode_list(
            [values.encode_list(items), self._encode(ended), self._encode(iterator)]
        )

    def _encode(self, value: object) -> bytes:
        return values.encode(value, self._objects.refer)

    def _send(self, message: bytes) -> None:
        if len(message) > frames.MAX_FRAME_BYTES:
            error = f"a value of {len(message):,} bytes is too large to be sent"
            message = self._encode([None, "unsendable", error, 0, NO_NEWS])
            self._objects.message_was_sent(False)
        frames.send_frame(self._channel, message)
        self._objects.message_was_sent(True)

    def _receive(self) -> Any:
        received = frames.receive_frame(self._channel)
        if received is None:
            return None
        return values.decode(received, self._resolve, to_candidate=True)

    def _resolve(self, extension: tags.Extension) -> object:
        if extension.tag is tags.Tag.EXCEPTION:
            return _rebuild_exception(*extension.fields)
        if extension.tag is tags.Tag.SHARED:
            return self._shared.resolve(extension)
        return self._objects[extension.fields[0]]


def _rebuild_exception(name: str, args: list[Any]) -> BaseException:
    """An exception of a test's own, as the nearest type that both sides have."""
    module, _, qualified_name = name.partition(":")
    kind = operator.attrgetter(qualified_name)(importlib.import_module(module))
    error: BaseException = kind(*args)
    return error
