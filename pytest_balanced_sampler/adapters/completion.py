"""What a model said, and the source code in it; used by the adapters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Completion = str | Sequence[Mapping[str, Any]]
"""Text, or chat messages."""

_FENCED = re.compile(
    r"^```(?:python|py)?[ \t]*\n(.*?)^```", re.DOTALL | re.MULTILINE | re.IGNORECASE
)


def source_in(completion: Completion) -> str:
    """The last block of Python that a completion fences; the whole text where it fences none."""
    text = completion if isinstance(completion, str) else _last_text(completion)
    blocks = _FENCED.findall(text)
    return str(blocks[-1]) if blocks else text


def _last_text(messages: Sequence[Mapping[str, Any]]) -> str:
    content = messages[-1]["content"] if messages else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
