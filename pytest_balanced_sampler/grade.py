"""The verdict on one candidate, as reports have it; used by everything above the worker."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

GRADES_VERSION = 1

Outcome = Literal["passed", "failed", "no_solution", "incomplete", "harness_error"]
PhaseOutcome = Literal["passed", "failed", "harness_error", "skipped", "xfailed", "xpassed"]
TestOutcome = Literal[PhaseOutcome, "deselected", "not_run"]
Shaping = Literal["pass", "score"] | Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Grade:
    """The verdict on one candidate; docs/json-report.md explains each field."""

    solution: str
    path: str = ""
    index: int = 0
    sha256: str | None
    outcome: Outcome
    score: float
    failure_mode: str | None
    message: str
    tests: dict[str, TestOutcome]
    tries: dict[str, int] = field(default_factory=dict)
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
        if self.outcome not in ("passed", "failed", "no_solution"):
            return None
        if shaping == "pass":
            return float(self.outcome == "passed")
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
        passed = (weight_of[test] for test, outcome in self.tests.items() if outcome == "passed")
        return sum(passed) / total

    @classmethod
    def from_json(cls, grade: Mapping[str, Any]) -> Grade:
        """The grade as a JSON report of this or another release has it.

        Ignores fields that this release does not know. A field that older reports lack gets its
        default; that of `path` is the name, which was a path. Raises `KeyError` or `TypeError`
        when a field is missing that every report has.
        """
        grade = {"path": grade["solution"], **grade}
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in grade.items() if name in known})

    def as_json(self) -> dict[str, Any]:
        """The grade as it stands in a JSON report."""
        return asdict(self)
