"""Gives numbers, dates and counters of classes whose values are equal to everything."""

import collections
import datetime
import decimal
import fractions
import itertools


class Equal:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = object.__hash__


class Number(Equal, decimal.Decimal):
    pass


class Ratio(Equal, fractions.Fraction):
    pass


class Date(Equal, datetime.datetime):
    pass


class Counter(Equal, collections.Counter):
    pass


class Queue(Equal, collections.deque):
    pass


class Pair(Equal, collections.namedtuple("Pair", "a b")):
    pass


answers = itertools.cycle(
    [Number(7), Ratio(1, 7), Date(1, 1, 1), Counter(), Queue([7]), Pair(7, 7)]
)


def attack():
    return next(answers)
