"""Shares the candidates of a session out over pytest-xdist's processes; loaded with `-n` only.

The controller, which reports, neither collects nor runs tests. It learns what was collected from a
file that its processes leave in a folder of the session's, and everything else from reports. To
pytest-xdist each candidate is one test. Seen with pytest-xdist 3.8.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from execnet import XSpec
from xdist.remote import Producer, WorkerInteractor
from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController, parse_tx_spec_config

from ..grade import Outcome, TestOutcome
from ..text import without_surrogates
from .candidate import Candidate
from .collection import Collected
from .grade_book import GradeBook
from .many_tasks import ManyTasks
from .record import PhaseRecord
from .report_record import attach, record_of

_FOLDER = "solution_folder"
_CANDIDATES = "solution_candidates"

_AGAIN = "rerun"
"""The outcome that pytest shows of a test that is run again."""

_log = logging.getLogger(__name__)


def session_folder(config: pytest.Config) -> Path:
    """The folder that a process of pytest-xdist shares with the others."""
    return Path(config.workerinput[_FOLDER])  # type: ignore[attr-defined]


def given_candidates(config: pytest.Config) -> list[Candidate]:
    """The candidates of the session, in a process of pytest-xdist, as the controller found them.

    Another look at the folders could find more, or another order.
    """
    given = config.workerinput[_CANDIDATES]  # type: ignore[attr-defined]
    return [
        Candidate(Path(os.fsdecode(path)), name, index, entry)
        for index, (path, name, entry) in enumerate(given)
    ]


def leave_session(config: pytest.Config) -> None:
    """Have a forked process say nothing to the controller: the connection is its parent's."""
    for plugin in config.pluginmanager.get_plugins():
        # pytest-xdist runs its module in each process under another name: the class is another.
        if type(plugin).__name__ == WorkerInteractor.__name__:
            config.pluginmanager.unregister(plugin)


class XdistController:
    """The controller's part: hands out candidates, and keeps the book when a process dies."""

    def __init__(
        self,
        config: pytest.Config,
        candidates: list[Candidate],
        tasks: ManyTasks | None,
        book: GradeBook,
    ) -> None:
        if config.getoption("dist") == "each":
            raise pytest.UsageError("--dist=each would grade every candidate in every process")
        if not all(XSpec(spec).popen for spec in parse_tx_spec_config(config)):
            raise pytest.UsageError(
                "--tx: candidates are graded by processes of this machine, as -n starts them. "
                "For several machines there is scripts/grade_on_ray.py."
            )
        self._given = [(os.fsencode(one.path), one.name, one.entry) for one in candidates]
        # pytest-xdist sends the arguments as UTF-8, which the names of files need not be.
        sent = map(without_surrogates, map(str, config.invocation_params.args))
        config.invocation_params = replace(config.invocation_params, args=tuple(sent))
        self._config = config
        self._book, self._tasks = book, tasks
        self._expected: set[int] = set()
        self._folder = Path(tempfile.mkdtemp(prefix="pytest-solution-session-"))
        self._died_once: set[str] = set()
        self._index_of: dict[str, int] = {}
        self._test_count = 0
        # Unlike an interrupt, this signal would end the process with the folder left behind.
        self._heeds_terminate = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        )
        if self._heeds_terminate:
            signal.signal(signal.SIGTERM, self._terminate)

    def pytest_configure_node(self, node: WorkerController) -> None:
        """Tell a process what to grade, and where it meets the others."""
        node.workerinput |= {_FOLDER: str(self._folder), _CANDIDATES: self._given}
        node.workerinput["mainargv"] = list(map(without_surrogates, node.workerinput["mainargv"]))

    def pytest_xdist_node_collection_finished(self) -> None:
        """Open the book when the first process has collected; all collect the same."""
        if self._index_of:
            return
        self._index_of = {name: index for index, (_, name, _) in enumerate(self._given)}
        if self._tasks is not None:
            self._test_count = len(self._given)
            return
        collected = Collected.load(self._folder)
        self._book.expect(collected)
        self._test_count = collected.count * len(self._given)
        if (terminal := self._config.pluginmanager.get_plugin("terminalreporter")) is not None:
            terminal.write_line(self._book.enforcement())

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Note where pytest-xdist counts one test for each candidate."""
        self._session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Have pytest count the tests of all candidates."""
        self._session.testscollected = self._test_count

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Open the book for the candidates of a task before it notes the first report of one."""
        record = record_of(report)
        if self._tasks is None or record is None:
            return
        number = self._tasks.of_candidate[record.candidate]
        # There is no file of a task that cannot grade.
        if number not in self._expected:
            with suppress(FileNotFoundError):
                collected = Collected.load(self._folder, number)
                self._book.expect(collected, self._tasks.candidates_of(number))
            self._expected.add(number)

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Producer) -> LoadScheduling:
        """Hand out candidates one by one, whatever `--dist` says: some take far longer."""
        return _CandidateScheduling(config, log)

    def pytest_handlecrashitem(
        self, crashitem: str, report: pytest.TestReport, sched: LoadScheduling
    ) -> None:
        """A process died while it graded: another grades the candidate again, once."""
        index = self._index_of[crashitem]
        if crashitem not in self._died_once:
            self._died_once.add(crashitem)
            self._book.begin_again(index)
            sched.mark_test_pending(crashitem)
            _log.warning("a process of pytest-xdist died: %s is graded again", crashitem)
            report.outcome = _AGAIN  # type: ignore[assignment]
            return
        message = "the process that ran this test died"
        attach(
            report,
            PhaseRecord(
                candidate=index,
                test=self._book.unfinished_test(index),
                phase="teardown",
                outcome=TestOutcome.HARNESS_ERROR,
                duration=0.0,
                failure_mode=Outcome.HARNESS_ERROR.value,
                message=message,
            ),
        )

    def pytest_unconfigure(self) -> None:
        """Remove the session's folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._heeds_terminate:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _terminate(self, number: int, _: object) -> None:
        """Remove the session's folder, then end as this signal ends a process."""
        self.pytest_unconfigure()
        os.kill(os.getpid(), number)


class _CandidateScheduling(LoadScheduling):
    """Hands out one candidate at a time; a process that has died meanwhile takes nothing."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self.maxschedchunk = self.maxschedchunk or 1

    def _send_tests(self, node: WorkerController, num: int) -> None:
        # `remove_node`, which follows, gives what it did not take to others.
        with suppress(OSError):
            super()._send_tests(node, num)
