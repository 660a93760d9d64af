"""verify/sarif.py: findings as other tools read them."""

from pathlib import Path

import pytest

from pytest_balanced_sampler.verify.findings import RULES, Finding
from pytest_balanced_sampler.verify.sarif import sarif_log

TASK = Path("/task")
FINDINGS = [
    Finding("trap-empty-loop", "no turn", TASK / "a b" / "test_it.py", 7),
    Finding("caught-by-one-test", "only one", TASK / "broken.py"),
    Finding("hack-passes", "it passes", Path("/elsewhere/hack.py")),
]


@pytest.fixture
def log():
    """Of three findings."""
    return sarif_log(FINDINGS, TASK)


@pytest.fixture
def run(log):
    """The only run of the log."""
    (run,) = log["runs"]
    return run


def test_version(log):
    """The one that code hosts read."""
    assert log["version"] == "2.1.0"


def test_rules_have_help_texts(run):
    """All rules are listed, in their order."""
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)


def test_results_refer_to_a_rule(run):
    """By its name and by its place among the rules; the message is that of the finding."""
    rules = run["tool"]["driver"]["rules"]
    for result, finding in zip(run["results"], FINDINGS, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        assert result["message"]["text"] == finding.message


def test_levels(run):
    """A task that can be cheated is an error; a candidate that one test catches is a note."""
    assert [result["level"] for result in run["results"]] == ["error", "note", "error"]


def test_places_are_relative_to_the_task(run):
    """With a line where one is known; a file elsewhere is named by its whole path."""
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == f"{TASK.as_uri()}/"
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert places == [
        {
            "artifactLocation": {"uri": "a%20b/test_it.py", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 7},
        },
        {"artifactLocation": {"uri": "broken.py", "uriBaseId": "%SRCROOT%"}},
        {"artifactLocation": {"uri": "file:///elsewhere/hack.py"}},
    ]
