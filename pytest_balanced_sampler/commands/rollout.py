"""Lets a model write candidates, then has pytest grade them: `python scripts/rollout.py --runs 10`.

Needs a key in ANTHROPIC_API_KEY; ANTHROPIC_BASE_URL points it at another endpoint. Exit status: 0
when every rollout was graded, 2 when interrupted, 3 when some ended by a fault of the harness (try
them again with --resume), 4 for a usage error.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..command_line import (
    EXIT_HARNESS_ERROR,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    Parser,
    positive,
    stop,
)
from ..errors import HarnessError
from ..grade import Outcome
from ..judge.supply import WorkerSupply
from ..prompt import preload_of, read_prompt
from ..results.run_folder import PAGE, RolloutRecord
from ..results.summary import Summary
from ..results.tables import summary_tables
from ..rollouts.anthropic_model import AnthropicModel
from ..rollouts.model import Settings, WholeRunFailed
from ..rollouts.run import RolloutRun, begun_run
from ..rollouts.workspace import TOOLS

RUNS = 10


def main(default_task: Path | None = None) -> None:
    """Read the command line, roll out, grade, and print the summary."""
    arguments = parse_arguments(default_task)
    task: Path = arguments.task
    if not (task / "prompt.md").is_file():
        stop(f"--task={task}: there is no prompt.md in it", EXIT_USAGE)
    try:
        prompt = read_prompt(task)
    except ValueError as error:
        stop(str(error), EXIT_USAGE)
    settings = Settings(
        model=arguments.model,
        max_steps=arguments.max_steps,
        max_tokens=arguments.max_tokens,
        prompt=prompt,
    )
    if arguments.dry_run:
        shown = {"model": settings.model, "max_steps": settings.max_steps, "tools": TOOLS}
        print(f"{settings.prompt}\n{json.dumps(shown, indent=1)}")
        return
    try:
        roll_out_and_grade(arguments, settings)
    except OSError as error:
        stop(f"cannot write to {arguments.out}: {error.strerror}", EXIT_HARNESS_ERROR)


def roll_out_and_grade(arguments: argparse.Namespace, settings: Settings) -> None:
    """Do what is left of the run in `--out`, grade it, and print the summary."""
    try:
        run = RolloutRun(
            arguments.out,
            settings,
            arguments.runs,
            arguments.task,
            versions=AnthropicModel.versions,
            resume=arguments.resume,
        )
        numbers = run.left_to_do(arguments.runs)
        if numbers:
            run.check_settings(arguments.runs)
    except (FileExistsError, ValueError) as error:
        stop(str(error), EXIT_USAGE)
    was_interrupted = bool(numbers) and roll_out(run, numbers, arguments)
    try:
        run.grade(arguments.task)
    except HarnessError as error:
        stop(str(error), EXIT_HARNESS_ERROR)
    try:
        summary = run.summarise(arguments.runs, arguments.task)
    except ValueError as error:
        stop(str(error), EXIT_HARNESS_ERROR)
    print_summary(summary, run)
    if arguments.prices:
        prices = zip(AnthropicModel.usage_fields, arguments.prices, strict=True)
        cost = sum(summary.usage.get(name, 0) * price for name, price in prices) / 1e6
        print(f"cost {cost:.2f} at the prices given")
    again = f"--resume --out {run.folder}"
    if was_interrupted:
        stop(f"interrupted; go on with {again}", EXIT_INTERRUPTED)
    if summary.outcomes[Outcome.HARNESS_ERROR] or summary.candidates < arguments.runs:
        stop(
            f"some rollouts ended by a fault of the harness; try again with {again}",
            EXIT_HARNESS_ERROR,
        )


def parse_arguments(default_task: Path | None) -> argparse.Namespace:
    """The command line, checked as far as it can be checked by itself."""
    parser = Parser(description="Let a model write candidates, and grade them.")
    parser.add_argument("--runs", type=positive, help=f"rollouts (default: {RUNS})")
    parser.add_argument("--model", default="claude-haiku-4-5", help="(default: %(default)s)")
    parser.add_argument(
        "--max-steps", type=positive, default=15, help="replies per rollout (default: %(default)s)"
    )
    parser.add_argument(
        "--max-tokens", type=positive, default=8192, help="tokens per reply (default: %(default)s)"
    )
    parser.add_argument(
        "--concurrency", type=positive, default=8, help="rollouts at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--task", type=Path, help=f"folder with prompt.md and tests (default: {default_task})"
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the run (default: runs/ and the date and time)"
    )
    parser.add_argument(
        "--prices",
        type=float,
        nargs=4,
        metavar=("INPUT", "OUTPUT", "CACHE_WRITE", "CACHE_READ"),
        help="per million tokens, in your currency, to print what the run cost",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--dry-run", action="store_true", help="print what would be sent")
    arguments = parser.parse_args()
    if arguments.resume:
        resume_settings(arguments)
    arguments.runs = arguments.runs or RUNS
    arguments.task = arguments.task or default_task
    if arguments.task is None:
        parser.error("name the task: --task FOLDER, a folder with prompt.md and tests")
    now = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    arguments.out = arguments.out or Path("runs") / now
    return arguments


def resume_settings(arguments: argparse.Namespace) -> None:
    """Have a run that goes on be for the task, and the number of rollouts, that it was begun for.

    Nobody's money is to be spent on a new run, and no grade replaced by other tests', by mistake.
    """
    if arguments.out is None:
        stop("--resume needs --out: the folder of the run to go on with", EXIT_USAGE)
    try:
        runs, task = begun_run(arguments.out)
    except ValueError as error:
        stop(str(error), EXIT_USAGE)
    if arguments.task is not None and arguments.task.resolve() != task:
        stop(f"{arguments.out} was begun with the task {task}", EXIT_USAGE)
    arguments.runs, arguments.task = arguments.runs or runs, task


def roll_out(run: RolloutRun, numbers: list[int], arguments: argparse.Namespace) -> bool:
    """Do these rollouts, with a display of it. Gives whether it was interrupted."""
    if not (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")):
        run.discard_if_empty()
        stop("set ANTHROPIC_API_KEY to your key first", EXIT_USAGE)
    model = AnthropicModel()
    supply = WorkerSupply(preload_of(arguments.task), "auto")
    display = Display(len(numbers))
    try:
        work = run.roll_out(model, supply, numbers, arguments.concurrency, display.show)
        with display:
            asyncio.run(until_interrupted(work))
    except asyncio.CancelledError:
        return True
    except WholeRunFailed as error:
        run.discard_if_empty()
        stop(str(error), EXIT_USAGE)
    finally:
        supply.discard_warm_process()
    return False


async def until_interrupted(work: Any) -> None:
    """Await the work; Ctrl-C and SIGTERM cancel it, so that what there is gets graded."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await task


class Display:
    """Shows rollouts as they end: a bar on a terminal, a line for each elsewhere."""

    def __init__(self, rollouts: int) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("rollouts"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._context = self._progress if self._console.is_terminal else nullcontext()
        self._task = self._progress.add_task("", total=rollouts)
        self._rollouts = rollouts
        self._ended: list[RolloutRecord] = []

    def __enter__(self) -> None:
        self._context.__enter__()

    def __exit__(self, *exception: Any) -> None:
        self._context.__exit__(*exception)

    def show(self, record: RolloutRecord) -> None:
        """One more rollout has ended."""
        self._ended.append(record)
        steps = sum(ended.steps for ended in self._ended)
        errors = sum(ended.status == "harness_error" for ended in self._ended)
        tokens = sum(sum(ended.usage.values()) for ended in self._ended)
        totals = f"so far {steps} steps, {tokens:,} tokens, {errors} errors"
        if self._console.is_terminal:
            self._progress.update(self._task, advance=1, description=totals)
            return
        fault = f": {record.error}" if record.error else ""
        number = f"[{len(self._ended)}/{self._rollouts}] rollout {record.rollout}"
        line = f"{number}: {record.status} after {record.steps} steps{fault} ({totals})"
        print(line, file=sys.stderr, flush=True)


def print_summary(summary: Summary, run: RolloutRun) -> None:
    """The outcomes, the pass rate, and where to look further."""
    (rate, *_) = summary_tables(summary)
    print("\n".join(rate.sentences))
    if summary.steps is not None:
        used = [f"{count:,} {name}" for name, count in summary.usage.items()]
        print(", ".join([f"{summary.steps.total} steps", *used]))
    print(run.folder / PAGE)
