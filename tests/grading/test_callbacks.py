"""Objects of a test's own, handed to a candidate: one session, many cases."""

import re
from textwrap import dedent

SOLUTION = """
import collections.abc, copy, inspect, io, threading

kept = []
def keep(item): kept.append(item)
def use_kept(*args): return kept[-1](*args)
def clear(): kept.clear()
def same(item): return item
def call(function, *args, **kwargs): return function(*args, **kwargs)
def call_all(functions): return [function() for function in functions]
def apply(function, items):
    for item in items: yield function(item)
def sort(items, key): return sorted(items, key=key)
def total(items): return sum(items)
def first(iterator): return next(iterator)
def swallow(function):
    try: function()
    except BaseException as error: return type(error).__name__
    return "nothing"
def catch(function, kinds):
    try: function()
    except kinds as error:
        return [type(error).__name__, *error.args, *vars(error).values()][:3]
def retry(function, times, kind):
    for attempt in range(times):
        try: return function(attempt)
        except kind as error: last = error
    raise last
def translate(function):
    try: function()
    except Exception as error: raise KeyError("translated") from error
def raise_again(error): raise error
def reraise_new(kind, *args): raise kind(*args)
def copy_lines(source, target):
    for number, line in enumerate(source): target.write(f"{number}:{line}")
    target.flush()
    return target.tell()
def head(binary): return binary.read(2)
def use(context):
    with context as value: return value
def fail_in(context):
    with context: raise ValueError("inside")
def facts(item):
    return [callable(item), isinstance(item, collections.abc.Iterator), hasattr(item, "read"),
            isinstance(item, collections.abc.Sized), hasattr(item, "nothing")]
def signature(function): return str(inspect.signature(function))
def name(function): return [function.__name__, function.__doc__]
def read(item, name): return getattr(item, name)
def ask(item, operation, *args):
    import gc
    server = next(o for o in gc.get_objects() if type(o).__name__ == "CandidateServer")
    return server._ask(operation, server._stand_ins.refer(item).number, list(args), {})
def put(item, name, value): setattr(item, name, value)
def remove(item, name): delattr(item, name)
def add(one, other): return one + other
def negate(item): return -item
def equal(one, other): return one == other
def is_same(one, other): return one is other
def size(item): return len(item)
def put_item(item, key, value): item[key] = value; return item[key]
def text(item): return [str(item), type(item).__name__]
def in_thread(function):
    results = []
    threads = [threading.Thread(target=lambda: results.append(function())) for _ in range(3)]
    for thread in threads: thread.start()
    results.append(function())
    for thread in threads: thread.join()
    return results
def deep(function, depth): return function(depth - 1) if depth else 0
def duplicate(item): return copy.deepcopy(item)
def is_kind(item, kind): return isinstance(item, kind)
class Subject:
    def __init__(self): self.observers = []
    def add(self, observer): self.observers.append(observer)
    def set(self, value):
        for observer in self.observers: observer(self, value)
class Broken(Exception): pass
def throw(generator):
    next(generator)
    return generator.throw(KeyError("thrown"))
def delegate(generator): return [*inner(generator)]
def inner(generator):
    result = yield from generator
    yield result
def later(function):
    thread = threading.Timer(0.05, lambda: kept.append(swallow(function)))
    thread.start()
def wait():
    import time
    while not kept: time.sleep(0.01)
    return kept[-1]
"""

TESTS = r"""
import contextlib, functools, io, operator, random, string, types, unittest
from unittest import mock
import pytest

class OwnError(Exception):
    def __init__(self, text, code=7):
        super().__init__(text)
        self.code = code

class Account:
    limit = 5
    def __init__(self, balance): self.balance = balance; self._pin = 1234
    def pay(self, amount): self.balance -= amount; return self
    def __add__(self, other): return Account(self.balance + getattr(other, "balance", other))
    def __radd__(self, other): return Account(other + self.balance)
    def __neg__(self): return Account(-self.balance)
    def __eq__(self, other): return isinstance(other, Account) and self.balance == other.balance
    def __len__(self): return self.balance
    def __setitem__(self, key, value): setattr(self, key, value)
    def __getitem__(self, key): return getattr(self, key)
    @property
    def half(self): return self.balance / 2
    @half.setter
    def half(self, value): self.balance = 2 * value

class Plain: pass
class Context:
    def __enter__(self): return 11
    def __exit__(self, kind, error, traceback):
        self.seen = kind, error
        return True

def test_functions(solution):
    seen = []
    assert solution.call(lambda: 3) == 3
    assert solution.call(lambda a, *, b: [a, b], 1, b=(2,)) == [1, (2,)]
    assert solution.call(seen.append, 4) is None and seen == [4]
    assert solution.call(functools.partial(pow, 2), 5) == 32
    assert solution.call(Account(9).pay, 4).balance == 5
    assert solution.call_all([lambda: 1, lambda: 2]) == [1, 2]
    assert solution.sort([3, 1, 2], key=lambda item: -item) == [3, 2, 1]
    assert solution.sort(["bb", "a"], operator.itemgetter(0)) == ["a", "bb"]
    assert solution.call(Account, 3).balance == 3
    cached = functools.lru_cache(lambda x: x + 1)
    assert solution.call(cached, 1) == 2 and cached.cache_info().misses == 1

def test_identity(solution):
    for item in (lambda: 1, Account(1), Plain(), object(), Account, iter([1]), io.StringIO(),
                 mock.Mock(), Account(1).pay, OwnError("x"), OwnError, ValueError("x"),
                 functools.partial(len)):
        assert solution.same(item) is item
        assert solution.same([item, {"k": (item,)}])[1]["k"][0] is item
        assert solution.is_same(item, item)
    account = Account(1)
    assert solution.call(lambda other: other is account, account)
    assert solution.equal(Account(2), Account(2)) and not solution.equal(Account(2), Account(3))

def test_candidates_objects_in_callbacks(solution):
    subject, seen = solution.Subject(), []
    subject.add(lambda source, value: seen.append((source, value)))
    subject.add(mock.Mock(side_effect=lambda *_: None))
    subject.set(3)
    subject.set([4])
    assert seen == [(subject, 3), (subject, [4])] and seen[0][0] is subject

def test_lazy_iteration(solution):
    seen = []
    items = iter(range(10**9))
    for number, item in enumerate(solution.apply(lambda x: seen.append(x) or x, items)):
        assert len(seen) == number + 1
        if number == 60: break

def test_nested_calls(solution):
    assert solution.call(lambda: solution.call(lambda: solution.call(lambda: 5))) == 5
    def down(depth): return solution.deep(down, depth)
    assert solution.deep(down, 40) == 0
    with pytest.raises(RecursionError):
        solution.deep(down, 200)
    assert solution.same(1) == 1

def test_iterators(solution):
    assert solution.total(x for x in range(5)) == 10
    assert solution.total(map(int, ["1", "2"])) == 3
    endless = iter(int, 1)
    assert solution.first(endless) == 0
    def numbers():
        got = yield 1
        yield got
        return "done"
    assert solution.delegate(numbers()) == [1, None, "done"]
    def catches():
        try: yield 1
        except KeyError as error: yield list(error.args)
    assert "thrown" in solution.throw(catches())[0]
    with pytest.raises(StopIteration):
        next(solution.apply(lambda x: x, []))
    def fails():
        yield 1
        raise OwnError("late")
    got = []
    with pytest.raises(OwnError, match="late"):
        for item in solution.apply(lambda x: x, fails()): got.append(item)
    assert got == [1]

def test_files(solution, tmp_path):
    target = io.StringIO()
    assert solution.copy_lines(io.StringIO("a\nb\n"), target) == 8
    assert target.getvalue() == "0:a\n1:b\n"
    assert solution.head(io.BytesIO(b"abc")) == b"ab"
    (tmp_path / "f").write_text("line\n")
    with (tmp_path / "f").open() as file, (tmp_path / "g").open("w") as out:
        solution.copy_lines(file, out)
    assert (tmp_path / "g").read_text() == "0:line\n"

def test_mocks(solution):
    sink = mock.Mock(return_value=3)
    assert solution.call(sink, 1, key=[2]) == 3
    sink.assert_called_once_with(1, key=[2])
    api = mock.MagicMock()
    api.fetch.return_value = {"a": 1}
    assert solution.call(solution.read(api, "fetch"), 5) == {"a": 1}
    api.fetch.assert_called_once_with(5)
    api.__len__.return_value = 4
    assert solution.size(api) == 4
    spec = mock.create_autospec(Account, instance=True)
    assert solution.read(spec, "pay") is spec.pay
    with pytest.raises(AttributeError):
        solution.read(spec, "missing")
    solution.put(api, "ready", True)
    assert api.ready is True
    failing = mock.Mock(side_effect=OwnError("no"))
    with pytest.raises(OwnError) as caught:
        solution.call(failing)
    assert caught.value is failing.side_effect
    for control in ("assert_called_once", "reset_mock", "call_args", "return_value", "side_effect"):
        with pytest.raises(AttributeError):
            solution.read(sink, control)
    for name, value in (("fetch", 1), ("other", solution.Subject()), ("return_value", 1)):
        with pytest.raises(AttributeError):
            solution.put(api, name, value)

def test_own_objects(solution):
    account = Account(8)
    assert solution.read(account, "balance") == 8 and solution.read(account, "half") == 4
    assert solution.read(account, "limit") == 5
    solution.put(account, "balance", 6)
    solution.put(account, "half", 5)
    solution.put(account, "fresh", [1])
    assert (account.balance, account.fresh) == (10, [1])
    solution.remove(account, "fresh")
    assert not hasattr(account, "fresh")
    assert solution.add(account, 2).balance == 12 and solution.add(2, account).balance == 12
    assert solution.add(account, Account(1)).balance == 11
    with pytest.raises(TypeError):
        solution.add(Plain(), 1)
    assert solution.negate(account).balance == -10 and solution.size(account) == 10
    assert solution.put_item(account, "x", 1) == 1 and account.x == 1
    assert solution.text(account) == ["<Account of the test>", "Account"]
    other = solution.duplicate(account)
    assert other == account and other is not account
    assert solution.is_kind(account, Account) and not solution.is_kind(Plain(), Account)
    namespace = types.SimpleNamespace(a=1, f=lambda: 2)
    solution.put(namespace, "a", 3)
    assert solution.read(namespace, "a") == 3 and solution.call(solution.read(namespace, "f")) == 2
    assert solution.call(random.Random(3).random) == random.Random(3).random()

def test_refusals(solution):
    account = Account(1)
    for item, name in [(account, "_pin"), (account, "__class__"), (account, "__dict__"),
                       (lambda: 1, "__globals__"), (lambda: 1, "__closure__"),
                       ((x for x in []), "gi_frame"), (account.pay, "__self__"),
                       (account.pay, "__func__"), (functools.partial(len, "secret"), "args"),
                       (Account, "pay"), (Account, "mro"),
                       (io.StringIO(), "__dict__"), (random.Random(), "__reduce__")]:
        with pytest.raises(AttributeError):
            solution.ask(item, "getattr", name)
    for item, name in [(account, "__init__"), (account, "__reduce__"),
                       (account, "__getattribute__"), (lambda: 1, "__get__"),
                       (Account, "__subclasses__"), (io.StringIO(), "__setstate__")]:
        with pytest.raises(TypeError):
            solution.ask(item, "special", name)
    for item, name in [(account, "pay"), (account, "_pin"), (account, "__class__"),
                       (Account, "limit"), (io.StringIO(), "name"), (random.Random(), "a")]:
        with pytest.raises(AttributeError):
            solution.ask(item, "setattr", name, 1)
    class Store(string.Formatter):
        def own(self): return 1
    assert solution.call(solution.read(Store(), "own")) == 1
    with pytest.raises(AttributeError):
        solution.read(Store(), "format")
    holder = Plain()
    holder.module, holder.kind = pytest, Context
    for name in ("module", "kind"):
        with pytest.raises(TypeError):
            solution.read(holder, name)
    with pytest.raises(TypeError):
        solution.call(lambda: [Context])

def test_facts(solution):
    assert solution.facts(lambda: 1) == [True, False, False, False, False]
    assert solution.facts(iter([1])) == [False, True, False, False, False]
    assert solution.facts(io.StringIO()) == [False, True, True, False, False]
    assert solution.facts(Account(1)) == [False, False, False, True, False]
    def documented(a, /, b, *, c=3, **rest): "Text."
    assert solution.signature(documented) == "(a, /, b, *, c=Ellipsis, **rest)"
    assert solution.name(documented) == ["documented", "Text."]

def test_exceptions(solution):
    error = OwnError("mine", code=9)
    def fails(*_): raise error
    with pytest.raises(OwnError) as caught:
        solution.call(fails)
    assert caught.value is error and caught.value.code == 9
    assert solution.swallow(fails) == "OwnError"
    assert solution.catch(fails, OwnError) == ["OwnError", "mine", 9]
    assert solution.catch(fails, (ValueError, OwnError)) == ["OwnError", "mine", 9]
    with pytest.raises(OwnError) as caught:
        solution.retry(fails, 3, OwnError)
    assert caught.value is error
    with pytest.raises(KeyError, match="translated"):
        solution.translate(fails)
    with pytest.raises(OwnError) as caught:
        solution.raise_again(error)
    assert caught.value is error
    with pytest.raises(OwnError, match="made") as caught:
        solution.reraise_new(OwnError, "made")
    assert caught.value.code == 7
    def not_data(): raise ValueError(Account(1))
    with pytest.raises(ValueError) as caught:
        solution.call(not_data)
    assert caught.value.args[0].balance == 1
    import json
    assert solution.catch(lambda: json.loads("{"), json.JSONDecodeError)[0] == "JSONDecodeError"
    assert solution.swallow(lambda: {}["k"]) == "KeyError"
    got = []
    with pytest.raises(OwnError) as caught:
        for item in solution.apply(lambda x: fails() if x == 30 else x, list(range(99))):
            got.append(item)
    assert caught.value is error and got == list(range(30))
    def stops(): raise StopIteration
    with pytest.raises(Exception) as caught:
        solution.call(stops)
    assert not got == []

def test_contexts(solution):
    assert solution.use(Context()) == 11
    context = Context()
    assert solution.fail_in(context) is None
    assert issubclass(context.seen[0], ValueError) and str(context.seen[1]) == "inside"
    with pytest.raises(ValueError, match="inside"):
        solution.fail_in(contextlib.nullcontext())
    with contextlib.ExitStack() as stack:
        assert solution.use(stack) is stack

def test_ends_of_tests(solution):
    def fails(): pytest.fail("in the callback")
    with pytest.raises(pytest.fail.Exception, match="in the callback"):
        solution.swallow(fails)
    def interrupted(): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        solution.swallow(interrupted)
    def skips(): raise unittest.SkipTest("s")
    with pytest.raises(unittest.SkipTest):
        solution.swallow(skips)
    assert solution.same(1) == 1

def test_threads(solution):
    calls = []
    assert solution.in_thread(lambda: calls.append(1) or 5) == [5] * 4 and len(calls) == 4
    solution.clear()
    solution.later(lambda: 1)
    import time; time.sleep(0.2)
    assert solution.wait() == "RuntimeError"

def test_kept_1(solution):
    solution.keep(lambda x: x + 1)
    assert solution.use_kept(1) == 2

def test_kept_2(solution):
    assert solution.use_kept(2) == 3

def test_released(solution):
    import gc, weakref
    account = Account(1)
    solution.same(account)
    solution.same(1)
    solution.call(lambda: 1)
    watch = weakref.ref(account)
    del account
    gc.collect()
    assert watch() is None
"""


def test_callbacks(grade_source):
    """Every kind of object, what can be done with it, and what cannot."""
    run = grade_source(SOLUTION, TESTS)
    assert set(run.grade["tests"].values()) == {"passed"}, run.output


REFUSED = """
import string, sys, unittest
import numpy
import pytest

class Test:
    def test_case(self, solution):
        solution.same(unittest.TestCase())
    def test_formatter(self, solution):
        solution.same([{"in": string.Formatter()}])
    def test_fixture(self, solution, request):
        solution.same(request)
    def test_frame(self, solution):
        solution.same(sys._getframe())
    def test_module(self, solution):
        solution.same(pytest)
    def test_array_of_objects(self, solution):
        for array in (numpy.array([[1, None], ["a", {}]], dtype=object), numpy.asarray(None)):
            assert solution.shape(array) == array.shape
            assert solution.items(array) == array.ravel().tolist()
    def test_caught(self, solution):
        with pytest.raises(BaseException):
            solution.same(pytest)
    def test_in_fixture(self, made):
        pass
    def test_patched(self, solution, monkeypatch):
        monkeypatch.setattr(string, "capwords", pytest)
        assert solution.same(1) == 1

@pytest.fixture
def made(solution, request):
    return solution.same(request)

def test_given(solution):
    with solution.Context() as context:
        context.fail()
"""


def test_what_is_not_handed_over(grade_source, tmp_path):
    """That a test passes such an object is no fault of a candidate's; what it made one of is."""
    source = dedent("""\
        import ctypes
        def same(x): return x
        def shape(x): return x.shape
        def items(x): return x.ravel().tolist()
        class Context:
            def __enter__(self): return self
            def __exit__(self, *_): return True
            def fail(self): raise ctypes.ArgumentError
    """)
    run = grade_source(source, REFUSED)
    outcomes = {name.rpartition("_")[2]: how for name, how in run.grade["tests"].items()}
    assert outcomes == {
        **dict.fromkeys("case formatter fixture frame module caught".split(), "harness_error"),
        "patched": "passed",
        "objects": "passed",
        "given": "failed",
    }, run.output
    assert run.grade["outcome"] == "failed"
    teaches = "(is not handed to .+ Pass |cannot be sent to the candidate: .+)"
    details = run.grade["details"]
    for name in ("case", "formatter", "frame", "module"):
        assert re.search(teaches, details[f"Test::test_{name}"]["message"])
    assert "msgpack" not in run.output
    assert "_packer" not in run.output
    (tmp_path / "reference.py").write_text(source)
    run = grade_source(source, REFUSED, f"--solution-reference={tmp_path}/reference.py")
    assert "the reference" in run.output
    assert run.exit_status == 3
