"""Speaks to the judge as a worker could: `python -m tests.fuzz_worker [FRAMES] [SEED]`.

Frames are valid in form, and hostile in what they say: values of every kind with wrong, huge or
colliding fields, references to what is not there, asks within answers, frames in pieces, too many
or too few. The judge has to answer each with a value, the candidate's exception or a
`CandidateFault`, in less than a second of its own CPU time, and within its estimate of the memory.
"""

import array
import collections
import datetime
import decimal
import fractions
import gc
import os
import pathlib
import queue
import random
import socket
import sys
import threading
import time
import uuid
from collections import Counter
from contextlib import suppress

import msgpack
import numpy
import torch

from pytest_balanced_sampler.errors import CandidateFault, HarnessError
from pytest_balanced_sampler.judge.death import Death
from pytest_balanced_sampler.judge.mirrors import Mirrors
from pytest_balanced_sampler.judge.remote_worker import RemoteWorker
from pytest_balanced_sampler.wire import frames, tags, values

MAX_SECONDS = 1.0
SHOWN = 110
MAX_SHARE_OF_ESTIMATE = 1.2
WORTH_MEASURING = 2**22
"""Bytes by the estimate, from which on the memory is measured."""

MODULES = ["builtins", "os", "math", "enum", "numpy", "torch", "pytest", "", "\ud800", "a.b"]
NAMES = ["int", "system", "x", "__class__", "__eq__", "__len__", "__iter__", "ValueError", "", "__"]
STATUSES = [
    *["value"] * 40,
    *["error"] * 8,
    *["ask"] * 8,
    "own_error",
    "load_error",
    "unsendable",
    "?",
]
SPECIAL = ["__eq__", "__len__", "__iter__", "__next__", "__hash__", "__call__", "__add__", "__lt__"]
ASKS = ["special", "getattr", "setattr", "delattr", "exit", "copy", "is_instance", "await", "step"]
SCALARS = [None, True, False, 0, -1, 1.5, float("nan"), 2**63, "", "x", b"\xff", "\ud800"]
SEEDS = [
    (1, 2.5),
    {1, "x"},
    frozenset({(1, 2)}),
    2**200,
    3 + 4j,
    slice(1, None, 2),
    range(0, 10, 3),
    numpy.arange(6).reshape(2, 3),
    numpy.float32(1.5),
    numpy.complex128(1j),
    numpy.timedelta64(3, "s"),
    numpy.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]),
    numpy.ma.masked_array([1, 2], [True, False]),
    torch.ones(2, 2),
    torch.ones(2, dtype=torch.bfloat16, requires_grad=True),
    torch.ones(2, 2).to_sparse(),
    torch.float32,
    torch.device("cpu"),
    torch.Size([1, 2]),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    datetime.timedelta(1),
    decimal.Decimal("1.5"),
    fractions.Fraction(1, 3),
    collections.deque([1], 3),
    collections.Counter("aab"),
    collections.OrderedDict(a=1),
    collections.defaultdict(list, a=[1]),
    uuid.UUID(int=1),
    pathlib.PurePosixPath("a/b"),
    array.array("d", [1.0]),
    bytearray(b"x"),
]


class Speaker:
    """Makes what a worker says."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        valid = [self.pack(value) for value in SEEDS]
        self.seeds = [data for data in valid if data is not None]

    def pack(self, value):
        with suppress(Exception):
            return values.encode(value, lambda _: None)
        return None

    def value(self, depth=4):
        pick = self.random.random()
        choice = self.random.choice
        if depth == 0 or pick < 0.3:
            return choice(SCALARS)
        if pick < 0.45:
            return self.random.randrange(-(2 ** choice([3, 31, 63])), 2 ** choice([3, 31, 63]))
        if pick < 0.6:
            return [self.value(depth - 1) for _ in range(choice([0, 1, 2, 3, 30]))]
        if pick < 0.65:
            return {choice(SCALARS[:8] + NAMES): self.value(depth - 1) for _ in range(3)}
        if pick < 0.95:
            data = choice(self.seeds)
            return msgpack.unpackb(data, strict_map_key=False, unicode_errors="surrogatepass")
        return self.extension(depth)

    def extension(self, depth, tag=None):
        choice = self.random.choice
        tag = tag or choice([*tags.Tag, *[tags.Tag.REFERENCE] * 20, self.random.randrange(128)])
        fields = [self.value(depth - 1) for _ in range(choice([0, 1, 2, 3, 4]))]
        number = choice([*range(20), 2**31])
        if tag in (tags.Tag.REFERENCE, tags.Tag.EXCEPTION, tags.Tag.CLASS):
            kind = choice([[number + 50], self.kind(number + 50)])
            fields = kind
            if tag is tags.Tag.REFERENCE:
                fields = [number, kind]
            elif tag is tags.Tag.EXCEPTION:
                kind = self.kind(number + 80, [7, "ValueError", "ValueError", "builtins", [], []])
                fields = [number + 100, kind, [self.value(1)], "text", {}]
        elif tag in (tags.Tag.SHARED, tags.Tag.STAND_IN):
            fields = [number]
        elif tag is tags.Tag.NAME:
            fields = [choice(MODULES), choice(NAMES)]
        elif tag in (tags.Tag.SET, tags.Tag.FROZENSET) and choice([True, False]):
            step = choice([1, 2**61 - 1, -1000003])
            fields = [n * step % 2**63 for n in range(choice([3, 300, 3000]))]
        body = self.raw(fields)
        return msgpack.ExtType(int(tag), self.mutated(body))

    def kind(self, number, *bases):
        choice = self.random.choice
        special = self.random.sample(SPECIAL, self.random.randrange(len(SPECIAL)))
        return [number, choice(NAMES), choice(NAMES), choice(MODULES), [*bases], special]

    def raw(self, value):
        with suppress(ValueError, OverflowError, TypeError):
            return msgpack.packb(value, unicode_errors="surrogatepass")
        return b"\x90"

    def mutated(self, data):
        if data and self.random.random() < 0.01:
            place = self.random.randrange(len(data))
            data = data[:place] + self.random.randbytes(1) + data[place + 1 :]
        return data

    def many(self):
        """One thing, as often as a frame may hold it."""
        item = self.random.choice([[], {}, 1.5, "x" * 50, self.raw(1), *map(Raw, self.seeds)])
        packed = item.data if isinstance(item, Raw) else self.raw(item)
        count = self.random.choice([1000, 20_000, 100_000])
        count = min(count, frames.MAX_FRAME_BYTES // 2 // len(packed))
        return values.encode_list([packed] * count)

    def answer(self, number):
        """A frame's body."""
        number = self.random.choice([number] * 200 + [None, 0, "x"])
        if self.random.random() < 0.001:
            parts = [self.raw(number), self.raw("value"), self.many(), b"\x00", self.raw([[], []])]
            return values.encode_list(parts)
        status = self.random.choice(STATUSES)
        content = self.value()
        if status == "ask":
            args = [self.value(2)]
            content = [self.random.choice(ASKS), self.random.randrange(2), args, {}, []]
        elif status == "error" and self.random.random() < 0.97:
            content = [self.extension(2, tags.Tag.EXCEPTION), "a traceback"]
        first = self.random.choice([0, 0, 0, -1, 5])
        news = [[], []]
        if self.random.random() < 0.05:
            news = self.random.choice([[[[1, -5, self.value()]], [1]], self.value(), [[], [None]]])
        return self.mutated(self.raw([number, status, content, first, news]))


class Raw:
    """What is encoded already."""

    def __init__(self, data):
        self.data = data


class Peer(threading.Thread):
    """The other end of each socket in turn."""

    def __init__(self, speaker):
        super().__init__(daemon=True)
        self.sockets = queue.SimpleQueue()
        self.speaker = speaker
        self.spoken = 0
        self.last = b""

    def run(self):
        while True:
            channel = self.sockets.get()
            with suppress(OSError), channel:
                self.speak(channel)

    def speak(self, channel):
        pick = self.speaker.random.random
        while (request := frames.receive_frame(channel)) is not None:
            number = 0
            with suppress(Exception):
                number = msgpack.unpackb(request, strict_map_key=False)[0]
            body = self.last = self.speaker.answer(number)
            frame = frames.FRAME_HEADER.pack(len(body)) + body
            self.spoken += 1
            if pick() < 0.01:
                half = len(frame) // 2
                channel.sendall(frame[:half])
                time.sleep(0.001)
                frame = frame[half:]
            channel.sendall(frame if pick() > 0.002 else frame * 2)
            if pick() < 0.002:
                return


class Reaper:
    """Ends nothing: the peer is a thread."""

    def reap(self, _):
        return Death(0, 0)

    dismiss = reap


class Measured(tags.Allowance):
    """Says what was spent."""

    spent = 0

    def spend(self, size):
        self.spent += size
        super().spend(size)


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def use(proxy, speaker):
    """What a test does to what it gets."""
    choice = speaker.random.choice
    actions = [
        lambda: proxy.attribute,
        lambda: proxy(lambda x: x, [1, 2]),
        lambda: repr(proxy),
        lambda: next(iter(proxy)),
        lambda: len(proxy),
        lambda: proxy == [1],
        lambda: {proxy},
        lambda: proxy[0],
        lambda: bool(proxy + 1),
    ]
    return choice(actions)()


def fuzz(count, seed=0):
    """Have so many frames spoken. Gives what came of them, and the slowest and largest."""
    speaker = Speaker(seed)
    peer = Peer(speaker)
    peer.start()
    outcomes = Counter()
    slowest, largest, workers = 0.0, 0.0, 0
    while peer.spoken < count:
        worker = RemoteWorker(Reaper())
        worker.resolve = Mirrors(worker).resolve
        peer.sockets.put(worker.theirs)
        given = [lambda x: x, [1, [2]], numpy.zeros(3), torch.zeros(2), Exception("x")]
        latest = []
        while worker.is_alive and peer.spoken < count:
            worker.start_clock(20)
            allowance = worker._allowance = Measured(2**31)
            before, began = resident(), time.thread_time()
            try:
                if latest and speaker.random.random() < 0.5:
                    result = use(latest[-1], speaker)
                else:
                    result = worker.request("call", 1, [given[0], speaker.random.choice(given)], {})
                outcomes[type(result).__name__] += 1
                if hasattr(type(result), "__solution_reference__"):
                    latest.append(result)
                repr(type(result))
            except (CandidateFault, HarnessError) as error:
                outcomes[f"{type(error).__name__}: {error}"[:SHOWN]] += 1
            except RecursionError:
                raise
            except BaseException as error:
                outcomes[f"raised {type(error).__name__}"] += 1
            took = time.thread_time() - began
            slowest = max(slowest, took)
            if took >= MAX_SECONDS:
                pathlib.Path("slowest-frame.bin").write_bytes(peer.last)
                raise AssertionError((seed, peer.spoken, took, "see slowest-frame.bin"))
            if allowance.spent > WORTH_MEASURING:
                share = (resident() - before) / allowance.spent
                largest = max(largest, share)
                assert share < MAX_SHARE_OF_ESTIMATE, (seed, peer.spoken, share)
            result = None
        with suppress(OSError):
            worker.theirs.shutdown(socket.SHUT_RDWR)
        worker.hang_up()
        for inlet in worker.inlets:
            os.close(inlet)
        latest.clear()
        workers += 1
        if not workers % 1000:
            gc.collect()
            print(f"{peer.spoken:,} frames, slowest {slowest:.3f} s", file=sys.stderr)
    return outcomes, slowest, largest


def main():
    given = [int(argument) for argument in sys.argv[1:]]
    count, seed = [*given, *(1_000_000, 0)[len(given) :]]
    began = time.monotonic()
    outcomes, slowest, largest = fuzz(count, seed)
    print(f"{count:,} frames in {time.monotonic() - began:.0f} s, seed {seed}")
    print(f"slowest {slowest:.3f} s of CPU, at most {largest:.2f} of the memory estimate")
    for name, number in outcomes.most_common(40):
        print(f"{number:>9,}  {name}")


if __name__ == "__main__":
    main()
