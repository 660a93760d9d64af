"""Adapters in their real frameworks: grades arrive, and what nobody knows is never a 0."""

import asyncio
import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_balanced_sampler import Grader
from pytest_balanced_sampler.adapters import verl as verl_adapter
from pytest_balanced_sampler.adapters.harbor_task import export
from pytest_balanced_sampler.adapters.no_verdict import NoVerdict
from pytest_balanced_sampler.adapters.trl import GradeReward
from tests.conftest import ROOT
from tests.messages_api import MessagesApi, text

TESTS = """
import os
import pytest

def test_double(solution):
    assert solution.double(2) == 4

def test_zero(solution):
    if solution.double(1) == 7:
        os.kill(os.getppid(), 9)  # pytest itself dies: a fault of the machine's.
    if solution.double(1) == 8:
        pytest.skip("not now")
    assert solution.double(0) == 0
"""
PASSES = "def double(x): return 2 * x"
FAILS_ONE = "def double(x): return 3 * x"
FAULT = "def double(x): return 7 if x == 1 else 2 * x"
SKIPS = "def double(x): return 8 if x == 1 else 2 * x"
COMPLETIONS = [f"Here it is:\n```python\n{source}\n```" for source in (PASSES, FAILS_ONE, FAULT)]


@pytest.fixture
def task(tmp_path):
    folder = tmp_path / "task"
    folder.mkdir()
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            testpaths = task
        """)
    )
    (folder / "prompt.md").write_text("Write double(x).\n")
    (folder / "test_task.py").write_text(TESTS)
    return folder


def test_inspect_ai(task, tmp_path):
    """The scores in its log are rewards; a fault is unscored, and left out of the mean."""
    inspect_ai = pytest.importorskip("inspect_ai", reason="Inspect AI is not installed")
    from inspect_ai.log import read_eval_log
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    from pytest_balanced_sampler.adapters.inspect_ai import graded_task

    outputs = [ModelOutput.from_content("mockllm/model", said) for said in COMPLETIONS]
    for output in outputs:
        output.usage = ModelUsage()  # Otherwise tokens are counted, by a table from the network.
    (log,) = inspect_ai.eval(
        graded_task(str(task), shaping="score"),
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


def test_inspect_ai_until_decided(task, tmp_path):
    """Epochs end at the decision of the task's rule, in their order; a fault is no evidence."""
    inspect_ai = pytest.importorskip("inspect_ai", reason="Inspect AI is not installed")
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    from pytest_balanced_sampler.adapters.inspect_ai import graded_task

    with pytest.raises(ValueError, match=r"task\.toml needs target_pass_rate"):
        graded_task(str(task), until_decided=True)
    (task / "task.toml").write_text("target_pass_rate = [0.1, 0.4]")
    (task / "prompts").mkdir()
    (task / "prompts" / "brief.md").write_text("double(x)")
    said = [COMPLETIONS[0]] * 3 + [COMPLETIONS[2]] + [COMPLETIONS[0]] * 8
    outputs = [ModelOutput.from_content("mockllm/model", completion) for completion in said]
    for output in outputs:
        output.usage = ModelUsage()
    (log,) = inspect_ai.eval(
        graded_task(str(task), prompt="brief", until_decided=True),
        model=get_model("mockllm/model", custom_outputs=outputs),
        epochs=len(outputs),
        max_samples=1,
        display="none",
        log_dir=str(tmp_path / "logs"),
    )
    assert log.status == "success", log.error
    (sample, *_) = log.samples
    assert (sample.input, sample.metadata["prompt"]) == ("double(x)", "brief")
    assert sample.metadata["prompt_sha256"] == hashlib.sha256(b"double(x)").hexdigest()
    stopping = log.results.early_stopping
    assert stopping.metadata == {"task": {"decision": "above", "passed": 6, "graded": 6}}
    assert len(log.samples) == 7
    assert {stop.reason for stop in stopping.early_stops} == {"above, decided after 6"}
    assert len(stopping.early_stops) == len(outputs) - 7


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
            "pytest_balanced_sampler/graded_task", "-T", f"task={task}",
            "--model=mockllm/model", "--solver=submit.py@submit", "--log-dir=logs",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )  # fmt: skip
    (found,) = list_eval_logs(str(tmp_path / "logs"))
    log = read_eval_log(found)
    assert log.status == "success", finished.stdout + finished.stderr
    assert log.eval.task == "pytest_balanced_sampler/graded_task"
    assert log.results.scores[0].unscored_samples == 1
    assert math.isnan(log.results.scores[0].metrics["mean"].value)


ONE_ANSWER = """
import anthropic
import verifiers.v1 as vf

class OneAnswer(vf.Harness[vf.HarnessConfig]):
    EXECUTES_CODE = NEEDS_CONTAINER = False

    async def launch(self, ctx, trace, runtime, endpoint, secret, mcp_urls, data):
        url = endpoint.removesuffix("/v1")
        async with anthropic.AsyncAnthropic(base_url=url, api_key=secret) as client:
            question = [{"role": "user", "content": data.prompt}]
            await client.messages.create(model=ctx.model, messages=question, max_tokens=100)
        return vf.ProgramResult(exit_code=0, stdout="", stderr="")

__all__ = ["OneAnswer"]
"""


def test_verifiers(task, tmp_path, monkeypatch):
    """The reward in a trace is the grade's; a fault is an error of the rollout, with no reward."""
    vf = pytest.importorskip("verifiers.v1", reason="verifiers is not installed")
    (tmp_path / "one_answer.py").write_text(ONE_ANSWER)
    (task / "prompts").mkdir()
    (task / "prompts" / "brief.md").write_text("double(x)")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "integrations" / "verifiers")
    monkeypatch.setenv("NO_KEY", "none")

    async def run(url):
        env = vf.load_environment(vf.resolve_env_config({
            "taskset": {
                "id": "balanced-sampler", "folder": task, "task": {"shaping": "score"},
                "prompt": "brief",
            },
            "agent": {"harness": {"id": "one-answer"}, "runtime": {"type": "subprocess"}},
        }))  # fmt: skip
        client = vf.EvalClientConfig(base_url=url, api_key_var="NO_KEY")
        (only,) = env.taskset
        async with env.serving():
            slots = env.slots(only, len(COMPLETIONS))
            return [await env.run_slot(slot, vf.ModelContext("m", client)) for slot in slots]

    with MessagesApi([[[text(f"\n{said}")]] for said in COMPLETIONS]) as api:
        episodes = asyncio.run(run(f"{api.url}/v1"))
    assert api.requests[0]["messages"][0]["content"] == "double(x)"
    assert [episode.ok for episode in episodes] == [True, True, False], episodes
    passed, failed, fault = [episode.traces[0] for episode in episodes]
    assert (passed.reward, failed.reward) == (1.0, 0.5)
    assert failed.info["grade"]["tests"] == {"test_double": "failed", "test_zero": "passed"}
    assert fault.rewards == {"grade": None}
    assert fault.last_error.type == "TaskError"
    assert "NoVerdict: harness_error" in fault.last_error.message


def test_folder_of_verifiers(monkeypatch):
    """The adapter asks for a task folder; the first task's integration has its own by default."""
    vf = pytest.importorskip("verifiers.v1", reason="verifiers is not installed")
    from pytest_balanced_sampler.adapters.verifiers import GradedTasksetConfig

    with pytest.raises(ValueError, match=r"folder\n +Field required"):
        GradedTasksetConfig()
    monkeypatch.syspath_prepend(ROOT / "integrations" / "verifiers")
    config = vf.resolve_env_config({"taskset": {"id": "balanced-sampler"}})
    assert config.taskset.folder == Path("grading_tests")


def test_trl(task, tmp_path, monkeypatch):
    """A step of GRPO: its mean is that of the rewards, and a fault has none."""
    trl = pytest.importorskip("trl", minversion="1.6", reason="TRL 1.6 or later is not installed")
    from datasets import Dataset
    from tokenizers import Tokenizer, models
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    words = ["<pad>", "<eos>", "Write", *COMPLETIONS]
    end, first = words.index("<eos>"), words.index(COMPLETIONS[0])
    vocabulary = models.WordLevel(dict(zip(words, range(len(words)), strict=True)), "<pad>")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(vocabulary), pad_token="<pad>", eos_token="<eos>"
    )
    small = {"n_positions": 8, "n_embd": 8, "n_layer": 1, "n_head": 1}
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=len(words), bos_token_id=end, eos_token_id=end, **small)
    )

    def say_each(prompts, _):
        """Each completion once: what a model without training says would be luck."""
        said = [[first + number, end] for number in range(len(prompts))]
        return {
            "prompt_ids": [tokenizer(prompt)["input_ids"] for prompt in prompts],
            "completion_ids": said,
            "logprobs": [[-1.0] * len(ids) for ids in said],
        }

    with Grader(task) as grader:
        trainer = trl.GRPOTrainer(
            model,
            GradeReward(grader, shaping="score"),
            args=trl.GRPOConfig(
                str(tmp_path / "trained"),
                per_device_train_batch_size=len(COMPLETIONS),
                num_generations=len(COMPLETIONS),
                max_steps=1,
                logging_steps=1,
                bf16=False,
                use_cpu=True,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_list([{"prompt": "Write"}] * len(COMPLETIONS)),
            processing_class=tokenizer,
            rollout_func=say_each,
        )
        trainer.train()
    assert trainer.state.log_history[0]["rewards/grade_reward/mean"] == 0.75
    assert trainer.state.log_history[0]["reward"] == 0.75


def test_grpo_run(capsys, monkeypatch):
    """The example trains: replies are generated, their rewards arrive, and no process is left."""
    pytest.importorskip("trl", minversion="1.6", reason="TRL 1.6 or later is not installed")
    monkeypatch.syspath_prepend(ROOT / "integrations" / "trl")
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    import train_grpo

    rewards = train_grpo.main(["--steps", "3", "--group", "4"])
    assert len(rewards) == 3
    assert all(0 <= reward <= 1 for reward in rewards)
    output = capsys.readouterr().out
    assert "processes left: 0" in output
    assert f"pass rate of each step: {' '.join(f'{reward:.2f}' for reward in rewards)}\n" in output


def test_verl_functions(task):
    """Verl's documented calls; what nobody knows is an error, or the mean of its group."""

    def score(completion, **more):
        call = {"data_source": "x", "ground_truth": str(task), "extra_info": {"index": 1}}
        return verl_adapter.compute_score(solution_str=completion, **call, **more)

    passes, fails, fault = COMPLETIONS
    assert score(passes) == {"score": 1.0, "acc": 1.0, "unscored": 0.0}
    assert score(fails, shaping="score") == {"score": 0.5, "acc": 0.0, "unscored": 0.0}
    with pytest.raises(NoVerdict, match="could be graded"):
        score(fault)
    assert score(fault, unscored=-1.0) == {"score": -1.0, "acc": 0.0, "unscored": 1.0}

    def scores(*completions, indices):
        return verl_adapter.compute_score_batch(
            data_sources=["x"] * len(completions),
            solution_strs=list(completions),
            ground_truths=[str(task)] * len(completions),
            extra_infos=[{"index": index} for index in indices],
            shaping="score",
        )

    found = scores(passes, fails, fault, fails, indices=[1, 1, 1, 2])
    assert [one["score"] for one in found] == [1.0, 0.5, 0.75, 0.5]
    assert [one["unscored"] for one in found] == [0.0, 0.0, 1.0, 0.0]
    with pytest.raises(NoVerdict):
        scores(passes, fault, indices=[1, 2])


def test_verl(task):
    """Verl loads the function by its name, and its reward manager asks it for a score."""
    pytest.importorskip("verl", reason="verl is not installed")
    import numpy
    import torch
    from omegaconf import OmegaConf
    from verl import DataProto
    from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
    from verl.trainer.ppo.reward import get_custom_reward_fn

    function = {
        "path": "pkg://pytest_balanced_sampler.adapters.verl",
        "name": "compute_score",
        "reward_kwargs": {"shaping": "score"},
    }
    config = OmegaConf.create({"reward": {"custom_reward_function": function}})

    class Tokenizer:
        def decode(self, ids, **_):
            return COMPLETIONS[int(ids[0])]

    async def rewards():
        manager = NaiveRewardManager(config, Tokenizer(), get_custom_reward_fn(config))

        def row(number):
            fields = {"responses": [[number]], "attention_mask": [[1, 1]], "prompts": [[0]]}
            columns = {
                "data_source": numpy.array(["x"], dtype=object),
                "reward_model": numpy.array([{"ground_truth": str(task)}], dtype=object),
                "extra_info": numpy.array([{}], dtype=object),
            }
            tensors = {name: torch.tensor(value) for name, value in fields.items()}
            return DataProto.from_dict(tensors, columns)

        found = [await manager.run_single(row(number)) for number in (0, 1)]
        with pytest.raises(NoVerdict):
            await manager.run_single(row(2))
        return found

    passed, failed = asyncio.run(rewards())
    assert (passed["reward_score"], failed["reward_score"]) == (1.0, 0.5)
    assert failed["reward_extra_info"] == {"score": 0.5, "acc": 0.0, "unscored": 0.0}


def test_skyrl(task):
    """An environment of SkyRL's: a step's reward is the grade's; a fault ends the trajectory."""
    skyrl_gym = pytest.importorskip("skyrl_gym", reason="SkyRL-Gym is not installed")
    from skyrl_gym.envs.registration import register

    register(id="graded", entry_point="pytest_balanced_sampler.adapters.skyrl:GradedEnv")
    extras = {"reward_spec": {"method": "rule", "ground_truth": str(task)}}

    def step(completion, **more):
        config = {"shaping": "score", **more}
        env = skyrl_gym.make("graded", env_config=config, extras=extras)
        env.init([{"role": "user", "content": "Write double(x)."}])
        return env.step(completion)

    passed, failed = map(step, COMPLETIONS[:2])
    assert (passed["reward"], passed["done"], failed["reward"]) == (1.0, True, 0.5)
    assert failed["metadata"]["grade"]["tests"] == {"test_double": "failed", "test_zero": "passed"}
    with pytest.raises(NoVerdict, match="harness_error"):
        step(COMPLETIONS[2])
    agreed = step(COMPLETIONS[2], unscored=-1.0)
    assert (agreed["reward"], agreed["metadata"]["grade"]["outcome"]) == (-1.0, "harness_error")


def test_nemo_gym(task):
    """`/verify` of a resources server; a fault is an error of the server, with no reward."""
    pytest.importorskip("nemo_gym", reason="NeMo Gym is not installed; it needs Python 3.12")
    from unittest.mock import MagicMock

    from fastapi.testclient import TestClient
    from nemo_gym.server_utils import ServerClient

    from pytest_balanced_sampler.adapters.nemo_gym import GradedConfig, GradedResourcesServer

    config = GradedConfig(
        host="127.0.0.1", port=1, entrypoint="app.py", name="graded", shaping="score"
    )
    server = GradedResourcesServer(config=config, server_client=MagicMock(spec=ServerClient))

    def ask(completion):
        part = {"type": "output_text", "text": completion, "annotations": []}
        said = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
        response = {
            "id": "r", "object": "response", "created_at": 0, "model": "m", "tools": [],
            "parallel_tool_calls": True, "tool_choice": "auto",
            "output": [{**said, "content": [part]}],
        }  # fmt: skip
        return client.post(
            "/verify",
            json={
                "responses_create_params": {"input": "Write double(x)."},
                "response": response,
                "verifier_metadata": {"task": str(task)},
            },
        )

    with TestClient(server.setup_webserver()) as client:
        passed, failed, fault = map(ask, COMPLETIONS)
        server.config.unscored = -1.0
        agreed = ask(COMPLETIONS[2]).json()
    assert (agreed["reward"], agreed["grade"]["outcome"]) == (-1.0, "harness_error")
    assert (passed.json()["reward"], failed.json()["reward"]) == (1.0, 0.5), passed.text
    assert failed.json()["grade"]["tests"]["test_double"] == "failed"
    assert (fault.status_code, "no verdict: harness_error" in fault.text) == (503, True)


@pytest.mark.parametrize(
    ("source", "reward"),
    [(PASSES, 1.0), (FAILS_ONE, 0.0), ("", 0.0), (FAULT, None), (SKIPS, 0.0), (None, None)],
    ids=["passes", "fails", "empty", "fault", "skips", "lost"],
)
def test_verifier_of_harbor(task, tmp_path, source, reward):
    """It leaves a reward where there is a verdict, and no file at all where nobody knows."""
    assert "solution/" in export(task, tmp_path / "exported", None, {})[-1]
    app, logs = tmp_path / "app", tmp_path / "logs"
    app.mkdir()
    logs.mkdir()
    written = logs / "reward.json"
    written.write_text('{"reward": 1}')
    if source is not None:
        (app / "solution.py").write_text(source)
    finished = subprocess.run(
        tmp_path / "exported" / "tests" / "test.sh",
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "APP": str(app),
            "LOGS": str(logs),
        },
        capture_output=True,
        text=True,
    )
    left = json.loads(written.read_text()) if written.exists() else {"reward": None}
    assert left == {"reward": reward}, finished.stdout + finished.stderr
    assert (finished.returncode == 0) == (reward is not None)
    if reward is not None:
        summary = json.loads((logs / "ctrf.json").read_text())["results"]["summary"]
        assert summary["tests"] == sum(summary[kind] for kind in ("passed", "failed", "skipped"))
        assert (summary["passed"] == summary["tests"]) == (reward == 1)


def test_harbor_loads_its_task(tmp_path):
    """Harbor itself takes the folder for a task that is graded away from the agent."""
    pytest.importorskip("harbor", reason="Harbor is not installed; it needs Python 3.12")
    from harbor.models.task.task import Task
    from harbor.models.task.verifier_mode import resolve_verifier_environment_definition

    export(ROOT / "grading_tests", tmp_path / "exported", None, {})
    task = Task(tmp_path / "exported")
    verifier = resolve_verifier_environment_definition(task.config, task.paths)
    assert verifier.directory == task.paths.tests_dir
    assert verifier.bundled_tests
