"""examples/bigcodebench: problems of ours, in BigCodeBench's format, as tasks."""

import gzip
import json
import subprocess
import sys
from textwrap import dedent

import pytest

from tests.conftest import ROOT, run_pytest

SCRIPT = ROOT / "examples" / "bigcodebench" / "make_tasks.py"

DRAWN = {
    "task_id": "Ours/0",
    "entry_point": "task_func",
    "prompt": dedent('''\
        import math
        from random import randint

        SIDES = 6


        def task_func(count, offset=0):
            """The numbers of so many dice, and their mean."""
    '''),
    "canonical_solution": """\
    if count < 1:
        raise ValueError('count must be positive')
    drawn = [randint(1, SIDES) + offset for _ in range(count)]
    return drawn, math.fsum(drawn) / count
""",
    # The names that it uses are those of the prompt.
    "test": (
        dedent("""\
            import unittest
            import random
            class TestCases(unittest.TestCase):
                def setUp(self):
                    self.count = 50
                def test_range(self):
                    drawn, mean = task_func(self.count)
                    self.assertEqual({*drawn}, {*range(1, SIDES + 1)})
                    self.assertTrue(math.isclose(mean, sum(drawn) / self.count))
                def test_seed(self):
                    random.seed(3)
                    first = task_func(5)
                    random.seed(3)
                    self.assertEqual([randint(1, 6) for _ in range(5)], first[0])
                def test_error(self):
                    with self.assertRaisesRegex(ValueError, 'positive'):
                        task_func(0)
        """)
    ),
    "libs": ["math", "random"],
}
ARRAY = {
    "task_id": "Ours/1",
    "entry_point": "task_func",
    "prompt": dedent("""\
        import numpy as np
        def task_func(rows):
            '''Doubled.'''
    """),
    "canonical_solution": "    return 2 * np.array(rows)",
    "test": (
        dedent("""\
            import unittest
            class TestCases(unittest.TestCase):
                def test_doubled(self):
                    np.testing.assert_array_equal(task_func([[1, 2]]), np.array([[2, 4]]))
        """)
    ),
    "libs": ["numpy"],
}
MOCKED = {**ARRAY, "task_id": "Ours/2", "test": "from unittest.mock import patch\n"}
WRONG = """\
import numpy as np
def task_func(rows):
    return np.array(rows)
"""


def make(tmp_path, *problems):
    given = tmp_path / "problems.jsonl.gz"
    given.write_bytes(gzip.compress("".join(f"{json.dumps(p)}\n" for p in problems).encode()))
    command = [sys.executable, SCRIPT, given, "--out", tmp_path / "tasks"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_canonical_solutions_pass(tmp_path):
    """With the tests as they are; empty bodies and a wrong solution fail."""
    tasks = tmp_path / "tasks"
    finished = make(tmp_path, DRAWN, ARRAY, MOCKED)
    assert finished.stdout == f"{tasks}: 2 of 3 problems are tasks\n", finished.stderr
    (tasks / "Ours_1" / "samples").mkdir()
    (tasks / "Ours_1" / "samples" / "wrong.py").write_text(WRONG)
    run = run_pytest(
        f"--solution={tasks}/*/reference_solutions",
        f"--solution={tasks}/*/stubs",
        f"--solution={tasks}/*/samples",
        tasks,
        cwd=tasks,
        report_file=tmp_path / "report.json",
    )
    assert [grade["outcome"] for grade in run.grades] == ["passed"] * 2 + ["failed"] * 3, run.output
    assert [len(grade["tests"]) for grade in run.grades[:2]] == [3, 1]


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ({**ARRAY, "libs": None}, "line 2: not an object with task_id, prompt"),
        ({**ARRAY, "task_id": "../up"}, "line 2: task_id is not a name"),
        (DRAWN, "line 2: Ours/0 occurs twice"),
    ],
)
def test_lines_that_are_not_understood(tmp_path, problem, message):
    """The line is named, and nothing is left behind."""
    finished = make(tmp_path, DRAWN, problem)
    assert finished.returncode == 4
    assert message in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"problems.jsonl.gz"}
