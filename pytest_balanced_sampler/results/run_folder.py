"""The files in the folder of a run of rollouts: their names, and what one rollout's file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

REPORT = "report.json"
SUMMARY = "summary.json"
PAGE = "report.html"
SOLUTION = "solution.py"
Status = Literal["written", "no_solution", "harness_error"]


@dataclass(frozen=True)
class RolloutRecord:
    """How one rollout ended; what stands in its `rollout.json`. `duration` is in seconds."""

    rollout: int
    status: Status
    error: str | None
    steps: int
    stop_reason: str | None
    model: str | None
    usage: dict[str, int]
    duration: float
