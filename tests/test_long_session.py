"""Sessions with many candidates: what is shown while they run, and what is kept of them."""

import json
import os
import pty
import subprocess
import sys

import pytest

from tests.conftest import GENEROUS_SECONDS, run_pytest

COUNT = 102
TESTS = (
    "def test_two(solution):\n    assert solution.double(2) == 4, 'not twice'\n"
    "def test_three(solution):\n    assert solution.double(3) == 6\n"
    "def test_of_the_authors():\n    assert not 'seen'\n"
)


@pytest.fixture
def folder(tmp_path):
    """A torch-free task and many candidates, every third of them bad."""
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "test_task.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = task\n")
    (tmp_path / "many").mkdir()
    for number in range(COUNT):
        factor = 3 if number % 3 == 2 else 2
        (tmp_path / "many" / f"{number:03}.py").write_text(
            f"def double(x):\n    return {factor} * x\n"
        )
    return tmp_path


def is_right(grades):
    outcomes = [grade["outcome"] for grade in grades]
    return outcomes == ["passed", "passed", "failed"] * (COUNT // 3)


def test_without_a_terminal(folder):
    """Plain lines, by candidate; of single tests only those that grade nothing are reported."""
    for more in ([], ["-n", 2]):
        run = run_pytest("--solution=many", *more, cwd=folder, report_file=folder / "report.json")
        assert is_right(run.grades), run.output
        assert run.grades[2]["message"] == "not twice"
        assert "102 of 102 candidates graded, 68 passed" in run.output
        assert run.exit_status == 1
        assert run.output.count("\nE ") == 1
        assert [test["nodeid"] for test in run.report["tests"]] == [
            "task/test_task.py::test_of_the_authors"
        ]


def test_on_a_terminal(folder):
    """One line, written over again and again."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "--solution=many", "--json-report"]
    with subprocess.Popen(command, cwd=folder, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        output = read_all(ours)
        process.wait(timeout=GENEROUS_SECONDS)
    assert is_right(json.loads((folder / ".report.json").read_text())["grades"])
    lines = [line for line in output.split("\r") if "candidates graded" in line]
    assert len(lines) >= 2
    assert "102 of 102 candidates graded, 68 passed" in lines[-1]


def read_all(descriptor):
    pieces = []
    while True:
        try:
            pieces.append(os.read(descriptor, 2**16))
        except OSError:  # What a terminal gives at its end.
            return b"".join(pieces).decode()
