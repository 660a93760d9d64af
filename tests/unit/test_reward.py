"""Rewards: a grade's own, and those that a trainer of TRL's is given."""

import json
from textwrap import dedent

import pytest

from pytest_balanced_sampler import Grade
from pytest_balanced_sampler.adapters.completion import source_in
from pytest_balanced_sampler.grade import Outcome
from tests.reports import grade


@pytest.mark.parametrize(
    ("fields", "reward"),
    [
        (grade("a.py"), 1.0),
        (grade("a.py", "failed", "balance", failed=["test_first"]), 0.0),
        (grade("a.py", "no_solution", "no_solution"), 0.0),
        (grade("a.py", "harness_error"), None),
        (grade("a.py", "incomplete"), None),
    ],
)
def test_pass_or_fail(fields, reward):
    """What nobody knows is None, never 0."""
    assert Grade.from_json(fields).reward() == reward


@pytest.mark.parametrize("outcome", Outcome)
def test_what_an_outcome_means(outcome):
    """A grade counts exactly where it has a reward, and a failure is what counts and pays nothing;
    in JSON it is the same plain text as ever."""
    fields = grade("a.py", outcome)
    graded = Grade.from_json(json.loads(json.dumps(fields)))
    assert graded.outcome is outcome
    assert graded.outcome.is_graded == (graded.reward() is not None)
    assert graded.outcome.is_failure == (graded.reward() == 0)
    again = graded.as_json()
    assert {name: again[name] for name in fields} == fields
    assert {type(text) for text in (again["outcome"], *again["tests"].values())} == {str}


def test_partial_credit():
    """The share of the tests, or of the weight, that passed; never of what nobody knows."""
    graded = Grade.from_json(grade("a.py", "failed", "balance", failed=["test_first"]))
    assert graded.reward("score") == graded.score > 0
    assert graded.reward({"test_first": 3, "test_second": 1}) == 0.25
    unknown = Grade.from_json(grade("a.py", "harness_error"))
    for shaping in ("score", {"test_first": 1}):
        assert Grade.from_json(grade("a.py")).reward(shaping) == 1.0
        assert unknown.reward(shaping) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"other": 1},
        {"test_first": 0},
        {"test_first": -1, "test_second": 2},
        {"test_first": float("nan")},
        {"test_first": float("inf")},
        {"test_first": 1e308, "test_second": 1e308},
        {"test_first": 1, "other": -1},
        "passed",
    ],
)
def test_wrong_shaping(wrong):
    """It is an error at the first verdict, whichever that is."""
    for fields in (grade("a.py"), grade("a.py", "failed", "balance", failed=["test_first"])):
        with pytest.raises(ValueError, match=r"weight|shaped"):
            Grade.from_json(fields).reward(wrong)


@pytest.mark.parametrize(
    ("completion", "source"),
    [
        ("x = 1", "x = 1"),
        ("Look:\n```python\nx = 1\n```\nand\n```py\nx = 2\n```\n", "x = 2\n"),
        ([{"role": "assistant", "content": "```\nx = 3\n```"}], "x = 3\n"),
        ([{"role": "assistant", "content": [{"type": "text", "text": "x = 4"}]}], "x = 4"),
        ([], ""),
        ("```sh\nls\n```\nThen:\n```python\nx = 5\n```\nDone.", "x = 5\n"),
        ("```python\nx = 6\n```\nIt prints:\n```\n6\n```\n", "x = 6\n"),
        ("```json\n{}\n```\n```\nx = 7\n```\n", "x = 7\n"),
        (
            "1. Write\n\n   ~~~py\n   if x:\n       x = 8\n   ~~~\n",
            dedent("""\
                if x:
                    x = 8
            """),
        ),
        ('````python\ns = """\n```\n"""\n````', 's = """\n```\n"""\n'),
        ("```python\nx = 9  # cut off", "x = 9  # cut off"),
        ([{"role": "assistant", "content": None}], ""),
        (
            [
                {"role": "assistant", "content": "```python\nx = 10\n```"},
                {"role": "assistant", "content": None, "tool_calls": []},
                {"role": "tool", "content": "x = 11"},
            ],
            "x = 10\n",
        ),
    ],
)
def test_source_in_a_completion(completion, source):
    """The last block of Python counts, then the last of no language, then all of the text."""
    assert source_in(completion) == source
