"""Runs until a decision, and calibrations, of a model of known pass rate, without PyTorch."""

import json
from textwrap import dedent

import pytest

from pytest_balanced_sampler.commands import calibrate, rollout
from pytest_balanced_sampler.prompt import prompt_sha256
from tests.chat_api import ChatApi
from tests.conftest import ROOT
from tests.messages_api import Fault, MessagesApi, text, tool
from tests.rollout_command import run_command

PASSES = [
    [tool("write_file", path="solution.py", content="def double(x): return 2 * x")],
    [text(".")],
]
FAILS = [[tool("write_file", path="solution.py", content="def double(x): return x")], [text(".")]]
PRICES = ["--prices", "1", "5", "1.25", "0.1"]
TASK_TOML = """
target_pass_rate = [0.10, 0.40]
indifference_zones = [[0.03, 0.20], [0.25, 0.60]]
decision_error = 0.1
"""
# With so large an error a decision needs few rollouts: 3 passes, 12 failures, or 2 passes in 8.


@pytest.fixture
def task(tmp_path):
    return write_task(tmp_path)


def write_task(root):
    folder = root / "task"
    (folder / "prompts").mkdir(parents=True)
    (root / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            testpaths = task
        """)
    )
    (folder / "prompt.md").write_text("Write double(x) = 2 * x for Python {python}.")
    (folder / "prompts" / "brief.md").write_text("Write double(x).")
    (folder / "prompts" / "terse.md").write_text("double(x)")
    (folder / "prompts" / "README.md").write_text("No prompt.")
    (folder / "task.toml").write_text(TASK_TOML)
    (folder / "test_task.py").write_text(
        dedent("""\
            def test_double(solution):
                assert solution.double(2) == 4
        """)
    )
    return folder


class ModelByPrompt(MessagesApi):
    """Passes every n-th time for a prompt that has a word, the first that it has; 0 is never."""

    def __init__(self, every_nth):
        super().__init__([FAILS, PASSES])
        self.every_nth = every_nth
        self.asked = dict.fromkeys(every_nth, 0)

    def script_for(self, body):
        prompt = body["messages"][0]["content"]
        word = next(word for word in self.every_nth if word in prompt)
        self.asked[word] += 1
        every = self.every_nth[word]
        return int(every > 0 and self.asked[word] % every == 0)


def run(command, api, task, *arguments):
    environment = {"ANTHROPIC_API_KEY": "none", "ANTHROPIC_BASE_URL": api.url if api else ""}
    return run_command(command, [f"--task={task}", *arguments], environment)


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """A run until the decision, and what it printed."""
    folder = tmp_path_factory.mktemp("decided")
    out = folder / "run"
    until = ["--until-decided", "--concurrency", 2, "--prompt", "brief", *PRICES]
    with MessagesApi([PASSES]) as api:
        finished = run(rollout, api, write_task(folder), "--out", out, *until)
    assert finished.returncode == 0, finished.stderr
    return out, finished, len(api.requests)


def summary_of(out):
    return json.loads((out / "summary.json").read_text())


def test_a_run_ends_at_the_decision(decided):
    """Four rollouts of two requests are begun: three decide, and two run at a time."""
    out, finished, requests = decided
    assert requests == 2 * 4
    assert "above, decided after 3 of 4 graded" in finished.stdout
    assert summary_of(out)["unfinished"] == 0


def test_a_run_says_how_far_the_decision_is(decided):
    _, finished, _ = decided
    undecided = "undecided after 2; at this rate, a decision needs about 1 more; cost so far"
    assert undecided in finished.stderr


def test_a_decided_run_asks_for_nothing_when_it_is_resumed(decided):
    out, _, _ = decided
    with MessagesApi([PASSES]) as api:
        again = run(rollout, api, out.parent / "task", "--resume", "--out", out)
    assert (again.returncode, len(api.requests)) == (0, 0), again.stderr


def test_the_prompt_of_a_run_is_recorded(decided):
    """By its name and its hash, in the settings, in the summary and among its provenance."""
    out, _, _ = decided
    sha256 = prompt_sha256("Write double(x).")
    described = json.loads((out / "run.json").read_text())
    assert described["settings"]["prompt_name"] == "brief"
    assert described["prompt_sha256"] == sha256
    summary = summary_of(out)
    assert summary["prompt"] == {"name": "brief", "sha256": sha256}
    assert summary["provenance"]["prompt"] == [sha256[:12]]
    assert summary["provenance"]["prompt name"] == ["brief"]


def test_a_fixed_run_goes_on_until_it_is_decided(task, tmp_path):
    """Also past faults of the harness; at the limit it is on the edge, and a higher one goes on."""
    out = tmp_path / "run"
    resume = ["--resume", "--out", out, "--concurrency", 4]
    with ModelByPrompt({"Write double": 4}) as api:
        assert run(rollout, api, task, "--out", out, "--runs", 2).returncode == 0
        edge = run(rollout, api, task, *resume, "--until-decided", "--max-runs", 6)
        assert edge.returncode == 0, edge.stderr
        assert "on the edge: 6 did not decide" in edge.stdout
        decided = run(rollout, api, task, *resume, "--max-runs", 60)
        assert decided.returncode == 0, decided.stderr
        assert "inside, decided after" in decided.stdout
    with MessagesApi([[Fault(400)]]) as api:
        failed = run(rollout, api, task, "--out", tmp_path / "lost", "--until-decided")
        assert failed.returncode == 3
        assert "nothing graded yet" in failed.stderr
        assert len(list((tmp_path / "lost" / "rollouts").iterdir())) == 8


def test_calibration(task, tmp_path):
    """The prompt with a rate inside is picked; those after it are not tried; a resume is free."""
    out = tmp_path / "calibration"
    with ModelByPrompt({"= 2 * x": 1, "Write double(x).": 4}) as api:
        finished = run(calibrate, api, task, "--out", out, "--concurrency", 4, *PRICES)
        assert finished.returncode == 0, finished.stderr
        asked = len(api.requests)
        again = run(calibrate, api, task, "--resume", "--out", out, *PRICES)
        assert (again.returncode, len(api.requests)) == (0, asked)
    assert "inside the target: brief-15" in finished.stdout
    assert "2 variants left: about" in finished.stdout
    assert "to come" in finished.stdout
    assert again.stdout == finished.stdout
    calibration = json.loads((out / "calibration.json").read_text())
    assert [found["band"]["verdict"] for found in calibration["found"]] == ["above", "inside"]
    assert calibration["picked"]["prompt"] == "brief"
    assert not (out / "terse-15").exists()


@pytest.mark.parametrize(
    ("every_nth", "status", "message"),
    [
        ({"double": 0}, 1, "none is inside the target; all are below"),
        ({"= 2 * x": 1, "double": 0}, 1, "some are above, some are below"),
        ({"double": 9}, 5, "check those on the edge"),
    ],
)
def test_no_prompt_is_inside(task, tmp_path, every_nth, status, message):
    """It says what to do."""
    with ModelByPrompt(every_nth) as api:
        prompts = ["--prompts", "prompt", "terse"]
        limits = ["--max-runs", 12, "--concurrency", 12]
        finished = run(calibrate, api, task, "--out", tmp_path / "c", *prompts, *limits)
    assert finished.returncode == status, finished.stdout + finished.stderr
    assert message in finished.stdout


def test_calibration_through_chat_completions(task, tmp_path):
    """The options of the model are those of `rollout.py`, and resumed with the rest."""
    out = tmp_path / "calibration"
    with ChatApi([FAILS]) as api:
        model = ["--api", "chat", "--base-url", api.url, "--temperature", 0.7]
        limits = ["--prompts", "brief", "--max-runs", 16, "--concurrency", 12]
        finished = run(calibrate, api, task, "--out", out, *limits, *model)
        assert "none is inside the target; all are below" in finished.stdout, finished.stderr
        asked = len(api.requests)
        assert {body["temperature"] for body in api.requests} == {0.7}
        again = run(calibrate, api, task, "--resume", "--out", out)
        assert (again.returncode, len(api.requests)) == (1, asked), again.stderr
    begun = json.loads((out / "calibration.json").read_text())["begun"]
    assert (begun["api"], begun["temperature"], begun["seed"]) == ("chat", 0.7, None)


def test_variants_of_steps_and_tools(task, tmp_path):
    """Steps and tools are varied; a tool that is not offered does not exist for the model."""
    code = "open('solution.py', 'w').write('def double(x): return 2 * x')"
    by_code = [[tool("run_python", code=code)], [text("Done.")]]
    out = tmp_path / "calibration"
    with MessagesApi([by_code]) as api:
        vary = ["--prompts", "prompt", "--steps", 1, 2, "--tools", "write_file", "run_python"]
        finished = run(calibrate, api, task, "--out", out, *vary, "--max-runs", 2)
    assert finished.returncode in (1, 5), finished.stderr
    names = {path.name for path in out.iterdir() if path.is_dir()}
    assert names == {f"prompt-{n}-{name}" for n in (1, 2) for name in ("write_file", "run_python")}
    offered = {tuple(known["name"] for known in request["tools"]) for request in api.requests}
    assert offered == {("write_file",), ("run_python",)}
    transcript = out / "prompt-2-write_file" / "rollouts" / "0001" / "transcript.jsonl"
    assert "no tool 'run_python'; use write_file" in transcript.read_text()


def test_operating_characteristics(tmp_path):
    """The table and the picture of the docs are those that the command writes."""
    picture = tmp_path / "decision.svg"
    task = ROOT / "grading_tests"
    finished = run(calibrate, None, task, "--operating", "--picture", picture)
    assert finished.returncode == 0, finished.stderr
    assert picture.read_text() == (ROOT / "docs" / "decision.svg").read_text()
    assert finished.stdout.count("\n") > 20


def test_usage_errors(task, tmp_path, monkeypatch):
    """A user's mistake gets a sentence and status 4, before anything is sent."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    for command, arguments, message in (
        (rollout, ["--prompt", "nowhere"], "has no prompt 'nowhere'; use prompt, brief, terse"),
        (rollout, ["--max-runs", 5], "--max-runs needs --until-decided"),
        (rollout, ["--until-decided", "--runs", 5], "--runs is a fixed number"),
        (rollout, ["--until-decided", "--task", tmp_path / "there"], "no prompt.md"),
        (calibrate, ["--prompts", "nowhere"], "has no prompt 'nowhere'"),
        (calibrate, ["--tools", "browser"], "no tool 'browser'"),
        (calibrate, ["--picture", "x.svg"], "--picture needs --operating"),
        (calibrate, ["--out", tmp_path / "there"], "exists: pass --resume"),
        (calibrate, ["--out", tmp_path / "there", "--resume"], "cannot be read"),
        (calibrate, ["--resume"], "--resume needs --out"),
    ):  # fmt: skip
        finished = run(command, None, task, *arguments)
        assert (finished.returncode, message in finished.stderr) == (4, True), finished.stderr
    (task / "task.toml").write_text("")
    for command, arguments in ((rollout, ["--until-decided"]), (calibrate, [])):
        finished = run(command, None, task, *arguments)
        assert (finished.returncode, "target_pass_rate" in finished.stderr) == (4, True)
    assert not (tmp_path / "runs").exists()
