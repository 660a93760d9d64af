"""NumPy arrays and torch tensors on the wire: their type, shape and bytes, checked on arrival.

The only module that both sides share and that names torch and numpy. Neither is imported before a
value needs it.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from typing import Any

import msgpack

from .tags import Tag, WireError

# NumPy divides by the number in a time's unit when it compares: a 0 there ends the process.
_ARRAY_TYPE = re.compile(
    r"[<>|]([biufcSU][1-9]\d{0,5}|"
    r"[mM]8(\[([1-9]\d{0,8})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as|generic)\])?)",
    re.ASCII,
)
TENSOR_TYPES = frozenset(
    "bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 bfloat16 float32 float64 "
    "complex32 complex64 complex128 float8_e4m3fn float8_e5m2".split()
)

RANDOM_MODULES = ("numpy.random._generator", "numpy.random.mtrand")
"""Where NumPy's random generators are defined."""


def use_one_thread() -> None:
    """Have torch start no threads in a forked process.

    It would wait for ever for those that it had before the fork, which are gone.
    """
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)


def is_array(item: object) -> bool:
    """Whether this is a NumPy scalar or array, or a torch tensor."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    return (numpy is not None and isinstance(item, numpy.generic | numpy.ndarray)) or (
        torch is not None and isinstance(item, torch.Tensor)
    )


def extend(item: Any, pack: Callable[[object], bytes]) -> msgpack.ExtType | None:
    """The extension for an array; None for one that is no plain data (objects, records, sparse)."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(item, torch.Tensor):
        return _extend_tensor(torch, item, pack)
    return _extend_numpy(sys.modules["numpy"], item, pack)


def _extend_numpy(numpy: Any, item: Any, pack: Callable[[object], bytes]) -> msgpack.ExtType | None:
    plain = numpy.asarray(item)
    if not _ARRAY_TYPE.fullmatch(plain.dtype.str):
        return None
    tag = Tag.NUMPY_SCALAR if isinstance(item, numpy.generic) else Tag.ARRAY
    return msgpack.ExtType(tag, pack([plain.dtype.str, list(plain.shape), plain.tobytes()]))


def _extend_tensor(
    torch: Any, item: Any, pack: Callable[[object], bytes]
) -> msgpack.ExtType | None:
    name = str(item.dtype).removeprefix("torch.")
    if item.layout is not torch.strided or item.is_meta or name not in TENSOR_TYPES:
        return None
    flat = item.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
    data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return msgpack.ExtType(Tag.TENSOR, pack([name, list(item.shape), data, item.requires_grad]))


def _check_size(shape: list[Any], item_size: int, data: bytes) -> None:
    if not all(type(size) is int and 0 <= size < 2**40 for size in shape) or len(shape) > 32:
        raise WireError("a message has an array of impossible shape")
    if math.prod(shape) * item_size != len(data):
        raise WireError("a message has an array whose size is not its shape's")


def array(type_text: str, shape: list[Any], data: bytes) -> Any:
    """A NumPy array from what a message says of it. Raises `WireError`."""
    import numpy

    if not _ARRAY_TYPE.fullmatch(type_text):
        raise WireError("a message has an array of a type that is no data")
    dtype = numpy.dtype(type_text)
    _check_size(shape, dtype.itemsize, data)
    if not data:
        return numpy.zeros(shape, dtype)
    return numpy.frombuffer(bytearray(data), dtype).reshape(shape)


def tensor(type_name: str, shape: list[Any], data: bytes, requires_grad: bool) -> Any:
    """A tensor from what a message says of it. Raises `WireError`."""
    import torch

    if type_name not in TENSOR_TYPES:
        raise WireError("a message has a tensor of an unknown type")
    dtype = getattr(torch, type_name)
    _check_size(shape, dtype.itemsize, data)
    if not data:
        return torch.empty(shape, dtype=dtype, requires_grad=requires_grad)
    flat = torch.frombuffer(bytearray(data), dtype=torch.uint8).view(dtype)
    return flat.reshape(shape).requires_grad_(requires_grad)
