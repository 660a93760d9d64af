"""What was said in one rollout, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

_MAX_SHOWN = 200
"""Characters of what is in no known form."""


def transcript_text(folder: Path) -> str | None:
    """The conversation in the folder of a rollout; None where none can be read."""
    try:
        lines = (folder / "transcript.jsonl").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    return "\n\n".join(part for line in lines for part in _said(line))


def _said(line: str) -> Iterator[str]:
    """What one message of a transcript says, as text."""
    try:
        message = json.loads(line)
        role, blocks = str(message["role"]).upper(), message["content"]
    except (ValueError, KeyError, TypeError, RecursionError):
        yield f"[this line of the transcript is no message: {line[:_MAX_SHOWN]}]"
        return
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    for block in blocks if isinstance(blocks, list) else [blocks]:
        match block:
            case {"type": "text", "text": text}:
                yield f"{role}\n{text}"
            case {"type": "tool_use", "name": name, "input": dict() as given}:
                values = "\n".join(str(value) for value in given.values())
                yield f"{role} CALLS {name}\n{values}"
            case {"type": "tool_result", "content": content}:
                yield f"RESULT\n{content}"
            case _:
                yield f"{role}\n[a block of another kind: {json.dumps(block)[:_MAX_SHOWN]}]"
