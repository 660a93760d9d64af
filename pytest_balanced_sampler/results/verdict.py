"""Applies the decision rule of a target band to results, and explains the verdict in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from ..grade import Outcome
from ..task import Expectations
from .band import Rule, State, Verdict
from .intervals import Interval, confidence_sequence
from .read import Results

_FARTHEST_OUTLOOK = 500


@dataclass(frozen=True)
class BandVerdict:
    """The decision of the task's rule about its target band (see `Rule`).

    `after` is the number of graded candidates at the decision; `more` the mean number of further
    rollouts to a decision if the true rate is the observed one, None if that is over 500 or if the
    verdict is final.
    `sequence` is the 95% confidence sequence of the pass rate, valid at every look.
    """

    band: Interval
    zones: tuple[Interval, ...]
    error: float
    verdict: Verdict
    graded: int
    after: int | None
    more: int | None
    sequence: Interval


def state_of(results: Results, rule: Rule) -> State:
    """The state of a rule after these results.

    Rollouts are counted one by one, in order. The order of the candidates in a report has no
    meaning, so all of them are counted in a single step.
    """
    passes = [r.outcome is Outcome.PASSED for r in results.results if r.outcome.is_graded]
    if any(result.rollout is None for result in results.results):
        return rule.follow([(sum(passes), len(passes))])
    return rule.follow(zip(accumulate(passes), range(1, len(passes) + 1), strict=True))


def verdict_on(results: Results, expectations: Expectations) -> BandVerdict | None:
    """The verdict on results; None if the task has no target or no candidate was graded."""
    rule = Rule.of(expectations)
    outcomes = [result.outcome for result in results.results if result.outcome.is_graded]
    if rule is None or not outcomes:
        return None
    passed = outcomes.count(Outcome.PASSED)
    state = state_of(results, rule)
    decision = rule.decision(state)
    verdict: Verdict = decision or ("on the edge" if results.is_capped else "undecided")
    more = None
    if verdict == "undecided":
        outlook = rule.outlook(passed / len(outcomes), _FARTHEST_OUTLOOK, state)
        more = math.ceil(outlook.more) if outlook.undecided < 0.05 else None
    return BandVerdict(
        band=rule.band,
        zones=rule.zones,
        error=rule.error,
        verdict=verdict,
        graded=len(outcomes),
        after=state.graded if decision is not None else None,
        more=more,
        sequence=confidence_sequence(passed, len(outcomes)),
    )


def verdict_sentences(verdict: BandVerdict) -> Iterator[str]:
    """The verdict, the confidence sequence, and an explanation of both."""
    yield f"target {_span(verdict.band)}: {_verdict(verdict)}"
    yield (
        f"95% confidence sequence {_span(verdict.sequence)}: unlike the 95% interval, it may be "
        f"checked after every rollout"
    )
    near = " and ".join(_span(zone) for zone in verdict.zones)
    if near:
        yield (
            f"how to read the target: true rates of {near} are close to an edge, and both verdicts "
            "at that edge are acceptable; elsewhere each of the two tests behind the verdict is "
            f"wrong in at most {verdict.error:.1%} of runs, no matter how often you check"
        )


def _verdict(verdict: BandVerdict) -> str:
    match verdict.verdict:
        case "undecided":
            more = "over 500" if verdict.more is None else f"about {verdict.more}"
            return f"undecided after {verdict.graded}; at this rate, a decision needs {more} more"
        case "on the edge":
            return (
                f"on the edge: {verdict.graded} did not decide, so the true rate is probably close "
                "to an edge of the target"
            )
        case decided:
            return f"{decided}, decided after {verdict.after} of {verdict.graded} graded"


def _span(interval: Interval) -> str:
    return f"{interval[0]:.1%} to {interval[1]:.1%}"
