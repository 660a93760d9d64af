"""Values of every type that crosses to a candidate and back, and what it is to arrive unchanged."""

import array
import datetime
import decimal
import http
import pathlib
import re
import signal
import time
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple

import numpy
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from pytest_balanced_sampler.wire import arrays

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters())
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
)
HASHABLE = SCALARS | st.tuples(SCALARS, SCALARS) | st.frozensets(SCALARS)
SLICES = st.builds(slice, *[st.none() | st.integers()] * 3)


def containers_of(inner):
    """One more level of nesting."""
    pairs = st.tuples(inner, inner)
    return st.lists(inner) | pairs | st.sets(HASHABLE) | st.dictionaries(HASHABLE, inner)


VALUES = st.deferred(lambda: SCALARS | SLICES | containers_of(SCALARS | containers_of(SCALARS)))
ARRAYS = st_numpy.arrays(
    st_numpy.scalar_dtypes(), st_numpy.array_shapes(min_dims=0, min_side=0, max_side=3)
)


NUMBERS = st.integers() | st.floats() | st.none()
KEYS = st.text(max_size=5) | st.integers() | st.dates()
DICTS = st.dictionaries(KEYS, NUMBERS | st.lists(NUMBERS, max_size=2), max_size=4)
ZONES = (
    st.none()
    | st.timezones()
    | st.builds(
        datetime.timezone,
        st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23)),
        st.text(max_size=5),
    )
)
FOLDS = st.sampled_from([0, 1])
PATH_TEXTS = st.text(st.characters(exclude_characters="\0"), max_size=9)
ARRAY_CODES = {
    code: st.floats(width=32 if code == "f" else 64)
    if code in "fd"
    else st.characters()
    if code in "uw"
    else st.integers(
        -(2 ** (8 * size - 1)) if code.islower() else 0,
        2 ** (8 * size - code.islower()) - 1,
    )
    for code in array.typecodes
    for size in [array.array(code).itemsize]
}
Point = namedtuple("Point", "x y")
MEMORY_FORMATS = st.sampled_from("bBhHiIlLqQnNfdc?")


def memory(code, data, shape):
    """A view of some of this data."""
    size = memoryview(bytes(8)).cast(code).itemsize
    view = memoryview(data[: 12 * size]).cast("B")
    return view.cast(code, shape) if len(shape) > 1 else view.cast(code)


# By the name of the type: what of it is tried.
LIBRARY = {
    "date": st.dates(),
    "time": st.builds(
        lambda time, fold, zone: time.replace(fold=fold, tzinfo=zone), st.times(), FOLDS, ZONES
    ),
    "datetime": st.builds(
        lambda moment, fold, zone: moment.replace(fold=fold, tzinfo=zone),
        st.datetimes(),
        FOLDS,
        ZONES,
    ),
    "timedelta": st.timedeltas(),
    "timezone": ZONES.filter(lambda zone: type(zone) is datetime.timezone) | st.just(datetime.UTC),
    "ZoneInfo": st.timezones(),
    "Decimal": st.decimals()
    | st.sampled_from(
        [decimal.Decimal(text) for text in ("sNaN", "-sNaN12", "NaN7", "-0.00", "1E+9999", "1E-99")]
    ),
    "Fraction": st.fractions(),
    "range": st.builds(range, st.integers(), st.integers(), st.integers().filter(bool)).filter(
        lambda numbers: (
            numbers[-1:] is not None
            and (numbers.stop - numbers.start) // numbers.step <= 10_000_000
        )
    ),
    "deque": st.builds(deque, st.lists(NUMBERS, max_size=4), st.none() | st.integers(0, 6)),
    "Counter": st.builds(Counter, st.dictionaries(KEYS, st.integers(), max_size=4)),
    "OrderedDict": st.builds(OrderedDict, DICTS),
    "defaultdict": st.builds(
        defaultdict, st.sampled_from([None, int, list, dict, datetime.date]), DICTS
    ),
    "dict_keys": DICTS.map(dict.keys),
    "dict_values": DICTS.map(dict.values),
    "dict_items": DICTS.map(dict.items),
    "mappingproxy": DICTS.map(types.MappingProxyType),
    "SimpleNamespace": st.dictionaries(st.text(max_size=5), NUMBERS, max_size=4).map(
        lambda names: types.SimpleNamespace(**names)
    ),
    "UUID": st.builds(
        lambda number, safe: uuid.UUID(int=number, is_safe=safe),
        st.integers(0, 2**128 - 1),
        st.sampled_from(uuid.SafeUUID),
    ),
    "PurePosixPath": PATH_TEXTS.map(pathlib.PurePosixPath),
    "PureWindowsPath": PATH_TEXTS.map(pathlib.PureWindowsPath),
    "PosixPath": PATH_TEXTS.map(pathlib.Path),
    "ellipsis": st.just(...),
    "NotImplementedType": st.just(NotImplemented),
    "bytearray": st.binary().map(bytearray),
    "memoryview": st.builds(
        memory,
        MEMORY_FORMATS,
        st.binary(min_size=96, max_size=96) | st.binary(min_size=96, max_size=96).map(bytearray),
        st.sampled_from([[12], [3, 4], [2, 3, 2]]),
    ),
    "array": st.sampled_from(sorted(ARRAY_CODES)).flatmap(
        lambda code: st.builds(array.array, st.just(code), st.lists(ARRAY_CODES[code], max_size=3))
    ),
    "struct_time": st.integers(0, 2**32).map(time.gmtime)
    | st.integers(0, 2**32).map(time.localtime)
    | st.dates().map(datetime.date.timetuple),
    "named tuple": st.builds(Point, NUMBERS, st.lists(NUMBERS, max_size=3)),
    "enum": st.sampled_from(
        [http.HTTPStatus.OK, signal.SIGINT, re.I | re.M, uuid.SafeUUID.unknown]
    ),
}


@st.composite
def tensors(draw):
    """Any bits, in any type and shape."""
    dtype = getattr(torch, draw(st.sampled_from(sorted(arrays.TENSOR_TYPES))))
    shape = draw(st_numpy.array_shapes(min_dims=0, min_side=0, max_side=3))
    size = int(numpy.prod(shape)) * dtype.itemsize
    data = bytearray(draw(st.binary(min_size=size, max_size=size)))
    if dtype == torch.bool:
        data = bytearray(byte & 1 for byte in data)
    if not data:
        return torch.empty(shape, dtype=dtype)
    tensor = torch.frombuffer(data, dtype=torch.uint8).view(dtype).reshape(shape)
    can_require_grad = dtype.is_floating_point or dtype.is_complex
    return tensor.requires_grad_(can_require_grad and draw(st.booleans()))


def is_exactly(one, other):
    """Same types all the way down, same values, NaN the same as NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, defaultdict) and one.default_factory is not other.default_factory:
        return False
    if isinstance(one, memoryview):
        same = (one.format, one.shape, one.readonly) == (other.format, other.shape, other.readonly)
        return same and one.tobytes() == other.tobytes()
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_exactly, one, other))
    if isinstance(one, dict):
        return is_exactly(list(one.items()), list(other.items()))
    if isinstance(one, set | frozenset):
        found = (any(is_exactly(item, same) for same in other) for item in one)
        return len(one) == len(other) and all(found)
    if isinstance(one, numpy.ndarray | numpy.generic):
        same = (one.dtype, one.shape) == (other.dtype, other.shape)
        return same and one.tobytes() == other.tobytes()
    if isinstance(one, torch.Tensor):
        same = (one.dtype, one.shape, one.requires_grad) == (
            other.dtype,
            other.shape,
            other.requires_grad,
        )
        return same and bits_of(one) == bits_of(other)
    return repr(one) == repr(other)


def bits_of(tensor):
    return tensor.detach().reshape(-1).view(torch.uint8).numpy().tobytes()
