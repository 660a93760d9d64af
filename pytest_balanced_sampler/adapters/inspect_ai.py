"""An Inspect AI task whose scores are grades; `inspect eval` finds it, and its scorer, by name.

inspect eval pytest_balanced_sampler/graded_task -T task=path/to/task --epochs 10
"""

from __future__ import annotations

from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

from ..grade import Shaping
from ..prompt import read_prompt
from .completion import source_in
from .shared_grader import shared_grader


@task(name="graded_task")
def graded_task(task: str, shaping: Shaping = "pass", hosts: int = 1) -> Task:
    """What the prompt of a task folder asks for, once per epoch."""
    return Task(
        dataset=[Sample(input=read_prompt(Path(task)), id=Path(task).resolve().name)],
        scorer=grade(task, shaping, hosts),
    )


@scorer(metrics=[mean()])
def grade(task: str, shaping: Shaping = "pass", hosts: int = 1) -> Scorer:
    """Scores by the tests in a task folder; unscored is what could not be graded."""
    folder = Path(task).resolve()

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001 - Inspect's call.
        source = source_in(state.output.completion)
        (verdict,) = await shared_grader(folder, hosts).grade_async([source])
        reward = verdict.reward(shaping)
        if reward is None:
            return Score.unscored(
                reason="scoring_failed",
                answer=source,
                explanation=verdict.message,
                metadata=verdict.as_json(),
            )
        return Score(
            value=reward, answer=source, explanation=verdict.message, metadata=verdict.as_json()
        )

    return score
