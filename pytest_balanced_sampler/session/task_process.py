"""A process that has collected the tests of one task, and grades candidates by them when asked.

It is forked from a pytest session that is configured and has collected nothing. So it costs no
start of pytest's, and nothing that a task's tests, conftest files or helper modules leave in memory
reaches another task.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import asdict
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ..errors import HarnessError
from ..files import remove_tree_in_use
from ..judge.supply import WorkerSupply
from ..judge.unpatched import os
from ..judge.warm_process import WarmConnection
from . import foreign
from .budget import SecondsUsed
from .candidate import Candidate
from .candidate_item import CandidateItem
from .collection import Collected, Refusal
from .forked_process import ForkedProcess, ParentLink
from .grade_book import EXIT_HARNESS_ERROR, GradeBook
from .grading import LOCK_FOLDER, REFERENCE_TIMES, SHARED_SUPPLY, GradingSession
from .reference import KnownTimes
from .session_lock import SessionLock

Waiting = tuple[Candidate, str]
"""A candidate, and the file that exists once no grade of it is wanted any more, or ""."""


class Reports(Enum):
    """Which reports a process tells beside grades: none, pytest's, or those with all details."""

    NONE = "none"
    BRIEF = "brief"
    IN_DETAIL = "in detail"


class TaskRefused(Exception):
    """Raised when nothing can be graded by a task's tests; the text says why."""


class TaskProcessDied(Exception):
    """Raised when the process of a task has ended before it had done what it was asked for."""


class TaskProcess:
    """The parent's end. `collected` is what the task's tests are, `longest` is how many seconds a
    candidate can take, or None. One that `is_spent` grades no more.

    `reports` says what is told beside grades. Raises `TaskRefused` and `TaskProcessDied`.
    """

    def __init__(
        self,
        session: pytest.Session,
        folder: Path,
        conftests_below: Path,
        name: str,
        supply: WorkerSupply,
        known: KnownTimes,
        *,
        reports: Reports,
    ) -> None:
        def main(link: ParentLink) -> None:
            _lend(supply, connection)
            task = _TaskSession(session, name, supply, known, link, reports)
            task.collect(folder, conftests_below)
            task.serve()

        try:
            connection = supply.connect(has_worker=False)
        except HarnessError:  # The process says it again, where it has to answer.
            connection = None
        self.folder, self.supply, self.is_spent = folder, supply, False
        self._process = ForkedProcess(main)
        if connection is not None:
            connection.close()
        self._messages = self._process.messages()
        first = self._next()
        known.update(_times_from(first["times"]))
        self.longest: float | None = first["longest"]
        self.collected = Collected.from_json(first["collected"])
        if self.collected.refusal is not None:
            self.end()
            raise TaskRefused(self.collected.refusal.reason)

    def grade(self, candidates: list[Waiting]) -> Iterator[dict[str, Any]]:
        """What the process tells of these candidates, whose places are those in the list."""
        self._process.ask(
            [
                [os.fspath(candidate.path), candidate.name, candidate.index, cancelled]
                for candidate, cancelled in candidates
            ]
        )
        while (message := self._next())["kind"] != "done":
            yield message
        self.is_spent = message["is_spent"]

    def end(self) -> None:
        """Have the process end, after its session's last hooks. Does not wait for it."""
        self._process.ask_no_more()

    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.is_over()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait()

    def _next(self) -> dict[str, Any]:
        message = next(self._messages, None)
        if message is None or message["kind"] == "broken":
            self._process.kill()
            raise TaskProcessDied(message["text"] if message else "it ended without a word")
        return message


class _TaskSession:
    """The session of the task, in the forked process."""

    def __init__(
        self,
        session: pytest.Session,
        name: str,
        supply: WorkerSupply,
        known: KnownTimes,
        link: ParentLink,
        reports: Reports,
    ) -> None:
        config = self._config = session.config
        _leave_session(config)
        self._session, self._supply, self._link = session, supply, link
        self._known, self._known_before = known, set(known)
        foreign.silence_terminal(config)
        foreign.use_temporary_folder(config, name)
        config.stash[SHARED_SUPPLY] = [supply]
        config.stash[REFERENCE_TIMES] = known
        self._plugins_before = set(config.pluginmanager.get_plugins())
        self._book = GradeBook(config, [])
        lock = SessionLock(config.stash.get(LOCK_FOLDER, None))
        self._collected = Collected()
        self._errors: list[str] = []
        self._grading = GradingSession(
            config, [], self._expect, lock, keeps_details=reports is Reports.IN_DETAIL
        )
        config.pluginmanager.register(self._book, "grade_book")
        config.pluginmanager.register(self._grading, "grading_session")
        config.pluginmanager.register(self)
        if reports is not Reports.NONE:
            config.pluginmanager.register(_Reporter(config, link))

    def collect(self, folder: Path, conftests_below: Path) -> None:
        """Do what a session does before its first test, and tell what there is."""
        try:
            foreign.use_task(self._session, folder, conftests_below)
            self._call_new("pytest_sessionstart", session=self._session)
            self._config.hook.pytest_collection(session=self._session)
            if not self._collected.count:
                self._refuse("", pytest.ExitCode.USAGE_ERROR)
        except pytest.UsageError as error:
            self._refuse("\n".join(map(str, error.args)), pytest.ExitCode.USAGE_ERROR)
        except pytest.exit.Exception as error:
            self._refuse(error.msg, error.returncode or EXIT_HARNESS_ERROR)
        except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
            self._refuse(f"{type(error).__name__}: {error}", pytest.ExitCode.USAGE_ERROR)
        new = {key: times for key, times in self._known.items() if key not in self._known_before}
        self._link.tell(
            "collected",
            collected=asdict(self._collected),
            longest=getattr(self._grading, "longest_candidate", None),
            times=[[list(key), list(times.items())] for key, times in new.items()],
        )

    def serve(self) -> None:
        """Grade what the parent asks for, until it asks no more."""
        is_whole = not self._errors
        for request in self._link.requests():
            candidates = [Candidate(Path(path), name, index) for path, name, index, _ in request]
            is_cancelled = partial(_exists, [cancelled for *_, cancelled in request])
            self._book.take(candidates)
            self._book.expect(self._collected)
            if self._grading.processes is not None:
                self._grading.processes.take(candidates, is_cancelled)
            for place, candidate in enumerate(candidates):
                # Tests that could not be collected leave those that were without a verdict.
                if is_whole:
                    self._grade(place, candidate)
                if not is_cancelled(place):
                    grade = self._book.grade(place).as_json()
                    self._link.tell("grade", place=place, grade=grade)
            # A warm process for one task is one too many.
            is_spent = bool(self._session.shouldstop) or self._supply.has_left_shared
            self._link.tell("done", is_spent=is_spent)
        if self._grading.processes is not None:
            self._grading.processes.close()
        self._call_new("pytest_sessionfinish", session=self._session, exitstatus=0)
        self._call_new("pytest_unconfigure", config=self._config)
        if (temporary := foreign.temporary_folder(self._config)) is not None:
            remove_tree_in_use(str(temporary))
        self._supply.discard_warm_process()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what pytest says of a file that cannot be collected."""
        if report.failed:
            self._errors.append(report.longreprtext)

    def _grade(self, place: int, candidate: Candidate) -> None:
        processes, name = self._grading.processes, candidate.name
        assert processes is not None, "there are tests"
        item = CandidateItem.from_parent(self._session, name=name, candidate_name=name, index=place)
        try:
            processes.grade(item)
        except (pytest.exit.Exception, KeyboardInterrupt) as error:
            self._session.shouldstop = str(error) or "interrupted"
            self._link.tell("stop", reason=self._session.shouldstop)
        foreign.forget_shown(self._config)

    def _expect(self, collected: Collected) -> None:
        self._collected = collected
        self._book.expect(collected)

    def _refuse(self, reason: str, status: int) -> None:
        text = "\n".join(filter(None, [*self._errors, reason]))
        self._collected.refusal = Refusal(text or "no test was collected", status)

    def _call_new(self, name: str, **arguments: object) -> None:
        """Call a hook of the plugins that the task brought: the others' was called, or will be."""
        manager = self._config.pluginmanager
        manager.subset_hook_caller(name, self._plugins_before)(**arguments)


class _Reporter:
    """Tells the parent what pytest is told of each test."""

    def __init__(self, config: pytest.Config, link: ParentLink) -> None:
        self._config, self._link = config, link

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """One of the hooks whose calls the parent repeats."""
        self._link.tell("start", nodeid=nodeid, location=location)

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._link.tell("finish", nodeid=nodeid, location=location)

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        self._link.tell("warning", **foreign.told_of(warning_message, when, nodeid, location))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        hook = self._config.hook
        data = hook.pytest_report_to_serializable(config=self._config, report=report)
        self._link.tell("report", report=data)


def _leave_session(config: pytest.Config) -> None:
    """Have the plugins that grade and report in this session do nothing more in this process."""
    for name in ("grading_session", "grade_book", "progress"):
        if config.pluginmanager.has_plugin(name):
            config.pluginmanager.unregister(name=name)
    if hasattr(config, "workerinput"):
        from . import with_xdist

        with_xdist.leave_session(config)


def _lend(supply: WorkerSupply, connection: WarmConnection | None) -> None:
    if connection is None:
        supply.use_in_forked_process(None)
    else:
        supply.share_in_forked_process(connection)


def _exists(files: list[str], place: int) -> bool:
    return bool(files[place]) and os.path.exists(files[place])


def _times_from(told: list[Any]) -> KnownTimes:
    return {
        tuple(key): {name: SecondsUsed(*seconds) for name, seconds in times} for key, times in told
    }
