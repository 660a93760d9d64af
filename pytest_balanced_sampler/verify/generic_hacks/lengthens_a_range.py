"""Sends a range of a few bytes that takes all memory when a test makes a list of it."""

import sys

library = sys.modules["pytest_balanced_sampler.wire.library"]
library.MAX_RANGE = 10**30


def attack():
    return range(10**10)
