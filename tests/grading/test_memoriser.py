"""verify/memoriser.py: what knows a reference's answers by heart fails where tests draw cases."""

from textwrap import dedent

import pytest

from pytest_balanced_sampler.verify.memoriser import memorise

REFERENCE = '''
"""A module of everything that can be asked."""
from __future__ import annotations

import dataclasses
import functools
import random
from collections import OrderedDict


class Empty(LookupError):
    def __init__(self, what):
        super().__init__(what)
        self.what = what


class Stack:
    """Holds items."""

    limit = 3
    twice = lambda self, x: 2 * x

    def __init__(self, items=()):
        self.items = list(items)

    def push(self, item):
        if len(self.items) == self.limit:
            raise OverflowError("full", self.limit)
        self.items.append(item)
        return self

    def pop(self):
        if not self.items:
            raise Empty("stack")
        return self.items.pop()

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        yield from list(self.items)
        return "end"

    @property
    def top(self):
        return self.items[-1]

    @classmethod
    def of(cls, *items):
        return cls(items)

    @staticmethod
    def name():
        return "stack"


@dataclasses.dataclass
class Point:
    x: int

    def moved(self, by):
        return Point(self.x + by)


class Cache(OrderedDict):
    def put(self, key, value):
        self[key] = value


class Odd:
    def __dict__(self):
        return {"odd": 1}

    def shown(self):
        return self.__dict__()


@functools.lru_cache
def square(x: int) -> int:
    """The square."""
    return x * x


def sort(items):
    items.sort()


def say(text):
    print(text)


def copy(source, target):
    with open(source) as read, open(target, "w") as written:
        written.write(read.read())


def shuffled(seed):
    return random.Random(seed).sample(range(100), 10)


def squares(n):
    return (square(x) for x in range(n))


async def later(x):
    return square(x)


double = lambda x: 2 * x
cube = functools.partial(pow, exp=3)
'''
FIXED = """
import asyncio
import inspect
import pytest


def test_stack(solution):
    stack = solution.Stack()
    for item in "ab":
        assert stack.push(item) is not None
    assert (len(stack), stack.top, list(stack), stack.items) == (2, "b", ["a", "b"], ["a", "b"])
    assert [stack.pop(), stack.pop()] == ["b", "a"]
    with pytest.raises(solution.Empty, match="^stack$") as caught:
        stack.pop()
    assert caught.value.what == "stack" and isinstance(caught.value, LookupError)
    assert len(solution.Stack.of(1, 2)) == 2 and solution.Stack.name() == "stack"
    assert solution.Stack().twice(4) == 8 and solution.Stack.__doc__ == "Holds items."


def test_full(solution):
    stack = solution.Stack([1, 2]).push(3)
    with pytest.raises(OverflowError) as caught:
        stack.push(4)
    assert caught.value.args == ("full", 3) and len(stack) == 3


def test_functions(solution, capsys):
    items = [3, 1, 2]
    solution.sort(items)
    assert items == [1, 2, 3]
    solution.say("hello")
    assert capsys.readouterr().out == "hello\\n"
    assert list(solution.squares(4)) == [0, 1, 4, 9]
    assert (solution.double(4), solution.cube(2)) == (8, 8)
    for text in (999 * "no name of a file", "/\\ud800"):
        assert solution.double(text) == 2 * text
    assert asyncio.run(solution.later(5)) == 25
    assert str(inspect.signature(solution.square)) == "(x: 'int') -> 'int'"


def test_files(solution, tmp_path):
    (tmp_path / "a").write_text("text")
    solution.copy(tmp_path / "a", str(tmp_path / "b"))
    assert (tmp_path / "b").read_text() == "text"
    (tmp_path / "a").write_text("more")
    solution.copy(str(tmp_path / "a"), target=str(tmp_path / "b"))
    assert (tmp_path / "b").read_text() == "more"


def test_data(solution):
    assert solution.Point(1).moved(2) == solution.Point(3)
    assert solution.Odd().shown() == {"odd": 1}
    cache = solution.Cache()
    cache.put("a", 1)
    assert cache == {"a": 1} or "a" not in cache
"""
DRAWN = """

def test_drawn(solution, grading_random):
    x = grading_random.randrange(2, 10**9)
    assert solution.square(x) == x * x


def test_seeded(solution, grading_seed):
    assert solution.shuffled(grading_seed) == solution.shuffled(grading_seed)
"""
PROGRAM = """
import sys

def main():
    line = sys.stdin.readline()
    if not line.strip().isdigit():
        sys.exit("no number")
    print(2 * int(line))

main()
"""
OF_PROGRAM = """
def test_program(solution_program, grading_random):
    for text in ["4", str(grading_random.randrange(10**9))]:
        result = solution_program.run(stdin=text + "\\n")
        assert (result.returncode, result.stdout) == (0, f"{2 * int(text)}\\n")
    result = solution_program.run(stdin="x\\n")
    assert (result.returncode, result.stderr) == (1, "no number\\n")
"""


@pytest.fixture
def memorised(tmp_path):
    """Grade the memoriser of a reference by some tests."""

    def run(reference, tests):
        (tmp_path / "task").mkdir()
        (tmp_path / "work").mkdir()
        # These sessions get no PYTEST_ADDOPTS: see same_sessions_everywhere.
        (tmp_path / "pytest.ini").write_text(
            dedent("""\
                [pytest]
                addopts = -p no:hypothesispytest -p no:anyio
            """)
        )
        (tmp_path / "task" / "test_task.py").write_text(tests)
        (tmp_path / "reference.py").write_text(reference)
        return memorise(tmp_path / "task", tmp_path / "reference.py", tmp_path / "work", [])

    return run


def test_it_fails_where_cases_are_drawn(memorised):
    """Under the seed of its table it passes all tests, under another those with fixed cases."""
    found = memorised(REFERENCE, FIXED + DRAWN)
    assert found.recorded.outcome == "passed", found.recorded
    assert found.same_seed.outcome == "passed", found.same_seed
    assert found.other_seed.outcome == "failed"
    assert found.fixed_tests == [
        "test_stack",
        "test_full",
        "test_functions",
        "test_files",
        "test_data",
    ]


def test_it_passes_where_no_case_is_drawn(memorised):
    """Such a task is a surprise: a table of answers is enough for it."""
    assert memorised(REFERENCE, FIXED).is_enough


def test_programs(memorised):
    """Of a program it knows what was printed for an input."""
    found = memorised(PROGRAM, OF_PROGRAM)
    assert found.same_seed.outcome == "passed", found.same_seed
    assert found.other_seed.outcome == "failed"
