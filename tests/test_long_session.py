"""Sessions with many candidates: what is shown while they run, and what is kept of them."""

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from pytest_balanced_sampler.session.batches import CANDIDATES_AT_A_TIME
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


SEVERAL_KINDS = """
import pytest

@pytest.fixture(scope="session")
def shared():
    print("SET UP")
    yield 2
    print("TORN DOWN")

class TestInAClass:
    @pytest.fixture
    def own(self):
        return 4

    @pytest.mark.parametrize("x", [1, 2])
    def test_method(self, solution, own, x):
        assert solution.double(x) * 2 == own * x

def test_shared(solution, shared):
    assert solution.double(shared) == 4

def test_of_the_authors():
    print("THE AUTHORS'")
"""
NAMES = ["TestInAClass::test_method[1]", "TestInAClass::test_method[2]", "test_shared"]


@pytest.fixture
def several_parts(folder):
    """So many candidates that pytest makes their tests in two parts; the last one is bad."""
    (folder / "task" / "test_task.py").write_text(SEVERAL_KINDS)
    for number in range(CANDIDATES_AT_A_TIME + 2):
        (folder / "many" / f"{number:03}.py").write_text("def double(x):\n    return 2 * x\n")
    (folder / "many" / "257.py").write_text("def double(x):\n    return 5 * x - 4\n")

    def run(*arguments):
        return run_pytest(
            "--solution=many", *arguments, cwd=folder, report_file=folder / "report.json"
        )

    return run


def test_parts(several_parts):
    """All candidates get all tests, in their order; what is shared is shared by all parts."""
    run = several_parts("-s")
    assert [grade["solution"] for grade in run.grades] == [f"many/{n:03}.py" for n in range(258)]
    outcomes = [tuple(grade["tests"].items()) for grade in run.grades]
    assert set(outcomes[:-1]) == {tuple((name, "passed") for name in NAMES)}
    bad = {NAMES[0]: "failed", NAMES[1]: "failed", NAMES[2]: "failed"}
    assert run.grades[-1]["tests"] == bad, run.output
    assert [run.output.count(word) for word in ("SET UP", "TORN DOWN", "THE AUTHORS'")] == [1, 1, 1]
    assert "first 256 candidates; those of the other 2 are" in run.output
    assert run.report["summary"]["collected"] == 3 * 258 + 1


def test_selection_in_a_later_part(several_parts):
    """What somebody leaves out is left out of every part; a test named by its id is found."""
    run = several_parts("-k", "257 or 003")
    graded = [grade["solution"] for grade in run.grades if "passed" in grade["tests"].values()]
    assert (graded, run.grades[-1]["outcome"]) == (["many/003.py"], "failed")
    assert set(run.grades[0]["tests"].values()) == {"deselected"}
    run = several_parts("task/test_task.py::test_shared[many/257.py]")
    assert (run.grades[-1]["outcome"], run.grades[0]["tests"]) == ("failed", {}), run.output
    assert re.search(r"\b1 .*by candidates", run.output)


def test_a_session_that_ends_early(several_parts, folder):
    """A candidate whose part was never collected is incomplete, and what it lacks is named."""
    (folder / "many" / "001.py").write_text("")
    run = several_parts("-x")
    outcomes = [grade["outcome"] for grade in run.grades]
    assert outcomes == ["passed", "no_solution"] + ["incomplete"] * 256
    assert run.grades[-1]["tests"] == dict.fromkeys(NAMES, "not_run")


def test_collect_only_shows_all(several_parts):
    """Nothing is left for later where somebody wants to see the tests."""
    run = several_parts("--collect-only", "-q")
    assert (run.output.count("test_shared["), run.exit_status) == (258, 0)
    assert "graded" not in run.output


def read_all(descriptor):
    pieces = []
    while True:
        try:
            pieces.append(os.read(descriptor, 2**16))
        except OSError:  # What a terminal gives at its end.
            return b"".join(pieces).decode()
