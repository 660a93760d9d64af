"""The state of one candidate while its tests run, in the process that was forked for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, cast

from ..errors import (
    CandidateFault,
    FaultInFixture,
    HarnessError,
    NeedsCandidate,
    UnconfirmedTimeout,
)
from ..judge import limits
from ..judge.mirrors import Mirrors
from ..judge.proxy import Proxy
from ..judge.remote_worker import RemoteWorker
from ..judge.supply import WorkerSupply
from ..judge.surroundings import Surroundings
from ..judge.unpatched import time
from .budget import Budget, SecondsUsed, TimeLimits
from .candidate import Candidate
from .candidate_loading import load
from .candidate_output import CandidateOutput
from .candidate_programs import CandidatePrograms
from .second_try import needs_second_try
from .stand_in import stand_in

_MAX_USES_OF_STAND_IN = 100_000


class CandidateRun:
    """The state of one candidate while its tests run: its worker and its results so far.

    Runs without a candidate or with a stand-in show what does not depend on the candidate.
    """

    def __init__(
        self,
        candidate: Candidate | None,
        supply: WorkerSupply,
        module: str | None,
        *,
        limits: TimeLimits,
        budget: Budget,
        is_resumed: bool,
        tries: int,
        has_stand_in: bool = False,
    ) -> None:
        self._stand_in = stand_in(self._use_stand_in) if has_stand_in else None
        self.sha256: str | None = None
        self.tries = tries
        self.budget = budget
        self.limits, self._is_resumed = limits, is_resumed
        self._setup_seconds = self._began = self._seconds = self._usual_seconds = 0.0
        self.reported_fault: BaseException | None = None
        self.watch: Callable[[float | None], object] = bool
        self.limit_work: Callable[[float], object] = bool
        self.private_folders: dict[str, str] = {}
        self._on_touch: Callable[[], object] = bool
        self.candidate, self._supply = candidate, supply
        self.module_name = module or ""
        self._worker: RemoteWorker | None = None
        self._module: Proxy | None = None
        self._load_fault = budget.load_fault_noted()
        self.had_load_fault = False
        self._fault: BaseException | None = None
        self._is_in_fixture, self._asked = False, 0
        self._output = CandidateOutput()
        self.surroundings = Surroundings()
        self._programs = CandidatePrograms(
            candidate, supply, module, self.surroundings, lambda: self.private_folders
        )

    @property
    def has_any(self) -> bool:
        """Whether there is a candidate, or a stand-in."""
        return self.candidate is not None or self._stand_in is not None

    @property
    def entry(self) -> str | None:
        """The entry of a candidate that is a folder."""
        return self.candidate.entry if self.candidate is not None else None

    @property
    def touches(self) -> int:
        """How many requests the candidate got in this test."""
        return self._asked + (self._worker.requests if self._worker is not None else 0)

    @property
    def was_touched(self) -> bool:
        """Whether this test has used the candidate."""
        return self.touches > 0

    @property
    def has_ended(self) -> bool:
        """Whether the worker has ended; fixtures may still hold objects of it."""
        return self._worker is not None and not self._worker.is_alive

    def begin_test(self, test: str, most: float, on_touch: Callable[[], object]) -> None:
        """Start a test that may use at most `most` CPU seconds.

        `on_touch` is called before the first request to the candidate.
        """
        self._usual_seconds = self.limits.seconds(test, most, is_resumed=self._is_resumed)
        seconds = self._seconds = self.budget.limit(self._usual_seconds)
        judge = self.limits.judge_seconds(test, most, is_resumed=self._is_resumed)
        self.limit_work(self.budget.limit(judge))
        self._began, self._setup_seconds = time.process_time(), 0.0
        self._on_touch = on_touch
        self._fault = self.reported_fault = None
        self._asked, self.had_load_fault = 0, self._load_fault is not None
        self._output.begin_test()
        self._programs.begin_test(seconds)
        if self._worker is not None:
            self._worker.on_first_request = on_touch
            self._worker.start_clock(seconds)
            limits.reset_peak_memory(self._worker.pid)
            self._worker.drain_output()

    def in_fixture(self, is_in_fixture: bool) -> None:
        """Record whether pytest is running fixtures, which must raise only `Exception`."""
        self._is_in_fixture = is_in_fixture
        if self._worker is not None:
            self._worker.is_in_fixture = is_in_fixture
        if not is_in_fixture:
            self._setup_seconds = self._seconds_used() or 0.0

    def end_test(self, *, has_failed: bool) -> None:
        """Charge a test, whose result is final, to the candidate's budget."""
        used = self._seconds_used() if self._worker is not None or self._programs.have_run else 0.0
        self.budget.spend(self._usual_seconds, used, self.fault(), has_failed=has_failed)

    def time(self) -> SecondsUsed:
        """The time that this test has used so far, excluding loading."""
        return SecondsUsed(
            setup=self._setup_seconds,
            whole=self._seconds_used() or 0.0,
            judge=time.process_time() - self._began,
        )

    def module(self) -> Proxy:
        """The candidate's module, loaded on first use.

        Raises the `CandidateFault` or `HarnessError` that prevents this.
        """
        __tracebackhide__ = True
        self._asked += 1
        self._on_touch()
        if self._stand_in is not None:
            return cast("Proxy", self._stand_in)
        try:
            if self._load_fault is not None:
                raise self._load_fault.with_traceback(None)
            if self._module is None:
                self._module = self._load()
        except (CandidateFault, HarnessError) as fault:
            self._note_load_fault(fault)
            if self._is_in_fixture:
                raise FaultInFixture(fault) from fault
            raise
        except FaultInFixture as fault:
            self._note_load_fault(fault.fault)
            raise
        return self._module

    def run_program(self, arguments: list[str], stdin: bytes, timeout: float | None) -> Any:
        """Run the candidate as a program, to its end. With a stand-in, return the stand-in.

        Raises the `CandidateFault` or `HarnessError` that prevents this, and `TimeIsUp`.
        """
        __tracebackhide__ = True
        self._asked += 1
        self._on_touch()
        if self._stand_in is not None:
            return self._stand_in
        try:
            return self._programs.run(arguments, stdin, timeout, self.tries, self.budget)
        except (CandidateFault, HarnessError) as fault:
            self.note_fault(fault)
            if self._is_in_fixture:
                raise FaultInFixture(fault) from fault
            raise
        finally:
            self.sha256 = self._programs.sha256

    def note_fault(self, fault: CandidateFault | HarnessError) -> None:
        """Record why the candidate did not answer, unless a reason is recorded already."""
        self._fault = self._fault or fault

    def fault(self) -> BaseException | None:
        """Why the candidate did not answer in this test, if it did not."""
        fault = self._fault or (self._worker.fault if self._worker else None)
        if self.budget.slept and isinstance(fault, UnconfirmedTimeout):
            fault.args = (f"{self.budget.slept}, nor in a short second try",)
        return fault

    def needs_second_try(self) -> bool:
        """Whether this test must run once more before its fault is final; see `second_try`."""
        return needs_second_try(self.fault(), self.tries, self.budget)

    def why_second_try(self) -> dict[str, Any]:
        """Why, as plain data: `slept` repeats it if the candidate slept, otherwise it is empty."""
        fault = self.fault()
        is_machine = isinstance(fault, HarnessError)
        slept = str(fault) if isinstance(fault, UnconfirmedTimeout) and fault.slept else ""
        return {"why": str(fault), "is_machine": is_machine, "slept": slept}

    def cpu_seconds(self) -> float | None:
        """The CPU time that the candidate has used in this test; None if unknown."""
        if self._worker is None:
            return None
        used = self._worker.time_used()
        return self._worker.limits.cpu_seen if used is None else used.cpu

    def peak_memory(self) -> int | None:
        """The peak memory of its process in this test, in bytes."""
        worker = self._worker
        if worker is None or not worker.is_alive:
            return None if worker is None else worker.limits.peak_memory_seen
        return limits.peak_memory(worker.pid)

    def take_printed(self) -> str:
        """The part of the candidate's output since the last call that a test could see."""
        return self._output.take_printed()

    def drain_output(self) -> str:
        """The candidate's output since the last call."""
        printed = self._worker.drain_output() if self._worker else ""
        return printed + self._programs.drain_output()

    def stopped(self) -> AbstractContextManager[None]:
        """A context in which the candidate is stopped: another test may be running alone."""
        is_alive = self._worker is not None and self._worker.is_alive
        return limits.stopped(self._worker.pid if self._worker is not None and is_alive else None)

    def late_fault(self) -> CandidateFault | None:
        """A fault that the candidate caused after its last request, if any."""
        with suppress(HarnessError):
            return self._worker.late_fault() if self._worker is not None else None
        return None

    def end(self) -> list[str]:
        """End the run. Returns the signs of tampering that appear only when a worker ends."""
        worker, self._worker, self._module = self._worker, None, None
        # If the warm process has ended, all its workers have ended too.
        with suppress(HarnessError):
            death = worker.dismiss() if worker is not None else None
            if death is not None and death.stray_processes:
                return ["left processes behind"]
        return []

    def _use_stand_in(self) -> None:
        self._asked += 1
        if self._asked > _MAX_USES_OF_STAND_IN:
            raise NeedsCandidate("this test never ends with a stand-in for the candidate")

    def _load(self) -> Proxy:
        __tracebackhide__ = True
        if self.candidate is None:
            raise NeedsCandidate("this test uses the candidate, but there is none")
        source = self.candidate.read()
        self.sha256 = source.sha256
        self._worker = self._supply.fork()
        mirrors = Mirrors(self._worker)
        self._worker.resolve, self._output.find_class = mirrors.resolve, mirrors.class_named
        self._worker.is_in_fixture = self._is_in_fixture
        self._worker.watch = self.watch
        self._worker.on_first_request = self._on_touch
        self._worker.on_output = self._output.show
        self._worker.start_clock(self.limits.load_seconds or self._seconds)
        module = load(
            self._worker,
            self.candidate.file,
            source,
            self.module_name or self.candidate.path.stem,
            surroundings=self.surroundings,
            read_stdin=self._output.read_stdin,
            private_folders=self.private_folders,
        )
        if self.limits.load_seconds is not None:
            self._worker.renew_time(self._seconds)
        return module

    def _note_load_fault(self, fault: CandidateFault | HarnessError) -> None:
        self._fault = fault
        if isinstance(fault, CandidateFault) and not self.needs_second_try():
            self._load_fault = fault
            self.budget.note_load_fault(fault)

    def _seconds_used(self) -> float | None:
        used = self._worker.time_used() if self._worker is not None else self._programs.used
        if used is None:
            return None
        if self._worker is not None:
            used = limits.TimeUsed(*map(sum, zip(used, self._programs.used, strict=True)))
        # If the trusted side was the slower one, its waiting time is the more accurate figure.
        return max(used.cpu, used.waited / limits.WALL_SECONDS_PER_CPU_SECOND)
