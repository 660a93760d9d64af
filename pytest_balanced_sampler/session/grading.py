"""Grades the candidates of one pytest session, by pytest's hooks; the plugin registers it.

pytest collects the tests once. They run for each candidate in a process of their own, which is
forked after collection. With pytest-xdist there is a grading session in every worker process of a
session, and none in the controller.
"""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ..authoring import compute_shared
from ..errors import HarnessError, WorkerLost
from ..judge.supply import WorkerSupply
from ..judge.warm_process import WarmConnection
from ..task import TaskSettings, find_task, read_task
from ..wire.arrays import use_one_thread
from . import foreign
from .blame import Blame
from .candidate import Candidate
from .candidate_run import CandidateRun
from .candidate_tests import FIXTURE, CandidateTests, NamedTest
from .collection import Collected, Refusal, TestNames, repeated
from .forked_process import ForkedProcess, ParentLink
from .grade_book import EXIT_HARNESS_ERROR
from .import_mode import ImportMode
from .options import DEFAULT_TIMEOUT_SECONDS, options_of
from .phase_report import blame_the_author, lost_test, record_of
from .record import NO_TEST
from .session_lock import SessionLock

SHARED_SUPPLY = pytest.StashKey[list[WorkerSupply]]()
"""Where a host keeps the supply that serves all of its sessions, once there is one."""

LOCK_FOLDER = pytest.StashKey[Path]()
"""Where a host says in which folder it shares a lock with others."""

CANDIDATE_TESTS = "candidate_tests"
"""The name of the plugin that runs tests, in the process of a candidate."""

_log = logging.getLogger(__name__)


class CandidateItem(pytest.Item):
    """Stands in the session's list of tests for all tests of one candidate."""

    def __init__(self, *, index: int, candidate_name: str, **fields: Any) -> None:
        super().__init__(nodeid=candidate_name, **fields)
        self.index = index
        self.shown_nodeid = candidate_name

    @property
    def nodeid(self) -> str:
        """The id of the test whose report is being logged; pytest-xdist compares the two."""
        return self.shown_nodeid

    def runtest(self) -> None:
        raise AssertionError("the grading session runs the tests of a candidate")


class GradingSession:
    """What one process knows of the candidates that it grades, and the hooks that find it out.

    `deliver` gets what was collected, before the first test.
    """

    def __init__(
        self,
        config: pytest.Config,
        candidates: list[Candidate],
        deliver: Callable[[Collected], None],
        lock: SessionLock,
        *,
        keeps_details: bool,
    ) -> None:
        self._config = config
        self._options = options_of(config)
        self._candidates = candidates
        self._deliver = deliver
        self._lock = lock
        self._keeps_details = keeps_details
        self._supply: WorkerSupply | None = None
        self._connection: WarmConnection | None = None
        self._settings = TaskSettings()
        self._tests: list[NamedTest] = []
        self._blame = Blame(self._probe)
        self._ending: list[ForkedProcess] = []
        self._import_mode = ImportMode(self._options.module) if self._options.module else None
        self._collected = Collected(isolation={"mode": self._options.isolation})

    def pytest_sessionstart(self) -> None:
        """Start the warm process now, so that it imports while pytest collects."""
        if self._config.option.collectonly:
            return
        self._settings = self._settings_of(
            [Path(argument.partition("::")[0]) for argument in self._config.args]
        )
        shared = self._config.stash.get(SHARED_SUPPLY, None)
        self._supply = shared[0] if shared else self._start_supply()
        if shared == []:
            shared.append(self._supply)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Have the tests be collected without a candidate where they import one by its name."""
        if self._import_mode is not None:
            self._import_mode.use_placeholder()

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Leave it to the candidates what cannot be collected without any."""
        report = yield
        if self._import_mode is not None and isinstance(collector, pytest.Module):
            self._import_mode.note(collector)
            if report.failed:
                foreign.pass_without_result(report)
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what pytest could not collect: without it there is no pass."""
        if not report.passed:
            what = "failed" if report.failed else "was skipped"
            self._collected.gaps.append(f"collection of {report.nodeid or 'the tests'} {what}")

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Note what pytest warns that it did not collect."""
        if issubclass(warning_message.category, pytest.PytestCollectionWarning):
            self._collected.gaps.append(str(warning_message.message))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note every test that a grade needs, before some are deselected."""
        collected, names = self._collected, TestNames(items)
        self._names = names
        collected.expected = [names.name_of(item) for item in items]
        if self._import_mode is not None:
            # With the candidate there may be others, of other parameters: each process says.
            self._import_mode.note_tests(items)
            collected.expected = []
        collected.tests_sha256 = names.sha256()
        if any("::" in argument for argument in self._config.args):
            collected.gaps.append("only tests that were named one by one were run")
        if getattr(self._config.option, "lf", False):
            collected.gaps.append("only tests that failed the last time were run (--lf)")
        if (name := repeated(collected.expected)) is not None:
            reason = f"two tests have the name {name!r}: give their parameters other ids"
            collected.refusal = Refusal(reason, pytest.ExitCode.USAGE_ERROR)
        elif not collected.gaps and not self._may_use_candidate(items):
            reason = f"--solution was given, but {NO_TEST}"
            collected.refusal = Refusal(reason, pytest.ExitCode.USAGE_ERROR)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note what somebody chose not to run: it makes a grade incomplete."""
        names = [self._names.name_of(item) for item in items]
        if self._import_mode is None:
            self._collected.deselected += names
        else:
            self._collected.gaps.append(f"{len(names)} tests were deselected")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Wait for the warm process, say what was collected, and make ready to fork."""
        collected, self._session = self._collected, session
        if self._supply is None:
            return
        if (session.items or self._import_mode) and collected.refusal is None:
            collected.refusal = self._make_ready(session)
        self._tests = [(self._names.name_of(item), item) for item in session.items]
        self._candidate_tests = CandidateTests(
            self._config,
            self._tests,
            self._lock,
            seconds_of=self._seconds_of,
            always_reaches=self._import_mode is not None,
            keeps_details=self._keeps_details,
        )
        self._config.pluginmanager.register(self._candidate_tests, CANDIDATE_TESTS)
        self._deliver(collected)
        session.items = [
            CandidateItem.from_parent(
                session, name=candidate.name, candidate_name=candidate.name, index=index
            )
            for index, candidate in enumerate(self._candidates)
            if self._tests or self._import_mode is not None
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Have pytest count the tests of all candidates."""
        if self._tests and self._supply is not None:
            session.testscollected = len(self._tests) * len(self._candidates)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Grade a candidate."""
        if not isinstance(item, CandidateItem):
            return None
        self._grade(item)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None, None, None]:
        """End the warm process, and every worker with it."""
        yield
        for process in self._ending:
            process.wait()
        if self._connection is not None:
            self._connection.close()
        if self._supply is not None and SHARED_SUPPLY not in self._config.stash:
            self._supply.discard_warm_process()

    def _grade(self, item: CandidateItem) -> None:
        """Run the candidate's tests, in further processes where one ends before all have run."""
        start, tries, had_timeout, is_over = 0, 1, False, False
        names: list[str] | None = None
        if self._import_mode is None:
            names = [name for name, _ in self._tests]
        while not is_over and not self._is_stopped(item.session):
            process = self._fork(item.index, start, tries, had_timeout)
            is_clean, why = False, ""
            try:
                for message in process.messages():
                    match message:
                        case {"kind": "test", "place": int() as place}:
                            self._log_test(item, message)
                            start, tries, is_clean = place + 1, 1, True
                            had_timeout = message["had_timeout"]
                            if message["waits"]:
                                process.answer(go_on=not self._is_stopped(item.session))
                            elif self._is_stopped(item.session):
                                break
                        case {"kind": "collected"}:
                            if names is None:
                                self._log_reports(item, message["reports"])
                            names = message["tests"]
                        case {"kind": "retry"}:
                            tries, is_clean = 2, True
                            _log.warning("a test is tried again: %s", message["why"])
                            if message["is_machine"]:
                                self._renew_supply(message["why"])
                        case {"kind": "end"}:
                            is_over = is_clean = True
                            break
                        case {"kind": "broken"}:
                            why, is_clean = message["text"], False
                        case _:
                            self._log_other(message)
                place, is_touched = process.last_test()
                is_clean = is_clean and (is_over or place < start or tries == 2)
            except BaseException:
                process.kill()
                raise
            if is_clean or self._is_stopped(item.session):
                self._leave(process)
                continue
            _log.warning("a process of tests was lost (%s): %s", process.wait(), why)
            if tries == 1:
                tries = 2
                continue
            test = names[start] if names is not None and place >= 0 else "collection"
            report = lost_test(item.index, test, is_touched, why)
            self._log_reports(item, [self._as_data(report)])
            start, tries, is_over = start + 1, 1, place < 0

    def _fork(self, index: int, start: int, tries: int, had_timeout: bool) -> ForkedProcess:
        def main(link: ParentLink) -> None:
            run = self._run_in_fork(self._candidates[index], connection)
            run.tries, run.had_timeout = tries, had_timeout
            foreign.use_temporary_folder(self._config, f"candidate-{index}")
            self._run_tests(index, run, link, start)

        connection, self._connection = self._connection or self._connect(), None
        process = ForkedProcess(main)
        if connection is not None:
            connection.close()
        # The next worker is forked while this process runs its tests.
        self._connection = self._connect()
        return process

    def _leave(self, process: ForkedProcess) -> None:
        """Let a process end by itself, while the next one is at work."""
        if self._is_stopped(self._session):
            process.kill()
        self._ending = [other for other in [*self._ending, process] if not other.is_over()]

    def _probe(self, test: str) -> ForkedProcess:
        """A process that runs one test without a candidate."""

        def main(link: ParentLink) -> None:
            run = self._run_in_fork(None, None)
            foreign.use_temporary_folder(self._config, "candidate-none")
            self._candidate_tests.keep_only(test)
            self._run_tests(0, run, link, 0)

        return ForkedProcess(main)

    def _run_in_fork(
        self, candidate: Candidate | None, connection: WarmConnection | None
    ) -> CandidateRun:
        """Begin a candidate's run, in the process that was forked for it."""
        assert self._supply is not None
        self._supply.use_in_forked_process(connection)
        foreign.silence_terminal(self._config)
        use_one_thread()
        if hasattr(self._config, "workerinput"):
            from .with_xdist import leave_session

            leave_session(self._config)
        return CandidateRun(candidate, self._supply, self._options.module)

    def _run_tests(self, index: int, run: CandidateRun, link: ParentLink, start: int) -> None:
        tests = self._candidate_tests
        tests.begin(index, self._candidates[index].name, run, link)
        if self._import_mode is not None:
            self._config.pluginmanager.unregister(self)
            if not tests.collect(self._import_mode, self._session, self._names):
                return
        tests.run_from(start)

    def _log_test(self, item: CandidateItem, message: dict[str, Any]) -> None:
        hook, nodeid = self._config.hook, message["nodeid"]
        location = tuple(message["location"])
        hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
        self._log_reports(item, message["reports"])
        hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)

    def _log_reports(self, item: CandidateItem, reports: list[Any]) -> None:
        for data in reports:
            hook = self._config.hook
            report = hook.pytest_report_from_serializable(config=self._config, data=data)
            foreign.restore_tuples(report)
            record = record_of(report)
            error = record.untouched_error if record is not None else None
            if record is not None and error and self._blame.is_authors(record.test, error):
                blame_the_author(report)
            item.shown_nodeid = report.nodeid
            item.ihook.pytest_runtest_logreport(report=report)
        item.shown_nodeid = item.name

    def _log_other(self, message: dict[str, Any]) -> None:
        match message.pop("kind"):
            case "warning":
                foreign.record_warning(self._config, message)
            case "exit":
                pytest.exit(message["reason"], message["returncode"])

    def _as_data(self, report: pytest.TestReport) -> Any:
        return self._config.hook.pytest_report_to_serializable(config=self._config, report=report)

    def _is_stopped(self, session: pytest.Session) -> bool:
        return bool(session.shouldfail or session.shouldstop)

    def _connect(self) -> WarmConnection | None:
        """The connection of the next process; None where it must start a warm process itself."""
        assert self._supply is not None
        try:
            return self._supply.connect()
        except HarnessError as error:
            _log.warning("no warm process: %s", error)
            return None

    def _renew_supply(self, why: str) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._supply is not None:
            self._supply.discard_warm_process(why)

    def _start_supply(self) -> WorkerSupply:
        preload = self._options.preload or self._settings.preload
        return WorkerSupply(preload, self._options.isolation)

    def _settings_of(self, paths: list[Path]) -> TaskSettings:
        """What the task of these paths says; the default where there is no task.toml."""
        base, root = self._config.invocation_params.dir, self._config.rootpath
        tasks = {find_task(base / path, root) for path in paths} - {None}
        if len(tasks) > 1:
            shown = ", ".join(sorted(str(task) for task in tasks))
            raise pytest.UsageError(f"these are the tests of several tasks: {shown}. Grade one.")
        try:
            return read_task(task) if (task := next(iter(tasks), None)) else TaskSettings()
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None

    def _seconds_of(self, item: pytest.Item | pytest.Session) -> float:
        """The CPU seconds that a candidate may use in a test, or while tests import it."""
        marker = item.get_closest_marker("solution_timeout")
        if marker is not None:
            return float(marker.args[0])
        options, settings = self._options, self._settings
        return options.solution_timeout or settings.solution_timeout or DEFAULT_TIMEOUT_SECONDS

    def _may_use_candidate(self, items: list[pytest.Item]) -> bool:
        """Whether a test asks for the fixture, or could while it runs."""
        if self._options.module or any(
            FIXTURE in getattr(item, "fixturenames", ()) for item in items
        ):
            return True
        files = {item.path for item in items} | set(foreign.conftest_files(self._config))
        return any(FIXTURE.encode() in path.read_bytes() for path in files)

    def _make_ready(self, session: pytest.Session) -> Refusal | None:
        """Make all that the forked processes share. Gives the reason where nothing can grade."""
        assert self._supply is not None
        settings = self._settings_of([item.path for item in session.items])
        if settings.preload != self._settings.preload and self._options.preload is None:
            # The tests were found below the folder that pytest was given.
            self._settings = settings
            self._supply.discard_warm_process()
            self._supply = self._start_supply()
        self._settings = settings
        try:
            warm = self._supply.warm_process()
        except WorkerLost as error:
            return Refusal(f"cannot grade: {error}", EXIT_HARNESS_ERROR)
        except HarnessError as error:
            # What the warm process cannot import is the user's to install.
            return Refusal(f"solution_preload: {error}", pytest.ExitCode.USAGE_ERROR)
        self._collected.versions = warm.versions
        self._collected.isolation = asdict(warm.isolation)
        compute_shared()
        # Here, even if no test is known to use it: no process below cleans up at its end.
        foreign.make_temporary_folder(self._config)
        # What the tests have imported stays. A garbage collection would look through it again in
        # each process, and have the kernel copy it.
        if not gc.get_freeze_count():
            gc.collect()
            gc.freeze()
        missing = warm.isolation.missing
        if self._options.isolation != "strict" or not missing:
            return None
        return Refusal(
            f"--isolation=strict: this machine cannot enforce {', '.join(missing)}. "
            "Use --isolation=auto to grade without.",
            pytest.ExitCode.USAGE_ERROR,
        )
