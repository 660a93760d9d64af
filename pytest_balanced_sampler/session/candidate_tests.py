"""Runs the tests of one candidate, in the process that was forked for it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from itertools import zip_longest
from typing import Any

import pytest

from ..judge.solution_module import SolutionModule
from ..judge.solution_program import SolutionProgram
from . import foreign
from .budget import COLLECTION, TimeLimits
from .candidate_collection import CandidateCollection, NamedTest, Uncollected
from .candidate_output import PLACE
from .candidate_run import CandidateRun
from .collection import TestNames, with_candidate
from .forked_process import ParentLink
from .gaps import result_checked
from .import_mode import ImportMode
from .marks import first_part, held_out_last, marks_by_test
from .not_tests import import_from_fixed_folders
from .patches import note_patches
from .phase_report import Test, annotate
from .private_folders import PRIVATE_FOLDERS
from .report_record import add_late_fault, conclude, has_failed, include_subtests
from .session_lock import SessionLock
from .touches import Touches
from .unrun_report import uncollected_test


class CandidateTests:
    """The tests of the session, and the pytest hooks that record what happens in them.

    The session registers it before it forks a process for each candidate; there, `begin` enables
    the hooks. In the session's own process they do nothing.
    """

    def __init__(
        self,
        config: pytest.Config,
        tests: Sequence[NamedTest],
        lock: SessionLock,
        *,
        seconds_of: Callable[[pytest.Item | pytest.Session], float],
        always_reaches: bool,
        keeps_details: bool,
    ) -> None:
        self._config = config
        self._tests = held_out_last(tests)
        self.marks = marks_by_test(tests)
        self.held_out_apart = False
        self._lock = lock
        self._seconds_of = seconds_of
        self._always_reaches = always_reaches
        self._keeps_details = keeps_details
        self._waits_for_parent = bool(
            config.getoption("maxfail", 0) or config.getoption("stepwise", None)
        )
        self._is_at_work = False
        self._place = -1
        self._reports: list[pytest.TestReport] = []
        self._sub_reports: list[pytest.TestReport] = []
        self._only: str | None = None
        self._total: int | None = None

    def begin(self, candidate: int, shown_name: str, run: CandidateRun, link: ParentLink) -> None:
        """Prepare for one candidate. `shown_name` represents it in the ids of its tests."""
        import_from_fixed_folders()
        self.candidate_run = run
        run.watch, run.limit_work = link.watch, link.limit_work
        run.private_folders = self._config.stash.get(PRIVATE_FOLDERS, {})
        self._candidate = candidate
        self._shown_name = shown_name
        self._link = link
        self._touches = Touches(candidate, run, always_reaches=self._always_reaches)
        self._config.pluginmanager.register(self._touches)
        note_patches(run.surroundings)
        self._is_at_work = True

    def names(self) -> list[str]:
        """The names of the tests, in their order."""
        return [name for name, _ in self._tests]

    def longest(self, limits: TimeLimits) -> float | None:
        """The most seconds that a candidate can take; None if unknown."""
        return limits.longest({name: self._seconds_of(item) for name, item in self._tests})

    def keep_only(self, test: str) -> None:
        """Drop all other tests, including those that are collected later."""
        self._only = test
        self._tests = [(name, item) for name, item in self._tests if name == test]

    def solution(self) -> SolutionModule:
        """The value of the fixture. Raises `LookupError` if no candidate is being tested."""
        if not self._is_at_work:
            raise LookupError("no candidate is being tested")
        run = self.candidate_run
        return SolutionModule(
            self._shown_name,
            run.module,
            name=run.module_name,
            file="" if run.candidate is None else run.candidate.file,
            is_package=run.entry is not None,
        )

    def program(self) -> SolutionProgram:
        """The value of the fixture for programs."""
        return SolutionProgram(self._shown_name, self.candidate_run.run_program)

    def collect(self, import_mode: ImportMode, session: pytest.Session, names: TestNames) -> bool:
        """Collect the tests again, with this candidate imported under its name.

        Returns whether they can be run; if not, the candidate needs a second try.
        """
        run = self.candidate_run
        self._begin(COLLECTION, -1, session)
        collection = CandidateCollection(import_mode, names, run, self.marks)
        self._config.pluginmanager.register(collection)
        placeholders = self._tests
        self._tests = collection.collect(session, self.solution() if run.has_any else None)
        self._touches.files = collection.touching_files
        import_from_fixed_folders()
        if run.needs_second_try():
            self._tell_retry()
            return False
        lost = collection.lost(placeholders)
        self._total = collection.count_rewarded(lost)
        if self._only is not None:
            self.keep_only(self._only)
        reports = [
            self._as_data(self._uncollected_test(name, why))
            for name, why in lost.items()
            if self._only in (None, name)
        ]
        if not run.has_any:
            import_mode.refuse_placeholder()
        told = {"tests": self.names(), "marks": self.marks, "reports": reports, "time": run.time()}
        self._link.tell("collected", **told)
        return True

    def run_from(self, start: int) -> None:
        """Run the tests from this position on, and send the parent the result of each.

        Ends early if a test needs a second try, or if the worker has ended, because fixtures may
        still hold objects of it. A message then tells at which test another process continues.
        """
        for _, item in self._tests:
            foreign.rename(item, self._with_candidate(item.nodeid))
        left = [item for _, item in self._tests[start:]]
        # Held-out tests of a candidate have their own process, so they cannot change the grade.
        items = first_part(left) if self.held_out_apart else left
        try:
            for place, (item, nextitem) in enumerate(zip_longest(items, items[1:]), start):
                if not self._run_one(place, item, nextitem):
                    return
            if items == left:
                self._link.tell("end")
        except (KeyboardInterrupt, pytest.exit.Exception) as error:
            # A test that stops the session after it used the candidate ends that candidate only.
            # This process gets no interrupt from the terminal.
            if self.candidate_run.was_touched:
                raise
            if isinstance(error, pytest.exit.Exception):
                self._link.tell("exit", reason=error.msg, returncode=error.returncode)
            else:
                self._link.tell("interrupted")

    def _run_one(self, place: int, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test. Returns whether this process also runs the next one."""
        run, link = self.candidate_run, self._link
        self._place, self._sub_reports = place, []
        self._touches.begin_test(item)
        self._begin(self._tests[place][0], place, item)
        run.in_fixture(True)
        link.note(place, is_touched=False)
        turn = self._lock.shared if run.tries == 1 else self._lock.exclusive
        with turn(run.stopped):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        for report in self._reports:
            if report.when == "call":
                include_subtests(report, self._sub_reports)
        if run.needs_second_try():
            self._tear_down_all(item.session)
            self._tell_retry()
            return False
        run.end_test(has_failed=any(map(has_failed, self._reports)))
        time, why_stop = run.time(), run.budget.why_stop() if nextitem is not None else ""
        if nextitem is None or run.has_ended or why_stop:
            self._tear_down_all(item.session)
            if (fault := run.late_fault()) is not None:
                add_late_fault(self._reports[-1], fault)
            conclude(self._reports[-1], run.end(), why_stop)
        reports = [self._as_data(report) for report in [*self._sub_reports, *self._reports]]
        link.tell(
            "test",
            place=place,
            nodeid=item.nodeid,
            location=self._location(item.location),
            reports=reports,
            budget=run.budget.as_json(),
            time=time,
            waits=self._waits_for_parent,
        )
        run.tries = 1
        if self._waits_for_parent and not link.should_continue():
            self._tear_down_all(item.session)
            return False
        return not run.has_ended and not why_stop

    def _begin(self, test: str, place: int, node: pytest.Item | pytest.Session) -> None:
        on_touch = partial(self._link.note, place, is_touched=True)
        self.candidate_run.begin_test(test, self._seconds_of(node), on_touch)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a test as pytest does, but collect the reports, which the parent logs."""
        if not self._is_at_work:
            return None
        self._reports = foreign.run_phases(item, nextitem)
        return True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Raise faults as `BaseException`s in a test's own code only, which cannot swallow them."""
        if not self._is_at_work:
            return (yield)
        self.candidate_run.in_fixture(False)
        try:
            with result_checked(item):
                return (yield)
        finally:
            self.candidate_run.in_fixture(True)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to the report the data for the grade, and the details for readers."""
        report = yield
        if not self._is_at_work:
            return report
        error = call.excinfo.value if call.excinfo is not None else None
        annotate(
            report,
            error,
            self._touches.test(item, self._tests[self._place][0], call.when, error),
            self.candidate_run,
            total=self._total,
            keeps_details=self._keeps_details,
        )
        report.location = self._location(report.location)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the report of a subtest: pytest logs no other kind in this process."""
        if self._is_at_work:
            self._sub_reports.append(report)

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        """Pass a warning on to the parent, unless it comes from a candidate."""
        if self._is_at_work and warning_message.filename != PLACE:
            fields = foreign.told_of(warning_message, when, nodeid, location)
            self._link.tell("warning", **fields)

    def _tear_down_all(self, session: pytest.Session) -> None:
        """Let fixtures clean up; errors are ignored, because all results are already recorded."""
        with suppress(Exception, pytest.fail.Exception, pytest.skip.Exception):
            foreign.tear_down_all(session)

    def _tell_retry(self) -> None:
        self._link.tell("retry", **self.candidate_run.why_second_try())

    def _uncollected_test(self, name: str, why: Uncollected) -> pytest.TestReport:
        where = f"{os.path.relpath(why.path, self._config.rootpath)}::{name}"
        test = Test(self._candidate, name, why.is_touched, True, marks=self.marks.get(name, ()))
        return uncollected_test(test, self._with_candidate(where), why.error, self.candidate_run)

    def _as_data(self, report: pytest.TestReport) -> Any:
        return self._config.hook.pytest_report_to_serializable(config=self._config, report=report)

    def _location(self, location: tuple[str, int | None, str]) -> tuple[str, int | None, str]:
        return *location[:2], self._with_candidate(location[2])

    def _with_candidate(self, test: str) -> str:
        return with_candidate(test, self._shown_name)
