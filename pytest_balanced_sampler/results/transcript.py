"""What was said in one rollout, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def transcript_text(folder: Path) -> str | None:
    """The conversation in the folder of a rollout; None where none can be read."""
    try:
        lines = (folder / "transcript.jsonl").read_text("utf-8").splitlines()
        return "\n\n".join(part for line in lines for part in _said(json.loads(line)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _said(message: dict[str, Any]) -> Iterator[str]:
    """What one message of a transcript says, as text."""
    role, blocks = message["role"], message["content"]
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    for block in blocks:
        match block["type"]:
            case "text":
                yield f"{role.upper()}\n{block['text']}"
            case "tool_use":
                given = "\n".join(str(value) for value in block["input"].values())
                yield f"{role.upper()} CALLS {block['name']}\n{given}"
            case "tool_result":
                yield f"RESULT\n{block['content']}"
