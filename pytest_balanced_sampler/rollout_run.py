"""A run of many rollouts and its folder: what is done, what is left, and the grading at the end.

Used by `scripts/rollout.py`. docs/rollouts.md describes the folder. A rollout counts when its
`rollout.json` is there, which is written last and at once: whatever dies before loses that rollout
and no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import anthropic

from .errors import HarnessError
from .pytest_session import grade_in_session
from .rollout import Conversation, Settings, Status, converse
from .supervisor import WorkerSupply
from .workspace import SOLUTION, Workspace

REPORT = "report.json"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class RolloutRecord:
    """How one rollout ended; what stands in its `rollout.json`."""

    rollout: int
    status: Status
    error: str | None
    steps: int
    stop_reason: str | None
    model: str | None
    usage: dict[str, int]
    duration: float


class RolloutRun:
    """The folder of a run. Making it may raise `FileExistsError` or `ValueError`, for the user."""

    def __init__(self, folder: Path, settings: Settings, *, resume: bool) -> None:
        self.folder = folder
        self.settings = settings
        described = {"settings": asdict(settings), "anthropic": anthropic.__version__}
        if not folder.exists():
            (folder / "rollouts").mkdir(parents=True)
            write_whole(folder / "run.json", described)
        elif not resume:
            raise FileExistsError(f"{folder} exists: pass --resume to go on with it")
        elif not (folder / "run.json").is_file():
            raise ValueError(f"{folder} is not the folder of a run: it has no run.json")

    def check_settings(self) -> None:
        """Raise `ValueError` when the run was begun with other settings than it has now."""
        before = json.loads((self.folder / "run.json").read_text())["settings"]
        now = asdict(self.settings)
        changed = [name for name, value in now.items() if before[name] != value]
        if changed:
            raise ValueError(f"{self.folder} was begun with another {', '.join(changed)}")

    def records(self) -> Iterator[RolloutRecord]:
        """The rollouts that have ended, faults of the harness included, in their order."""
        for path in sorted((self.folder / "rollouts").glob("*/rollout.json")):
            yield RolloutRecord(**json.loads(path.read_text()))

    def left_to_do(self, runs: int) -> list[int]:
        """The numbers of the rollouts, from 1 to `runs`, that have not ended with a result."""
        done = {record.rollout for record in self.records() if record.status != "harness_error"}
        return [number for number in range(1, runs + 1) if number not in done]

    def discard_if_empty(self) -> None:
        """Remove the folder of a run in which no rollout has ended."""
        if not any(self.records()):
            shutil.rmtree(self.folder)

    async def roll_out(
        self,
        client: anthropic.AsyncAnthropic,
        supply: WorkerSupply,
        numbers: list[int],
        concurrency: int,
        on_end: Callable[[RolloutRecord], None],
    ) -> None:
        """Do these rollouts, so many at a time. The first `WholeRunFailed` ends them all."""
        places = asyncio.Semaphore(concurrency)

        async def one(number: int) -> None:
            async with places:
                on_end(await self._roll_out_one(client, supply, number))

        try:
            async with asyncio.TaskGroup() as group:
                for number in numbers:
                    group.create_task(one(number))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _roll_out_one(
        self, client: anthropic.AsyncAnthropic, supply: WorkerSupply, number: int
    ) -> RolloutRecord:
        folder = self.folder / "rollouts" / f"{number:04}"
        conversation, error, started = Conversation(), None, time.monotonic()
        try:
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "workspace").mkdir(parents=True)
            with open(folder / "transcript.jsonl", "w", encoding="utf-8") as transcript:

                def log(message: dict[str, Any]) -> None:
                    transcript.write(json.dumps(message) + "\n")
                    transcript.flush()

                workspace = Workspace(folder / "workspace", supply)
                async with asyncio.timeout(self.settings.rollout_seconds):
                    await converse(client, self.settings, workspace, log, conversation)
        except TimeoutError:
            error = f"the rollout took over {self.settings.rollout_seconds:g} s"
        except (HarnessError, OSError) as fault:
            error = str(fault)
        record = RolloutRecord(
            rollout=number,
            status=_status(folder, error),
            error=error,
            steps=conversation.steps,
            stop_reason=conversation.stop_reason,
            model=conversation.model,
            usage=dict(conversation.usage),
            duration=time.monotonic() - started,
        )
        with contextlib.suppress(OSError):
            write_whole(folder / "rollout.json", asdict(record))
        return record

    def grade(self, task: Path) -> None:
        """Have pytest grade each rollout's solution, and no other file; writes `report.json`.

        Raises `HarnessError` when pytest wrote no report.
        """
        report = self.folder / REPORT
        report.unlink(missing_ok=True)
        if not any(record.status == "written" for record in self.records()):
            return
        solutions = self.folder.resolve() / "rollouts" / "*" / "workspace" / SOLUTION
        grade_in_session(task, [solutions], report)

    def summarise(self, runs: int) -> dict[str, Any]:
        """Join the rollouts with their grades; writes `summary.json` and gives it.

        Of the `runs` that were asked for, those that have not ended are counted as unfinished.
        """
        report = self.folder / REPORT
        grades = json.loads(report.read_text())["grades"] if report.exists() else []
        grade_of = {Path(grade["solution"]).parent.parent.name: grade for grade in grades}
        rollouts = []
        for record in self.records():
            grade = grade_of.get(f"{record.rollout:04}") if record.status == "written" else None
            outcome = grade["outcome"] if grade else record.status
            rollouts.append({**asdict(record), "outcome": outcome, "grade": grade})
        unfinished = max(0, runs - len(rollouts))
        summary = {"unfinished": unfinished, **count(rollouts), "rollouts": rollouts}
        write_whole(self.folder / SUMMARY, summary)
        return summary


def count(rollouts: list[dict[str, Any]]) -> dict[str, Any]:
    """Outcomes, the pass rate among graded rollouts with its 95% Wilson interval, and tokens."""
    outcomes = [rollout["outcome"] for rollout in rollouts]
    names = ("passed", "failed", "no_solution", "incomplete", "harness_error")
    counts = {name: outcomes.count(name) for name in names}
    graded = counts["passed"] + counts["failed"] + counts["no_solution"]
    usage = [rollout["usage"] for rollout in rollouts]
    tokens: Counter[str] = sum(map(Counter, usage), Counter())
    return {
        "outcomes": counts,
        "graded": graded,
        "pass_rate": counts["passed"] / graded if graded else None,
        "pass_rate_95": wilson_interval(counts["passed"], graded) if graded else None,
        "steps": sum(rollout["steps"] for rollout in rollouts),
        "usage": dict(sorted(tokens.items())),
    }


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval for a proportion (Wilson, J. Am. Stat. Assoc. 22, 1927, p. 209)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = successes / trials
    centre = rate + z * z / (2 * trials)
    margin = z * ((rate * (1 - rate) + z * z / (4 * trials)) / trials) ** 0.5
    scale = 1 + z * z / trials
    return max(0.0, (centre - margin) / scale), min(1.0, (centre + margin) / scale)


def write_whole(path: Path, data: object) -> None:
    """Write JSON so that the file appears whole or not at all."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        try:
            json.dump(data, file, indent=1)
        except BaseException:
            os.unlink(file.name)
            raise
    os.replace(file.name, path)


def _status(folder: Path, error: str | None) -> Status:
    if error is not None:
        return "harness_error"
    return "written" if (folder / "workspace" / SOLUTION).is_file() else "no_solution"
