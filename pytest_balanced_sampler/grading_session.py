"""Grades the candidates of one pytest session, by pytest's hooks; the plugin registers it."""

from __future__ import annotations

import gc
import hashlib
import os
import platform
import re
from collections.abc import Callable, Generator
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ExceptionChainRepr
from _pytest.runner import runtestprotocol

from .candidate import Candidate
from .candidate_run import CandidateRun, needs_second_try, run_key
from .errors import CandidateFault, HarnessError, SolutionError, SolutionTimeout, WorkerLost
from .grade import (
    GRADES_VERSION,
    CandidateRecord,
    Grade,
    PhaseOutcome,
    PhaseRecord,
    failure_mode_of,
)
from .proxy import make_proxy
from .supervisor import WorkerSupply
from .text import printable, printable_line

EXIT_HARNESS_ERROR = 3
"""The exit status of a session in which a candidate could not be graded."""

_MAX_TABLE_ROWS = 60
_RECORD = "solution_record"
_OWN_LINE = re.compile(r'^  File "[^/"<]+", line (\d+).*\n +(.{1,120})', re.MULTILINE)


class GradingSession:
    """What one session knows of its candidates, and the hooks that find it out."""

    def __init__(
        self, config: pytest.Config, candidates: list[Candidate], grading_seed: int, isolation: str
    ) -> None:
        self.candidates = candidates
        self._config = config
        is_selection = any("::" in argument for argument in config.args)
        self._records = [CandidateRecord(candidate.name, is_selection) for candidate in candidates]
        self._runs: dict[int, CandidateRun] = {}
        self._supply: WorkerSupply | None = None
        self._test_files: set[Path] = set()
        self._versions: dict[str, str] = {}
        self._grading_seed = grading_seed
        self._isolation: dict[str, Any] = {"mode": isolation}

    def pytest_report_header(self) -> str:
        """One line on what is graded."""
        return (
            f"solution: {len(self.candidates)} candidate{'s'[: len(self.candidates) > 1]}, "
            f"grading seed {self._grading_seed}, "
            f"isolation {self._isolation['mode']}"
        )

    def pytest_sessionstart(self) -> None:
        """Start the warm process now, so that it imports while pytest collects."""
        if not self._config.option.collectonly:
            preload = self._config.getini("solution_preload")
            self._supply = WorkerSupply(preload, self._isolation["mode"], make_proxy)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note every test that a grade needs, and keep each candidate's tests together."""
        graded = [item for item in items if _candidate_index(item) is not None]
        if not graded:
            raise pytest.UsageError(
                "--solution was given, but no test that was collected uses the solution fixture"
            )
        self._test_files = {item.path for item in graded}
        for item in graded:
            self._record_of(item).expect(self._test_name(item))
        items.sort(key=lambda item: -1 if (index := _candidate_index(item)) is None else index)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note what somebody chose not to run: it makes a grade incomplete."""
        for item in items:
            if _candidate_index(item) is not None:
                self._record_of(item).deselected.add(self._test_name(item))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        """Wait for the warm process: what it cannot import is the user's to install."""
        if self._supply is None:
            return
        try:
            warm = self._supply.warm_process()
        except WorkerLost as error:
            pytest.exit(f"cannot grade: {error}", returncode=EXIT_HARNESS_ERROR)
        except HarnessError as error:
            raise pytest.UsageError(f"solution_preload: {error}") from None
        # What the tests have imported stays. Every garbage collection would look through it
        # again, pytest's own five at the end alone for a second; every fork would copy it.
        gc.freeze()
        isolation = warm.isolation
        self._versions = warm.versions
        self._isolation = asdict(isolation)
        if isolation.mode == "strict" and isolation.missing:
            raise pytest.UsageError(
                "--isolation=strict: this machine cannot enforce "
                f"{', '.join(isolation.missing)}. Use --isolation=auto to grade without."
            )

    def pytest_report_collectionfinish(self) -> str:
        """One line on what is enforced."""
        enforced = ", ".join(self._isolation.get("enforced", [])) or "nothing"
        missing = ", ".join(self._isolation.get("missing", []))
        return f"isolation: {enforced}" + (f"; NOT ENFORCED: {missing}" if missing else "")

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
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        run.is_second_try = False
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        if needs_second_try(run.fault(), run):
            reports = self._try_again(item, nextitem, run)
        if nextitem is None or _candidate_index(nextitem) != index:
            self._end_run(index, run, reports[-1])
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to the report what a grade needs to know, and what a reader wants to see."""
        report = yield
        run = item.stash.get(run_key, None)
        if run is not None:
            self._annotate(report, call, item, run)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter a test's phase into its candidate's record."""
        record: PhaseRecord | None = getattr(report, _RECORD, None)
        if record is not None:
            self._records[record.candidate].phases[record.test].append(record)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Let the exit status say what the grades say, before any report is written."""
        session.exitstatus = self._exit_status(int(session.exitstatus))
        if (json_report := getattr(self._config, "_json_report", None)) is not None:
            json_report.save_report = partial(self._save_whole, session, json_report.save_report)
        yield
        if self._supply is not None:
            self._supply.discard_warm_process()

    @pytest.hookimpl(optionalhook=True)
    def pytest_json_modifyreport(self, json_report: dict[str, Any]) -> None:
        """Put the grades into pytest-json-report's file."""
        json_report["grades_version"] = GRADES_VERSION
        json_report["grades"] = [grade.as_json() for grade in self.grades()]
        json_report["grading_tests_sha256"] = self._hash_of_tests()
        json_report["versions"] = {
            "pytest-balanced-sampler": version("pytest-balanced-sampler"),
            "pytest": pytest.__version__,
            "python": platform.python_version(),
            **self._versions,
        }

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Close with a table of the grades."""
        grades = self.grades()
        terminalreporter.write_sep("-", "grades")
        for grade in grades[:_MAX_TABLE_ROWS]:
            terminalreporter.write_line(_table_row(grade), **{_colour(grade): True})
        if len(grades) > _MAX_TABLE_ROWS:
            terminalreporter.write_line(f"... and {len(grades) - _MAX_TABLE_ROWS} more")
        outcomes = [grade.outcome for grade in grades]
        counts = (f"{outcomes.count(name)} {name}" for name in dict.fromkeys(outcomes))
        terminalreporter.write_line(f"{len(grades)} graded: {', '.join(counts)}")

    def grades(self) -> list[Grade]:
        """The grades that follow from what was seen so far, in the order of the candidates."""
        return [record.grade(self._grading_seed, self._isolation) for record in self._records]

    def _save_whole(
        self, session: pytest.Session, save_report: Callable[[str], None], path: str
    ) -> None:
        """Have pytest-json-report's file appear whole or not at all."""
        part = f"{path}.part"
        try:
            save_report(part)
            os.replace(part, path)
        except OSError:
            session.exitstatus = EXIT_HARNESS_ERROR
            Path(part).unlink(missing_ok=True)
            raise

    def _try_again(
        self, item: pytest.Item, nextitem: pytest.Item | None, run: CandidateRun
    ) -> list[pytest.TestReport]:
        first_fault = run.fault()
        run.end()
        if isinstance(first_fault, HarnessError) and self._supply is not None:
            self._supply.discard_warm_process()
        run.is_second_try = True
        item._report_sections.clear()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        run.had_timeout |= isinstance(run.fault(), SolutionTimeout)
        return reports

    def _end_run(self, index: int, run: CandidateRun, last_report: pytest.TestReport) -> None:
        signs = run.end()
        self._records[index].sha256 = run.sha256
        del self._runs[index]
        if signs:
            record: PhaseRecord = getattr(last_report, _RECORD)
            setattr(last_report, _RECORD, replace(record, tampering=(*record.tampering, *signs)))

    def _annotate(
        self,
        report: pytest.TestReport,
        call: pytest.CallInfo[None],
        item: pytest.Item,
        run: CandidateRun,
    ) -> None:
        error = call.excinfo.value if call.excinfo is not None else None
        fault = run.fault()
        if report.when == "call" and report.passed and fault is not None:
            # The test caught the fault; that is no evidence that the candidate can do anything.
            report.outcome = "failed"
            report.longrepr = f"{type(fault).__name__}: {fault}"
        outcome = _phase_outcome(report, fault or error, run)
        cause = (fault or error) if outcome in ("failed", "harness_error") else None
        if report.failed:
            _add_sections(report, cause, run)
            _make_printable(report)
        record = PhaseRecord(
            candidate=_candidate_index(item) or 0,
            test=self._test_name(item),
            phase=report.when or "call",
            outcome=outcome,
            duration=report.duration,
            failure_mode=_mode(cause, outcome, self._test_name(item))
            if cause is not None
            else None,
            message=printable(_message(cause), 1000) if cause is not None else "",
            tampering=tuple(filter(None, [getattr(cause, "tampering", "")])),
        )
        setattr(report, _RECORD, record)

    def _exit_status(self, status: int) -> int:
        grades = self.grades()
        if any(grade.outcome == "harness_error" for grade in grades):
            return EXIT_HARNESS_ERROR
        if status == pytest.ExitCode.OK and not all(map(_is_good_or_chosen, grades)):
            return int(pytest.ExitCode.TESTS_FAILED)
        return status

    def _hash_of_tests(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(self._test_files):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def _record_of(self, item: pytest.Item) -> CandidateRecord:
        return self._records[_candidate_index(item) or 0]

    def _test_name(self, item: pytest.Item) -> str:
        assert isinstance(item, pytest.Function)
        own = self.candidates[_candidate_index(item) or 0].test_id
        rest = item.callspec.id.removesuffix(own).removesuffix("-").removeprefix(f"{own}-")
        name = item.originalname + (f"[{rest}]" if rest else "")
        return name if len(self._test_files) == 1 else f"{item.path.name}::{name}"


def _candidate_index(item: pytest.Item) -> int | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("solution")


def _phase_outcome(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> PhaseOutcome:
    if hasattr(report, "wasxfail"):
        return "xpassed" if report.passed else "xfailed"
    if not report.failed:
        return report.outcome
    if isinstance(cause, WorkerLost) and run.is_second_try:
        return "failed"
    if isinstance(cause, HarnessError):
        return "harness_error"
    # A fixture of the author's that fails before it asked the candidate for anything.
    is_authors = report.when != "call" and not run.was_touched
    return "harness_error" if is_authors else "failed"


def _mode(cause: BaseException, outcome: PhaseOutcome, test: str) -> str:
    if outcome == "harness_error":
        return "harness_error"
    return (
        CandidateFault.failure_mode
        if isinstance(cause, WorkerLost)
        else failure_mode_of(cause, test)
    )


def _message(cause: BaseException) -> str:
    text = str(cause)
    if isinstance(cause, AssertionError) and not isinstance(cause, SolutionError):
        # pytest writes the author's own message first, and what it knows of the values after it.
        text = text.partition("\nassert ")[0]
    if isinstance(cause, SolutionError):
        text = f"{cause.type_name}: {text}"
    return text + _where(getattr(cause, "traceback", ""))


def _where(traceback: object) -> str:
    """The innermost line of the candidate's own in a traceback, in brackets."""
    # Its own file is shown without a folder, other people's with one.
    lines = re.findall(_OWN_LINE, traceback) if isinstance(traceback, str) else []
    return f" (line {lines[-1][0]}: {lines[-1][1]})" if lines else ""


def _add_sections(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> None:
    traceback = getattr(cause, "traceback", "")
    if isinstance(traceback, str) and traceback:
        report.sections.append(("the candidate's traceback", _quote(traceback)))
    if output := run.take_output():
        report.sections.append(("what the candidate printed", _quote(output)))


def _quote(text: str) -> str:
    """Set off what a candidate wrote, so that it cannot look like a line of pytest's."""
    return "\n".join(f"| {line}" for line in text.splitlines())


def _make_printable(report: pytest.TestReport) -> None:
    """Escape, in what pytest is going to show, the text that came from a candidate.

    An assertion that compares strings shows them raw.
    """
    if isinstance(report.longrepr, str):
        report.longrepr = printable(report.longrepr)
    elif isinstance(report.longrepr, ExceptionChainRepr):
        for traceback, location, _ in report.longrepr.chain:
            for entry in traceback.reprentries:
                entry.lines = [printable(line) for line in entry.lines]
            if location is not None:
                # On a CI server pytest's summary shows all lines of it, not the first alone.
                location.message = printable(location.message).replace("\n", "\n| ")
    report.sections[:] = [(name, printable(text, 20_000)) for name, text in report.sections]


def _is_good_or_chosen(grade: Grade) -> bool:
    """Whether all is well, but for tests that somebody deselected on purpose."""
    return grade.outcome == "passed" or set(grade.tests.values()) == {"passed", "deselected"}


def _table_row(grade: Grade) -> str:
    passed = f"{list(grade.tests.values()).count('passed')}/{len(grade.tests)}"
    mode = f" ({grade.failure_mode})" if grade.failure_mode not in (None, grade.outcome) else ""
    cause = f"  {printable_line(grade.message, 100)}" if grade.message else ""
    tampering = "  TAMPERING: " + "; ".join(grade.tampering) if grade.tampering else ""
    return f"{passed:>5}  {grade.solution}: {grade.outcome}{mode}{cause}{tampering}"


def _colour(grade: Grade) -> str:
    return {"passed": "green", "failed": "red", "no_solution": "red"}.get(grade.outcome, "yellow")
