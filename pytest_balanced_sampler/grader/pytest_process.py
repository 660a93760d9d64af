"""Grades files in a pytest session of its own; used by rollouts and by the proof of a grader."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from ..errors import HarnessError
from ..grade import Grade


def grade_files(
    task: Path, solutions: Iterable[object], report: Path, *options: str
) -> list[Grade]:
    """The grades of what `--solution` finds at absolute paths or globs, in that order.

    `report` is where pytest-json-report writes. Raises `HarnessError` when nothing was written.
    """
    command = [sys.executable, "-m", "pytest", str(task.resolve())]
    command += [f"--solution={solution}" for solution in solutions]
    command += ["--json-report", f"--json-report-file={report.resolve()}", "--tb=no", "-q"]
    finished = subprocess.run(
        [*command, *options],
        cwd=task.resolve().parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.exists():
        raise HarnessError(f"pytest could not grade: {finished.stdout}{finished.stderr}")
    return [Grade.from_json(grade) for grade in json.loads(report.read_text())["grades"]]
