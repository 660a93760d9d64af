"""Values of every type that crosses to a candidate and back, and what it is to arrive unchanged."""

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
