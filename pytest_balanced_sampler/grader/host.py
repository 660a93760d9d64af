"""A process that grades one batch of candidates after another; started by `Grader`.

Each batch is a pytest session of its own, with the same hooks and the same tests as on the command
line. What is slow is done once: pytest and the tests stay imported, and the warm process serves
every batch. A line of JSON on standard input asks, a line on standard output answers.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from ..judge.supply import WorkerSupply
from ..session.grade_book import GradeBook
from ..session.grading import LOCK_FOLDER, SHARED_SUPPLY
from .pytest_process import OPTIONS


class GradingHost:
    """Grades batches by the tests of one task.

    `arguments` are pytest's, the task's folder first. In `lock_folder` hosts agree on who is alone.
    """

    def __init__(self, arguments: list[str], lock_folder: Path) -> None:
        # Below the grader's folder, which is removed with it.
        temporary = f"--basetemp={lock_folder / f'tmp-{os.getpid()}'}"
        self._arguments = [*arguments, *OPTIONS, temporary]
        self._lock_folder = lock_folder
        self._supplies: list[WorkerSupply] = []
        self._modules_before = set(sys.modules)

    def grade(self, solutions: list[str]) -> dict[str, Any]:
        """The grades of these files, in their order; or under `error` why there are none."""
        self._forget_test_modules()
        session = _Session(self._supplies, self._lock_folder)
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            pytest.main(
                [*self._arguments, *(f"--solution={path}" for path in solutions)], [session]
            )
        if session.grades is None or len(session.grades) != len(solutions):
            return {"error": "\n".join([*session.errors, output.getvalue()]).strip()}
        return {"grades": session.grades}

    def _forget_test_modules(self) -> None:
        """Have the tests be imported anew: collection may have used up what they parametrise by."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name in self._modules_before or not file or "site-packages" in file:
                continue
            if Path(file).is_relative_to(self._arguments[0]):
                del sys.modules[name]


class _Session:
    """The plugin that ties one pytest session to its host."""

    def __init__(self, supplies: list[WorkerSupply], lock_folder: Path) -> None:
        self._supplies = supplies
        self._lock_folder = lock_folder
        self.grades: list[dict[str, Any]] | None = None
        self.errors: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[SHARED_SUPPLY] = self._supplies
        config.stash[LOCK_FOLDER] = self._lock_folder

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(report.longreprtext)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        book = session.config.pluginmanager.get_plugin("grade_book")
        if isinstance(book, GradeBook) and session.testscollected:
            self.grades = [grade.as_json() for grade in book.grades()]


def serve(requests: IO[str], answers: IO[str], host: GradingHost) -> None:
    """Answer until there is no more to read."""
    for line in requests:
        answers.write(json.dumps(host.grade(json.loads(line))) + "\n")
        answers.flush()
        gc.collect()


def main() -> None:
    """Keep standard output for the answers: what tests print must not get among them."""
    lock_folder, *arguments = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers, GradingHost(arguments, Path(lock_folder)))


if __name__ == "__main__":
    main()
