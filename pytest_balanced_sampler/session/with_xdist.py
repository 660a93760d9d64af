"""Shares the candidates of a session out over pytest-xdist's processes; loaded with `-n` only.

The controller, which reports, neither collects nor runs tests. It learns what was collected from a
file that its processes leave in a folder of the session's, and everything else from reports. All
tests of a candidate go to one process.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from execnet import XSpec
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController, parse_tx_spec_config

from ..grade import Outcome, TestOutcome
from .candidate import Candidate
from .collection import Collected, TestKey
from .grade_book import GradeBook
from .phase_report import attach
from .record import PhaseRecord

_FOLDER = "solution_folder"
_CANDIDATES = "solution_candidates"
_FEW_TESTS = 2


def session_folder(config: pytest.Config) -> Path:
    """The folder that a process of pytest-xdist's shares with the others."""
    return Path(config.workerinput[_FOLDER])  # type: ignore[attr-defined]


def given_candidates(config: pytest.Config) -> list[Candidate]:
    """The candidates of the session, in a process of pytest-xdist's, as the controller found them.

    Another look at the folders could find more, or another order.
    """
    given = config.workerinput[_CANDIDATES]  # type: ignore[attr-defined]
    return [
        Candidate(Path(os.fsdecode(path)), name, index) for index, (path, name) in enumerate(given)
    ]


class XdistController:
    """The controller's part: hands out candidates, and keeps the book when a process dies."""

    def __init__(self, config: pytest.Config, candidates: list[Candidate], book: GradeBook) -> None:
        if config.getoption("dist") == "each":
            raise pytest.UsageError("--dist=each would grade every candidate in every process")
        if not all(XSpec(spec).popen for spec in parse_tx_spec_config(config)):
            raise pytest.UsageError(
                "--tx: candidates are graded by processes of this machine, as -n starts them. "
                "For several machines there is scripts/grade_on_ray.py."
            )
        self._given = [(os.fsencode(candidate.path), candidate.name) for candidate in candidates]
        self._config = config
        self._book = book
        self._folder = Path(tempfile.mkdtemp(prefix="pytest-solution-session-"))
        self._keys: dict[str, TestKey | None] = {}

    def pytest_configure_node(self, node: WorkerController) -> None:
        """Tell a process what to grade, and where it meets the others."""
        node.workerinput |= {_FOLDER: str(self._folder), _CANDIDATES: self._given}

    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Open the book when the first process has collected; all collect the same."""
        if self._keys:
            return
        collected = Collected.load(self._folder)
        self._book.expect(collected)
        self._keys.update(zip(ids, collected.items, strict=True))
        if (terminal := self._config.pluginmanager.get_plugin("terminalreporter")) is not None:
            terminal.write_line(self._book.pytest_report_collectionfinish())

    def pytest_xdist_make_scheduler(
        self, config: pytest.Config, log: Producer
    ) -> LoadScopeScheduling:
        """Keep a candidate's tests together, whatever `--dist` says."""
        return _CandidateScheduling(config, log, self._keys)

    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """A process died in a test: a fault of the harness, in the grade too."""
        if (key := self._keys.get(crashitem)) is not None:
            candidate, test = key
            message = "the process that ran this test died"
            record = PhaseRecord(
                candidate,
                test,
                "teardown",
                TestOutcome.HARNESS_ERROR,
                0.0,
                Outcome.HARNESS_ERROR.value,
                message,
            )
            attach(report, record)

    def pytest_unconfigure(self) -> None:
        """Remove the session's folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


class _CandidateScheduling(LoadScopeScheduling):
    """Hands out a candidate at a time, or a test that grades none.

    What is done is forgotten and places are looked up, where the base class searches all that a
    process ever had, for every test again. The test in which a process died is not run again.
    """

    def __init__(
        self, config: pytest.Config, log: Producer, keys: dict[str, TestKey | None]
    ) -> None:
        super().__init__(config, log)
        self._keys = keys
        self._places: dict[str, int] = {}

    def schedule(self) -> None:
        self._places = {nodeid: place for place, nodeid in enumerate(self._keys)}
        super().schedule()

    def remove_node(self, node: WorkerController) -> str | None:
        units = self.assigned_work.pop(node)
        left = [(unit, test) for unit in units.values() for test, done in unit.items() if not done]
        if not left:
            return None
        unit, crashed = left[0]
        unit[crashed] = True
        self.workqueue.update((name, unit) for name, unit in units.items() if not _is_done(unit))
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed

    def mark_test_complete(
        self,
        node: WorkerController,
        item_index: int,
        duration: float = 0,  # noqa: ARG002 - the base class has it
    ) -> None:
        nodeid = self.registered_collections[node][item_index]
        units, name = self.assigned_work[node], self._split_scope(nodeid)
        units[name][nodeid] = True
        if _is_done(units[name]):
            del units[name]
        self._reschedule(node)

    def _reschedule(self, node: WorkerController) -> None:
        # A process starts a test only when it knows of another, or that there is none: with a
        # single one, what is left of a candidate whose process died, it would wait for ever.
        if node.shutting_down:
            return
        while self.workqueue and self._pending_of(self.assigned_work[node]) <= _FEW_TESTS:
            self._assign_work_unit(node)
        if not self.workqueue:
            node.shutdown()

    def _split_scope(self, nodeid: str) -> str:
        key = self._keys[nodeid]
        return nodeid if key is None else f"candidate {key[0]}"

    def _assign_work_unit(self, node: WorkerController) -> None:
        name, unit = self.workqueue.popitem(last=False)
        self.assigned_work[node][name] = unit
        # A process that has died takes nothing; `remove_node`, which follows, gives it to others.
        with suppress(OSError):
            node.send_runtest_some([self._places[test] for test, done in unit.items() if not done])


def _is_done(unit: dict[str, bool]) -> bool:
    return all(unit.values())
