"""What a test can do with an object that lives in the candidate's process."""

from textwrap import dedent

import pytest

SOLUTION = '''
import dataclasses, itertools

class Stack:
    """A stack."""
    limit = 3
    def __init__(self, items=(), *, name="stack"):
        self.items = list(items); self.name = name
    def push(self, item, /, times=1):
        self.items.extend([item] * times); return self
    def pop(self): return self.items.pop()
    def __len__(self): return len(self.items)
    def __iter__(self): return iter(self.items)
    def __getitem__(self, index): return self.items[index]
    def __setitem__(self, index, value): self.items[index] = value
    def __delitem__(self, index): del self.items[index]
    def __contains__(self, item): return item in self.items
    def __eq__(self, other): return isinstance(other, Stack) and self.items == other.items
    def __lt__(self, other): return len(self) < len(other)
    def __hash__(self): return hash(tuple(self.items))
    def __str__(self): return f"Stack of {len(self)}"

class SubStack(Stack): pass
class Plain: pass
class Falsy:
    def __bool__(self): return False
class AlwaysEqual:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True

class OwnError(ValueError): pass

def fails(message): raise OwnError(message)
def key_error(): return {}["missing"]
def echo(*args, **kwargs): return [*args, kwargs]
def same(item): return item

pulled = 0
def count_pulls():
    global pulled
    while True:
        pulled += 1
        yield pulled

def refill():
    batch = []
    for start in range(3):
        batch.clear(); batch.append(start)
        yield batch

def accumulate():
    total = 0
    while True:
        total += (yield total) or 0

class OwnIterator:
    def __iter__(self):
        self.count = 0
        return self
    def __next__(self):
        if self.count == 40: raise StopIteration
        self.count += 1
        return self.count

def three_then_error():
    yield from range(3)
    raise LookupError("no fourth")

def stacks(): return {Stack([1]), Stack([2])}
def stacks_by_stack(): return {Stack([1]): "one", Stack([2]): "two"}

class Forgetful:
    hashed = False
    def __hash__(self):
        if self.hashed: raise TypeError("not twice")
        self.hashed = True
        return 1

def unhashable(): return {Forgetful()}

endless = itertools.count()
'''


@pytest.fixture
def check(grade_source):
    """Run the body of one test against `SOLUTION`; it must pass."""

    def check(body):
        head = dedent("""\
            import pytest
            from pytest_balanced_sampler import solution_error, is_instance, import_beside, take
            def test_it(solution):
        """)
        run = grade_source(SOLUTION, head + "".join(f"    {line}\n" for line in body.splitlines()))
        assert run.grade["outcome"] == "passed", run.output

    return check


def test_objects(check):
    """Attributes, calls, methods and the operators that the remote object defines."""
    check("""
stack = solution.Stack([1, 2], name="mine")
assert (stack.name, stack.limit, len(stack), stack[0], stack[-1]) == ("mine", 3, 2, 1, 2)
assert stack.push(5, times=2) is stack
assert (list(stack), stack.pop(), 5 in stack, 9 in stack) == ([1, 2, 5, 5], 5, True, False)
stack[0] = 7
del stack[1]
stack.name = "yours"
del stack.name
assert not hasattr(stack, "name") and hasattr(stack, "items")
assert (stack[:], str(stack)) == ([7, 5], "Stack of 2")
assert bool(solution.Stack([1])) and not solution.Stack() and not solution.Falsy()
assert solution.Plain()
assert repr(stack) == "<Stack object in the candidate's process>"
assert repr(solution.Stack) == "<class 'solution.Stack'>"
assert repr(solution.fails) == "<function fails>"
assert repr(solution) == "<candidate solution.py>"
assert solution.Stack.__name__ == "Stack" and "push" in dir(stack)
assert solution.Stack is solution.Stack
for unsupported in (lambda: len(solution.Plain()), lambda: iter(solution.Plain())):
    with pytest.raises(TypeError):
        unsupported()
""")


def test_arguments(check):
    """Data goes over as it is, proxies as the objects that they stand for."""
    check("""
data = [None, True, 1, 2**70, 1.5, "a", b"b", [1], (1, (2,)), {1}, frozenset({2}), {"k": (1,)}]
assert solution.echo(*data, operation=1, self=2, function=3) == [
    *data, {"operation": 1, "self": 2, "function": 3}]
assert list(map(type, solution.echo(*data))) == [*map(type, data), dict]
stack = solution.Stack([1])
assert solution.same(stack) is stack
assert solution.echo({"in": [stack]})[0]["in"][0] is stack
""")


def test_comparison(check):
    """Compared with each other proxies ask the candidate; with data they are never equal."""
    check("""
assert solution.Stack([1]) == solution.Stack([1]) and solution.Stack([1]) != solution.Stack([2])
assert solution.Stack() < solution.Stack([1]) and hash(solution.Stack([1])) == hash((1,))
liar = solution.AlwaysEqual()
assert liar == solution.Plain() and not liar == 3 and liar != 3 and not 3 == liar and liar != [1]
with pytest.raises(TypeError):
    liar < 3
""")


def test_exceptions(check):
    """A candidate's exception has the type that was raised, and `solution_error` tells it."""
    check("""
with pytest.raises(ValueError, match="^too bad$") as caught:
    solution.fails("too bad")
assert type(caught.value) is solution.OwnError and type(caught.value).__name__ == "OwnError"
assert 'in fails' in solution_error(caught.value).traceback
assert solution_error(ValueError()) is None
with pytest.raises(KeyError):
    solution.key_error()
with pytest.raises(AttributeError):
    solution.Stack().missing
with pytest.raises(TypeError):
    solution.Stack(1, 2, 3)
assert not hasattr(solution, "missing")
""")


def test_iteration(check):
    """Items are data of the moment they were produced; ends and errors come where they belong."""
    check("""
assert list(solution.refill()) == [[0], [1], [2]]
assert take(solution.refill(), 9) == [[0], [1], [2]] and take(solution.refill(), 0) == []
got = []
with pytest.raises(LookupError, match="no fourth"):
    for item in solution.three_then_error():
        got.append(item)
assert got == [0, 1, 2]
with pytest.raises(LookupError):
    take(solution.three_then_error(), 9)
assert take(solution.three_then_error(), 3) == [0, 1, 2]
iterator = iter(solution.Stack(list(range(5000))))
assert take(iterator, 2) == [0, 1] and next(iterator) == 2
assert list(iterator) == list(range(3, 5000))
with pytest.raises(StopIteration):
    next(iterator)
assert take([1, 2, 3], 2) == [1, 2]
""")


def test_iteration_is_lazy(check):
    """Nothing is produced that nobody asked for, until a loop has run for a while."""
    check("""
iterator = solution.count_pulls()
for expected in range(1, 10):
    assert next(iterator) == solution.pulled == expected
loop = iter(iterator)
for expected in range(10, 20):
    assert next(loop) == solution.pulled == expected
accumulator = solution.accumulate()
assert [next(accumulator), accumulator.send(3), accumulator.send(4)] == [0, 3, 7]
for number, item in enumerate(solution.endless):
    if number == 3000:
        break
assert item == 3000
one, other = solution.count_pulls(), solution.count_pulls()
pairs = [pair for pair, _ in zip(zip(one, other), range(100))]
assert all(b == a + 1 for a, b in pairs)
""")


def test_instances(check):
    """Whether it is an instance of a class is the worker's to say, for what lives there."""
    check("""
import collections
assert is_instance(solution.SubStack(), solution.Stack)
assert not is_instance(solution.Plain(), solution.Stack)
assert is_instance(solution.Stack(), object) and not is_instance(solution.Stack(), list)
assert not is_instance(solution.Stack(), collections.Counter)
assert is_instance(solution.echo(), list) and not is_instance([1], solution.Stack)
""")


def test_modules_beside_the_candidate(check):
    """A module can be imported in the candidate's process, to set its state there."""
    check("""
random = import_beside(solution, "random")
random.seed(1)
first = random.random()
random.seed(1)
assert random.random() == first
with pytest.raises(ModuleNotFoundError):
    import_beside(solution, "nowhere_to_be_found")
""")


def test_the_candidate_is_a_real_module(grade_source):
    """It can find itself, its source, and its annotations."""
    run = grade_source(
        dedent("""\
            from __future__ import annotations
            import dataclasses, inspect, pickle, sys, typing
            @dataclasses.dataclass
            class Point:
                x: int
                y: typing.ClassVar[int] = 1
            def check():
                import solution
                assert solution.Point is Point and __name__ == 'solution'
                assert pickle.loads(pickle.dumps(Point(1))) == Point(1)
                assert inspect.getsource(check).startswith('def check')
                assert __file__.endswith('solution.py') and open(__file__).read()
        """),
        dedent("""\
            def test_it(solution):
                solution.check()
                assert solution.Point(3).x == 3
        """),
    )
    assert run.grade["outcome"] == "passed", run.output


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("(lambda cycle: cycle.append(cycle) or cycle)([])", "too deep"),
        ("b'x' * 2**26", "too large"),
        ("1 << 2**22", "too large"),
    ],
)
def test_values_that_cannot_cross(grade_source, value, message):
    """A value that is too much for the wire fails the test that asked for it, and says so."""
    run = grade_source(
        dedent(f"""\
            def f():
                return {value}
            def g():
                return 1
        """),
        dedent("""\
            def test_f(solution):
                solution.f()
            def test_g(solution):
                assert solution.g() == 1
        """),
    )
    assert run.grade["tests"] == {"test_f": "failed", "test_g": "passed"}, run.output
    assert message in run.grade["message"]
    assert run.grade["tampering"] == []


def test_an_object_that_is_its_own_iterator(check):
    """`iter()` is asked for once: each call would start such an object over again."""
    check("""
own = solution.OwnIterator()
for _ in range(2):
    assert list(own) == list(range(1, 41))
    iterator = iter(own)
    assert iterator is own and [next(iterator) for _ in range(25)] == list(range(1, 26))
    assert take(iterator, 2) == [1, 2]
assert take(own, 3) == [1, 2, 3]
""")


def test_sets_of_objects(check):
    """Objects in a set or as keys are compared by the candidate's own hash and equality."""
    check("""
one, same, other = solution.Stack([1]), solution.Stack([1]), solution.Stack([2])
assert {one, same, other} == {one, other} and len(solution.stacks()) == 2
assert one in solution.stacks() and solution.stacks_by_stack()[other] == "two"
with pytest.raises(TypeError):
    solution.unhashable()
""")
