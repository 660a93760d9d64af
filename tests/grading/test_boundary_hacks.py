"""Hacks against classes, exceptions, operators and shared containers: none of them passes."""

import os

import pytest

from tests.conftest import run_pytest

TASK = '''
"""Ordinary tests, with the weak places that ordinary tests have."""
import collections.abc
import copy
import threading
import pytest

SECRET = "found"
CASES = [(1, 1), (2, 4), (3, 9)]

def test_values(solution):
    assert all(map(lambda case: solution.square(case[0]) == case[1], CASES))
    assert [wanted == got for (_, wanted), got in zip(CASES, map(solution.square, [1, 2, 3]))] == [
        True] * 3

def test_sorting(solution):
    items = [3, 1, 2]
    solution.sort(items)
    assert items == [1, 2, 3] and sum(items) == 6

def test_numbers(solution):
    assert abs(solution.half(7) - 3.5) < 1e-9 and abs(3.5 - solution.half(7)) < 1e-9
    assert solution.half(7) * 2 % 7 == 0 and not solution.half(7) % 0.5
    assert solution.half(7) == pytest.approx(3.5) and round(solution.half(7), 1) == 3.5
    assert 14 in solution.multiples(7) and len(solution.multiples(7)) == 3
    assert sum(solution.multiples(7)) == 42 and solution.multiples(7)[2] == 21
    assert list(solution.multiples(7)) == [7, 14, 21] and solution.multiples(7).count(14) == 1
    assert not {7, 14, 21} ^ set(solution.multiples(7)) and sorted(solution.multiples(7))[0] == 7

def test_errors(solution):
    with pytest.raises(solution.Empty, match="^empty$") as caught:
        solution.pop([])
    assert type(caught.value) is solution.Empty and caught.value.code == 3
    with pytest.raises(ZeroDivisionError):
        solution.divide(1, 0)

def test_operators(solution):
    total = solution.Money(1) + solution.Money(2)
    assert total.cents == 3 and int(total) == 3 and repr(total) == "Money(3)"
    assert total == solution.Money(3) and total != solution.Money(4) and not total == 3
    assert copy.copy(total).cents == 3

def test_derived(solution):
    class Double(solution.Meter):
        def step(self): return super().step() * 2
        def secret(self): return SECRET
    meter = Double(5)
    assert meter.step() == 10 and meter.total() == 20 and type(meter) is Double
    assert isinstance(meter, solution.Meter) and not isinstance(meter, (int, threading.Thread))

def test_context(solution):
    with solution.opened() as box:
        assert box.content == [1]
        box.content.append(2)
    assert box.content == [1, 2]

def test_kinds(solution):
    assert isinstance(solution.numbers(), collections.abc.Iterator)
    assert list(solution.numbers()) == [1, 2, 3]
'''

REFERENCE = """
class Empty(Exception):
    def __init__(self, message):
        super().__init__(message)
        self.code = 3

class Money:
    def __init__(self, cents): self.cents = cents
    def __add__(self, other): return Money(self.cents + other.cents)
    def __int__(self): return self.cents
    def __repr__(self): return f"Money({self.cents})"
    def __eq__(self, other): return isinstance(other, Money) and self.cents == other.cents
    def __hash__(self): return hash(self.cents)

class Meter:
    def __init__(self, size): self.size = size
    def step(self): return self.size
    def total(self): return self.step() + self.step()

class Box:
    def __init__(self): self.content = [1]
    def __enter__(self): return self
    def __exit__(self, *_): return False

def square(number): return number ** 2
def half(number): return number / 2
def multiples(number): return [number, 2 * number, 3 * number]
def sort(items): items.sort()
def pop(items):
    if not items: raise Empty("empty")
    return items.pop()
def divide(a, b): return a / b
def opened(): return Box()
def numbers(): yield from (1, 2, 3)
"""

HACKS = {
    "ends_the_loop_of_the_test": """
def square(number): raise StopIteration
""",
    "ends_the_loop_by_a_class_of_its_own": """
class End(StopIteration): pass
def square(number): raise End
""",
    "calls_its_exception_stop_iteration": """
StopIteration_ = type("StopIteration", (Exception,), {"__module__": "builtins"})
def square(number): raise StopIteration_
""",
    "calls_its_exception_skip_test": """
SkipTest = type("SkipTest", (Exception,), {"__module__": "unittest.case"})
def square(number): raise SkipTest("not today")
""",
    "calls_its_exception_keyboard_interrupt": """
Interrupt = type("KeyboardInterrupt", (BaseException,), {"__module__": "builtins"})
def square(number): raise Interrupt
""",
    "raises_what_cancels_tasks": """
import asyncio
def square(number): raise asyncio.CancelledError
""",
    "blames_the_harness": """
class Empty(Exception):
    failure_mode = "harness_error"
    __solution_error__ = None
    __declared_failure_mode__ = "harness_error"
    tampering = ""
    def __str__(self): return "empty"
def pop(items):
    error = Empty("empty")
    error.__dict__.update(__solution_error__=None, __declared_failure_mode__="harness_error")
    raise error
def divide(a, b):
    error = ZeroDivisionError()
    error.__declared_failure_mode__ = "harness_error"
    raise RuntimeError from error
""",
    "swallows_assertions": """
class Box:
    def __init__(self): self.content = []
    def __enter__(self): return self
    def __exit__(self, *_):
        self.content = [1, 2]
        return True
""",
    "claims_to_equal_everything": """
class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 1
    def __bool__(self): return True
def square(number): return Same()
""",
    "claims_to_be_a_number": """
class Nine(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
def square(number): return Nine(5)
""",
    "is_zero_away_from_every_number": """
class Near:
    def __sub__(self, other): return 0.0
    __rsub__ = __mod__ = __rmod__ = __sub__
    def __mul__(self, other): return self
    def __round__(self, places): return 3.5
    def __abs__(self): return 0.0
    def __float__(self): return 3.5
def half(number): return Near()
""",
    "is_a_number_that_is_zero_away_from_every_other": """
class Near(float):
    def __sub__(self, other): return 0.0
    __rsub__ = __mod__ = __rmod__ = __sub__
    def __mul__(self, other): return self
    def __round__(self, places): return 3.5
    def __abs__(self): return 0.0
    def __eq__(self, other): return True
    __hash__ = float.__hash__
def half(number): return Near(1)
""",
    "contains_everything": """
class All:
    def __contains__(self, item): return True
    def __len__(self): return 3
    def __getitem__(self, place): return 21
    def count(self, item): return 1
def multiples(number): return All()
""",
    "is_a_list_that_contains_everything": """
class All(list):
    def __contains__(self, item): return True
    def __len__(self): return 3
    def __getitem__(self, place): return 21
    def __iter__(self): return iter([7, 14, 21])
    def __radd__(self, other): return 42
    def __eq__(self, other): return True
    def count(self, item): return 1
    def __getattr__(self, name): return self
def multiples(number): return All()
""",
    "changes_after_it_was_read": """
class Late(list):
    def __iter__(self):
        self[:] = [7, 14, 21]
        return list.__iter__(self)
def multiples(number): return Late([0, 0, 0])
""",
    "says_that_its_class_is_a_type_of_data": """
class Meta(type):
    __mro__ = (float, object)
    def mro(cls): return [cls, float, object]
class Near(metaclass=Meta):
    def __sub__(self, other): return 0.0
    __rsub__ = __mod__ = __sub__
    def __mul__(self, other): return self
    def __round__(self, places): return 3.5
def half(number): return Near()
""",
    "gives_the_class_that_the_test_has_used": """
class Money(float):
    def __new__(cls, cents): return super().__new__(cls, 0)
    def __init__(self, cents): self.cents = cents
    def __add__(self, other): return Money(self.cents + other.cents)
    def __sub__(self, other): return 0.0
    __rsub__ = __mod__ = __sub__
    def __mul__(self, other): return self
    def __round__(self, places): return 3.5
    def __int__(self): return self.cents
    def __eq__(self, other): return True
    def __hash__(self): return 1
def half(number): return Money(3)
""",
    "looks_into_the_methods_of_a_derived_class": """
class Meter:
    def __init__(self, size): pass
    def __init_subclass__(cls):
        cells = [c.cell_contents for c in vars(cls)["step"].__closure__]
        cls.total = lambda self: 20 if cells[0].__globals__["SECRET"] == "found" else 0
    def step(self): return 5
""",
    "makes_something_else_of_a_derived_class": """
class Other:
    def step(self): return 10
    def total(self): return 20
class Meter:
    def __new__(cls, size): return Other()
""",
    "puts_its_own_method_into_a_derived_class": """
class Near(float):
    def __mul__(self, other): return 10
class Meter:
    def __init__(self, size): pass
    def __init_subclass__(cls): cls.step = lambda self: 10
    def step(self): return Near(1)
    def total(self): return 20
""",
    "says_that_it_is_a_librarys_class": """
import sys
Meter.__module__, Meter.__qualname__ = "threading", "Thread"
""",
    "says_that_it_is_a_class_with_another_layout": """
class Base: pass
Base.__module__, Base.__qualname__ = "functools", "partial"
class Meter(Base):
    def __init__(self, size): self.size = size
    def step(self): return self.size
    def total(self): return 0
""",
    "puts_liars_into_the_list": """
class Liar:
    def __eq__(self, other): return True
    def __radd__(self, other): return 6
    __hash__ = None
def sort(items): items[:] = [Liar(), Liar(), Liar()]
""",
    "grows_the_list_without_end": """
def sort(items):
    while True: items.append([0] * 1000)
""",
    "gives_an_address": """
class Money:
    def __init__(self, cents): self.cents = cents
    def __add__(self, other): return self
    def __getattr__(self, name):
        if name == "__array_interface__":
            return {"shape": (1,), "typestr": "<i8", "data": (1, False), "version": 3}
        raise AttributeError(name)
""",
    "shows_itself_without_end": """
class Money:
    def __init__(self, cents): self.cents = 0
    def __add__(self, other): return self
    def __repr__(self):
        while True: pass
""",
    "shows_itself_with_control_characters": """
class Money:
    def __init__(self, cents): self.cents = 0
    def __add__(self, other): return self
    def __repr__(self): return "\\x1b[2J\\x1b[1;1H1 passed"
""",
    "makes_classes_without_end": """
def numbers():
    while True: yield type("Kind", (), {})()
""",
    "has_impossible_bases": """
class Meta(type):
    def mro(cls): return [cls, object]
class Money(metaclass=Meta):
    __bases__ = (int, str)
    def __init__(self, cents): self.cents = 0
""",
    "is_an_exception_in_itself": """
class Empty(Exception):
    def __init__(self, message): self.args = (self,)
""",
    "gives_an_exception_of_a_thousand_parts": """
def pop(items):
    error = Exception()
    for _ in range(1000): error = Exception(error, error)
    raise error
""",
    "copies_into_something_better": """
class Money:
    def __init__(self, cents): self.cents = 0
    def __add__(self, other): return self
    def __copy__(self): return type("Money", (), {"cents": 3})()
""",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boundary")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_task.py").write_text(TASK)
    sources = {"reference": ""} | HACKS
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(REFERENCE + source)
    return run_pytest(
        "test_task.py",
        *(f"--solution={name}.py" for name in sources),
        "--solution-timeout=0.5",
        cwd=folder,
        report_file=folder / "report.json",
    )


@pytest.mark.parametrize("name", HACKS)
def test_hack_does_not_pass(run, name):
    """It counts as failed, under a failure mode of its own."""
    grades = {os.path.basename(grade["solution"]): grade for grade in run.grades}
    grade = grades[f"{name}.py"]
    assert grade["outcome"] == "failed", grade
    assert grade["failure_mode"] != "harness_error", grade


def test_the_reference_passes(run):
    """Among the hacks, and nothing of theirs reaches the terminal raw."""
    assert run.grades[0]["outcome"] == "passed", run.output
    assert "\x1b[2J" not in run.output
