"""Awaiting what a candidate defines, and a candidate that awaits what a test hands over."""

from textwrap import dedent

SOLUTION = """
import asyncio, contextlib, contextvars

log = []
async def fetch(x, delay=0.0):
    log.append(("start", x))
    try:
        await asyncio.sleep(delay)
    except asyncio.CancelledError:
        log.append(("cancelled", x))
        raise
    log.append(("end", x))
    return x
async def at_once(x): return x
async def fails(x): raise LookupError(x)
async def stubborn():
    try: await asyncio.sleep(30)
    except asyncio.CancelledError: return "kept on"
async def count(n):
    for number in range(n):
        await asyncio.sleep(0)
        yield number
async def fails_late():
    yield 1
    raise LookupError("late")
class Client:
    def __init__(self, swallows=False): self.swallows = swallows; self.events = []
    async def __aenter__(self): self.events.append("in"); return self
    async def __aexit__(self, kind, error, traceback):
        self.events.append(kind.__name__ if kind else "out"); return self.swallows
    async def get(self, x): await asyncio.sleep(0); return x
    def __aiter__(self): return count(3)
class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return 9
async def gather(*functions): return await asyncio.gather(*(function() for function in functions))
async def retry(function, times):
    for _ in range(times):
        try: return await function()
        except Exception as error: last = error
    raise last
async def call(function, *args): return await function(*args)
async def call_sync(function, *args): return function(*args)
def run(function, *args):
    async def main(): return await asyncio.gather(*(function(arg) for arg in args))
    return asyncio.run(main())
async def collect(items): return [item async for item in items]
async def use(context):
    async with context as value: return value
async def guarded(function, seconds):
    try: return await asyncio.wait_for(function(), seconds)
    except asyncio.TimeoutError: return "too late"
async def take(queue): return await queue.get()
async def in_thread(function): return await asyncio.to_thread(function)
background = None
async def spawn():
    global background
    background = asyncio.create_task(fetch("background", 0.03))
def is_done(): return background.done()
async def create(coroutine): return await asyncio.create_task(coroutine)
def plain(x): return x
async def busy():
    import time
    time.sleep(0.02)
    return 1
"""

TESTS = r"""
import asyncio, contextlib, time, unittest
import pytest

class OwnError(Exception): pass

def run(function):
    def test(solution): asyncio.run(function(solution))
    test.__name__ = function.__name__
    return test

@run
async def test_await(solution):
    assert await solution.fetch(3) == 3
    assert await solution.at_once([1]) == [1]
    assert await solution.Awaitable() == 9
    assert await asyncio.create_task(solution.fetch(4)) == 4
    with pytest.raises(LookupError, match="x"):
        await solution.fails("x")
    coroutine = solution.at_once(1)
    assert asyncio.iscoroutine(coroutine)
    await coroutine
    with pytest.raises(RuntimeError):
        await coroutine
    solution.at_once(1).close()
    with pytest.raises(TypeError):
        await solution.plain

def test_run(solution):
    assert asyncio.run(solution.fetch(5)) == 5
    assert asyncio.run(solution.fetch(6)) == 6

@run
async def test_overlap(solution):
    assert await asyncio.gather(solution.fetch(1, 0.05), solution.fetch(2, 0.02)) == [1, 2]
    assert solution.log[-4:] == [("start", 1), ("start", 2), ("end", 2), ("end", 1)]
    own = []
    async def mine():
        await asyncio.sleep(0.01)
        own.append(list(solution.log))
    await asyncio.gather(solution.fetch(3, 0.06), mine())
    assert own[0][-1] == ("start", 3)

@run
async def test_many(solution):
    assert await asyncio.gather(*(solution.fetch(n, 0.01) for n in range(100))) == list(range(100))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(solution.at_once(n)) for n in range(5)]
    assert [task.result() for task in tasks] == list(range(5))

@run
async def test_cancellation(solution):
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(solution.fetch(1, 30), 0.03)
    assert solution.log[-1] == ("cancelled", 1)
    task = asyncio.create_task(solution.fetch(2, 30))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert solution.log[-1] == ("cancelled", 2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await solution.fetch(3, 30)
    task = asyncio.create_task(solution.stubborn())
    await asyncio.sleep(0.02)
    task.cancel()
    assert await task == "kept on"

@run
async def test_async_for(solution):
    assert [n async for n in solution.count(4)] == [0, 1, 2, 3]
    assert [n async for n in solution.Client()] == [0, 1, 2]
    got = []
    with pytest.raises(LookupError, match="late"):
        async for n in solution.fails_late(): got.append(n)
    assert got == [1]
    items = solution.count(9)
    assert await anext(items) == 0
    await items.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(items)

@run
async def test_async_with(solution):
    async with solution.Client() as client:
        assert await client.get(3) == 3
    assert client.events == ["in", "out"]
    client = solution.Client()
    with pytest.raises(OwnError):
        async with client: raise OwnError
    async with solution.Client(swallows=True): raise ValueError
    assert client.events == ["in", "OwnError"]

@run
async def test_callbacks(solution):
    async def double(x):
        await asyncio.sleep(0.01)
        return 2 * x
    assert await solution.call(double, 3) == 6
    error = OwnError("mine")
    calls = []
    async def failing():
        calls.append(1)
        raise error
    with pytest.raises(OwnError) as caught:
        await solution.retry(failing, 3)
    assert caught.value is error and len(calls) == 3
    order = []
    async def one(): order.append("a"); await asyncio.sleep(0.03); order.append("d"); return 1
    async def two(): order.append("b"); await asyncio.sleep(0.01); order.append("c"); return 2
    assert await solution.gather(one, two) == [1, 2] and order == list("abcd")
    async def nested(): return await solution.call(double, 4)
    assert await solution.call(nested) == 8
    assert await solution.call_sync(lambda: solution.plain(3)) == 3
    async def slow(): await asyncio.sleep(30)
    assert await solution.guarded(slow, 0.03) == "too late"
    assert await solution.create(double(5)) == 10
    assert await solution.in_thread(lambda: 6) == 6
    from unittest import mock
    assert await solution.call(mock.AsyncMock(return_value=8)) == 8

@run
async def test_iterables_and_contexts(solution):
    async def numbers():
        for n in range(3):
            await asyncio.sleep(0)
            yield n
    assert await solution.collect(numbers()) == [0, 1, 2]
    @contextlib.asynccontextmanager
    async def context():
        await asyncio.sleep(0)
        yield 5
    assert await solution.use(context()) == 5
    queue = asyncio.Queue()
    async def feed():
        await asyncio.sleep(0.01)
        await queue.put(7)
    assert (await asyncio.gather(solution.take(queue), feed()))[0] == 7
    assert await solution.use(asyncio.Lock()) is None

def test_a_loop_of_the_candidate(solution):
    seen = []
    async def double(x):
        seen.append(x)
        await asyncio.sleep(0.01)
        seen.append(-x)
        return 2 * x
    assert solution.run(double, 1, 2) == [2, 4] and seen == [1, 2, -1, -2]

@run
async def test_background(solution):
    await solution.spawn()
    assert not solution.is_done()
    await asyncio.sleep(0.1)
    assert solution.is_done()

@run
async def test_ends(solution):
    async def fails(): pytest.fail("now")
    with pytest.raises(pytest.fail.Exception):
        await solution.guarded(fails, 1)
    with pytest.raises(pytest.fail.Exception):
        await solution.call_sync(lambda: pytest.fail("now"))
    assert await solution.at_once(1) == 1

class TestUnittest(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def _solution(self, solution): self.solution = solution
    async def asyncSetUp(self): self.first = await self.solution.fetch(1)
    async def test_it(self):
        self.assertEqual(await self.solution.fetch(2, 0.01) + self.first, 3)

@pytest.mark.anyio
async def test_anyio(solution, anyio_backend_name):
    import anyio
    assert anyio_backend_name == "asyncio"
    got = []
    async def get(n): got.append(await solution.fetch(n, 0.01))
    async with anyio.create_task_group() as group:
        for n in range(3): group.start_soon(get, n)
    assert sorted(got) == [0, 1, 2]
    with anyio.move_on_after(0.02) as scope:
        await solution.fetch(1, 30)
    assert scope.cancelled_caught

@pytest.fixture
def anyio_backend(): return "asyncio"
"""

HANGS = """
import asyncio
def test_it(solution):
    asyncio.run(solution.waits())
"""


def test_async(grade_source):
    """Under asyncio.run, unittest and anyio: what the same lines mean in one process."""
    run = grade_source(SOLUTION, TESTS, "-p", "anyio")
    assert set(run.grade["tests"].values()) == {"passed"}, run.output


def test_waiting_is_clocked(grade_source):
    """A candidate that waits for ever without computing is stopped by the clock."""
    waits = dedent("""\
        import asyncio
        async def waits(): await asyncio.sleep(1e9)
    """)
    run = grade_source(waits, HANGS, "--solution-timeout=0.3")
    assert (run.grade["outcome"], run.grade["failure_mode"]) == ("failed", "timeout"), run.output
