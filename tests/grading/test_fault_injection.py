"""Processes are killed while candidates are graded, and no grade is lost or wrong."""

import json
import random
import subprocess
import sys
import time
from contextlib import suppress
from textwrap import dedent

import psutil
import pytest

CANDIDATES = {
    "good": dedent("""\
        import time
        def double(x):
            time.sleep(0.03)
            return 2 * x
    """),
    "bad": dedent("""\
        import time
        def double(x):
            time.sleep(0.03)
            return 3 * x
    """),
    "exits": dedent("""\
        import os, time
        def double(x):
            time.sleep(0.03)
            os._exit(0)
    """),
}
EXPECTED = {"good": "passed", "bad": "failed", "exits": "failed"}
TESTS = "".join(
    f"def test_{n}(solution):\n    assert solution.double({n}) == {2 * n}\n" for n in range(1, 11)
)
WARM = "pytest_balanced_sampler.worker.warm"


def warm_process_of(session):
    for child in session.children():
        if WARM in " ".join(child.cmdline()):
            return child
    return None


def kill_workers(session, dice):
    """Kill one of the workers, the spare one included."""
    warm = warm_process_of(session)
    if warm and (workers := warm.children()):
        dice.choice(workers).kill()


def kill_warm_process(session, _):
    """Kill the warm process, wherever it is."""
    if warm := warm_process_of(session):
        warm.kill()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kill", [kill_workers, kill_warm_process])
def test_no_grade_is_lost_or_wrong(tmp_path, kill, seed):
    """The test that was hit is tried again in a new process, and gives its verdict there."""
    (tmp_path / "candidates").mkdir()
    for number in range(12):
        name = list(CANDIDATES)[number % len(CANDIDATES)]
        (tmp_path / "candidates" / f"{number:02}_{name}.py").write_text(CANDIDATES[name])
    (tmp_path / "test_task.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "--solution=candidates", "--json-report"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as pytest_process:
        kills = kill_now_and_then(pytest_process, kill, random.Random(seed))
    assert kills >= 2
    report = json.loads((tmp_path / ".report.json").read_text())
    outcomes = {grade["solution"]: grade["outcome"] for grade in report["grades"]}
    assert len(outcomes) == 12
    for solution, outcome in outcomes.items():
        assert outcome == EXPECTED[solution[:-3].partition("_")[2]], report["grades"]


def kill_now_and_then(pytest_process, kill, dice):
    """Kill something at random moments until the session ends; give the number of kills."""
    session = psutil.Process(pytest_process.pid)
    kills = 0
    time.sleep(dice.uniform(0, 1))
    while pytest_process.poll() is None:
        with suppress(psutil.Error):
            kill(session, dice)
            kills += 1
        # Twice in one test would be what a candidate does that kills its own process.
        with suppress(subprocess.TimeoutExpired):
            pytest_process.wait(timeout=dice.uniform(2, 3))
    return kills
