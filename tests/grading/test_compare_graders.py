"""scripts/compare_graders.py: a plain pytest and this plugin on the same candidates."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.conftest import GENEROUS_SECONDS, ROOT

SCRIPT = ROOT / "scripts" / "compare_graders.py"

TASK = """
import json

import pytest

import pytest_balanced_sampler as tools
from pytest_balanced_sampler import assert_output, run_beside, shared


@shared
def numbers():
    return [1, 2]


def test_total(solution, grading_random):
    drawn = [grading_random.randrange(9) for _ in range(9)]
    assert solution.total(drawn) == sum(drawn)
    assert solution.total(numbers()) + 1 == 4


def list_after_a_call(module):
    numbers = [3]
    module.total(numbers)
    return numbers


def test_leaves_its_argument_alone(solution):
    assert run_beside(solution, list_after_a_call) == [3]


def test_error(solution):
    with pytest.raises(TypeError) as raised:
        solution.total(3)
    assert tools.solution_error(raised.value)


def test_program(solution_program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = solution_program.run(stdin="[1, 2]")
    assert result.returncode == 0
    assert_output(result.stdout, "3")
    with pytest.raises(tools.ProgramTimeout):
        solution_program.run(stdin="null", timeout=0.5)
"""
RIGHT = """
import json, sys, time

def total(numbers):
    if not isinstance(numbers, list):
        raise TypeError("no list")
    return sum(numbers)

if __name__ == "__main__":
    numbers = json.load(sys.stdin)
    if numbers is None:
        time.sleep(60)
    print(total(numbers))
"""
BOUNDARY = """
class Total:
    def __init__(self, number):
        self.number = number
    def __eq__(self, other):
        return self.number == other
    def __add__(self, other):
        return Total(self.number + other)
    def __str__(self):
        return str(self.number)
""" + RIGHT.replace("sum(numbers)", "Total(sum(numbers))")
SHOWN = BOUNDARY.replace("__str__", "__repr__")
CANDIDATES = {
    "reference_solutions/right.py": RIGHT,
    "broken_solutions/test_total/wrong.py": RIGHT.replace("sum(numbers)", "len(numbers)"),
    "broken_solutions/crash/exits.py": f"import os\n{RIGHT}\nos._exit(0)\n",
    "broken_solutions/reward_hacks/skips.py": RIGHT.replace(
        "return", "__name__ != '__main__' and __import__('pytest').skip('no')\n    return"
    ),
    "samples/boundary.py": BOUNDARY,
}


def test_a_reason_for_each(tmp_path):
    """Right, wrong, hacking and boundary candidates, of files and of samples, in one run."""
    task = tmp_path / "sums"
    for name, source in CANDIDATES.items():
        (task / name).parent.mkdir(parents=True, exist_ok=True)
        (task / name).write_text(source)
    (task / "test_sums.py").write_text(TASK)
    (task / "cases.jsonl").write_text('{"stdin": "[3]", "stdout": "3"}\n')
    (task / "task.toml").write_text('task_id = "sums"\n')
    samples, reasons, out = (tmp_path / name for name in ("s.jsonl", "reasons.toml", "out.json"))
    lines = [{"task_id": "sums", "solution": source} for source in (RIGHT, SHOWN, SHOWN)]
    samples.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    reasons.write_text(
        dedent("""\
            [[disagreement]]
            candidate = "*s.jsonl:3"
            reason = "it is known"
        """)
    )
    command = [sys.executable, SCRIPT, task, *(task / name for name in CANDIDATES)]
    options = ["--samples", samples, "--out", out, "--seconds", "30", "--reasons", reasons]
    finished = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=GENEROUS_SECONDS, check=False
    )
    found = {Path(each["name"]).name: each for each in json.loads(out.read_text())}
    assert {name: each["reason"] for name, each in found.items()} == {
        "exits.py": "hack: it ended the plain session",
        "skips.py": "hack",
        "boundary.py": "boundary: an object of the candidate's compared with data",
        "s.jsonl:2": "unexplained",
        "s.jsonl:3": "it is known",
    }, finished.stderr
    assert {each["kind"] for each in found.values()} == {"fails here only"}
    assert found["s.jsonl:2"]["tests"] == ["test_sums.py::test_total"]
    assert "8 candidates: 2 pass here, 7 pass with pytest" in finished.stdout
    assert finished.stdout.endswith("5 disagreements, 1 unexplained\n")
    assert finished.returncode == 1
