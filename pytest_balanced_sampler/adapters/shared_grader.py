"""One `Grader` for each task folder, for frameworks that say nowhere when they are done."""

from __future__ import annotations

import atexit
from functools import cache
from pathlib import Path

from ..grader.grader import Grader


@cache
def shared_grader(task: Path, hosts: int) -> Grader:
    """The grader for a task folder, which stays open until this process ends."""
    grader = Grader(task, hosts=hosts)
    atexit.register(grader.close)
    return grader
