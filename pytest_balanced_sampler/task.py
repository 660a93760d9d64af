"""What a task says of itself in its `task.toml`; used by the scripts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Expectations:
    """The pass rate that the task aims at, and the share of each failure mode, from 0 to 1."""

    target_pass_rate: tuple[float, float] | None = None
    failure_shares: dict[str, float] = field(default_factory=dict)


def read_expectations(task: Path) -> Expectations:
    """What the task's `task.toml` expects; nothing where there is none.

    Raises `ValueError`, with a message for the task's author, when the file cannot be understood.
    """
    path = task / "task.toml"
    if not task.is_dir():
        raise ValueError(f"there is no task folder {task}")
    if not path.is_file():
        return Expectations()
    try:
        table = tomllib.loads(path.read_text())
        shares = {mode: float(s) for mode, s in table.pop("expected_failure_shares", {}).items()}
        if not all(0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1.001:
            raise ValueError("expected_failure_shares are from 0 to 1, and no more than 1 together")
        band = table.pop("target_pass_rate", None)
        if table:
            raise ValueError(f"it knows no {', '.join(table)}")
        return Expectations(check_band(*band) if band is not None else None, shares)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from None


def check_band(low: float, high: float) -> tuple[float, float]:
    """The band, if it is one. Raises `ValueError` unless 0 <= low < high <= 1."""
    if not 0 <= low < high <= 1:
        raise ValueError(f"{low:g} to {high:g} is no band of pass rates: 0 <= low < high <= 1")
    return low, high
