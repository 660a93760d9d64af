"""Runs the tests of one pytest session's candidates, by pytest's hooks; the plugin registers it.

With pytest-xdist there is one in every worker process of a session, and none in the controller.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, replace
from itertools import chain, pairwise
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from ..errors import HarnessError, SolutionTimeout, WorkerLost
from ..judge.supply import WorkerSupply
from ..task import find_task, read_task
from .batches import Parts
from .candidate import Candidate
from .candidate_run import CandidateRun, needs_second_try, run_key
from .collection import Collected, TestKey
from .grade_book import EXIT_HARNESS_ERROR
from .phase_report import add_tampering, annotate
from .session_lock import SessionLock

SHARED_SUPPLY = pytest.StashKey[list[WorkerSupply]]()
"""Where a `GradingHost` keeps the supply that serves all of its sessions, once there is one."""

TURNS_FOLDER = pytest.StashKey[Path]()
"""Where a `GradingHost` says in which folder it agrees with others on whose turn it is."""


class GradingSession:
    """What one process knows of the candidates that it grades, and the hooks that find it out.

    `deliver` gets what was collected, before the first test of each part.
    """

    def __init__(
        self,
        config: pytest.Config,
        candidates: list[Candidate],
        isolation: str,
        deliver: Callable[[Collected], None],
        lock: SessionLock,
        *,
        is_brief: bool,
        at_a_time: int,
    ) -> None:
        self.candidates = candidates
        self.parts = Parts(len(candidates), at_a_time=at_a_time)
        self._config = config
        self._deliver = deliver
        self._lock = lock
        self._is_brief = is_brief
        self._runs: dict[int, CandidateRun] = {}
        self._supply: WorkerSupply | None = None
        self._tests_folder: Path | None = None
        self._spent: pytest.Item | None = None
        self._collected = Collected(isolation={"mode": isolation})

    def pytest_sessionstart(self) -> None:
        """Start the warm process now, so that it imports while pytest collects."""
        if self._config.option.collectonly:
            return
        shared = self._config.stash.get(SHARED_SUPPLY, None)
        if shared:
            self._supply = shared[0]
            return
        preload = self._config.getini("solution_preload") or _preload_of(self._config)
        isolation = self._collected.isolation["mode"]
        self._supply = WorkerSupply(preload, isolation)
        if shared is not None:
            shared.append(self._supply)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Note every test that a grade needs, and keep each candidate's tests together."""
        if self.parts.is_first:
            self._note_tests(session, items)
        items.sort(key=lambda item: -1 if (index := _candidate_index(item)) is None else index)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note what somebody chose not to run: it makes a grade incomplete."""
        self._collected.deselected += filter(None, map(self._key, items))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Wait for the warm process, and say what was collected."""
        collected = self._collected
        if collected.expected and self._supply is not None:
            collected.refusal = collected.refusal or self._make_ready(self._supply)
        collected.items = list(map(self._key, session.items))
        # What the tests have imported stays. Every garbage collection would look through it
        # again, pytest's own five at the end alone for a second; every fork would copy it.
        if not gc.get_freeze_count():
            gc.freeze()
        self._deliver_collected()

    def pytest_report_collectionfinish(self) -> str | None:
        """One line on what pytest's count of tests leaves out."""
        if self.parts.is_last:
            return None
        first = len(self.parts.current)
        return (
            f"these are the tests of the first {first} candidates; "
            f"those of the other {len(self.candidates) - first:,} are collected as they are due"
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests as pytest does, where it has not made all of them yet."""
        ignores_errors = session.config.option.continue_on_collection_errors
        if self.parts.is_last or (session.testsfailed and not ignores_errors):
            return None
        for item, nextitem in pairwise(chain(self._items_of_all_parts(session), [None])):
            assert item is not None
            item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a test, and once more where the first time may have been the machine's fault."""
        index = _candidate_index(item)
        if index is None:
            return None
        assert self._supply is not None, "a session that runs tests has started its warm process"
        run = self._runs.setdefault(index, CandidateRun(self.candidates[index], self._supply))
        item.stash[run_key] = run
        self._empty_the_last(item)
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        run.is_second_try = False
        with self._lock.shared():
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if needs_second_try(run.fault(), run):
            with self._lock.exclusive():
                reports = self._try_again(item, nextitem, run)
        if nextitem is None or _candidate_index(nextitem) != index:
            self._end_run(index, run, reports[-1])
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        del item.stash[run_key]
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to the report what a grade needs to know, and what a reader wants to see."""
        report = yield
        run, key = item.stash.get(run_key, None), self._key(item)
        if run is not None and key is not None:
            error = call.excinfo.value if call.excinfo is not None else None
            annotate(report, error, key, run, is_brief=self._is_brief)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None, None, None]:
        """End the warm process, and every worker with it."""
        yield
        if self._supply is not None and SHARED_SUPPLY not in self._config.stash:
            self._supply.discard_warm_process()

    def _note_tests(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        graded = [item for item in items if isinstance(item, pytest.Function)]
        graded = [item for item in graded if _candidate_index(item) is not None]
        test_files = {item.path for item in graded}
        if len(test_files) > 1:
            folders = [path.parent for path in test_files]
            self._tests_folder = Path(os.path.commonpath(folders))
        self._collected.tests_sha256 = _hash_of(test_files)
        self._collected.expected = list(filter(None, map(self._key, graded)))
        twice = [key for key, count in Counter(self._collected.expected).items() if count > 1]
        if twice:
            self._collected.refusal = (
                f"two tests have the name {twice[0][1]!r}: give their parameters other ids",
                pytest.ExitCode.USAGE_ERROR,
            )
        if not self.parts.is_last:
            self.parts.note(graded)
            names = dict.fromkeys(name for _, name in self._collected.expected)
            everyone = range(len(self.candidates))
            self._collected.expected = [(index, name) for index in everyone for name in names]
        if not graded and not session.testsfailed:
            self._collected.refusal = (
                "--solution was given, but no test that was collected uses the solution fixture",
                pytest.ExitCode.USAGE_ERROR,
            )

    def _deliver_collected(self) -> None:
        collected = self._collected
        self._collected = replace(collected, expected=[], deselected=[], items=[])
        self._deliver(collected)

    def _items_of_all_parts(self, session: pytest.Session) -> Iterator[pytest.Item]:
        yield from session.items
        while not self.parts.is_last:
            self.parts.collect_next(session)
            self._deliver_collected()
            yield from session.items

    def _empty_the_last(self, item: pytest.Item) -> None:
        """Free what pytest keeps of a test to the end of the session, where there are many."""
        if self._spent is not None:
            vars(self._spent).clear()
        self._spent = item if self._is_brief else None

    def _make_ready(self, supply: WorkerSupply) -> tuple[str, int] | None:
        """Learn what is enforced; give the reason, and the exit status, where none can grade."""
        try:
            warm = supply.warm_process()
        except WorkerLost as error:
            return f"cannot grade: {error}", EXIT_HARNESS_ERROR
        except HarnessError as error:
            # What the warm process cannot import is the user's to install.
            return f"solution_preload: {error}", pytest.ExitCode.USAGE_ERROR
        isolation = warm.isolation
        self._collected.versions = warm.versions
        self._collected.isolation = asdict(isolation)
        if isolation.mode != "strict" or not isolation.missing:
            return None
        return (
            "--isolation=strict: this machine cannot enforce "
            f"{', '.join(isolation.missing)}. Use --isolation=auto to grade without.",
            pytest.ExitCode.USAGE_ERROR,
        )

    def _try_again(
        self, item: pytest.Item, nextitem: pytest.Item | None, run: CandidateRun
    ) -> list[pytest.TestReport]:
        first_fault = run.fault()
        run.begin_second_try()
        if isinstance(first_fault, HarnessError) and self._supply is not None:
            self._supply.discard_warm_process()
        item._report_sections.clear()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        run.had_timeout |= isinstance(run.fault(), SolutionTimeout)
        return reports

    def _end_run(self, index: int, run: CandidateRun, last_report: pytest.TestReport) -> None:
        del self._runs[index]
        if signs := run.end():
            add_tampering(last_report, signs)

    def _key(self, item: pytest.Item) -> TestKey | None:
        index = _candidate_index(item)
        if index is None:
            return None
        assert isinstance(item, pytest.Function)
        classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
        name = "::".join([*classes, item.originalname])
        if parameters := item.callspec._idlist[1:]:
            name += f"[{'-'.join(parameters)}]"
        if self._tests_folder is not None:
            name = f"{item.path.relative_to(self._tests_folder).as_posix()}::{name}"
        return index, name


def _preload_of(config: pytest.Config) -> list[str]:
    """What the tasks of the arguments preload. Raises `UsageError` for an invalid `task.toml`."""
    paths = [config.invocation_params.dir / arg.partition("::")[0] for arg in config.args]
    tasks = dict.fromkeys(find_task(path, config.rootpath) for path in paths)
    try:
        return [name for task in tasks if task for name in read_task(task).preload]
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _candidate_index(item: pytest.Item) -> int | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("solution")


def _hash_of(test_files: set[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(test_files):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
