"""examples/exercism: ten exercises of ours, in the styles of Exercism's track, as tasks."""

import json
import subprocess
import sys
from textwrap import dedent

import pytest

from tests.conftest import ROOT, run_pytest

SCRIPT = ROOT / "examples" / "exercism" / "make_tasks.py"

# For each exercise what its example defines, and the body of its tests' class.
EXERCISES = {
    "leap-day": (
        dedent("""\
            def next_leap(year):
                if year < 0:
                    raise ValueError('year must not be negative')
                return year + -year % 4
        """),
        """
    def test_years(self):
        for year, expected in [(4, 4), (5, 8)]:
            with self.subTest(year=year):
                self.assertEqual(next_leap(year), expected)

    def test_negative(self):
        with self.assertRaises(ValueError) as err:
            next_leap(-1)
        self.assertEqual(type(err.exception), ValueError)
        self.assertEqual(err.exception.args[0], "year must not be negative")
""",
    ),
    "small-stack": (
        dedent("""\
            class EmptyError(Exception):
                def __init__(self, message):
                    self.message = message

            class SmallStack:
                def __init__(self):
                    self.items = []
                def push(self, item):
                    self.items.append(item)
                def pop(self):
                    if not self.items:
                        raise EmptyError('stack is empty')
                    return self.items.pop()
                def __len__(self):
                    return len(self.items)
        """),
        """
    def setUp(self):
        self.stack = SmallStack()

    def test_last_in_first_out(self):
        self.stack.push(1)
        self.stack.push(2)
        self.assertEqual([self.stack.pop(), len(self.stack)], [2, 1])

    def test_empty(self):
        with self.assertRaises(EmptyError) as err:
            self.stack.pop()
        self.assertEqual(type(err.exception), EmptyError)
        self.assertEqual(err.exception.args[0], "stack is empty")
""",
    ),
    "vectors": (
        dedent("""\
            class Vector:
                def __init__(self, x, y):
                    self.x, self.y = x, y
                def __add__(self, other):
                    return Vector(self.x + other.x, self.y + other.y)
                def __rmul__(self, factor):
                    return Vector(factor * self.x, factor * self.y)
                def __abs__(self):
                    return (self.x**2 + self.y**2) ** 0.5
                def __eq__(self, other):
                    return (self.x, self.y) == (other.x, other.y)
                def __repr__(self):
                    return f'Vector({self.x}, {self.y})'
        """),
        """
    def test_operators(self):
        self.assertEqual(Vector(1, 2) + Vector(3, 4), Vector(4, 6))
        self.assertEqual(2 * Vector(1, 2), Vector(2, 4))
        self.assertAlmostEqual(abs(Vector(3, 4)), 5)
        self.assertEqual(repr(Vector(1, 2)), "Vector(1, 2)")
        self.assertIsInstance(Vector(1, 2), Vector)
""",
    ),
    "pick": (
        dedent("""\
            def pick(predicate, items):
                return [item for item in items if predicate(item)]
        """),
        """
    def test_functions(self):
        self.assertEqual(pick(lambda number: number % 2, [1, 2, 3]), [1, 3])
        self.assertEqual(pick(str.isupper, ["a", "B"]), ["B"])
""",
    ),
    "queue-jump": (
        dedent("""\
            def jump(queue, name):
                queue.remove(name)
                queue.insert(0, name)
                return queue
        """),
        """
    def test_the_same_list(self):
        queue = ["a", "b"]
        self.assertIs(jump(queue, "b"), queue)
        self.assertEqual(queue, ["b", "a"])
""",
    ),
    "payday": (
        dedent("""\
            from datetime import timedelta

            def payday(day):
                return day + timedelta(days=(4 - day.weekday()) % 7)
        """),
        """
    def test_dates(self):
        self.assertEqual(payday(date(2024, 2, 27)), date(2024, 3, 1))
        self.assertEqual(payday(datetime(2024, 3, 1, 5)), datetime(2024, 3, 1, 5))
""",
    ),
    "retrying": (
        dedent("""\
            def retry(function):
                try:
                    return function()
                except OSError:
                    return function()
        """),
        """
    def test_mocks(self):
        function = mock.Mock(side_effect=[OSError("once"), 3])
        self.assertEqual(retry(function), 3)
        self.assertEqual(function.call_count, 2)
""",
    ),
    "closing": (
        dedent("""\
            class Door:
                def __init__(self, log):
                    self.log = log
                def __enter__(self):
                    self.log.append('open')
                    return self
                def __exit__(self, *_):
                    self.log.append('closed')
            def use(resource):
                with resource as opened:
                    opened.work()
        """),
        """
    def test_of_the_candidate(self):
        log = []
        with self.assertRaisesRegex(KeyError, "mine"), Door(log):
            raise KeyError("mine")
        self.assertEqual(log, ["open", "closed"])

    def test_of_the_test(self):
        class Resource:
            is_closed = False
            def __enter__(self): return self
            def __exit__(self, kind, error, traceback): self.is_closed = kind is RuntimeError
            def work(self): raise RuntimeError("broken")
        resource = Resource()
        with self.assertRaises(RuntimeError):
            use(resource)
        self.assertTrue(resource.is_closed)
""",
    ),
    "primes-below": (
        dedent("""\
            def primes():
                number = 2
                while True:
                    if all(number % divisor for divisor in range(2, number)):
                        yield number
                    number += 1
        """),
        """
    def test_generator(self):
        found = primes()
        self.assertEqual([next(found) for _ in range(4)], [2, 3, 5, 7])

    @unittest.skip("an author's own skip")
    def test_slow(self):
        self.fail("never run")
""",
    ),
    "catering": (
        dedent("""\
            from catering_data import MEAT

            def is_vegan(dish):
                return not MEAT & {*dish}
        """),
        """
    @pytest.mark.task(taskno=1)
    def test_helper_modules(self):
        self.assertIs(is_vegan(["rice"]), True)
        self.assertIs(is_vegan(["rice", *MEAT]), False)
""",
    ),
}
GRADED = ["catering", "primes-below", "eight-in-one"]
"""The exercises that are graded: a session of pytest takes longer than an exercise."""

EXERCISES["eight-in-one"] = (
    "\n".join(example for name, (example, _) in EXERCISES.items() if name not in GRADED),
    "\n".join(
        f"\nclass {name.title().replace('-', '')}Test(unittest.TestCase):{tests}"
        for name, (_, tests) in EXERCISES.items()
        if name not in GRADED
    ),
)
IMPORTS = """import unittest
from datetime import date, datetime
from unittest import mock
import pytest
from {module} import *
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """The tasks that are made of a checkout with these exercises."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name, (example, tests) in EXERCISES.items():
        folder, module = checkout / "exercises" / "practice" / name, name.replace("-", "_")
        files = {"solution": [f"{module}.py"], "test": [f"{module}_test.py"]}
        imports = IMPORTS.format(module=module)
        if name == "catering":
            imports += "from catering_data import MEAT\n"
        texts = {
            ".meta/config.json": json.dumps({"files": files | {"example": [".meta/example.py"]}}),
            ".meta/example.py": example,
            ".docs/instructions.md": f"# {name}\n",
            f"{module}.py": "from catering_data import MEAT\n" if name == "catering" else "pass\n",
            f"{module}_test.py": imports + tests
            if name == "eight-in-one"
            else f"{imports}\nclass ExerciseTest(unittest.TestCase):{tests}",
        }
        if name == "catering":
            texts["catering_data.py"] = "MEAT = {'ham'}\n"
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    finished = make(checkout, checkout / "tasks")
    assert finished.stdout == f"{checkout / 'tasks'}: {len(EXERCISES)} tasks\n", finished.stderr
    return checkout / "tasks"


def make(checkout, out):
    command = [sys.executable, SCRIPT, checkout, "--out", out]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", GRADED)
def test_examples_pass_and_stubs_fail(catalogue, tmp_path, name):
    """With the exercise's tests as they are."""
    task, module = catalogue / name, name.replace("-", "_")
    run = run_pytest(
        f"--solution={task}/reference_solutions/{module}.py",
        f"--solution={task}/stubs/{module}.py",
        task,
        cwd=task,
        report_file=tmp_path / "report.json",
    )
    assert [grade["outcome"] for grade in run.grades] == ["passed", "failed"], run.output
    assert len(run.grades[0]["tests"]) == EXERCISES[name][1].count("def test_") - (
        name == "primes-below"
    )


def test_what_is_no_checkout(tmp_path):
    """A folder without exercises, and an exercise that is not understood, are each a sentence."""
    assert "no exercises/*/*/.meta/config.json in this folder" in make(tmp_path, "tasks").stderr
    config = tmp_path / "exercises" / "practice" / "odd" / ".meta" / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text("{}")
    finished = make(tmp_path, tmp_path / "tasks")
    assert finished.returncode == 4
    assert "odd/.meta/config.json is invalid: KeyError('files')" in finished.stderr
    assert finished.stderr.count("\n") == 1
