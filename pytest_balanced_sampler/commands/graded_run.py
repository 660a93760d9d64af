"""Does a run of rollouts and grades it, at once or until the rule about the target decides."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..command_line import EXIT_HARNESS_ERROR, EXIT_USAGE, positive, stop
from ..errors import HarnessError
from ..grade import Outcome
from ..judge.supply import WorkerSupply
from ..prompt import preload_of, read_prompt
from ..results.run_folder import RolloutRecord
from ..results.summary import Summary
from ..results.verdict import verdict_sentences
from ..rollouts.anthropic_model import AnthropicModel
from ..rollouts.model import Settings, WholeRunFailed
from ..rollouts.run import RolloutRun
from ..task import SETTINGS_FILE, read_expectations, read_task

MAX_RUNS = 200


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that does rollouts."""
    parser.add_argument("--model", default="claude-haiku-4-5", help="(default: %(default)s)")
    parser.add_argument(
        "--max-tokens", type=positive, default=8192, help="tokens per reply (default: %(default)s)"
    )
    parser.add_argument(
        "--concurrency", type=positive, default=8, help="rollouts at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--prices",
        type=float,
        nargs=4,
        metavar=("INPUT", "OUTPUT", "CACHE_WRITE", "CACHE_READ"),
        help="per million tokens, in your currency, to print what the rollouts cost",
    )


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings of a run, with the prompt read. Ends the command when the task is not valid."""
    try:
        prompt = read_prompt(arguments.task, arguments.prompt)
        if arguments.until_decided and read_expectations(arguments.task).target_pass_rate is None:
            raise ValueError(
                f"--until-decided needs target_pass_rate in {arguments.task / SETTINGS_FILE}"
            )
    except ValueError as error:
        stop(f"--task={arguments.task}: {error}", EXIT_USAGE)
    return Settings(
        model=arguments.model,
        max_steps=arguments.max_steps,
        max_tokens=arguments.max_tokens,
        prompt=prompt,
        prompt_name=arguments.prompt,
        tools=tuple(arguments.tools),
        entry=read_task(arguments.task).entry,
    )


def roll_out_and_grade(arguments: argparse.Namespace, settings: Settings) -> tuple[Summary, bool]:
    """Do what is left of the run in `--out` and grade it: its summary, and whether interrupted.

    With `--until-decided` as many rollouts at a time as run concurrently, until the rule decides;
    each such batch is waited for, so that quick rollouts do not weigh more than slow ones.
    """
    try:
        run = RolloutRun(
            arguments.out,
            settings,
            arguments.runs,
            arguments.task,
            versions=AnthropicModel.versions,
            resume=arguments.resume,
            until_decided=arguments.until_decided,
        )
        if run.left_to_do(arguments.runs):
            run.check_settings(arguments.runs)
        begun = arguments.until_decided and any(run.records())
        summary = graded(run, arguments) if begun else None
        tried: set[int] = set()
        while True:
            numbers, before = next_rollouts(run, arguments, summary, tried), graded_in(summary)
            was_interrupted = bool(numbers) and roll_out(run, numbers, arguments)
            tried.update(numbers)
            summary = graded(run, arguments)
            if arguments.until_decided:
                sys.stderr.write(f"{progress_of(summary, arguments.prices)}\n")
            # A batch without a grade: more rollouts would cost as much and tell as little.
            is_stuck = arguments.until_decided and graded_in(summary) == before
            if was_interrupted or is_stuck or not next_rollouts(run, arguments, summary, tried):
                return summary, was_interrupted
    except FileExistsError as error:
        stop(str(error), EXIT_USAGE)
    except OSError as error:
        stop(f"cannot write to {arguments.out}: {error.strerror}", EXIT_HARNESS_ERROR)
    except ValueError as error:
        stop(str(error), EXIT_USAGE)


def next_rollouts(
    run: RolloutRun, arguments: argparse.Namespace, summary: Summary | None, tried: set[int]
) -> list[int]:
    """The numbers of the rollouts to do now; none when the run has ended."""
    left = [number for number in run.left_to_do(arguments.runs) if number not in tried]
    if not arguments.until_decided:
        return left
    return [] if is_decided(summary) else left[: arguments.concurrency]


def is_decided(summary: Summary | None) -> bool:
    """Whether the rule has decided about the target."""
    return summary is not None and summary.band is not None and summary.band.after is not None


def graded_in(summary: Summary | None) -> int:
    """How many candidates have a verdict."""
    return summary.pass_rate.of if summary is not None and summary.pass_rate is not None else 0


def is_incomplete(summary: Summary, arguments: argparse.Namespace) -> bool:
    """Whether rollouts are missing that --resume would do."""
    if arguments.until_decided and is_decided(summary):
        return False
    missing = not arguments.until_decided and summary.candidates < arguments.runs
    return missing or summary.outcomes[Outcome.HARNESS_ERROR] > 0


def graded(run: RolloutRun, arguments: argparse.Namespace) -> Summary:
    """Grade what has been written, and sum it up."""
    try:
        run.grade(arguments.task)
        return run.summarise(arguments.runs, arguments.task)
    except (HarnessError, ValueError) as error:
        stop(str(error), EXIT_HARNESS_ERROR)


def progress_of(summary: Summary, prices: Sequence[float] | None) -> str:
    """Where a run until a decision stands, with the cost so far and to come if there are prices."""
    if summary.band is None:
        return "nothing was graded yet"
    line, *_ = verdict_sentences(summary.band)
    if not prices:
        return line
    cost = cost_of(summary, prices)
    more = (summary.band.more or 0) * cost / summary.candidates
    return f"{line}; cost so far {cost:.2f}" + (f", about {more:.2f} to come" if more else "")


def cost_of(summary: Summary, prices: Sequence[float]) -> float:
    """What the rollouts cost, at prices per million tokens in the order of the usage fields."""
    priced = zip(AnthropicModel.usage_fields, prices, strict=True)
    return sum(summary.usage.get(name, 0) * price for name, price in priced) / 1e6


def roll_out(run: RolloutRun, numbers: list[int], arguments: argparse.Namespace) -> bool:
    """Do these rollouts, with a display of it. Gives whether it was interrupted."""
    if not (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")):
        run.discard_if_empty()
        stop("set ANTHROPIC_API_KEY to your key first", EXIT_USAGE)
    model = AnthropicModel()
    supply = WorkerSupply(preload_of(arguments.task), "auto")
    display = Display(len(numbers))

    async def work() -> None:
        try:
            await run.roll_out(model, supply, numbers, arguments.concurrency, display.show)
        finally:
            await model.aclose()

    try:
        with display:
            asyncio.run(until_interrupted(work()))
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
