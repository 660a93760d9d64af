"""What a model said, and the source code in it; used by the adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt

Completion = str | Sequence[Mapping[str, Any]]
"""Text, or chat messages."""

_PYTHON = ("python", "python3", "py")
# Only what can hold a fenced block: a model's text shall cost no more time than it must.
_BLOCKS = MarkdownIt("zero").enable(["fence", "list", "blockquote"])


def source_in(completion: Completion) -> str:
    """The last block of a completion that is fenced as Python.

    Failing that, the last that is fenced without a language; failing that, the whole text.
    """
    text = completion if isinstance(completion, str) else _last_text(completion)
    fenced = [token for token in _BLOCKS.parse(text) if token.type == "fence"]
    language = [token.info.strip().lower() for token in fenced]
    for wanted in (_PYTHON, ("",)):
        blocks = [
            token.content for token, name in zip(fenced, language, strict=True) if name in wanted
        ]
        if blocks:
            return blocks[-1]
    return text


def _last_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of the last message of the assistant's that has any."""
    for message in reversed(messages):
        if message.get("role", "assistant") == "assistant" and (text := _text(message)).strip():
            return text
    return ""


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content)
