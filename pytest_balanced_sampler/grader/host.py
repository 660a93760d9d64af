"""A process that grades one batch of candidates after another; started by `Grader`.

Each batch is a pytest session of its own, with the same hooks and the same tests as on the command
line. What is slow is done once: pytest and the tests stay imported, and the warm process serves
every batch. `host_process.py` has the other end, and says what the lines of JSON are.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from ..files import remove_tree_in_use
from ..grade import Grade
from ..judge.supply import WorkerSupply
from ..session import forked_process
from ..session.candidate_item import CandidateItem
from ..session.grade_book import GradeBook
from ..session.grading import IS_CANCELLED, LOCK_FOLDER, REFERENCE_TIMES, SHARED_SUPPLY
from ..session.reference import KnownTimes
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
        self._reference_times: KnownTimes = {}
        self._modules_before = set(sys.modules)
        self.longest_candidate: float | None = None

    def prepare(self) -> str:
        """Do all that comes before the first test of a candidate. Gives why that fails, or ""."""
        nobody = self._lock_folder / f"nobody-{os.getpid()}.py"
        nobody.touch()
        return self._run(_Session(is_to_prepare=True), [str(nobody)])

    def grade(
        self,
        solutions: list[str],
        deliver: Callable[[int, dict[str, Any]], None],
        is_cancelled: Callable[[int], bool],
    ) -> str:
        """Deliver the place of each file and its grade. Gives why some have none, or "".

        `is_cancelled` says at which places no grade is wanted any more.
        """
        return self._run(_Session(deliver, is_cancelled), solutions)

    def _run(self, session: _Session, solutions: list[str]) -> str:
        self._forget_test_modules()
        session.stash = [
            (SHARED_SUPPLY, self._supplies),
            (LOCK_FOLDER, self._lock_folder),
            (REFERENCE_TIMES, self._reference_times),
            (IS_CANCELLED, session.is_cancelled),
        ]
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            pytest.main(
                [*self._arguments, *(f"--solution={path}" for path in solutions)], [session]
            )
        if session.is_complete:
            session.deliver_rest()
            self.longest_candidate = session.longest_candidate
            return ""
        return "\n".join([*session.errors, output.getvalue()]).strip() or "pytest said nothing"

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

    def __init__(
        self,
        deliver: Callable[[int, dict[str, Any]], None] | None = None,
        is_cancelled: Callable[[int], bool] = bool,
        *,
        is_to_prepare: bool = False,
    ) -> None:
        self._deliver = deliver
        self._is_to_prepare = is_to_prepare
        self._delivered: set[int] = set()
        self._rest: dict[int, Grade] = {}
        self.is_cancelled = is_cancelled
        self.stash: list[tuple[pytest.StashKey[Any], Any]] = []
        self.is_complete = False
        self.errors: list[str] = []
        self.longest_candidate: float | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        for key, value in self.stash:
            config.stash[key] = value

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(report.longreprtext)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        grading = session.config.pluginmanager.get_plugin("grading_session")
        self.longest_candidate = getattr(grading, "longest_candidate", None)
        self.is_complete = self._is_to_prepare
        return True if self._is_to_prepare else None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        book = item.config.pluginmanager.get_plugin("grade_book")
        is_stopped = item.session.shouldfail or item.session.shouldstop
        if isinstance(item, CandidateItem) and isinstance(book, GradeBook) and not is_stopped:
            self._rest[item.index] = book.grade(item.index)
            # The last one waits for the end of the session: whoever gets it finds the host idle.
            if item is not item.session.items[-1]:
                self.deliver_rest()
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        book = session.config.pluginmanager.get_plugin("grade_book")
        if isinstance(book, GradeBook) and session.testscollected and not self._is_to_prepare:
            for place, grade in enumerate(book.grades()):
                if place not in self._delivered:
                    self._rest[place] = grade
            self.is_complete = True

    def deliver_rest(self) -> None:
        """Deliver the grades that were not delivered before."""
        for place, grade in self._rest.items():
            self._delivered.add(place)
            if self._deliver is not None and not self.is_cancelled(place):
                self._deliver(place, grade.as_json())
        self._rest.clear()


def serve(requests: IO[str], answers: IO[str], host: GradingHost) -> None:
    """Answer until there is no more to read, or the end is announced."""

    def answer(**fields: object) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    answer(error=host.prepare(), longest=host.longest_candidate)
    for line in requests:
        asked = json.loads(line)
        if asked is None:
            break
        cancelled = [file for _, file in asked]
        error = host.grade(
            [path for path, _ in asked],
            lambda place, grade: answer(place=place, grade=grade),
            partial(_is_at, cancelled),
        )
        answer(error=error)
        gc.collect()


def _is_at(files: list[str], place: int) -> bool:
    return os.path.exists(files[place])


def _end_with(parent: int, folder: str) -> None:
    """Have this process end at SIGTERM, which the kernel sends when the trainer has died."""
    host = os.getpid()

    def end(*_: object) -> None:
        if os.getpid() == host:
            # The rest ends by itself: what was forked from this process, and its warm process.
            forked_process.kill_all()
            if os.getppid() != parent:
                remove_tree_in_use(folder)
        os._exit(1)

    signal.signal(signal.SIGTERM, end)
    forked_process.end_with(parent, signal.SIGTERM)


def main() -> None:
    """Keep standard output for the answers: what tests print must not get among them."""
    lock_folder, parent, *arguments = sys.argv[1:]
    _end_with(int(parent), lock_folder)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers, GradingHost(arguments, Path(lock_folder)))


if __name__ == "__main__":
    main()
