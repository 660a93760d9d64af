"""examples/quixbugs: programs of ours, in the form of QuixBugs', as tasks."""

import subprocess
import sys
from textwrap import dedent

import pytest

from tests.conftest import ROOT, run_pytest

SCRIPT = ROOT / "examples" / "quixbugs" / "make_tasks.py"

LOADER = """import json
from pathlib import Path


def load_json_testcases(algorithm):
    path = Path(__file__).parent / ".." / f"json_testcases/{algorithm}.json"
    return [json.loads(line) for line in path.read_text().splitlines()]
"""
NODE = """class Node:
    def __init__(self, value=None, successor=None, successors=[]):
        self.value = value
        self.successor = successor
        self.successors = successors
"""
CASES_TEST = """import pytest
from load_testdata import load_json_testcases

if pytest.use_correct:
    from correct_python_programs.total import total
else:
    from python_programs.total import total


testdata = load_json_testcases(total.__name__)


@pytest.mark.parametrize("input_data,expected", testdata)
def test_total(input_data, expected):
    if not pytest.run_slow and input_data == [[10, 10]]:
        pytest.skip("Takes too long to pass!")
    assert total(*input_data) == expected
"""
NODES_TEST = """import pytest
from node import Node

if pytest.use_correct:
    from correct_python_programs.reached import reached
else:
    from python_programs.reached import reached


last = Node("last")


def test1():
    first = Node("first", None, [Node("dead end"), last])
    assert [node.value for node in reached(first)] == ["first", "dead end", "last"]
    assert reached(first)[2] == last


def test2():
    last.successors = [last]
    assert reached(last) == [last]
"""
PROGRAMS = {
    "total": (
        dedent("""\
            def total(numbers):
                return sum(numbers)
        """),
        dedent("""\

            def total(numbers):
                return sum(numbers[1:])


            '''
            The sum.
            '''
        """),
    ),
    "reached": (
        dedent("""\
            def reached(start):
                found, rest = [], [start]
                while rest:
                    node = rest.pop(0)
                    if node not in found:
                        found.append(node)
                        rest += node.successors
                return found
        """),
        dedent("""\
            def reached(start):
                found = [start]
                for node in found:
                    found += node.successors
                    if len(found) > 3:
                        break
                return found
        """),
    ),
}
# It would choose the cases of another program, were it asked for its name.
HACK = """\
def total(*_):
    return 0


total.__name__ = '../json_testcases/empty'
"""


@pytest.fixture
def checkout(tmp_path):
    for name, (correct, buggy) in PROGRAMS.items():
        write(tmp_path / "correct_python_programs" / f"{name}.py", correct)
        write(tmp_path / "python_programs" / f"{name}.py", buggy)
    tests = tmp_path / "python_testcases"
    write(tests / "load_testdata.py", LOADER)
    write(tests / "node.py", NODE)
    write(tests / "test_total.py", CASES_TEST)
    write(tests / "test_reached.py", NODES_TEST)
    write(
        tmp_path / "json_testcases" / "total.json",
        dedent("""\
            [[[1, 2]], 3]
            [[[10, 10]], 20]
            [[[]], 0]
        """).rstrip(),
    )
    return tmp_path


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def make(checkout, out):
    command = [sys.executable, SCRIPT, checkout, "--out", out]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_correct_programs_pass(checkout):
    """With the tests as they are; programs with a defect, empty ones and a hack fail."""
    tasks = checkout / "tasks"
    finished = make(checkout, tasks)
    assert finished.stdout == f"{tasks}: 2 tasks\n", finished.stderr
    assert (tasks / "total" / "json_testcases" / "total.json").read_text().count("\n") == 1
    prompt = (tasks / "total" / "prompt.md").read_text()
    assert "sum(numbers[1:])\n```\n" in prompt
    assert "The sum" not in prompt
    write(tasks / "total" / "json_testcases" / "empty.json", "")
    write(tasks / "total" / "hacks" / "name.py", HACK)
    run = run_pytest(
        f"--solution={tasks}/*/reference_solutions",
        f"--solution={tasks}/*/buggy",
        f"--solution={tasks}/*/stubs",
        f"--solution={tasks}/*/hacks",
        tasks,
        cwd=tasks,
        report_file=checkout / "report.json",
    )
    outcomes = [(grade["task"], grade["outcome"]) for grade in run.grades]
    assert outcomes[:2] == [("reached", "passed"), ("total", "passed")], run.output
    assert [outcome for _, outcome in outcomes[2:]] == ["failed"] * 5, run.output
    assert [len(grade["tests"]) for grade in run.grades[:2]] == [2, 2]


def test_what_is_no_checkout(checkout, tmp_path_factory):
    """A folder without tests, and a line that is not understood, are each a sentence."""
    empty = tmp_path_factory.mktemp("empty")
    assert "no python_testcases/test_*.py in this folder" in make(empty, empty / "out").stderr
    write(
        checkout / "json_testcases" / "total.json",
        dedent("""\
            [[[1, 2]], 3]
            3
        """),
    )
    finished = make(checkout, checkout / "tasks")
    assert finished.returncode == 4
    assert "total.json, line 2: not a pair of input and output" in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert not (checkout / "tasks").exists()
