"""Adapters in their real frameworks: grades arrive, and what nobody knows is never a 0."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_balanced_sampler.adapters.shared_grader import shared_grader

TESTS = """
import os

def test_double(solution):
    assert solution.double(2) == 4

def test_zero(solution):
    if solution.double(1) == 7:
        os._exit(9)  # The process that judges dies: a fault of the machine's.
    assert solution.double(0) == 0
"""
PASSES = "def double(x): return 2 * x"
FAILS_ONE = "def double(x): return 3 * x"
FAULT = "def double(x): return 7 if x == 1 else 2 * x"
COMPLETIONS = [f"Here it is:\n```python\n{source}\n```" for source in (PASSES, FAILS_ONE, FAULT)]


@pytest.fixture
def task(tmp_path):
    folder = tmp_path / "task"
    folder.mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (folder / "prompt.md").write_text("Write double(x).\n")
    (folder / "test_task.py").write_text(TESTS)
    yield folder
    shared_grader(folder.resolve(), 1).close()


def test_inspect_ai(task, tmp_path):
    """The scores in its log are rewards; a fault is unscored, and left out of the mean."""
    inspect_ai = pytest.importorskip("inspect_ai", reason="Inspect AI is not installed")
    from inspect_ai.log import read_eval_log
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    from pytest_balanced_sampler.adapters.inspect_ai import balanced_sampler

    outputs = [ModelOutput.from_content("mockllm/model", text) for text in COMPLETIONS]
    for output in outputs:
        output.usage = ModelUsage()  # Otherwise tokens are counted, by a table from the network.
    (log,) = inspect_ai.eval(
        balanced_sampler(str(task), shaping="score"),
        model=get_model("mockllm/model", custom_outputs=outputs),
        epochs=len(outputs),
        max_samples=1,
        display="none",
        log_dir=str(tmp_path / "logs"),
    )
    log = read_eval_log(log.location)
    assert log.status == "success", log.error
    scores = {sample.epoch: sample.scores["grade"] for sample in log.samples}
    assert [sample.input for sample in log.samples] == ["Write double(x).\n"] * 3
    assert (scores[1].value, scores[2].value) == (1.0, 0.5)
    assert math.isnan(scores[3].value)
    assert scores[2].answer == FAILS_ONE + "\n"
    assert "assert 6 == 4" in scores[2].explanation
    assert scores[2].metadata["tests"] == {"test_double": "failed", "test_zero": "passed"}
    assert (scores[3].reason, scores[3].metadata["outcome"]) == ("scoring_failed", "harness_error")
    assert log.results.scores[0].metrics["mean"].value == 0.75


SUBMIT = f"""
from inspect_ai.model import ModelOutput
from inspect_ai.solver import solver

@solver
def submit():
    async def solve(state, generate):
        state.output = ModelOutput.from_content("mockllm/model", {COMPLETIONS[2]!r})
        return state
    return solve
"""


def test_inspect_ai_command_line(task, tmp_path):
    """`inspect eval` finds the task by its name; of nothing but faults there is no mean."""
    pytest.importorskip("inspect_ai", reason="Inspect AI is not installed")
    from inspect_ai.log import list_eval_logs, read_eval_log

    (tmp_path / "submit.py").write_text(SUBMIT)
    finished = subprocess.run(
        [
            Path(sys.executable).with_name("inspect"), "eval", "--display=none",
            "pytest_balanced_sampler/balanced_sampler", "-T", f"task={task}",
            "--model=mockllm/model", "--solver=submit.py@submit", "--log-dir=logs",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )  # fmt: skip
    (found,) = list_eval_logs(str(tmp_path / "logs"))
    log = read_eval_log(found)
    assert log.status == "success", finished.stdout + finished.stderr
    assert log.eval.task == "pytest_balanced_sampler/balanced_sampler"
    assert log.results.scores[0].unscored_samples == 1
    assert math.isnan(log.results.scores[0].metrics["mean"].value)
