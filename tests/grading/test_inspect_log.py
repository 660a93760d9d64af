"""A run as an Inspect log: written by Inspect's own interface, and read back by it."""

import json
import math
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.reports import calls, result, said, write_run

PROMPT = {"role": "user", "content": "Write it."}
DEEP = (
    '{"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {"a": '
    f"{'[' * 900}{']' * 900}}}}}]}}"
)
TALK = [
    PROMPT,
    said({"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "I write it."},
         calls("write_file", path="solution.py", content="a = 1"), calls("run_python", code="1")),
    {"role": "user", "content": [*result("wrote 5 bytes")["content"],
                                 *result("no", is_error=True)["content"]]},
    "no message",
    said({"type": "odd"}, {"type": "tool_use", "name": "x\ud800", "input": "{broken"}),
    said({"type": "text", "text": "Done \ud800."}),
    DEEP,
]  # fmt: skip


def inspect_log(*arguments):
    return subprocess.run(
        [sys.executable, "scripts/inspect_log.py", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """The log of four rollouts, of which one has no grade, as Inspect reads it."""
    log = pytest.importorskip("inspect_ai.log", reason="Inspect AI is not installed")
    run = tmp_path_factory.mktemp("inspect_log") / "run"
    fields = {2: {"outcome": "passed", "mode": None, "message": "", "failed": (), "details": {}},
              3: {"outcome": "harness_error", "message": "the machine"}}  # fmt: skip
    sources = {1: "a = 1", 2: "b = 2", 3: "c = 3"}
    write_run(run, [TALK, [PROMPT], [PROMPT], []], sources, fields)
    before = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(before | {"anthropic": "2.0"}))
    finished = inspect_log(run)
    assert finished.returncode == 0, finished.stderr
    return log.read_eval_log(finished.stdout.strip())


@pytest.fixture(scope="module")
def samples(read):
    return {sample.epoch: sample for sample in read.samples}


def test_a_run_is_an_evaluation(read):
    """Of a task by a model, with the versions of what asked it."""
    assert (read.status, read.eval.task, read.eval.model) == ("success", "task", "m")
    assert read.eval.packages == {"anthropic": "2.0"}


def test_the_pass_rate_leaves_out_what_has_no_grade(read):
    (score,) = read.results.scores
    assert (score.scored_samples, score.unscored_samples) == (3, 1)
    assert score.metrics["mean"].value == pytest.approx(1 / 3)


def test_a_rollout_has_its_grade(samples):
    """With the file that was graded, what failed and how; nan stands for none."""
    scores = {number: sample.scores["grade"] for number, sample in samples.items()}
    assert [scores[n].value for n in (1, 2, 4)] == [0.0, 1.0, 0.0]
    assert math.isnan(scores[3].value)
    assert (scores[1].answer, scores[1].explanation) == ("a = 1", "2 is not 3")
    assert scores[1].metadata["failure_mode"] == "balance"


def test_a_rollout_has_its_prompt_last_words_and_tokens(samples):
    first = samples[1]
    assert (first.input, first.output.completion) == ("Write it.", "Done ?.")
    assert first.output.usage.output_tokens == 234


def test_a_rollout_has_its_tool_calls_and_their_results(samples):
    _, wrote, *results, _, _, _ = samples[1].messages
    assert [(call.function, call.arguments) for call in wrote.tool_calls] == [
        ("write_file", {"path": "solution.py", "content": "a = 1"}),
        ("run_python", {"code": "1"}),
    ]
    assert [message.tool_call_id for message in results] == [call.id for call in wrote.tool_calls]
    assert (results[0].text, results[1].error.message) == ("wrote 5 bytes", "no")


def test_a_rollout_has_its_messages_whatever_they_are(samples):
    """Lines that are no message are left out; what Inspect has no place for is named."""
    messages = samples[1].messages
    roles = [message.role for message in messages]
    assert roles == ["user", "assistant", "tool", "tool", "assistant", "assistant", "assistant"]
    odd, done, deep = messages[-3:]
    assert "I write it." in messages[1].text
    assert "a block of unknown type" in odd.text
    assert done.text == "Done ?."
    assert list(deep.tool_calls[0].arguments) == ["nested too deeply"]


@pytest.fixture
def refusal(monkeypatch, capsys):
    """Run the command in this process, which has imported Inspect, and give its error message."""
    pytest.importorskip("inspect_ai", reason="Inspect AI is not installed")
    from pytest_balanced_sampler.commands import inspect_log

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["inspect_log.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            inspect_log.main()
        assert ended.value.code == 4
        return capsys.readouterr().err

    return run


def test_what_is_no_run(refusal, tmp_path):
    """A folder that is no run is a usage error."""
    assert "no run.json in it" in refusal(tmp_path)


def test_a_name_that_inspect_would_not_read(refusal, tmp_path):
    """It is refused before a log is written under it."""
    write_run(tmp_path / "run", [[PROMPT]])
    said = refusal(tmp_path / "run", "--out", tmp_path / "log.txt")
    assert "choose a name that ends in .eval" in said
    assert not (tmp_path / "log.txt").exists()
