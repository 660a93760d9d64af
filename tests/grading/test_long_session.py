"""Sessions with many candidates: what is shown while they run, and what is kept of them."""

import json
import os
import pty
import subprocess
import sys
from textwrap import dedent

import pytest

from tests.conftest import GENEROUS_SECONDS, run_pytest

COUNT = 102
TESTS = """\
def test_two(solution):
    assert solution.double(2) == 4, 'not twice'
def test_three(solution):
    assert solution.double(3) == 6
def test_of_the_authors():
    pass
"""


@pytest.fixture
def folder(tmp_path):
    """A torch-free task and many candidates, every third of them bad."""
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "test_task.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            testpaths = task
        """)
    )
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


@pytest.mark.parametrize("more", [[], ["-n", 2]], ids=["one process", "xdist"])
def test_without_a_terminal(folder, more):
    """Plain lines, by candidate; single tests are not reported."""
    run = run_pytest("--solution=many", *more, cwd=folder, report_file=folder / "report.json")
    assert is_right(run.grades), run.output
    assert run.grades[2]["message"] == "not twice"
    assert "102 of 102 candidates graded, 68 passed" in run.output
    assert run.exit_status == 1
    assert run.output.count("\nE ") == 0
    assert run.report["tests"] == []


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
def several_kinds(folder):
    """Tests of several kinds, and many candidates, of which the last one is bad."""
    (folder / "task" / "test_task.py").write_text(SEVERAL_KINDS)
    (folder / "many" / f"{COUNT - 1:03}.py").write_text(
        dedent("""\
            def double(x):
                return 5 * x - 4
        """)
    )
    for number in range(2, COUNT - 1, 3):
        (folder / "many" / f"{number:03}.py").write_text(
            dedent("""\
                def double(x):
                    return 2 * x
            """)
        )

    def run(*arguments, solution="many"):
        return run_pytest(
            f"--solution={solution}", *arguments, cwd=folder, report_file=folder / "report.json"
        )

    return run


def test_each_candidate_has_the_tests_for_itself(several_kinds):
    """All candidates get all tests, in their order, and what is shared is made for each."""
    run = several_kinds("-s")
    assert [grade["solution"] for grade in run.grades] == [f"many/{n:03}.py" for n in range(COUNT)]
    outcomes = [tuple(grade["tests"].items()) for grade in run.grades]
    assert set(outcomes[:-1]) == {tuple((name, "passed") for name in NAMES)}
    bad = {NAMES[0]: "failed", NAMES[1]: "failed", NAMES[2]: "failed"}
    assert run.grades[-1]["tests"] == bad, run.output
    words = ("SET UP", "TORN DOWN", "THE AUTHORS'")
    assert [run.output.count(word) for word in words] == [COUNT] * 3
    assert run.report["summary"]["collected"] == 4 * COUNT


def test_selection(several_kinds):
    """What somebody leaves out is left out for all; a reported test is found by its id."""
    run = several_kinds("-k", "shared", solution="many/10*.py")
    assert [grade["outcome"] for grade in run.grades] == ["incomplete", "failed"]
    run = several_kinds(f"task/test_task.py::test_shared[many/{COUNT - 1:03}.py]")
    assert [grade["solution"] for grade in run.grades] == [f"many/{COUNT - 1:03}.py"]
    assert run.grade["tests"] == {"test_shared": "failed"}, run.output
    run = several_kinds("task/test_task.py::TestInAClass::test_method[many/000.py-1]")
    assert run.grade["tests"] == {"TestInAClass::test_method[1]": "passed"}, run.output
    assert run.grade["outcome"] == "incomplete"


def test_a_session_that_ends_early(several_kinds, folder):
    """A candidate that was never tested is incomplete, and what it lacks is named."""
    (folder / "many" / "001.py").write_text("")
    run = several_kinds("-x")
    outcomes = [grade["outcome"] for grade in run.grades]
    assert outcomes == ["passed", "no_solution"] + ["incomplete"] * (COUNT - 2)
    assert set(run.grades[-1]["tests"]) == {*NAMES, "test_of_the_authors"}
    assert set(run.grades[-1]["tests"].values()) == {"not_run"}


def test_collect_only_shows_the_tests_once(several_kinds):
    """They are the same for every candidate."""
    run = several_kinds("--collect-only", "-q")
    assert (run.output.count("test_shared"), run.exit_status) == (1, 0)
    assert "graded" not in run.output


def read_all(descriptor):
    pieces = []
    while True:
        try:
            pieces.append(os.read(descriptor, 2**16))
        except OSError:  # What a terminal gives at its end.
            return b"".join(pieces).decode()
