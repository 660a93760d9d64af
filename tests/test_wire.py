"""The wire: every value arrives as it left, and hostile bytes are refused."""

import collections
import enum
import io
import itertools
import math
import threading
from contextlib import suppress
from unittest import mock

import msgpack
import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_balanced_sampler.errors import CandidateFault
from pytest_balanced_sampler.judge.remote_worker import Death, RemoteWorker
from pytest_balanced_sampler.judge.stand_ins import _OPERATIONS
from pytest_balanced_sampler.wire import frames, tags, values
from tests.conftest import ROOT
from tests.wire_values import ARRAYS, VALUES, is_exactly, tensors


def there_and_back(value):
    return values.decode(values.encode(value, values.no_reference), values.no_reference)


@given(VALUES)
def test_values_arrive_as_they_left(value):
    """Any nesting of supported types comes back with the same types and values."""
    assert is_exactly(there_and_back(value), value)


@given(ARRAYS | tensors())
def test_arrays_and_tensors_arrive_as_they_left(value):
    """Arrays, NumPy's scalars and tensors keep type, shape and every bit."""
    assert is_exactly(there_and_back(value), value)


TESTS_OF_A_MIRROR = """
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.wire_values import ARRAYS, VALUES, is_exactly, tensors

@given(VALUES | ARRAYS | tensors() | st.lists(ARRAYS | tensors()))
@settings(
    max_examples=400, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_same(solution, value):
    assert is_exactly(solution.same(value), value)
    assert is_exactly(solution.Kept(value).value, value)
    assert is_exactly(list(solution.each(value)), [value])
"""


def test_values_come_back_from_a_candidate(grade_source):
    """As results, as attributes and as items, in a real worker."""
    mirror = """
import numpy, torch
def same(value): return value
def each(value): yield value
class Kept:
    def __init__(self, value): self.value = value
"""
    run = grade_source(mirror, TESTS_OF_A_MIRROR, PYTHONPATH=str(ROOT))
    assert run.grade["outcome"] == "passed", run.output


def test_views_are_sent_as_what_they_show():
    """Transposed, strided and conjugated data arrives as its values."""
    assert there_and_back(torch.arange(6).reshape(2, 3).T).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert there_and_back(torch.tensor([1 + 2j]).conj()).tolist() == [1 - 2j]
    assert there_and_back(numpy.arange(6)[::-2]).tolist() == [5, 3, 1]


def test_subclasses_arrive_as_the_built_in():
    """What a subclass claims about itself stays behind."""

    class Liar(list):
        def __eq__(self, other):
            return True

        def __iter__(self):
            return iter([99])

    class Colour(enum.IntEnum):
        RED = 3
        HUGE = 2**80

    point = collections.namedtuple("point", "x y")(1, 2)
    assert is_exactly(there_and_back(Liar([1, 2])), [1, 2])
    assert is_exactly(there_and_back([Colour.RED, Colour.HUGE, point]), [3, 2**80, (1, 2)])
    assert is_exactly(there_and_back(collections.Counter("aab")), {"a": 2, "b": 1})
    assert is_exactly(there_and_back(collections.OrderedDict(a=1)), {"a": 1})


def test_what_is_no_data_becomes_a_reference():
    """Objects, and arrays of objects, do not cross."""
    seen = []

    def refer(item):
        seen.append(item)
        return tags.Reference(len(seen), "thing")

    things = [object(), numpy.array([object()]), int]
    arrived = values.decode(values.encode(things, refer), lambda reference: reference)
    assert arrived == [tags.Reference(number, "thing") for number in (1, 2, 3)]
    assert seen == things


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(data):
    """No bytes make the decoder raise anything but a WireError."""
    with suppress(tags.WireError):
        values.decode(data, values.no_reference)


@given(st.integers(0, 12), st.binary(max_size=60) | VALUES.map(lambda value: encoded(value)))
def test_any_extension_is_decoded_or_refused(tag, payload):
    """No payload under any of our tags makes the decoder raise anything but a WireError."""
    with suppress(tags.WireError):
        values.decode(msgpack.packb(msgpack.ExtType(tag, payload)), values.no_reference)


def encoded(value):
    return values.encode(value, values.no_reference)


def extension(tag, fields):
    return msgpack.packb(msgpack.ExtType(tag, msgpack.packb(fields)))


def equal_hashes(length, count):
    """A set of tuples which all have one hash (-1 and -2 do), and are all different."""
    choices = itertools.islice(itertools.product((-1, -2), repeat=16), count)
    tuples = [(0,) * max(0, length - 16) + choice for choice in choices]
    members = [msgpack.ExtType(tags.Tag.TUPLE, msgpack.packb(member)) for member in tuples]
    return extension(tags.Tag.SET, members)


def nested(depth):
    data = msgpack.packb([])
    for _ in range(depth):
        data = msgpack.packb(msgpack.ExtType(tags.Tag.TUPLE, b"\x91" + data))
    return data


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x91" * 100_000,
        nested(values.MAX_DEPTH + 1),
        b"\xdc\xff\xff" * 3,
        msgpack.packb([[]] * (values.MAX_CONTAINERS + 1)),
        msgpack.packb([{}] * (values.MAX_CONTAINERS + 1)),
        equal_hashes(3, values.MAX_KEY_WEIGHT // 3),
        equal_hashes(300, 100),
        extension(tags.Tag.SET, [2**21 * n for n in range(values.MAX_KEY_WEIGHT + 2)]),
        extension(tags.Tag.SET, [2.0**21 * n for n in range(values.MAX_KEY_WEIGHT + 1)]),
        extension(tags.Tag.SET, [[]]),
        extension(tags.Tag.ARRAY, ["|O", [1], b"12345678"]),
        extension(tags.Tag.ARRAY, ["<m8[0D]", [1], b"12345678"]),
        extension(tags.Tag.ARRAY, ["<f8[D]", [1], b"12345678"]),
        extension(tags.Tag.ARRAY, ["<f8", [2], b"12345678"]),
        extension(tags.Tag.ARRAY, ["<f8", [2**39, 2**39], b""]),
        extension(tags.Tag.ARRAY, ["<f8", [-1], b""]),
        extension(tags.Tag.ARRAY, ["(9,)f8", [1], b""]),
        extension(tags.Tag.TENSOR, ["float32", [3], b"1234", False]),
        extension(tags.Tag.TENSOR, ["os", [], b"", False]),
        extension(tags.Tag.TENSOR, ["int64", [1], b"12345678", True]),
        extension(tags.Tag.COMPLEX, ["1", "2"]),
        extension(tags.Tag.REFERENCE, ["1", 2]),
        extension(tags.Tag.REFERENCE, [-1, ""]),
        extension(tags.Tag.REFERENCE, [values.MAX_REFERENCES, ""]),
        extension(99, []),
        msgpack.packb(msgpack.ExtType(tags.Tag.BIG_INTEGER, b"1" * (values.MAX_INTEGER_BYTES + 1))),
        b"",
        msgpack.packb(1) + b"more",
    ],
)
def test_hostile_messages_are_refused(data):
    """Lies about length, depth, shape and type are refused, whatever they would have cost."""
    with pytest.raises(tags.WireError):
        values.decode(data, values.no_reference)


def test_not_a_number_is_kept():
    """NaN and the infinities cross."""
    assert math.isnan(there_and_back(math.nan))
    assert there_and_back([math.inf, -math.inf]) == [math.inf, -math.inf]


def test_ordinary_keys_are_not_limited():
    """Large dictionaries and sets of numbers and text cross."""
    for value in ({n: str(n) for n in range(50_000)}, {str(n) for n in range(50_000)}):
        assert there_and_back(value) == value
    pairs = {(n, n + 1): n for n in range(5000)}
    assert there_and_back(pairs) == pairs


def test_an_allowance_is_for_all_messages_together():
    """What several messages take in memory is added up."""
    data = values.encode([["\u0100"] * 1000] * 10, values.no_reference)
    allowance = tags.Allowance(2_500_000)
    for _ in range(2):
        values.decode(data, values.no_reference, allowance)
    with pytest.raises(tags.AllowanceSpentError):
        values.decode(data, values.no_reference, allowance)


class Reaper:
    """Ends nothing."""

    def reap(self, _):
        return Death(0, 0)


class Account:
    """An object that a test hands over."""

    def __init__(self):
        self.balance = 1
        self._pin = 1234

    def pay(self, amount):
        return amount

    def __len__(self):
        return 3


NAMES = [
    "pay",
    "balance",
    "_pin",
    "__class__",
    "__init__",
    "__len__",
    "__call__",
    "__exit__",
    "gi_frame",
]
FIELDS = st.none() | st.integers(-1, 9) | st.sampled_from(NAMES) | VALUES
ASKS = st.tuples(
    st.sampled_from([*_OPERATIONS, "eval"]) | FIELDS,
    st.integers(-1, 9) | FIELDS,
    st.lists(FIELDS, max_size=3) | FIELDS,
    st.dictionaries(st.sampled_from(["deep", "a"]), FIELDS, max_size=1) | FIELDS,
    st.lists(st.integers(-1, 9), max_size=2) | FIELDS,
).map(list)
MESSAGES = st.tuples(
    st.just(1) | st.integers(0, 3) | FIELDS,
    st.sampled_from(["ask", "ask", "ask", "value", "error", "own_error"]) | FIELDS,
    ASKS | FIELDS,
).map(list)


@given(st.lists(MESSAGES.map(lambda value: encoded(value)) | st.binary(max_size=60), max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_a_worker_asks(replies):
    """A request ends with a result or an error, and the test's objects are what they were."""
    worker, account, calls = RemoteWorker(Reaper()), Account(), []
    generator = (number for number in range(3))

    def peer(replies=tuple(replies), channel=worker.theirs):
        with channel:
            for reply in replies:
                if not channel.recv(2**16):
                    return
                frames.send_frame(channel, reply)
            channel.recv(2**16)

    thread = threading.Thread(target=peer)
    thread.start()
    with suppress(CandidateFault, Exception):
        worker.request(
            "call", calls.append, account, mock.Mock(), generator, io.StringIO(), Account
        )
    worker.hang_up()
    thread.join()
    assert (account._pin, account.pay(5), type(account)) == (1234, 5, Account)
    assert not isinstance(account.balance, Account)
