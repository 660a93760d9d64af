"""What pytest sees: the options, the `solution` fixture, and the hooks that grade.

pytest loads it through the `pytest11` entry point; nobody imports it. It knows nothing of any
task. All state of a session is in `GradingSession`, which is registered only when there are
candidates.
"""

from __future__ import annotations

import hashlib
import platform
import random
from collections.abc import Generator, Iterator
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from .candidate import Candidate, find_candidates
from .errors import (
    CandidateFault,
    HarnessError,
    LoadError,
    NoSolution,
    SolutionError,
    SolutionTimeout,
    WorkerLost,
)
from .grade import (
    GRADES_VERSION,
    CandidateRecord,
    Grade,
    PhaseOutcome,
    PhaseRecord,
    failure_mode_of,
)
from .proxy import Proxy, SolutionModule, make_proxy
from .supervisor import WarmProcess, Worker
from .text import printable, printable_line

DEFAULT_GRADING_SEED = 20261122
DEFAULT_TIMEOUT_SECONDS = 20.0
ISOLATION_MODES = ("auto", "strict", "off")
EXIT_HARNESS_ERROR = 3
"""The exit status of a session in which a candidate could not be graded."""

_MAX_TABLE_ROWS = 60
_RECORD = "solution_record"
_run_key = pytest.StashKey["CandidateRun"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and their ini keys."""
    group = parser.getgroup("solution", "grading candidates (pytest-balanced-sampler)")
    group.addoption(
        "--solution",
        metavar="PATH",
        action="append",
        help="candidate to grade: a file, a folder (every *.py below it) or a glob; repeatable",
    )
    group.addoption(
        "--grading-seed",
        metavar="N",
        type=int,
        help=f"seed of the drawn test cases (default: {DEFAULT_GRADING_SEED})",
    )
    group.addoption(
        "--solution-timeout",
        metavar="SECONDS",
        type=float,
        help="CPU seconds that a candidate may use in one test; three times as much by the clock "
        f"(default: {DEFAULT_TIMEOUT_SECONDS:g})",
    )
    group.addoption(
        "--isolation",
        choices=ISOLATION_MODES,
        help="auto: all that this machine can enforce; strict: no grading unless that is "
        "everything; off: for code that you trust (default: auto)",
    )
    parser.addini("solution", "candidates to grade, as --solution", type="args")
    parser.addini("grading_seed", "as --grading-seed", type="int", default=DEFAULT_GRADING_SEED)
    parser.addini(
        "solution_timeout", "as --solution-timeout", type="float", default=DEFAULT_TIMEOUT_SECONDS
    )
    parser.addini("isolation", "as --isolation", default="auto")
    parser.addini("solution_preload", "modules imported before any candidate", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Look for the candidates, and prepare to grade them if there are any."""
    config.addinivalue_line(
        "markers",
        "solution_timeout(seconds): CPU seconds that a candidate may use in this test.",
    )
    patterns: list[str] = config.getoption("solution") or config.getini("solution")
    if not patterns:
        return
    if getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
        raise pytest.UsageError("--solution does not work with pytest-xdist yet: leave out -n")
    if _option(config, "isolation") not in ISOLATION_MODES:
        raise pytest.UsageError(f"isolation must be one of {', '.join(ISOLATION_MODES)}")
    if not _option(config, "solution_timeout") > 0:
        raise pytest.UsageError("--solution-timeout must be a positive number of seconds")
    try:
        candidates = find_candidates(patterns, config.invocation_params.dir)
    except FileNotFoundError as error:
        raise pytest.UsageError(str(error)) from None
    config.pluginmanager.register(GradingSession(config, candidates), "grading_session")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make each candidate a parameter of every test that uses `solution`."""
    session: GradingSession | None = metafunc.config.pluginmanager.get_plugin("grading_session")
    if "solution" in metafunc.fixturenames and session is not None:
        metafunc.parametrize(
            "solution",
            range(len(session.candidates)),
            ids=[candidate.name for candidate in session.candidates],
            indirect=True,
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say what to pass, where tests wait for a candidate and none was given."""
    if config.pluginmanager.has_plugin("grading_session"):
        return
    if any("solution" in getattr(item, "fixturenames", ()) for item in items):
        raise pytest.UsageError(
            "these tests grade a candidate, and none was given. Pass --solution=PATH, where PATH "
            "is a Python file, a folder of them or a glob."
        )


@pytest.fixture(scope="session")
def grading_seed(request: pytest.FixtureRequest) -> int:
    """The seed from which the test cases of this session are drawn."""
    seed: int = _option(request.config, "grading_seed")
    return seed


@pytest.fixture
def grading_random(request: pytest.FixtureRequest, grading_seed: int) -> random.Random:
    """A random generator for this test's cases.

    It depends on the grading seed and the test, not on the candidate or on what ran before.
    """
    return random.Random(f"{grading_seed}/{request.node.originalname}")


@pytest.fixture
def solution(request: pytest.FixtureRequest) -> Iterator[SolutionModule]:
    """The candidate's module, in a process of its own; see `SolutionModule`."""
    run = request.node.stash[_run_key]
    marker = request.node.get_closest_marker("solution_timeout")
    run.begin_test(marker.args[0] if marker else _option(request.config, "solution_timeout"))
    yield SolutionModule(run.candidate.name, run.module)


class CandidateRun:
    """One candidate while its tests run: its worker, and what is known of it for good."""

    def __init__(self, session: GradingSession, candidate: Candidate) -> None:
        self.candidate = candidate
        self.sha256: str | None = None
        self.is_second_try = False
        self.had_timeout = False
        self._session = session
        self._worker: Worker | None = None
        self._module: Proxy | None = None
        self._load_fault: CandidateFault | None = None
        self._fault: BaseException | None = None
        self._seconds = DEFAULT_TIMEOUT_SECONDS
        self.was_touched = False

    def begin_test(self, seconds: float) -> None:
        """Start a test's clock."""
        self._seconds = seconds
        self._fault = None
        self.was_touched = False
        if self._worker is not None and not self._worker.is_alive:
            self.end()
        if self._worker is not None:
            self._worker.start_clock(seconds)
            self._worker.take_output()

    def module(self) -> Proxy:
        """The candidate's module, loaded now unless it is.

        Raises the `CandidateFault` or `HarnessError` that stands in the way.
        """
        self.was_touched = True
        try:
            if self._load_fault is not None:
                raise self._load_fault.with_traceback(None)
            if self._module is None:
                self._module = self._load()
        except (CandidateFault, HarnessError) as fault:
            self._fault = fault
            if not needs_second_try(fault, self):
                self._load_fault = fault if isinstance(fault, CandidateFault) else None
            raise
        return self._module

    def _load(self) -> Proxy:
        source = self.candidate.read()
        self.sha256 = hashlib.sha256(source).hexdigest()
        self._worker = self._session.take_worker()
        self._worker.start_clock(self._seconds)
        module = self._worker.request("load", self.candidate.path.stem, source)
        if not isinstance(module, Proxy):
            raise self._worker.breach("a module that is none")
        return module

    def fault(self) -> BaseException | None:
        """What kept the candidate from answering in this test, if anything did."""
        return self._fault or (self._worker.fault if self._worker else None)

    def take_output(self) -> str:
        """What the candidate printed since the last call."""
        return self._worker.take_output() if self._worker else ""

    def end(self) -> list[str]:
        """End the worker. Gives the signs of tampering that only its end shows."""
        worker, self._worker, self._module = self._worker, None, None
        try:
            death = worker.close() if worker is not None else None
        except HarnessError:  # The warm process is gone, and every worker with it.
            death = None
        return ["left processes behind"] if death is not None and death.stray_processes else []


def needs_second_try(fault: BaseException | None, run: CandidateRun) -> bool:
    """Whether a test must run once more before this fault may stand.

    A candidate may have run out of time because the machine was busy; one timeout confirmed in
    peace is enough for the rest of its tests. Whatever may be the machine's fault is tried again.
    """
    if run.is_second_try:
        return False
    if isinstance(fault, SolutionTimeout):
        return not run.had_timeout
    return isinstance(fault, HarnessError)


class GradingSession:
    """Grades the candidates of one pytest session."""

    def __init__(self, config: pytest.Config, candidates: list[Candidate]) -> None:
        self.candidates = candidates
        self._config = config
        is_selection = any("::" in argument for argument in config.args)
        self._records = [CandidateRecord(candidate.name, is_selection) for candidate in candidates]
        self._runs: dict[int, CandidateRun] = {}
        self._warm: WarmProcess | None = None
        self._test_files: set[Path] = set()
        self._versions: dict[str, str] = {}
        self._isolation: dict[str, Any] = {"mode": _option(config, "isolation")}

    def pytest_report_header(self) -> str:
        """One line on what is graded."""
        return (
            f"solution: {len(self.candidates)} candidate{'s'[: len(self.candidates) > 1]}, "
            f"grading seed {_option(self._config, 'grading_seed')}, "
            f"isolation {self._isolation['mode']}"
        )

    def pytest_sessionstart(self) -> None:
        """Start the warm process now, so that it imports while pytest collects."""
        if not self._config.option.collectonly:
            self._warm = self._start_warm_process()

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
        if self._warm is None:
            return
        try:
            self._warm.wait_until_ready()
        except WorkerLost as error:
            pytest.exit(f"cannot grade: {error}", returncode=EXIT_HARNESS_ERROR)
        except HarnessError as error:
            raise pytest.UsageError(f"solution_preload: {error}") from None
        isolation = self._warm.isolation
        self._versions = self._warm.versions
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
        run = self._runs.setdefault(index, CandidateRun(self, self.candidates[index]))
        item.stash[_run_key] = run
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
        run = item.stash.get(_run_key, None)
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
        yield
        if self._warm is not None:
            self._warm.close()

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
        seed = _option(self._config, "grading_seed")
        return [record.grade(seed, self._isolation) for record in self._records]

    def take_worker(self) -> Worker:
        """A fresh worker, from a new warm process if the old one has died."""
        for _ in range(2):
            try:
                if self._warm is None:
                    self._warm = self._start_warm_process()
                return self._warm.take()
            except WorkerLost as error:
                lost = error
                self._stop_warm_process()
        raise HarnessError(f"cannot get a worker: {lost}")

    def _start_warm_process(self) -> WarmProcess:
        preload = self._config.getini("solution_preload")
        return WarmProcess(preload, self._isolation["mode"], make_proxy)

    def _stop_warm_process(self) -> None:
        warm, self._warm = self._warm, None
        if warm is not None:
            warm.close()

    def _try_again(
        self, item: pytest.Item, nextitem: pytest.Item | None, run: CandidateRun
    ) -> list[pytest.TestReport]:
        first_fault = run.fault()
        run.end()
        if isinstance(first_fault, HarnessError):
            self._stop_warm_process()
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


def _option(config: pytest.Config, name: str) -> Any:
    value = config.getoption(name)
    return config.getini(name) if value is None else value


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
    return f"{type(cause).__name__}: {text}" if isinstance(cause, SolutionError) else text


def _add_sections(
    report: pytest.TestReport, cause: BaseException | None, run: CandidateRun
) -> None:
    traceback = getattr(cause, "traceback", "")
    if isinstance(traceback, str) and traceback:
        report.sections.append(("the candidate's traceback", traceback))
    if output := run.take_output():
        report.sections.append(("what the candidate printed", output))


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
