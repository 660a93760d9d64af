"""What one pytest session collected to grade by; made by the grading session, read by the book.

With pytest-xdist the two live in different processes, and it crosses as a file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..files import write_json

TestKey = tuple[int, str]
"""A candidate, by its place in the session, and the name of a test."""

_FILE_NAME = "collected.json"


@dataclass
class Collected:
    """The tests of every candidate, and by what they are run.

    `expected` are the tests that a grade needs, `deselected` those of them that somebody chose not
    to run; `items` says, for each item of the session in its order, which of them it is.
    `refusal` says why nothing can be graded, with the exit status, or is None.
    """

    expected: list[TestKey] = field(default_factory=list)
    deselected: list[TestKey] = field(default_factory=list)
    items: list[TestKey | None] = field(default_factory=list)
    isolation: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    tests_sha256: str = ""
    refusal: tuple[str, int] | None = None

    def save(self, folder: Path) -> None:
        """Leave it in `folder`, whole or not at all."""
        write_json(folder / _FILE_NAME, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Collected:
        """What another process left in `folder`."""
        fields = json.loads((folder / _FILE_NAME).read_text())
        for name in ("expected", "deselected", "items"):
            fields[name] = [None if key is None else tuple(key) for key in fields[name]]
        return cls(**fields)
