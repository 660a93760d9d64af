"""What a rollout asks of a language model, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol


class WholeRunFailed(Exception):
    """Raised when what went wrong will go wrong in every rollout: a bad key, an unknown model."""


@dataclass(frozen=True)
class Settings:
    """What all rollouts of a run have in common.

    `prompt` is the whole text and `prompt_name` the name that the task has for it; `tools` are the
    names of the tools; `rollout_seconds` is the deadline for each rollout. With an `entry` the
    workspace is the solution, and tests get the module or package of that name in it.
    """

    model: str
    max_steps: int
    max_tokens: int
    prompt: str
    prompt_name: str = "prompt"
    tools: tuple[str, ...] = ("write_file", "run_python")
    rollout_seconds: float = 3600
    entry: str | None = None


class Model(Protocol):
    """A model that is reached through some library.

    `usage_fields` names the counts of tokens in a reply's `usage`, `versions` the library and its
    version. Messages, tools and replies have the shape of the Messages API.
    """

    usage_fields: ClassVar[tuple[str, ...]]
    versions: ClassVar[Mapping[str, str]]

    async def reply(
        self, settings: Settings, messages: list[dict[str, Any]], tools: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """The model's reply to these messages; its `content` is a list.

        Raises `HarnessError` when the API failed, `WholeRunFailed` when it will fail for every
        rollout.
        """

    async def aclose(self) -> None:
        """Close the connections to the API."""
