"""Writes files that appear whole or not at all; used wherever a result is written."""

from __future__ import annotations

import json
import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write text so that nobody ever finds a part of it. May raise `OSError`."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_json(path: Path, data: object) -> None:
    """Write data as `write_whole` writes text."""
    write_whole(path, json.dumps(data, indent=1))
