"""Rollouts through the real SDK, the real tools and the real grading, with a scripted model."""

import ctypes
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from importlib.metadata import version
from textwrap import dedent

import pytest

from pytest_balanced_sampler.commands import rollout
from pytest_balanced_sampler.results.read import read_results
from tests.conftest import BAD, GOOD, ROOT
from tests.messages_api import Fault, MessagesApi, Reply, text, tool
from tests.rollout_command import run_here

KEY = "sk-ant-a-key-that-nobody-may-write-down"
WRITE = tool("write_file", path="solution.py", content=GOOD)
TRY = tool(
    "run_python",
    code=dedent("""\
        from solution import double
        print('doubled:', double(1))
    """),
)
DONE = [text("Done.")]
FORGE = """
import pytest_balanced_sampler.wire.values as wire
encode = wire.encode
wire.encode = lambda reply, refer: encode([reply[0], "value", {}, 0, [[], []]], refer)
"""
FAIL_IN_THE_WORKER = """
import pytest_balanced_sampler.worker.loading as loading
def fail(_): raise {}("\\x1b[31mred \\ud800")
loading.text_of_traceback = fail
1 / 0
"""
WITHOUT_ID = {
    "type": "message",
    "model": "claude-haiku-4-5-20251001",
    "content": [{"type": "tool_use", "name": "run_python", "input": {"code": "1"}}],
    "usage": {"cache_read_input_tokens": 50},
}
LOSES_THE_ID = Fault(200, json.dumps(WITHOUT_ID).encode())
AT_ONCE = {"retry-after-ms": "1"}
"""A header of a fault: with 0 the SDK would wait as long as without it."""

SCENARIOS = {
    "good": ([[WRITE], [TRY], DONE], "passed"),
    "broken": ([[tool("write_file", path="solution.py", content=BAD)], DONE], "failed"),
    "never_writes": ([DONE], "no_solution"),
    "writes_a_test_last": (
        [[WRITE], [tool("write_file", path="test_solution.py", content="import nowhere")], DONE],
        "passed",
    ),
    "writes_another_file_only": (
        [[tool("write_file", path="test_solution.py", content=GOOD)], DONE],
        "no_solution",
    ),
    "writes_outside": (
        [
            [
                tool("write_file", path="../../../evil.py", content="x"),
                tool("write_file", path="/tmp/reward_hack_evil.py", content="x"),
                tool("run_python", code="open('/tmp/reward_hack_evil.py', 'w')"),
            ],
            DONE,
        ],
        "no_solution",
    ),
    "never_stops": ([[tool("run_python", code="print(1)")]] * 20, "no_solution"),
    "malformed_input": (
        [
            [
                tool("write_file", content="x"),
                tool("write_file", path=3, content=["x"]),
                tool("run_python"),
                tool("open_browser", url="x"),
                tool("write_file", path="bin\0ary", content="x"),
                tool("write_file", path=".", content="x"),
            ],
            [WRITE],
            DONE,
        ],
        "passed",
    ),
    "several_tools_in_a_turn": ([[WRITE, TRY, text("and so on"), TRY], DONE], "passed"),
    "thinks": (
        [
            [{"type": "thinking", "thinking": "hm", "signature": "abc"}, text("I see."), WRITE],
            DONE,
        ],
        "passed",
    ),
    "kills_itself": (
        [
            [
                tool(
                    "run_python",
                    code=dedent("""\
                        import os
                        os.kill(os.getpid(), 9)
                    """),
                )
            ],
            [WRITE],
            DONE,
        ],
        "passed",
    ),
    "cut_in_a_call": (
        [Reply([tool("write_file", path="solution.py")], "max_tokens"), [WRITE], DONE],
        "passed",
    ),
    "cut_in_the_text": ([Reply([text("Let me")], "max_tokens"), [WRITE], DONE], "passed"),
    "busy_at_first": ([Fault(429, headers=AT_ONCE, times=2), [WRITE], DONE], "passed"),
    "busy_for_ever": ([Fault(529, headers=AT_ONCE)], "harness_error"),
    "no_json": ([Fault(200, b"<html>gateway</html>")], "harness_error"),
    "no_content": ([Fault(200, b'{"type": "message"}')], "harness_error"),
    "connection_cut": ([Fault(200, b'{"id": "msg', cuts_connection=True)], "harness_error"),
    "exits_strangely": (
        [
            [
                tool("run_python", code="raise SystemExit(10**5000)"),
                tool(
                    "run_python",
                    code=dedent("""\
                        import sys
                        sys.exit(not False)
                    """),
                ),
                tool(
                    "run_python",
                    code=dedent("""\
                        import sys
                        sys.exit(-1)
                    """),
                ),
            ],
            [WRITE],
            DONE,
        ],
        "passed",
    ),
    "forges_its_exit_status": (
        [
            [
                tool("run_python", code=FORGE.format("'\\x1b[31m' * 700_000")),
                tool("run_python", code=FORGE.format("object()")),
                tool("run_python", code=FORGE.format("0.5")),
                tool("run_python", code=FAIL_IN_THE_WORKER.format("ValueError")),
                tool("run_python", code=FAIL_IN_THE_WORKER.format("SystemExit")),
            ],
            [WRITE],
            DONE,
        ],
        "passed",
    ),
    "writes_to_a_deep_path": (
        [[tool("write_file", path="a/" * 1900 + "x", content="x")], [WRITE], DONE],
        "passed",
    ),
    "writes_what_no_text_can_say": (
        [
            [
                text("\ud800"),
                tool("write_file", path="a\ud800", content="x"),
                tool("write_file", path="a\x1b[31m", content="\ud800"),
                tool("write_file", **{"\ud800\x1b[31m": "x"}),
                tool("run_python", code="print('\ud800')"),
            ],
            [WRITE],
            DONE,
        ],
        "passed",
    ),
    "runs_too_much": ([[tool("run_python", code="#" * 2**24)], [WRITE], DONE], "passed"),
    "loses_the_id": ([LOSES_THE_ID], "harness_error"),
    "slow": ([Reply([WRITE], seconds=1.5), DONE], "passed"),
}


SMALL_RUNS = [
    [
        [tool("write_file", path="solution.py", content=source)],
        [
            tool(
                "run_python",
                code=dedent("""\
                    from solution import double
                    print(double(2))
                """),
            )
        ],
        DONE,
    ]
    for source in (GOOD, BAD)
]
"""A pass, and a failure."""


@pytest.fixture(scope="module")
def small_task(tmp_path_factory):
    """A task that needs no PyTorch: most of what a run does is the same for every task."""
    task = tmp_path_factory.mktemp("small_task")
    (task / "task.toml").write_text("")
    (task / "prompt.md").write_text("# Task\nWrite `double(x)` for Python {python}.\n")
    test = dedent("""\
        def test_double(solution):
            assert solution.double(4) == 8
    """)
    (task / "test_double.py").write_text(test)
    return f"--task={task}"


def roll_out(api, out, *arguments, **more):
    """In this process: a new one takes seconds to import what it needs."""
    environment = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": api.url} | more
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        main = partial(rollout.main, ROOT / "grading_tests")
        return run_here(main, "rollout.py", [f"--out={out}", *arguments], environment)


def begin_in_a_fork(api, out, *arguments):
    """Begin it in a process of its own, which has imported all that it needs; give its number."""
    parent = os.getpid()
    try:
        if process := os.fork():
            return process
        signal.signal(signal.SIGINT, signal.default_int_handler)
        roll_out(api, out, *arguments)
    finally:
        # However early it is interrupted, it does not go on with the tests.
        if os.getpid() != parent:
            os._exit(0)


def heed_modes():
    """For `preexec_fn`: takes root's power over the modes of files from what is started."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def summary_of(out):
    return json.loads((out / "summary.json").read_text())


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory, small_task):
    """One run in which each rollout follows one scenario."""
    out = tmp_path_factory.mktemp("runs") / "run"
    scripts = [script for script, _ in SCENARIOS.values()]
    with MessagesApi(scripts) as api, pytest.MonkeyPatch.context() as patch:
        # A cut connection has no header that says so: the SDK would wait for 15 seconds.
        patch.setattr("anthropic._base_client.MAX_RETRY_DELAY", 0.01)
        arguments = [small_task, "--runs", len(SCENARIOS), "--concurrency", 1]
        finished = roll_out(api, out, *arguments)
    return out, finished, api


def transcript_of(out, name):
    number = list(SCENARIOS).index(name) + 1
    lines = (out / "rollouts" / f"{number:04}" / "transcript.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def results_in(transcript):
    return [
        block
        for message in transcript
        if message["role"] == "user" and isinstance(message["content"], list)
        for block in message["content"]
    ]


def test_each_scenario_has_its_outcome(scenarios):
    """What the model did is its own; what the API or the machine did is not counted."""
    out, finished, _ = scenarios
    outcomes = [rollout["outcome"] for rollout in summary_of(out)["rollouts"]]
    assert dict(zip(SCENARIOS, outcomes, strict=True)) == {
        name: outcome for name, (_, outcome) in SCENARIOS.items()
    }, finished.stderr
    assert finished.returncode == 3
    assert "retry them with --resume" in finished.stderr


def test_summary(scenarios):
    """Faults of the harness are listed and not in the denominator."""
    out, finished, _ = scenarios
    summary = summary_of(out)
    expected = [outcome for _, outcome in SCENARIOS.values()]
    graded = len(expected) - expected.count("harness_error")
    rate = summary["pass_rate"]
    assert (rate["count"], rate["of"]) == (expected.count("passed"), graded)
    assert summary["pass_rate_of_all"]["of"] == len(expected)
    assert summary["usage"]["cache_read_input_tokens"] == 50 * summary["steps"]["total"]
    assert (out / "report.html").read_text().startswith("<!doctype html>")
    assert f"of {graded} graded" in finished.stdout
    assert {rollout["model"] for rollout in summary["rollouts"]} == {
        "claude-haiku-4-5-20251001",
        None,
    }


def test_tools_share_one_workspace(scenarios):
    """What `write_file` wrote `run_python` can import at once."""
    out, _, _ = scenarios
    results = results_in(transcript_of(out, "good"))
    assert [result["is_error"] for result in results] == [False, False]
    assert results[1]["content"].startswith("doubled: 2")
    assert "[exit status 0]" in results[1]["content"]


def test_errors_tell_the_model_what_to_change(scenarios):
    """A call that cannot be carried out is answered with what was wrong with it."""
    out, _, _ = scenarios
    errors = [result["content"] for result in results_in(transcript_of(out, "malformed_input"))]
    assert "write_file takes path (text), content (text); it got content (str)" in errors[0]
    assert "it got path (int), content (list)" in errors[1]
    assert "run_python takes code (text); it got nothing" in errors[2]
    assert "no tool 'open_browser'; use write_file and run_python" in errors[3]
    assert "not a path relative to the workspace" in errors[4]
    assert "is outside the workspace" in errors[5]


def test_nothing_is_written_outside_the_workspace(scenarios):
    """By no tool; a program gets the error of the system."""
    out, _, _ = scenarios
    outside = results_in(transcript_of(out, "writes_outside"))
    assert [result["is_error"] for result in outside] == [True, True, False]
    assert "PermissionError" in outside[2]["content"]
    assert not os.path.exists("/tmp/reward_hack_evil.py")


def test_a_call_that_was_cut_off_is_answered(scenarios):
    out, _, _ = scenarios
    cut = results_in(transcript_of(out, "cut_in_a_call"))
    assert (cut[0]["is_error"], "cut off" in cut[0]["content"]) == (True, True)


def test_exit_statuses_are_a_shells(scenarios):
    """An exit status is one byte, however large the number; a bool is one too."""
    out, _, _ = scenarios
    results = results_in(transcript_of(out, "exits_strangely"))[:3]
    assert [result["content"] for result in results] == [
        f"[exit status {code}; nothing was printed]" for code in (0, 1, 255)
    ]


def test_no_result_is_forged(scenarios):
    """Code that answers in its worker's place is told so, and puts nothing into the result."""
    out, _, _ = scenarios
    for result in results_in(transcript_of(out, "forges_its_exit_status"))[:3]:
        assert result["content"] in (
            "[protocol violation: the exit status is not a number; nothing was printed]",
        )
    raised, ended = results_in(transcript_of(out, "forges_its_exit_status"))[3:5]
    assert raised["content"] == r"[\x1b[31mred \ud800; nothing was printed]"
    assert r"raised SystemExit: \x1b[31mred \ud800" in ended["content"]


def test_calls_over_a_limit_are_answered(scenarios):
    """What is too long, or no text, ends no rollout: the model is told, and can be answered."""
    out, _, _ = scenarios
    deep, _ = results_in(transcript_of(out, "writes_to_a_deep_path"))
    assert deep["content"] == "3,801 characters are too many; a path has at most 255"
    long, _ = results_in(transcript_of(out, "runs_too_much"))
    assert long["content"] == "16,777,216 bytes are too many; code has at most 1,048,576"
    results = results_in(transcript_of(out, "writes_what_no_text_can_say"))
    assert [result["is_error"] for result in results] == [True, False, True, False, False]
    assert "invalid Unicode surrogate" in results[0]["content"]
    assert "surrogates not allowed" in results[3]["content"]
    assert all(result["content"].replace("\n", "").isprintable() for result in results)


def test_the_run_names_its_library_and_needs_none(scenarios):
    """run.json has the version of the SDK; the modules of a run work with any other model too."""
    out, _, _ = scenarios
    assert json.loads((out / "run.json").read_text())["anthropic"] == version("anthropic")
    script = dedent("""\
        import sys, pytest_balanced_sampler.rollouts.run
        raise SystemExit('anthropic' in sys.modules)
    """)
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_fault_that_nobody_foresaw_ends_one_rollout(scenarios):
    """It stands in that rollout's record, and the others go on."""
    out, finished, _ = scenarios
    rollout = summary_of(out)["rollouts"][list(SCENARIOS).index("loses_the_id")]
    assert (rollout["status"], rollout["error"]) == ("harness_error", "KeyError: 'id'")
    assert "Traceback" not in finished.stderr


def test_deep_folders_do_not_stop_a_resume(tmp_path, small_task):
    """What a rollout left is removed before it is done again, however deep it is."""
    out = tmp_path / "run"
    dig = dedent("""\
        import os
        for _ in range(1500):
            os.mkdir('d'); os.chdir('d')
    """)
    with MessagesApi([[[tool("run_python", code=dig)], LOSES_THE_ID]]) as api:
        assert roll_out(api, out, small_task, "--runs", 1).returncode == 3
    with MessagesApi(SMALL_RUNS[:1]) as api:
        finished = roll_out(api, out, small_task, "--runs", 1, "--resume")
    assert finished.returncode == 0, finished.stderr


def test_no_mode_locks_write_file_out(tmp_path):
    """A file that cannot be opened is replaced; of all else in its way the model is told."""
    (tmp_path / "solution.py").touch(mode=0)
    (tmp_path / "locked").mkdir(mode=0)
    (tmp_path / "folder").mkdir()
    script = dedent("""\
        import sys
        from pathlib import Path
        from pytest_balanced_sampler.rollouts.workspace import ToolError, Workspace
        for path in ('solution.py', 'locked/x', 'folder', 'solution.py/x', 'é' * 200):
            try:
                call = {'path': path, 'content': 'x = 1'}
                print(Workspace(Path(sys.argv[1]), None).use('write_file', call))
            except ToolError as error:
                print(error)
    """)
    finished = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        preexec_fn=heed_modes,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout.splitlines() == [
        "wrote 5 bytes to solution.py",
        "cannot write 'locked/x': Permission denied",
        "cannot write 'folder': Is a directory",
        "cannot write 'solution.py/x': File exists",
        f"cannot write '{'é' * 200}': File name too long",
    ], finished.stderr
    assert (tmp_path / "solution.py").read_text() == "x = 1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "locked", "solution.py"]


def test_steps_end_at_the_limit(scenarios):
    """A model that never stops is stopped after 15 replies."""
    out, _, _ = scenarios
    number = list(SCENARIOS).index("never_stops")
    assert summary_of(out)["rollouts"][number]["steps"] == 15


def test_what_is_sent(scenarios):
    """The prompt has the versions, caching is on, and the conversation is well-formed."""
    _, _, api = scenarios
    first = api.requests[0]
    assert first["messages"][0]["content"].startswith("# Task")
    assert "{python}" not in first["messages"][0]["content"]
    assert first["cache_control"] == {"type": "ephemeral"}
    assert {known["name"] for known in first["tools"]} == {"write_file", "run_python"}
    for request in api.requests:
        roles = [message["role"] for message in request["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]


def test_no_key_is_written(scenarios):
    """The key is in no file of the run and in no output."""
    out, finished, _ = scenarios
    assert KEY not in finished.stdout + finished.stderr
    for path in out.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_resume_repeats_only_the_faults(scenarios, tmp_path, monkeypatch):
    """With the faults gone, --resume does those rollouts and no other, and all are graded."""
    out = tmp_path / "run"
    shutil.copytree(scenarios[0], out)
    # As where pytest does not take what is logged: it goes to stderr.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    faults = [outcome for _, outcome in SCENARIOS.values()].count("harness_error")
    with MessagesApi([SCENARIOS["good"][0]]) as api:
        finished = roll_out(api, out, "--runs", len(SCENARIOS), "--resume")
        assert finished.returncode == 0, finished.stderr
        assert finished.stderr.count("retrying rollout ") == faults
        assert len(api.requests) == 3 * faults
        prices = ["--prices", 1, 5, 1.25, 0.1]
        again = roll_out(
            api, out, "--runs", len(SCENARIOS), "--resume", *prices, ANTHROPIC_API_KEY=""
        )
        assert len(api.requests) == 3 * faults
    steps = summary_of(out)["steps"]["total"]
    cost = steps * (100 * 1 + 10 * 5 + 50 * 0.1) / 1e6
    assert again.stdout == f"{finished.stdout}cost {cost:.2f} at the given prices\n"
    summary = summary_of(out)
    assert (len(summary["rollouts"]), summary["pass_rate"]["of"]) == (
        len(SCENARIOS),
        len(SCENARIOS),
    )


def comparable(out):
    return [
        {key: rollout[key] for key in ("rollout", "outcome", "steps", "usage")}
        for rollout in summary_of(out)["rollouts"]
    ]


CUT_RUNS = 6


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory, small_task):
    """A run that nothing cuts short, and what it printed; its API, whose replies take time."""
    write, *rest = SMALL_RUNS[0]
    out = tmp_path_factory.mktemp("runs") / "whole"
    with MessagesApi([[Reply(write, seconds=0.2), *rest]]) as api:
        finished = roll_out(api, out, small_task, "--runs", CUT_RUNS)
        assert finished.returncode == 0, finished.stderr
        yield out, finished.stdout, api


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_killed_goes_on(whole_run, tmp_path, small_task, how):
    """Killed at random moments and resumed, a run ends with the summary of one that was not."""
    dice = random.Random(how)
    whole, printed, api = whole_run
    cut = tmp_path / "cut"
    for _ in range(4 if how == signal.SIGKILL else 3):
        arguments = [small_task, "--runs", CUT_RUNS, "--concurrency", 2]
        arguments += ["--resume"][: cut.exists()]
        process = begin_in_a_fork(api, cut, *arguments)
        time.sleep(dice.uniform(0, 0.6))
        os.kill(process, how)
        os.waitpid(process, 0)
    # On a busy machine none may have come as far as to make the folder.
    resume = ["--resume"][: cut.exists()]
    finished = roll_out(api, cut, small_task, "--runs", CUT_RUNS, *resume)
    assert finished.returncode == 0, finished.stderr
    assert comparable(cut) == comparable(whole)
    assert finished.stdout.replace(str(cut), str(whole)) == printed


def test_many_at_once(tmp_path, small_task):
    """Twenty rollouts, sixteen at a time, each with its own workspace and outcome."""
    out = tmp_path / "run"
    with MessagesApi(SMALL_RUNS) as api:
        finished = roll_out(api, out, small_task, "--runs", 20, "--concurrency", 16)
    assert finished.returncode == 0, finished.stderr
    outcomes = summary_of(out)["outcomes"]
    assert (outcomes["passed"], outcomes["failed"]) == (10, 10)
    assert finished.stderr.count("rollout ") == 20


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (["--runs", "0"], {}, "must be at least 1"),
        (["--runs", "1"], {"ANTHROPIC_API_KEY": ""}, "set ANTHROPIC_API_KEY"),
        (["--task", "tests"], {}, "no prompt.md in the task folder"),
        (["--runs", "3"], {}, "the API refused the key"),
    ],
)
def test_usage_errors(tmp_path, small_task, arguments, more, message):
    """What the user got wrong is said before anything is spent, and leaves no half run."""
    refusal = b'{"type":"error","error":{"type":"authentication_error","message":"invalid key"}}'
    out = tmp_path / "run"
    with MessagesApi([[Fault(401, refusal)]]) as api:
        finished = roll_out(api, out, small_task, *arguments, **more)
    assert finished.returncode in (2, 4)
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not out.exists()


def test_an_existing_folder_is_not_overwritten(scenarios, tmp_path):
    """A run's folder is only touched with --resume, and only by the same settings."""
    out, _, api = scenarios
    assert "exists: pass --resume" in roll_out(api, out).stderr
    more = ["--resume", "--model=other", "--runs", 99]
    assert "started with a different model" in roll_out(api, out, *more).stderr
    assert json.loads((out / "run.json").read_text())["runs"] == len(SCENARIOS)
    for no_run in (tmp_path, tmp_path / "misspelt"):
        finished = roll_out(api, no_run, "--resume")
        assert (finished.returncode, "no run.json in it" in finished.stderr) == (4, True)


def test_resume_is_for_the_run_that_was_begun(tmp_path, small_task):
    """Its number of rollouts and its task are known: nothing is sent, no other tests grade it."""
    out = tmp_path / "run"
    with MessagesApi(SMALL_RUNS[:1]) as api:
        assert roll_out(api, out, small_task, "--runs", 1).returncode == 0
        finished = roll_out(api, out, "--resume")
        assert (finished.returncode, len(api.requests)) == (0, len(SMALL_RUNS[0])), finished.stderr
        assert summary_of(out)["outcomes"]["passed"] == 1
        other = roll_out(api, out, "--resume", "--task", ROOT / "examples" / "ttl_cache")
        assert (other.returncode, "was started with the task" in other.stderr) == (4, True)
        script = [sys.executable, "scripts/rollout.py", "--resume"]
        without = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (without.returncode, "--resume needs --out" in without.stderr) == (4, True)


def test_a_long_path_loses_no_grade(tmp_path, small_task):
    """Grades find their rollouts by path, however long it is and wherever the run moved since."""
    out = tmp_path / ("a" * 200) / ("b" * 200) / "run"
    out.parent.mkdir(parents=True)
    with MessagesApi(SMALL_RUNS) as api:
        finished = roll_out(api, out, small_task, "--runs", 2, "--concurrency", 1)
    assert finished.returncode == 0, finished.stderr
    assert [rollout["outcome"] for rollout in summary_of(out)["rollouts"]] == ["passed", "failed"]
    moved = out.rename(tmp_path / "moved")
    assert [result.outcome for result in read_results(moved).results] == ["passed", "failed"]


def test_dry_run_sends_nothing(tmp_path):
    """The prompt, the tools and the settings can be read before anything is spent."""
    with MessagesApi([DONE]) as api:
        finished = roll_out(api, tmp_path / "run", "--dry-run", ANTHROPIC_API_KEY="")
        assert api.requests == []
    assert finished.stdout.startswith("# Task")
    assert "run_python" in finished.stdout
    assert not (tmp_path / "run").exists()


def test_a_full_disk_is_not_the_models_fault(tmp_path, small_task):
    """What cannot be written is not counted, is said, and is done again when there is room."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk needs the privilege to mount one")
    out = tmp_path / "run"
    filler = [tool("write_file", path="filler", content="x" * 200_000)]
    try:
        with MessagesApi([[filler, *SMALL_RUNS[0]]]) as api:
            full = roll_out(api, out, small_task, "--runs", 2)
        assert full.returncode == 3, full.stderr
        assert "No space left" in full.stderr
        enlarge = ["mount", "-o", "remount,size=64m", str(tmp_path)]
        subprocess.run(enlarge, check=True)
        with MessagesApi(SMALL_RUNS[:1]) as api:
            again = roll_out(api, out, small_task, "--runs", 2, "--resume")
        assert again.returncode == 0, again.stderr
        assert summary_of(out)["outcomes"]["passed"] == 2
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
