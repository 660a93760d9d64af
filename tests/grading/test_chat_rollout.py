"""Rollouts through chat completions: as through the Messages API, whatever the server says."""

import json
import sys
from functools import partial
from importlib.metadata import version

import pytest

from tests.chat_api import ChatApi, ChatReply, raw_call
from tests.messages_api import Fault, MessagesApi, Reply, text, tool
from tests.rollout_command import DONE, KEY, TRY, WRITE, WRONG, run_rollout, small_task

AT_ONCE = {"retry-after-ms": "1"}
TEN = [
    [[WRITE], [TRY], DONE],
    [[WRONG], DONE],
    [DONE],
    [[WRITE, TRY, TRY], DONE],
    [[{"type": "thinking", "thinking": "hm", "signature": "abc"}, text("I see."), WRITE], DONE],
    [[tool("write_file", content="x"), tool("open_browser", url="x")], [WRITE], DONE],
    [Reply([tool("write_file", path="solution.py")], "max_tokens"), [WRITE], DONE],
    [Reply([text("Let me")], "max_tokens"), [WRITE], DONE],
    [[tool("run_python", code="print(1)")]] * 9,
    [Fault(429, headers=AT_ONCE, times=2), [WRITE], DONE],
]


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return small_task(tmp_path_factory.mktemp("small_task"))


@pytest.fixture(scope="module")
def roll_out(task):
    return partial(run_rollout, task)


def read(path):
    return json.loads(path.read_text())


def transcript_of(out, number):
    lines = (out / "rollouts" / f"{number:04}" / "transcript.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def results_of(out, number):
    return [
        block
        for message in transcript_of(out, number)
        if message["role"] == "user" and isinstance(message["content"], list)
        for block in message["content"]
    ]


def without(data, *names):
    """The data without these fields, and without counts of 0, at any depth."""
    if isinstance(data, dict):
        kept = {name: value for name, value in data.items() if name not in names}
        return {name: without(value, *names) for name, value in kept.items() if value != 0}
    return [without(value, *names) for value in data] if isinstance(data, list) else data


@pytest.fixture(scope="module")
def both(roll_out, tmp_path_factory):
    """The folders of the same ten rollouts through either API."""
    folders = []
    for server in (MessagesApi, ChatApi):
        folders.append(tmp_path_factory.mktemp("both") / server.__name__)
        with server(TEN) as api:
            finished = roll_out(
                api, folders[-1], "--runs", 10, "--concurrency", 1, "--max-steps", 5
            )
        assert finished.returncode == 0, finished.stderr
    return folders


def test_both_apis_leave_the_same_files(both):
    names = [sorted(str(p.relative_to(out)) for p in out.rglob("*")) for out in both]
    assert names[0] == names[1]


def test_both_apis_leave_the_same_rollouts(both):
    """Solutions, conversations, usage and grades differ in nothing."""
    ours, theirs = both
    of_a_provider = ("at", "signature", "provider", "stop_sequence", "field", "type")
    of_a_moment = ("duration", "created", "path", "durations")
    for number in range(1, 11):
        solution = f"rollouts/{number:04}/workspace/solution.py"
        if (ours / solution).exists():
            assert (ours / solution).read_bytes() == (theirs / solution).read_bytes()
        told, said = [without(transcript_of(out, number), *of_a_provider) for out in both]
        assert told == said
        record = f"rollouts/{number:04}/rollout.json"
        mine, other = [without(read(out / record), *of_a_moment) for out in both]
        assert mine == other


def test_both_apis_leave_the_same_conversations_for_training(both):
    lines = [(out / "messages.jsonl").read_text().splitlines() for out in both]
    assert list(map(json.loads, lines[0])) == list(map(json.loads, lines[1]))


def test_both_apis_leave_the_same_summary(both):
    ours, theirs = [read(out / "summary.json") for out in both]
    for name in ("outcomes", "pass_rate", "usage", "steps", "unfinished", "prompt"):
        assert ours[name] == theirs[name]


def test_the_description_of_a_run_names_its_api_and_sdk(both):
    ours, theirs = [read(out / "run.json") for out in both]
    assert without(ours, "anthropic", "settings") == without(theirs, "openai", "settings")
    assert [run["settings"]["api"] for run in (ours, theirs)] == ["messages", "chat"]
    assert theirs["openai"] == version("openai")


@pytest.fixture(scope="module")
def conversations(roll_out, tmp_path_factory):
    """The lines for training of four rollouts, and the messages of each request."""
    out = tmp_path_factory.mktemp("conversations") / "run"
    with ChatApi([TEN[4], TEN[3], [Fault(200, b"<html>")], [DONE]]) as api:
        system = ["--system", "Be brief.", "--concurrency", 1]
        assert roll_out(api, out, "--runs", 4, *system).returncode == 3
        asked = [body["messages"] for body in api.requests]
    return [json.loads(line) for line in (out / "messages.jsonl").open()], asked


def test_conversations_for_training_are_those_that_have_a_grade(conversations):
    """Faults of the harness are left out."""
    lines, _ = conversations
    assert [line["rollout"] for line in lines] == [1, 2, 4]
    assert [line["outcome"] for line in lines] == ["passed", "passed", "no_solution"]
    assert lines[0]["score"] == 1.0


def test_conversations_for_training_have_the_form_of_chat_completions(conversations):
    (thinks, several, _), _ = conversations
    roles = [message["role"] for message in thinks["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant"]
    assert thinks["messages"][2]["reasoning_content"] == "hm"
    (call,) = thinks["messages"][2]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == WRITE["input"]
    assert thinks["messages"][3] == {
        "role": "tool", "tool_call_id": call["id"], "content": "wrote 38 bytes to solution.py",
    }  # fmt: skip
    assert [message["role"] for message in several["messages"]].count("tool") == 3
    assert {known["function"]["name"] for known in several["tools"]} == {"write_file", "run_python"}


def test_conversations_for_training_are_what_was_sent_and_the_last_reply(conversations):
    (thinks, _, _), asked = conversations
    assert asked[1] == thinks["messages"][:-1]


NOT_JSON = '{"path": "solution.py", "content": "def'
STRANGE = {
    "arguments_are_not_json": (
        [[raw_call("write_file", NOT_JSON), raw_call("run_python", '{"code": NaN}')],
         [WRITE], DONE], "passed",
    ),
    "arguments_are_no_object": (
        [
            [
                raw_call("write_file", "[1]"),
                raw_call("run_python", ""),
                raw_call("run_python", None),
                raw_call("run_python", "[" * 100_000),
                raw_call("run_python", "9" * 5000),
                raw_call("run_python", {"code": "print(7)"}),
                raw_call("run_python", '{"code":"print(8)"}'),
            ],
            [WRITE],
            DONE,
        ],
        "passed",
    ),
    "ids_are_missing": (
        [
            [
                {**WRITE, "more": {"id": None}},
                {**TRY, "more": {"id": ""}},
                {**TRY, "more": {"id": "same"}},
                {**TRY, "more": {"id": "same"}},
            ],
            DONE,
        ],
        "passed",
    ),
    "says_stop_of_a_call": ([ChatReply([WRITE], "end_turn"), DONE], "passed"),
    "says_nothing_of_the_end": ([ChatReply([WRITE], "whatever"), DONE], "passed"),
    "is_cut_in_the_arguments": (
        [Reply([raw_call("write_file", NOT_JSON)], "max_tokens"), [WRITE], DONE], "passed",
    ),
    "has_no_content": ([ChatReply([WRITE], content=None), DONE], "passed"),
    "has_an_unknown_part": (
        [[{"type": "image_url", "image_url": {"url": "data:,x"}}, WRITE], DONE], "passed",
    ),
    "reasons": ([ChatReply([WRITE], reasoning="step by step"), DONE], "passed"),
    "is_cut_in_the_reasoning": (
        [ChatReply([], "max_tokens", reasoning="I am script 9", content=None), [WRITE], DONE],
        "passed",
    ),
    "refuses": ([ChatReply([], content=None, refusal="No.")], "no_solution"),
    "is_filtered": ([ChatReply([text("I")], "content_filter")], "no_solution"),
    "names_no_tool": (
        [[raw_call("x", "{}", function={"arguments": "{}"})], [WRITE], DONE], "passed",
    ),
    "writes_a_surrogate": (
        [[raw_call("run_python", '{"code": "print(\'\\ud800\')"}')], [WRITE], DONE], "passed",
    ),
    "outgrows_the_context": (
        [
            [WRITE],
            Fault(400, b'{"error": {"message": "the request exceeds the available context size", '
                       b'"type": "exceed_context_size_error"}}'),
        ],
        "passed",
    ),
    "calls_without_a_function": ([[raw_call("x", "", function=None)]], "harness_error"),
    "no_choices": ([Fault(200, b'{"choices": []}')], "harness_error"),
    "an_error_with_status_200": (
        [Fault(200, b'{"error": {"message": "no room"}}')], "harness_error",
    ),
    "ends_in_an_error": ([ChatReply([text("I")], "error")], "harness_error"),
    "no_json": ([Fault(200, b"<html>gateway</html>")], "harness_error"),
    "connection_cut": (
        [Fault(200, b'{"id": "m', cuts_connection=True, times=1), [WRITE], DONE], "passed",
    ),
    "busy_for_ever": ([Fault(503, headers=AT_ONCE)], "harness_error"),
}  # fmt: skip


@pytest.fixture(scope="module")
def strange(roll_out, tmp_path_factory):
    """One run in which each rollout meets one of these servers."""
    out = tmp_path_factory.mktemp("runs") / "run"
    with ChatApi([script for script, _ in STRANGE.values()]) as api:  # type: ignore[misc]
        finished = roll_out(api, out, "--runs", len(STRANGE), "--concurrency", 1)
    return out, finished, api


def number_of(name):
    return list(STRANGE).index(name) + 1


def test_each_has_its_outcome(strange):
    """What the model said is its own; what the server did is not counted."""
    out, finished, _ = strange
    outcomes = [rollout["outcome"] for rollout in read(out / "summary.json")["rollouts"]]
    expected = {name: outcome for name, (_, outcome) in STRANGE.items()}
    assert dict(zip(STRANGE, outcomes, strict=True)) == expected, finished.stderr
    assert "Traceback" not in finished.stderr
    errors = {
        name: read(out / "rollouts" / f"{number_of(name):04}" / "rollout.json")["error"]
        for name in STRANGE
    }
    assert "no room" in errors["an_error_with_status_200"]
    assert "no choice" in errors["no_choices"]


def test_arguments_that_are_not_json_are_answered(strange):
    """With what is wrong, and what to send instead."""
    out, _, _ = strange
    first, second = results_of(out, number_of("arguments_are_not_json"))[:2]
    assert first["is_error"]
    assert "not valid JSON: Unterminated string" in first["content"]
    assert "send one JSON object" in first["content"]
    assert "send one JSON object" in second["content"]


def test_arguments_that_are_no_object_are_answered(strange):
    """With what the tool takes and what it got."""
    out, _, _ = strange
    told = [result["content"] for result in results_of(out, number_of("arguments_are_no_object"))]
    assert "write_file takes path (text), content (text); it got a list" in told[0]
    assert "run_python takes code (text); it got nothing" in told[1]
    assert told[1] == told[2]
    assert all("send one JSON object" in said or "got a" in said for said in told[3:5])
    assert [said.split()[0] for said in told[5:7]] == ["7", "8"]


def test_arguments_that_were_cut_off_are_answered(strange):
    out, _, _ = strange
    cut = results_of(out, number_of("is_cut_in_the_arguments"))[0]
    assert "cut off at the token limit" in cut["content"]


def test_no_server_is_sent_arguments_that_it_cannot_parse(strange):
    """Servers refuse a history in which a call is not JSON: the rollout could not go on."""
    _, _, api = strange
    sent = [
        json.loads(call["function"]["arguments"])
        for body in api.requests
        for message in body["messages"]
        for call in message.get("tool_calls", [])
    ]
    assert all(isinstance(arguments, dict) for arguments in sent)
    assert {"invalid_arguments": NOT_JSON} in sent


def test_what_came_is_sent_back(strange):
    """Spaces in arguments, reasoning and parts too; calls without an id get one."""
    out, _, api = strange
    last = {}
    for body in api.requests:
        replies = [message for message in body["messages"] if message["role"] == "assistant"]
        if replies:
            last[json.dumps(replies[0])] = body["messages"]
    said = json.dumps(list(last.values()))
    assert '"content": null, "reasoning": "I am script 9"' not in said
    assert json.dumps('{"code":"print(8)"}') in said
    assert '"reasoning": "step by step"' in said
    assert "image_url" in said
    for messages in last.values():
        calls = [c["id"] for m in messages for c in m.get("tool_calls", [])]
        results = [m["tool_call_id"] for m in messages if m["role"] == "tool"]
        assert sorted(calls) == sorted(results)
        assert len(set(calls)) == len(calls)
    ids = [result["tool_use_id"] for result in results_of(out, number_of("ids_are_missing"))]
    assert ids == ["call_1_1", "call_1_2", "same", "call_1_4"]


def test_ends(strange):
    """A refusal, and a conversation that the model has no room for, are ends of the model's."""
    out, _, _ = strange
    endings = {
        name: read(out / "rollouts" / f"{number_of(name):04}" / "rollout.json")["stop_reason"]
        for name in ("refuses", "is_filtered", "outgrows_the_context", "has_no_content")
    }
    assert endings == {
        "refuses": "refusal",
        "is_filtered": "refusal",
        "outgrows_the_context": "model_context_window_exceeded",
        "has_no_content": "end_turn",
    }


SAMPLING = ["--temperature", 0.5, "--top-p", 0.9, "--system", "Be brief."]


@pytest.fixture(scope="module")
def sampled(roll_out, tmp_path_factory):
    """Two rollouts with settings of their own, and the requests of them."""
    out = tmp_path_factory.mktemp("sampled") / "chat"
    extra = ["--extra-body", '{"top_k": 20, "max_tokens": null, "max_completion_tokens": 99}']
    own = ["--seed", 7, "--model", "m", "--runs", 2, "--concurrency", 1]
    with ChatApi([TEN[0]]) as api:
        begun = roll_out(api, out, *own, *SAMPLING, *extra)
        assert begun.returncode == 0, begun.stderr
    return out, api.requests


def test_settings_go_into_each_request(sampled):
    """The seed of a rollout is its own; a field of null is not sent."""
    _, requests = sampled
    first = requests[0]
    assert (first["temperature"], first["top_p"], first["top_k"]) == (0.5, 0.9, 20)
    assert (first["max_completion_tokens"], first["model"]) == (99, "m")
    assert "max_tokens" not in first
    assert first["messages"][0] == {"role": "system", "content": "Be brief."}
    assert {body["seed"] for body in requests} == {8, 9}


def test_settings_go_into_requests_of_the_messages_api(roll_out, tmp_path):
    """As far as it has them."""
    with MessagesApi([TEN[0]]) as api:
        extra = ["--extra-body", '{"top_k": 1}']
        plain = roll_out(api, tmp_path / "plain", "--runs", 1, *SAMPLING, *extra)
        assert plain.returncode == 0, plain.stderr
        first = api.requests[0]
    assert (first["temperature"], first["system"], first["top_k"]) == (0.5, "Be brief.", 1)


def test_settings_are_recorded(sampled):
    out, _ = sampled
    settings = read(out / "run.json")["settings"]
    assert settings["extra_body"] == {"top_k": 20, "max_tokens": None, "max_completion_tokens": 99}
    assert (settings["seed"], settings["system"], settings["api"]) == (7, "Be brief.", "chat")


@pytest.mark.parametrize(
    ("name", "change"),
    [("temperature", ["--temperature", 0.6]), ("extra_body", ["--extra-body", "{}"])],
)
def test_settings_are_part_of_the_identity_of_a_run(roll_out, sampled, name, change):
    """A run is not resumed with others, and nothing is sent."""
    out, _ = sampled
    with ChatApi([TEN[0]]) as api:
        other = roll_out(api, out, "--resume", "--runs", 3, *change)
    assert (other.returncode, len(api.requests)) == (4, 0)
    assert f"started with a different {name}" in other.stderr


def test_a_resumed_run_has_the_next_seed(roll_out, tmp_path):
    with ChatApi([TEN[0]]) as api:
        out = tmp_path / "run"
        begun = roll_out(api, out, "--runs", 1, "--seed", 7)
        assert begun.returncode == 0, begun.stderr
        asked = len(api.requests)
        again = roll_out(api, out, "--resume", "--runs", 2)
        assert (again.returncode, len(api.requests)) == (0, asked + 3), again.stderr
        assert api.requests[-1]["seed"] == 9


def test_usage_errors(roll_out, tmp_path, monkeypatch):
    """What will fail in every rollout ends the run, with a sentence; no half run is left."""
    out = tmp_path / "run"
    refused = b'{"error": {"message": "invalid key"}}'
    unknown = b'{"error": {"message": "The model `m` does not exist"}}'
    too_long = b'{"error": {"message": "This model\'s maximum context length is 512 tokens."}}'
    for fault, message in (
        (Fault(401, refused), "the API refused the key"),
        (Fault(404, unknown), "no such model or address"),
        (Fault(400, too_long), "the prompt and --max-tokens exceed the model's context"),
    ):
        with ChatApi([[fault]]) as api:
            finished = roll_out(api, out, "--runs", 3)
        assert (finished.returncode, message in finished.stderr) == (4, True), finished.stderr
        assert not out.exists()
    chat = ["--api", "chat"]
    for arguments, key, message in (
        (chat, "", "set OPENAI_API_KEY to your key, or --base-url"),
        ([], "", "set ANTHROPIC_API_KEY"),
        (["--seed", 1], KEY, "the Messages API has no seed"),
        ([*chat, "--base-url", "localhost:8000"], KEY, "is not an address"),
        ([*chat, "--base-url", "http://me:secret@localhost/v1"], KEY, "contains a key"),
        ([*chat, "--extra-body", "{"], KEY, "not JSON"),
        ([*chat, "--extra-body", '{"stream": true}'], KEY, "cannot set stream"),
        ([*chat, "--top-p", 2], KEY, "at most 1"),
    ):
        finished = roll_out(None, out, *arguments, key=key)
        assert (finished.returncode, message in finished.stderr) == (4, True), finished.stderr
        assert not out.exists()
    monkeypatch.setitem(sys.modules, "openai", None)
    monkeypatch.delitem(sys.modules, "pytest_balanced_sampler.rollouts.chat_model")
    finished = roll_out(None, out, *chat)
    assert "run: pip install 'pytest-balanced-sampler[chat]'" in finished.stderr


def test_no_key_is_needed_or_written(roll_out, tmp_path):
    """A server of one's own needs none; one that was given is in no file and in no output."""
    with MessagesApi([TEN[0]]) as api:
        assert roll_out(api, tmp_path / "messages", "--runs", 1, key="").returncode == 0
    with ChatApi([TEN[0]], usage=False) as api:
        assert roll_out(api, tmp_path / "none", "--runs", 1, key="").returncode == 0
        finished = roll_out(api, tmp_path / "key", "--runs", 1)
    assert KEY not in finished.stdout + finished.stderr
    for path in (tmp_path / "key").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    assert not any(read(tmp_path / "key" / "summary.json")["usage"].values())
