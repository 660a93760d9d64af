"""FAILURE_MODES.md: counts, causes by the stated rules, excerpts with their turn, no markup."""

import hashlib
from textwrap import dedent

from pytest_balanced_sampler.results.causes import Cause, failures_of
from pytest_balanced_sampler.results.failure_modes import failure_modes
from pytest_balanced_sampler.results.summary import summarise
from pytest_balanced_sampler.task import Expectations
from tests.conftest import ROOT
from tests.reports import calls, result, said, write_run

PROMPT = {"role": "user", "content": "Write it."}
WROTE = result("wrote 6 bytes to solution.py")
TRIES = said(
    calls(
        "run_python",
        code=dedent("""\
            from solution import double
            print(double(2))
        """),
    )
)
WORKED, BROKE = (
    result(
        dedent("""\
            4
            [exit status 0]
        """)
    ),
    result("[exit status 1; nothing was printed]"),
)


def writes(source):
    return said(
        {"type": "text", "text": "I write it."},
        calls("write_file", path="solution.py", content=source),
    )


def causes(folder, *cases):
    """The causes of rollouts that did not pass: transcript, source or None, fields of the grade."""
    transcripts = [[PROMPT, *transcript] for transcript, _, _ in cases]
    sources = {n: source for n, (_, source, _) in enumerate(cases, 1)}
    fields = {n: fields for n, (_, _, fields) in enumerate(cases, 1)}
    results = write_run(folder, transcripts, sources, fields)
    return [failure.cause for failure in failures_of(results.results)]


def test_the_environment(tmp_path):
    """A file that vanished, does not load where it did before, or is another one; no verdict."""
    load_error, written = {"mode": "load_error"}, [writes("a = 1"), WROTE]
    found = causes(
        tmp_path / "run",
        (written, None, {}),
        ([*written, TRIES, WORKED], "a = 1", load_error),
        (written, "a = 1", {"sha256": "0" * 64}),
        (written, "a = 1", {"outcome": "harness_error"}),
        # As these, but explained by what the model did.
        ([*written, TRIES, WORKED], None, {}),
        ([writes("a = 1"), result("no", is_error=True)], None, {}),
        ([*written, TRIES, BROKE], "a = 1", load_error),
        ([*written, TRIES, WORKED, writes("b = 1"), WROTE], "b = 1", load_error),
        ([said({"type": "text", "text": "No."})], None, {}),
    )
    assert [cause is Cause.ENVIRONMENT for cause in found] == [True] * 4 + [False] * 5


def test_the_prompt(tmp_path):
    """Different files that fail one test alone, in the same way, and are half of all or more."""

    def alike(*values, passes=0, **fields):
        cases = [
            ([writes(f"a = {v}"), WROTE], f"a = {v}", {"message": f"{v} is not [{v}]"} | fields)
            for v in values
        ]
        good = {"outcome": "passed", "mode": None, "failed": (), "details": {}}
        cases += [([writes("b = 1"), WROTE], "b = 1", good)] * passes
        name = f"run-{'-'.join(map(str, values))}-{passes}-{len(fields)}"
        return set(causes(tmp_path / name, *cases))

    assert alike(1, 2, 3, passes=3) == {Cause.PROMPT}
    assert alike(1, 2, 3, passes=4) == {Cause.MISTAKE}
    assert alike(1, 2) == {Cause.MISTAKE}
    assert alike(1, 1, 1) == {Cause.MISTAKE}
    assert alike(1, 2, 3, failed=["test_first", "test_second"]) == {Cause.MISTAKE}


HOSTILE = "```\n# owned\n<img src=x> [x](javascript:1) | a \x1b[31m\u202e"


def test_the_document(tmp_path):
    """Mode, count, share, interval, expected share; an excerpt with its turn, and nothing alive."""
    source = dedent("""\
        def f():
            x = 1
            raise ValueError(x)
    """)
    message = f"{HOSTILE} (line 3: raise ValueError(x))"
    run = [
        [PROMPT, writes("a = 1"), WROTE, TRIES, BROKE, writes(source), WROTE],
        [PROMPT, said({"type": "text", "text": HOSTILE})],
    ]
    results = write_run(tmp_path / "run", run, {1: source}, {1: {"message": message}})
    text = failure_modes(results, summarise(results, Expectations((0.1, 0.4), {"balance": 0.5})))
    assert "| balance | 1 | 50.0% | 9.5% to 90.5% | 50.0% | 1 | 0 | 0 |" in text
    assert "/rollouts/0001, turn 3:\n\n    ```\n    # owned\n    <img src=x>" in text
    assert "       3     raise ValueError(x)\n" in text
    assert "/rollouts/0002, turn 1:\n\n    the rollout ended without solution.py\n" in text
    assert [line for line in text.splitlines() if "owned" in line and line[:4].strip()] == []
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_rules_are_documented():
    """docs/rollouts.md has the three causes, in the document's words."""
    text = (ROOT / "docs" / "rollouts.md").read_text()
    assert all(f"**{cause}**" in text for cause in Cause)


def test_the_turn_is_that_of_the_graded_file(tmp_path):
    """Where the model has written the file again, its first and its last version are told apart."""
    sources = ("a = 1", "b = 1")
    talk = [PROMPT, writes(sources[0]), WROTE, writes(sources[1]), WROTE, TRIES, BROKE]
    for number, source in enumerate(sources, 1):
        results = write_run(tmp_path / f"{number}", [talk], {1: source})
        (failure,) = failures_of(results.results)
        assert failure.turn.number == number
        assert failure.result.grade.sha256 == hashlib.sha256(source.encode()).hexdigest()
