"""Encodes and decodes the data-only messages between the trusted side and a worker, on both sides.

A value is sent as MessagePack, and arrives with exactly the same type: types that MessagePack lacks
(tuples, sets, big integers, dates, arrays, ...) are tagged extensions. Everything that is not data
becomes an `Extension`, which the trusted side turns into a proxy. Nothing is ever unpickled, and a
decoder rejects a message before it costs more than a few times its size.

The two directions differ in one respect: the trusted side may name anything that can be imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterable
from functools import partial
from typing import Any, NoReturn

import msgpack

from . import array_kinds, arrays, buffers, derived, library, names, refusals
from .costs import MORE_CONTAINERS, MORE_CONTAINERS_OF_KIND, KeyCosts
from .tags import OBJECTS, Allowance, Extension, Tag, WireError, class_in

MAX_CONTAINERS = 400_000
"""Against many small lists: an empty one is one byte in a message and over fifty in memory."""

MAX_DEPTH = 64
MAX_INTEGER_BYTES = 2**16
MAX_REFERENCES = 2**32

_BYTES_PER_BYTE = 4
_BYTES_PER_CONTAINER = 100
_BYTES_PER_ITEM = 90
_BYTES_PER_LIBRARY_VALUE = 800
"""The memory of an empty `deque`, the largest of them."""

_BYTES_PER_TENSOR = 400
"""The memory of one, except for its numbers, beyond that of other extensions."""

_TIMESTAMP_AS_FLOAT = 1
"""MessagePack's own timestamp extension, which would arrive as an object."""

_BUFFER_BYTES = 256
"""By default, the packer allocates a quarter of a megabyte for every call."""


def encode(
    value: object,
    refer: Callable[[object], Extension | None],
    importable: Container[str] | None = None,
) -> bytes:
    """Encode one value.

    `refer` is called for everything that is not data; it returns an `Extension`, or None if the
    value must not be sent. For a message to a candidate, `importable` has the modules in its
    process other than the standard library. Raises `WireError`.
    """
    to_candidate = importable is not None
    depth = 0

    def pack(item: object) -> bytes:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise RecursionError(f"more than {MAX_DEPTH} nested tuples, sets or similar containers")
        packer = msgpack.Packer(
            default=extend,
            strict_types=True,
            unicode_errors="surrogatepass",
            buf_size=_BUFFER_BYTES,
        )
        data: bytes = packer.pack(item)
        if buffers.may_be_in(data) and buffers.are_in(item):
            data = packer.pack(buffers.replaced(item, partial(_extend_mistaken, pack)))
        depth -= 1
        return data

    def extend(item: object) -> object:
        if type(item) is Extension:
            return msgpack.ExtType(item.tag, pack(item.fields))
        # A proxy first, because any other check would send a request to its worker.
        if not derived.is_proxy(item):
            extended = _extend_data(item, pack, to_candidate)
            if extended is not None:
                if to_candidate or not derived.is_derived(type(item)):
                    return extended
                if (reference := refer(item)) is None:
                    return extended
                return msgpack.ExtType(reference.tag, pack([*reference.fields, extended]))
            if (name := names.name_of(item, importable)) is not None:
                return msgpack.ExtType(Tag.NAME, pack(list(name)))
        if (reference := refer(item)) is None:
            raise WireError(refusals.refusal(item))
        if reference.tag == Tag.DERIVED:
            raise WireError(refusals.refusal_of_derived(item))
        return msgpack.ExtType(reference.tag, pack(reference.fields))

    try:
        if type(value) is list:
            scalars = arrays.extend_scalars(value, pack)
            value = value if scalars is None else scalars
        return pack(value)
    except (ValueError, OverflowError, RecursionError, MemoryError) as error:
        kind = type(value).__qualname__
        raise WireError(
            f"a value of type {kind!r} is too deep or too large to be sent; send it in parts "
            f"({error})"
        ) from error


def decode(
    data: bytes,
    resolve: Callable[[Extension], object],
    allowance: Allowance | None = None,
    *,
    to_candidate: bool = False,
) -> Any:
    """Decode one value from bytes that may be hostile. Raises `WireError`.

    If a set contains a proxy, its hash is requested; an exception of that is the cause of the
    `WireError`. A message `to_candidate` comes from the trusted side.
    """
    try:
        return _Decoder(resolve, allowance or Allowance(sys.maxsize), to_candidate).decode(data)
    except WireError:
        raise
    except Exception as error:
        raise WireError(f"not a message: {type(error).__name__}") from error


def _extend_mistaken(pack: Callable[[object], bytes], item: Any) -> msgpack.ExtType:
    fields = library.fields_of(item, to_candidate=False)
    if fields is None:
        raise WireError(refusals.refusal(item))
    return msgpack.ExtType(Tag.LIBRARY, pack(fields))


def _extend_data(item: Any, pack: Callable[[object], bytes], to_candidate: bool) -> object:
    if type(item) is tuple:  # By far the most common type: the checks below are skipped.
        return msgpack.ExtType(Tag.TUPLE, pack(list(item)))
    # Arrays before the built-in types, because NumPy's float64 is a float, and its str_ a str.
    if array_kinds.is_array(item):
        return array_kinds.extend(item, pack, to_candidate)
    if (fields := library.fields_of(item, to_candidate)) is not None:
        return msgpack.ExtType(Tag.LIBRARY, pack(fields))
    match item:
        case int():
            return _extend_integer(int.__index__(item))
        case float():
            return float.__float__(item)
        case str():
            return str.__str__(item)
        case bytes():
            return bytes.__getitem__(item, slice(None))
        case list():
            return list.__getitem__(item, slice(None))
        case dict():
            return dict(dict.items(item))
        case tuple():
            return msgpack.ExtType(Tag.TUPLE, pack(list(tuple.__iter__(item))))
        case set():
            return msgpack.ExtType(Tag.SET, pack(list(set.__iter__(item))))
        case frozenset():
            return msgpack.ExtType(Tag.FROZENSET, pack(list(frozenset.__iter__(item))))
        case complex():
            return msgpack.ExtType(Tag.COMPLEX, pack([item.real, item.imag]))
        case slice():
            return msgpack.ExtType(Tag.SLICE, pack([item.start, item.stop, item.step]))
    return None


def _extend_integer(number: int) -> object:
    if -(2**63) <= number < 2**64:
        return number
    size = number.bit_length() // 8 + 1
    if size > MAX_INTEGER_BYTES:
        raise WireError(f"an 'int' of {size:,} bytes is too large to be sent; send it in parts")
    return msgpack.ExtType(Tag.BIG_INTEGER, number.to_bytes(size, signed=True))


class _Decoder:
    def __init__(
        self,
        resolve: Callable[[Extension], object],
        allowance: Allowance,
        to_candidate: bool,
    ) -> None:
        self._resolve = resolve
        self._allowance = allowance
        self._to_candidate = to_candidate
        self._containers = 0
        self._keys = KeyCosts()
        self._depth = 0

    def decode(self, data: bytes) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise WireError("a message is nested too deeply")
        self._allowance.spend(_BYTES_PER_BYTE * len(data))
        value = msgpack.unpackb(
            data,
            strict_map_key=False,
            unicode_errors="surrogatepass",
            timestamp=_TIMESTAMP_AS_FLOAT,
            ext_hook=self._extension,
            list_hook=self._count,
            object_pairs_hook=self._dict,
        )
        self._depth -= 1
        return value

    def _count(self, items: list[Any]) -> list[Any]:
        self._containers += 1
        if self._containers > MAX_CONTAINERS:
            raise WireError(f"more than {MAX_CONTAINERS:,} containers in a message")
        self._allowance.spend(_BYTES_PER_CONTAINER + _BYTES_PER_ITEM * len(items))
        return items

    def _dict(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        self._count(pairs)
        self._allowance.spend(_BYTES_PER_ITEM * len(pairs))
        return self._keys.make(dict, pairs, [key for key, _ in pairs])

    def _extension(self, tag: int, data: bytes) -> object:
        self._containers += MORE_CONTAINERS.get(tag, 0)
        self._count([])
        match tag:
            case Tag.TUPLE:
                return tuple(self._list(data))
            case Tag.SET:
                return self._keys.make(set, items := self._list(data), items)
            case Tag.FROZENSET:
                return self._keys.make(frozenset, items := self._list(data), items)
            case Tag.BIG_INTEGER if len(data) <= MAX_INTEGER_BYTES:
                return int.from_bytes(data, signed=True)
            case Tag.COMPLEX:
                return complex(*self._typed(data, float, float))
            case Tag.SLICE:
                return slice(*self._typed(data, object, object, object))
            case Tag.ARRAY:
                return arrays.array(*self._typed(data, str | list, list, bytes))
            case Tag.SCALARS:
                return self._count(list(arrays.array(*self._typed(data, str, list, bytes))))
            case Tag.NUMPY_SCALAR:
                return arrays.array(*self._typed(data, str | list, list, bytes))[()]
            case Tag.TENSOR:
                self._allowance.spend(_BYTES_PER_TENSOR)
                return arrays.tensor(*self._typed(data, str, list, bytes, bool))
            case _ if tag in OBJECTS:
                if (kind := class_in(tag, data, self._extension)) is not None:
                    self._resolve(Extension(Tag.CLASS, kind))
                return self._resolve(Extension(Tag(tag), self._list(data)))
            case Tag.LIBRARY:
                return self._library_value(self._list(data))
            case Tag.NAME:
                module, name = self._typed(data, str, str)
                return (names.look_up if self._to_candidate else names.data_type)((module, name))
            case Tag.ARRAY_KIND:
                return array_kinds.make_kind(self._charged(self._list(data)), self._to_candidate)
        raise WireError(f"an unknown extension {tag}")

    def _library_value(self, fields: list[Any]) -> object:
        self._allowance.spend(_BYTES_PER_LIBRARY_VALUE)
        value = library.make(self._charged(fields), self._to_candidate)
        self._allowance.spend(library.hidden_size(value))
        return value

    def _charged(self, fields: list[Any]) -> list[Any]:
        if fields and isinstance(fields[0], str):
            self._containers += MORE_CONTAINERS_OF_KIND.get(fields[0], 0)
        return fields

    def _list(self, data: bytes) -> list[Any]:
        value = self.decode(data)
        if type(value) is not list:
            raise WireError("extension payload is not a list")
        return value

    def _typed(self, data: bytes, *types: Any) -> list[Any]:
        value = self._list(data)
        if len(value) != len(types) or not all(map(isinstance, value, types)):
            raise WireError("extension fields have the wrong type")
        return value


def no_reference(_: object) -> None:
    """For messages without references to objects."""


def refuse_reference(_: Extension) -> NoReturn:
    """For messages that must not contain references to objects."""
    raise WireError("a reference to an object where none is allowed")


def encode_list(encoded_items: Iterable[bytes]) -> bytes:
    """Encode a list whose items are already encoded."""
    items = list(encoded_items)
    header: bytes = msgpack.Packer().pack_array_header(len(items))
    return header + b"".join(items)
