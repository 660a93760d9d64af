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


def test_inspect_log(tmp_path):
    """A sample for each rollout: prompt, messages, tool calls, results, tokens, the grade."""
    log = pytest.importorskip("inspect_ai.log", reason="Inspect AI is not installed")
    fields = {2: {"outcome": "passed", "mode": None, "message": "", "failed": (), "details": {}},
              3: {"outcome": "harness_error", "message": "the machine"}}  # fmt: skip
    sources = {1: "a = 1", 2: "b = 2", 3: "c = 3"}
    write_run(tmp_path / "run", [TALK, [PROMPT], [PROMPT], []], sources, fields)
    before = json.loads((tmp_path / "run/run.json").read_text())
    (tmp_path / "run/run.json").write_text(json.dumps(before | {"anthropic": "2.0"}))
    finished = inspect_log(tmp_path / "run")
    assert finished.returncode == 0, finished.stderr
    read = log.read_eval_log(finished.stdout.strip())
    assert (read.status, read.eval.task, read.eval.model) == ("success", "task", "m")
    assert read.eval.packages == {"anthropic": "2.0"}
    (score,) = read.results.scores
    assert (score.scored_samples, score.unscored_samples) == (3, 1)
    assert score.metrics["mean"].value == pytest.approx(1 / 3)
    samples = {sample.epoch: sample for sample in read.samples}
    scores = {number: sample.scores["grade"] for number, sample in samples.items()}
    assert [scores[n].value for n in (1, 2, 4)] == [0.0, 1.0, 0.0]
    assert math.isnan(scores[3].value)
    assert (scores[1].answer, scores[1].explanation) == ("a = 1", "2 is not 3")
    assert scores[1].metadata["failure_mode"] == "balance"
    first = samples[1]
    assert (first.input, first.output.completion) == ("Write it.", "Done ?.")
    assert first.output.usage.output_tokens == 234
    roles = [message.role for message in first.messages]
    assert roles == ["user", "assistant", "tool", "tool", "assistant", "assistant", "assistant"]
    _, wrote, *results, odd, done, deep = first.messages
    assert [(call.function, call.arguments) for call in wrote.tool_calls] == [
        ("write_file", {"path": "solution.py", "content": "a = 1"}),
        ("run_python", {"code": "1"}),
    ]
    assert [message.tool_call_id for message in results] == [call.id for call in wrote.tool_calls]
    assert (results[0].text, results[1].error.message) == ("wrote 5 bytes", "no")
    assert "I write it." in wrote.text
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
