"""One rollout: a model works on a task's prompt with the tools of a workspace.

Used by `rollout_run`. The loop is our own, on the SDK's stable `messages.create`: the SDK's tool
runner is beta, keeps the conversation on the server unless told not to, and leaves the results of
the last turn's tools unsent. Forty lines buy a transcript of every turn and any gateway that speaks
the Messages API.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anthropic

from ..errors import HarnessError
from ..text import without_surrogates
from .workspace import TOOLS, ToolError, Workspace

USAGE_FIELDS = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)
GO_ON = "Your reply was cut off at the token limit. Go on, in shorter replies."
NOT_RUN = "Not run: your reply was cut off at the token limit before this call was complete."


class WholeRunFailed(Exception):
    """Raised when what went wrong will go wrong in every rollout: a bad key, an unknown model."""


@dataclass(frozen=True)
class Settings:
    """What all rollouts of a run have in common. `rollout_seconds` is the deadline for each."""

    model: str
    max_steps: int
    max_tokens: int
    prompt: str
    rollout_seconds: float = 3600


@dataclass
class Conversation:
    """What has happened so far in one rollout. A step is one reply of the model."""

    steps: int = 0
    model: str | None = None
    stop_reason: str | None = None
    usage: Counter[str] = field(default_factory=Counter)


async def converse(
    client: anthropic.AsyncAnthropic,
    settings: Settings,
    workspace: Workspace,
    log: Callable[[dict[str, Any]], None],
    conversation: Conversation,
) -> None:
    """Let the model work until it stops calling tools or has used its steps.

    Every message goes to `log` when it is there. Raises `HarnessError` when the API or the machine
    failed, `WholeRunFailed` when it will fail for every rollout.
    """
    messages: list[dict[str, Any]] = [{"role": "user", "content": settings.prompt}]
    log(messages[0])
    while conversation.steps < settings.max_steps:
        reply = await _ask(client, settings, messages)
        conversation.steps += 1
        conversation.model = reply.get("model")
        conversation.stop_reason = reply.get("stop_reason")
        for name in USAGE_FIELDS:
            conversation.usage[name] += (reply.get("usage") or {}).get(name) or 0
        log({"role": "assistant", **reply})
        answer = await _answer(reply, workspace)
        if answer is None:
            return
        messages += _sendable([{"role": "assistant", "content": reply["content"]}, answer])
        log(answer)


async def _ask(
    client: anthropic.AsyncAnthropic, settings: Settings, messages: list[dict[str, Any]]
) -> dict[str, Any]:
    # The conversation is kept as plain JSON, as the transcript is; the SDK's types want its own.
    create: Any = client.messages.create
    try:
        message = await create(
            model=settings.model,
            max_tokens=settings.max_tokens,
            messages=messages,
            tools=TOOLS,
            cache_control={"type": "ephemeral"},
        )
        reply: dict[str, Any] = message.model_dump(mode="json", exclude_none=True)
    except (anthropic.AuthenticationError, anthropic.PermissionDeniedError) as error:
        raise WholeRunFailed(f"the API refused the key: {_first_line(error)}") from error
    except anthropic.NotFoundError as error:
        raise WholeRunFailed(f"no such model or address: {_first_line(error)}") from error
    except anthropic.AnthropicError as error:
        raise HarnessError(f"{type(error).__name__}: {_first_line(error)}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise HarnessError(f"malformed reply: {_first_line(error)}") from error
    if not isinstance(reply.get("content"), list):
        raise HarnessError("malformed reply: it has no content")
    return reply


async def _answer(reply: dict[str, Any], workspace: Workspace) -> dict[str, Any] | None:
    """What to say to a reply: the results of its tool calls, or None when the model is done."""
    calls = [block for block in reply["content"] if block.get("type") == "tool_use"]
    was_cut = reply.get("stop_reason") == "max_tokens"
    if not calls:
        is_over = not was_cut or not reply["content"]
        return None if is_over else {"role": "user", "content": GO_ON}
    results = []
    for call in calls:
        if was_cut and call is calls[-1]:
            results.append(_result(call, NOT_RUN, is_error=True))
            continue
        try:
            text = await asyncio.to_thread(workspace.use, call.get("name", ""), call.get("input"))
            results.append(_result(call, text, is_error=False))
        except ToolError as error:
            results.append(_result(call, str(error), is_error=True))
    return {"role": "user", "content": results}


def _sendable(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # The API can say "\ud800" to us, but the SDK cannot say it back.
    sendable: list[dict[str, Any]] = json.loads(
        without_surrogates(json.dumps(messages, ensure_ascii=False))
    )
    return sendable


def _result(call: dict[str, Any], text: str, *, is_error: bool) -> dict[str, Any]:
    return {
        "type": "tool_result",
        "tool_use_id": call["id"],
        "content": text,
        "is_error": is_error,
    }


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:300]
