"""Finds every `bytearray` and `memoryview` in a value: the packer takes them for bytes, unasked.

That means a look at every item of every list. What is packed without a mark of bytes, such as a
list of small numbers, is spared it; for messages of a usual size and long lists of numbers it is
done in C.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable
from itertools import chain, groupby
from typing import Any

import msgpack

_EMPTY = b"\xc4\x00"
_USUAL = 4096
_BUFFERS = {bytearray, memoryview}
_LONG = 100
_BYTES_PER_INTEGER = 5


def may_be_in(packed: bytes) -> bool:
    """Whether there may be bytes of any kind in what was packed."""
    if not (b"\xc4" in packed or b"\xc5" in packed or b"\xc6" in packed):
        return False
    if len(packed) > _USUAL or _EMPTY in packed:
        return True
    try:
        msgpack.unpackb(packed, strict_map_key=False, max_bin_len=0)
    except ValueError:  # Bytes, or text that is not UTF-8.
        return True
    return False


def are_in(item: object) -> bool:
    """Whether there are any in lists and dicts of this item, or it is one."""
    level: list[Any] = [item]
    while level:
        kinds = {kind for kind, _ in groupby(level, type)}
        if kinds & _BUFFERS:
            return True
        parts: list[Iterable[Any]] = []
        if list in kinds:
            parts += [part for part in level if type(part) is list and not _are_integers(part)]
        if dict in kinds:
            for part in level:
                parts += [part.keys(), part.values()] if type(part) is dict else []
        level = list(chain.from_iterable(parts))
    return False


def replaced(item: Any, replace: Callable[[Any], object]) -> Any:
    """The item, with copies of its lists and dicts that have something else for each of them."""
    kind = type(item)
    if kind is list:
        return [replaced(part, replace) for part in item]
    if kind is dict:
        return {replaced(key, replace): replaced(part, replace) for key, part in item.items()}
    return replace(item) if kind in _BUFFERS else item


def _are_integers(items: list[Any]) -> bool:
    """Whether a long list has small integers only. May be False for one that has.

    `marshal` gives five bytes for each of them, and is the fastest that calls no method of an item.
    """
    if len(items) < _LONG or type(items[0]) is not int:
        return False
    try:
        data = marshal.dumps(items, 2)
    except ValueError:
        return False
    is_regular = len(data) == _BYTES_PER_INTEGER * (1 + len(items))
    return is_regular and not data[_BYTES_PER_INTEGER::_BYTES_PER_INTEGER].strip(b"i")
