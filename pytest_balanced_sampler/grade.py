"""The verdict on one candidate, as reports have it; used by everything above the worker."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal

GRADES_VERSION = 1

Shaping = Literal["pass", "score"] | Mapping[str, float]


class Outcome(StrEnum):
    """The outcome of a candidate; docs/json-report.md explains each."""

    PASSED = "passed"
    FAILED = "failed"
    NO_SOLUTION = "no_solution"
    INCOMPLETE = "incomplete"
    HARNESS_ERROR = "harness_error"

    @property
    def is_failure(self) -> bool:
        """Whether it is a failure of the candidate."""
        return self in (Outcome.FAILED, Outcome.NO_SOLUTION)

    @property
    def is_graded(self) -> bool:
        """Whether it counts in a pass rate: the others are no evidence about the candidate."""
        return self is Outcome.PASSED or self.is_failure


class TestOutcome(StrEnum):
    """The outcome of a test or, but for the last two, of one of its phases."""

    PASSED = "passed"
    FAILED = "failed"
    HARNESS_ERROR = "harness_error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    DESELECTED = "deselected"
    NOT_RUN = "not_run"


@dataclass(frozen=True, kw_only=True)
class Grade:
    """The verdict on one candidate; docs/json-report.md explains each field."""

    solution: str
    path: str = ""
    index: int = 0
    task: str = ""
    sha256: str | None
    outcome: Outcome
    score: float
    failure_mode: str | None
    message: str
    tests: dict[str, TestOutcome]
    tries: dict[str, int] = field(default_factory=dict)
    stopped: str = ""
    duration: float
    grading_seed: int
    isolation: dict[str, Any]
    tampering: list[str]

    def reward(self, shaping: Shaping = "pass") -> float | None:
        """What a trainer pays for this candidate; None where nobody knows: that is not a 0.

        "pass" is 1.0 for a pass and 0.0 for a failure, "score" the share of the tests that passed.
        A mapping gives tests a weight, and the reward is the share of the weight that passed; a
        test that is not named weighs nothing. Raises `ValueError` for weights that are negative or
        not finite, or of which none is for a test of this grade.
        """
        if not self.outcome.is_graded:
            return None
        if shaping == "pass":
            return float(self.outcome is Outcome.PASSED)
        if shaping == "score":
            return self.score
        if isinstance(shaping, str):
            raise ValueError(f"a reward is shaped by 'pass', 'score' or weights, not {shaping!r}")
        weight_of = {test: shaping.get(test, 0.0) for test in self.tests}
        total = sum(weight_of.values())
        if not all(0 <= weight < math.inf for weight in shaping.values()):
            raise ValueError("a weight is a finite number and not below 0")
        if not 0 < total < math.inf:
            raise ValueError(f"these weights fit none of the tests {', '.join(self.tests)}")
        return sum(weight_of[test] for test in self.passed_tests()) / total

    @property
    def score_is_lower_bound(self) -> bool:
        """Whether tests were not run that could have passed."""
        return bool(self.stopped)

    def passed_tests(self) -> list[str]:
        """The names of the tests that passed."""
        return [name for name, outcome in self.tests.items() if outcome is TestOutcome.PASSED]

    @classmethod
    def from_json(cls, grade: Mapping[str, Any]) -> Grade:
        """The grade as a JSON report of this or another release has it.

        Ignores fields that this release does not know. A field that older reports lack gets its
        default; that of `path` is the name, which was a path. Raises `KeyError` or `TypeError`
        when a field is missing that every report has, `ValueError` for an unknown outcome.
        """
        known = {own.name for own in fields(cls)}
        kept = {name: value for name, value in grade.items() if name in known}
        kept["outcome"] = Outcome(grade["outcome"])
        kept["tests"] = {name: TestOutcome(outcome) for name, outcome in grade["tests"].items()}
        return cls(**{"path": grade["solution"], **kept})

    def as_json(self) -> dict[str, Any]:
        """The grade as it stands in a JSON report: plain text for outcomes, too."""
        tests = {name: str(outcome) for name, outcome in self.tests.items()}
        outcome, is_lower_bound = str(self.outcome), self.score_is_lower_bound
        marked = {"score_is_lower_bound": is_lower_bound}
        return {**asdict(self), **marked, "outcome": outcome, "tests": tests}
