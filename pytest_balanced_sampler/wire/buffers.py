"""Finds every value that the packer would send as another type: a `bytearray` and a `memoryview` as
bytes, and since Python 3.15 a `frozendict` as a dict.

This search visits every item of every list. It is skipped if the packed message contains no marker
of bytes or dicts, for example for a list of small numbers. For messages of a usual size and long
lists of numbers it is done in C.
"""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Iterable
from itertools import chain, groupby
from typing import Any

import msgpack

from .library import FROZENDICT

_EMPTY = b"\xc4\x00"
_USUAL = 4096
_MISTAKEN = {bytearray, memoryview, FROZENDICT} - {None}
_MARKER_OF_A_DICT = re.compile(b"[\x80-\x8f\xde\xdf]")
_LONG = 100
_BYTES_PER_INTEGER = 5


def may_be_in(packed: bytes) -> bool:
    """Whether a packed message may contain any of them."""
    if FROZENDICT is not None and _MARKER_OF_A_DICT.search(packed):
        return True
    if not (b"\xc4" in packed or b"\xc5" in packed or b"\xc6" in packed):
        return False
    if len(packed) > _USUAL or _EMPTY in packed:
        return True
    try:
        msgpack.unpackb(packed, strict_map_key=False, max_bin_len=0)
    except ValueError:  # It contains bytes, or text that is not UTF-8.
        return True
    return False


def are_in(item: object) -> bool:
    """Whether this item is one, or its lists and dicts contain any."""
    level: list[Any] = [item]
    while level:
        kinds = {kind for kind, _ in groupby(level, type)}
        if kinds & _MISTAKEN:
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
    """The item with each of them replaced, in copies of its lists and dicts."""
    kind = type(item)
    if kind is list:
        return [replaced(part, replace) for part in item]
    if kind is dict:
        return {replaced(key, replace): replaced(part, replace) for key, part in item.items()}
    return replace(item) if kind in _MISTAKEN else item


def _are_integers(items: list[Any]) -> bool:
    """Whether a long list has only small integers. May also be False if it has.

    `marshal` writes five bytes for each of them. It is the fastest way that calls no method of an
    item, which might be a candidate's.
    """
    if len(items) < _LONG or type(items[0]) is not int:
        return False
    try:
        data = marshal.dumps(items, 2)
    except ValueError:
        return False
    is_regular = len(data) == _BYTES_PER_INTEGER * (1 + len(items))
    return is_regular and not data[_BYTES_PER_INTEGER::_BYTES_PER_INTEGER].strip(b"i")
