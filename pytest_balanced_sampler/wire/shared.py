"""Containers that both sides have: what one side changes in them, the other gets to see.

Containers cross by value. Each side keeps those that have crossed as long as somebody else on that
side holds them, under a number that both sides know, and a shallow copy of each. With its next
message it says what has changed since (call by copy-restore, as in Tilevich and Smaragdakis, NRMI:
Natural and Efficient Middleware, 2003), and which containers nobody holds any more.

Both sides number the containers of a message by the same walk: it carries the first number only.
"""

from __future__ import annotations

import math
import operator
import sys
from collections import deque
from collections.abc import Container
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

from . import arrays
from .tags import Extension, Tag, WireError

MAX_WALKED = 2000
"""Items of a message that are searched for containers."""

MAX_DEPTH = 50
"""Containers in each other that are looked into."""

MAX_KEPT_ITEMS = 256
"""A larger container is compared once, at the end of the call that it was passed to."""

MAX_CONTAINERS = 1000
"""Of more containers than this the oldest are forgotten."""

_OUR_OWN_REFERENCES = 3
"""To a container that nobody else holds: ours, a local variable, and that of the question."""

_ATOMS = {str, bytes, int, float, bool, complex, type(None)}

_CONTAINERS = (list, deque, dict, set, bytearray, SimpleNamespace)

NO_NEWS: list[list[Any]] = [[], []]


def _containers_in(value: object, known: Container[int]) -> list[Any]:
    """The containers in a value that can be changed, in an order that depends on it only.

    Those whose `id` is known are left out, with what is in them.
    """
    found: list[Any] = []
    _collect(value, found, known, MAX_WALKED, MAX_DEPTH)
    return found


def _collect(value: Any, found: list[Any], known: Container[int], budget: int, depth: int) -> int:
    """What is left of the budget after a walk through the value."""
    if type(value) in _ATOMS or type(value) is Extension or id(value) in known:
        return budget
    if isinstance(value, _CONTAINERS) or arrays.can_change(value):
        found.append(value)
    if isinstance(value, SimpleNamespace):
        value = vars(value)
    if not isinstance(value, list | deque | dict | tuple) or len(value) > budget or not depth:
        return budget
    budget -= len(value)
    items = value.values() if isinstance(value, dict) else value
    if not set(map(type, items)) <= _ATOMS:
        for item in items:
            budget = _collect(item, found, known, budget, depth - 1)
    return budget


class _Container:
    def __init__(self, content: Any, *, is_compared: bool) -> None:
        self.content = content
        self.seen = _copy(content) if is_compared else None


class SharedContainers:
    """The containers that this side has in common with the other.

    `step` is 1 on one side and -1 on the other, so that their numbers never meet.
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self._next = step
        self._containers: dict[int, _Container] = {}
        self._numbers: dict[int, int] = {}
        self._dropped: list[int] = []

    def marked(self, value: Any) -> Any:
        """What stands for a value in a message: of a container that both have, its number."""
        number = self._numbers.get(id(value))
        return value if number is None else Extension(Tag.SHARED, [number])

    def resolve(self, extension: Extension) -> Any:
        """The container that a message means. Raises `WireError`."""
        match extension.fields:
            case [int() as number] if number in self._containers:
                return self._containers[number].content
        raise WireError("a message has a container that nobody shares")

    def share_ours(self, value: object, *, at_any_size: bool) -> int:
        """Keep the containers in a marked value that is to be sent. Gives their first number.

        Large ones are kept for the other side's next message only, and not compared here.
        """
        first = self._next
        for content in _containers_in(value, ()):
            if at_any_size or _size(content) <= MAX_KEPT_ITEMS:
                self._keep(self._next, content, is_compared=_size(content) <= MAX_KEPT_ITEMS)
            self._next += self._step
        return first

    def share_theirs(self, first: int, value: object, *, at_any_size: bool) -> None:
        """Keep the containers in a value that has arrived."""
        for place, content in enumerate(_containers_in(value, self._numbers)):
            if at_any_size or _size(content) <= MAX_KEPT_ITEMS:
                self._keep(first - place * self._step, content, is_compared=True)

    def news(self) -> list[list[Any]]:
        """`[changes, numbers that nobody here holds any more]`, for the message being sent."""
        changes = []
        for number, container in list(self._containers.items()):
            content = container.content
            # Changed and let go of, as in `stack.items.append(1)`, it is news all the same.
            if container.seen is not None and not _is_same(container.seen, content):
                container.seen = _copy(content)
                described = self._described(content)
                changes.append([number, self.share_ours(described, at_any_size=False), described])
                is_over = False
            else:
                is_over = sys.getrefcount(content) <= _OUR_OWN_REFERENCES
            if is_over or (container.seen is not None and _size(content) > MAX_KEPT_ITEMS):
                self._forget(number)
        dropped, self._dropped = self._dropped, []
        return [changes, dropped]

    def was_not_sent(self, news: list[list[Any]]) -> None:
        """Tell again, with the next message, what was not sent after all."""
        changes, dropped = news
        self._dropped += dropped
        for number, *_ in changes:
            if number in self._containers:
                self._containers[number].seen = [self]  # Like nothing that can be in it.

    def learn(self, news: object) -> None:
        """Take over what the other side has changed. Raises `WireError`."""
        match news:
            case [list() as changes, list() as dropped]:
                for change in changes:
                    self._take_over(change)
                for number in dropped:
                    self._drop(number)
            case _:
                raise WireError("a message has no news of containers")

    def _take_over(self, change: object) -> None:
        match change:
            case [int() as number, int() as first, described]:
                container = self._containers.get(number)
                if container is not None:
                    self.share_theirs(first, described, at_any_size=False)
                    _restore(container.content, described)
                    if container.seen is not None:
                        container.seen = _copy(container.content)
            case _:
                raise WireError("a message has a change that is none")

    def _described(self, content: Any) -> Any:
        if isinstance(content, SimpleNamespace):
            content = vars(content)
        match content:
            case list() | deque():
                return tuple(self.marked(item) for item in content)
            case dict():
                return {key: self.marked(item) for key, item in content.items()}
            case set():
                return frozenset(content)
            case bytearray():
                return bytes(content)
        return content

    def _keep(self, number: int, content: Any, *, is_compared: bool) -> None:
        if len(self._containers) >= MAX_CONTAINERS:
            self._forget(next(iter(self._containers)))
        self._containers[number] = _Container(content, is_compared=is_compared)
        self._numbers[id(content)] = number

    def _forget(self, number: int) -> None:
        self._drop(number)
        self._dropped.append(number)

    def _drop(self, number: object) -> None:
        container = self._containers.pop(number, None) if type(number) is int else None
        if container is not None and self._numbers.get(id(container.content)) == number:
            del self._numbers[id(container.content)]


def _size(content: Any) -> int:
    if isinstance(content, SimpleNamespace):
        return len(vars(content))
    return math.prod(content.shape) if arrays.can_change(content) else len(content)


def _copy(content: Any) -> Any:
    if isinstance(content, SimpleNamespace):
        content = vars(content)
    if isinstance(content, dict):
        return [*content.keys(), *content.values()]
    if arrays.can_change(content):
        return arrays.raw(content)
    return list(content) if isinstance(content, list | deque | set) else bytes(content)


def _is_same(seen: Any, content: Any) -> bool:
    now = _copy(content)
    if isinstance(now, bytes) or len(now) != len(seen):
        return bool(now == seen)
    if len(now) > MAX_KEPT_ITEMS:
        with suppress(Exception):  # Arrays, for one, say of two that are equal neither yes nor no.
            return bool(now == seen)  # Ten times as fast as the comparison below.
    return all(map(operator.is_, seen, now))


def _restore(content: Any, described: Any) -> None:
    """Make a container what the other side says that it is."""
    if isinstance(content, SimpleNamespace):
        content = vars(content)
    match content, described:
        case (list(), tuple()) | (bytearray(), bytes()):
            content[:] = described
        case (deque(), tuple()):
            content.clear()
            content.extend(described)
        case (dict(), dict()):
            content.clear()
            content.update(described)
        case (set(), frozenset()):
            content.clear()
            content.update(described)
        case _:
            arrays.copy_into(content, described)
