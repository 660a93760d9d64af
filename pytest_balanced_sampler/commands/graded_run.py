"""Runs rollouts and grades them, all at once or in batches until the decision rule decides."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from ..command_line import EXIT_HARNESS_ERROR, EXIT_USAGE, positive, stop
from ..errors import HarnessError
from ..grade import Outcome
from ..judge.supply import WorkerSupply
from ..platforms import why_no_rollouts
from ..prompt import preload_of, read_prompt
from ..results.summary import Summary
from ..results.verdict import verdict_sentences
from ..rollouts.cost import Budget, cost, most_cost
from ..rollouts.model import Settings, WholeRunFailed
from ..rollouts.run import RolloutRun
from ..task import SETTINGS_FILE, read_expectations, read_task
from .model_options import add_model_arguments, model_settings, open_model, versions_of
from .progress import Display

MAX_RUNS = 200
Ended = Literal["done", "interrupted", "out of budget"]


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that does rollouts."""
    add_model_arguments(parser)
    parser.add_argument(
        "--concurrency", type=positive, default=8, help="concurrent rollouts (default: %(default)s)"
    )
    parser.add_argument(
        "--prices",
        type=float,
        nargs=4,
        metavar=("INPUT", "OUTPUT", "CACHE_WRITE", "CACHE_READ"),
        help="per million tokens, in your currency, to print the cost of the rollouts",
    )


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings of a run, including the text of the prompt. Ends the command if the task is not
    valid."""
    if reason := why_no_rollouts():
        stop(reason, EXIT_USAGE)
    try:
        prompt = read_prompt(arguments.task, arguments.prompt)
        if arguments.until_decided and read_expectations(arguments.task).target_pass_rate is None:
            raise ValueError(
                f"--until-decided needs target_pass_rate in {arguments.task / SETTINGS_FILE}"
            )
    except ValueError as error:
        stop(f"--task={arguments.task}: {error}", EXIT_USAGE)
    return Settings(
        max_steps=arguments.max_steps,
        prompt=prompt,
        prompt_name=arguments.prompt,
        tools=tuple(arguments.tools),
        entry=read_task(arguments.task).entry,
        **model_settings(arguments),
    )


def roll_out_and_grade(arguments: argparse.Namespace, settings: Settings) -> tuple[Summary, Ended]:
    """Finish the run in `--out` and grade it. Returns its summary, and how it ended.

    With `--until-decided`, batches of `--concurrency` rollouts run until the rule decides. Each
    batch must end before the next starts: otherwise quick rollouts would have more weight than slow
    ones.
    """
    try:
        run = RolloutRun(
            arguments.out,
            settings,
            arguments.runs,
            arguments.task,
            versions=versions_of(settings),
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
            ended = roll_out(run, numbers, arguments, summary) if numbers else "done"
            tried.update(numbers)
            # Without further rollouts, the summary of a resumed run is already that of all.
            if numbers or summary is None:
                summary = graded(run, arguments)
            if arguments.until_decided:
                sys.stderr.write(f"{progress_of(summary, arguments.prices)}\n")
            # A batch without a grade: further rollouts would probably also cost money without a
            # grade.
            is_stuck = arguments.until_decided and graded_in(summary) == before
            is_last = not next_rollouts(run, arguments, summary, tried)
            if ended != "done" or is_stuck or is_last:
                return summary, ended
    except FileExistsError as error:
        stop(str(error), EXIT_USAGE)
    except OSError as error:
        stop(f"cannot write to {arguments.out}: {error.strerror}", EXIT_HARNESS_ERROR)
    except ValueError as error:
        stop(str(error), EXIT_USAGE)


def next_rollouts(
    run: RolloutRun, arguments: argparse.Namespace, summary: Summary | None, tried: set[int]
) -> list[int]:
    """The numbers of the next rollouts; none if the run has ended."""
    left = [number for number in run.left_to_do(arguments.runs) if number not in tried]
    if not arguments.until_decided:
        return left
    return [] if is_decided(summary) else left[: arguments.concurrency]


def is_decided(summary: Summary | None) -> bool:
    """Whether the rule has decided about the target."""
    return summary is not None and summary.band is not None and summary.band.after is not None


def graded_in(summary: Summary | None) -> int:
    """How many candidates have been graded."""
    return summary.pass_rate.of if summary is not None and summary.pass_rate is not None else 0


def is_incomplete(summary: Summary, arguments: argparse.Namespace) -> bool:
    """Whether --resume would run further rollouts."""
    if arguments.until_decided and is_decided(summary):
        return False
    missing = not arguments.until_decided and summary.candidates < arguments.runs
    return missing or summary.outcomes[Outcome.HARNESS_ERROR] > 0


def graded(run: RolloutRun, arguments: argparse.Namespace) -> Summary:
    """Grade the rollouts so far, and summarise them."""
    try:
        run.grade(arguments.task)
        return run.summarise(arguments.runs, arguments.task)
    except (HarnessError, ValueError) as error:
        stop(str(error), EXIT_HARNESS_ERROR)


def progress_of(summary: Summary, prices: Sequence[float] | None) -> str:
    """The progress of a run until a decision; with prices, also the cost so far and an estimate."""
    if summary.band is None:
        return "nothing graded yet"
    line, *_ = verdict_sentences(summary.band)
    if not prices:
        return line
    spent = cost(summary.usage, prices)
    more = (summary.band.more or 0) * spent / summary.candidates
    return f"{line}; cost so far {spent:.2f}" + (f", about {more:.2f} to come" if more else "")


def roll_out(
    run: RolloutRun,
    numbers: list[int],
    arguments: argparse.Namespace,
    summary: Summary | None,
) -> Ended:
    """Run these rollouts, and display the progress; `summary` is of those already graded."""
    try:
        model = open_model(run.settings)
    except SystemExit:
        run.discard_if_empty()
        raise
    supply = WorkerSupply(preload_of(arguments.task), "auto")
    budget = budget_of(run, arguments)
    spent = spent_on(run, arguments.prices) if arguments.prices else 0
    display = Display(len(numbers), arguments.prices, spent, summary)

    async def work() -> None:
        try:
            await run.roll_out(model, supply, numbers, arguments.concurrency, display.show, budget)
        finally:
            await model.aclose()

    try:
        with display:
            asyncio.run(until_interrupted(work()))
    except asyncio.CancelledError:
        return "interrupted"
    except WholeRunFailed as error:
        run.discard_if_empty()
        stop(str(error), EXIT_USAGE)
    finally:
        supply.discard_warm_process()
    return "out of budget" if budget is not None and budget.is_spent else "done"


def spent_on(run: RolloutRun, prices: Sequence[float]) -> float:
    """The cost of a run so far, as far as the server reports it."""
    used = Counter(run.usage_of_repeated())
    for record in run.records():
        used.update(record.usage)
    return cost(used, prices)


def budget_of(run: RolloutRun, arguments: argparse.Namespace) -> Budget | None:
    """The rest of `--max-cost`. Ends the command if it is too small for a single rollout."""
    if arguments.max_cost is None:
        return None
    prices, most_each = arguments.prices, most_cost(run.settings, arguments.prices)
    if most_each > arguments.max_cost:
        run.discard_if_empty()
        stop(
            f"--max-cost={arguments.max_cost:g}: one rollout may cost up to {most_each:.2f}; raise "
            "it, or lower --max-steps or --max-tokens",
            EXIT_USAGE,
        )
    budget = Budget(arguments.max_cost, prices, most_each, cost(run.usage_of_repeated(), prices))
    budget.spent += sum(map(budget.cost_of, run.records()))
    return budget


async def until_interrupted(work: Any) -> None:
    """Await the work; Ctrl-C and SIGTERM cancel it, so that the rollouts so far are graded."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await task
