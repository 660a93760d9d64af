"""One candidate while its tests run; used by the grading session and the `solution` fixture."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import partial

import pytest

from ..errors import CandidateFault, HarnessError, SolutionError, SolutionTimeout
from ..judge.proxy import Proxy, make_proxy
from ..judge.remote_worker import RemoteWorker
from ..judge.supply import WorkerSupply
from .candidate import Candidate

run_key = pytest.StashKey["CandidateRun"]()
"""Where a test item keeps the run that it belongs to."""


class CandidateRun:
    """One candidate while its tests run: its worker, and what is known of it for good."""

    def __init__(self, candidate: Candidate, supply: WorkerSupply) -> None:
        self.candidate = candidate
        self.sha256: str | None = None
        self.is_second_try = False
        self.had_timeout = False
        self._supply = supply
        self._worker: RemoteWorker | None = None
        self._module: Proxy | None = None
        self._load_fault: CandidateFault | None = None
        self._fault: BaseException | None = None
        self._seconds = 0.0
        self._signs: list[str] = []
        self.was_touched = False

    def begin_test(self, seconds: float) -> None:
        """Start a test's clock."""
        self._seconds = seconds
        self._fault = None
        self.was_touched = False
        if self._worker is not None and not self._worker.is_alive:
            self._end_worker()
        if self._worker is not None:
            self._worker.start_clock(seconds)
            self._worker.drain_output()

    def module(self) -> Proxy:
        """The candidate's module, loaded now unless it is.

        Raises the `CandidateFault` or `HarnessError` that stands in the way.
        """
        __tracebackhide__ = True
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
        __tracebackhide__ = True
        source = self.candidate.read()
        self.sha256 = hashlib.sha256(source).hexdigest()
        self._worker = self._supply.fork()
        self._worker.resolve = partial(make_proxy, self._worker)
        self._worker.start_clock(self._seconds)
        try:
            name = self._worker.request("store", self.candidate.path.stem, source)
        except SolutionError as error:
            raise HarnessError(f"cannot store the candidate: {error}") from error
        module = self._worker.request("load", name, source)
        if not isinstance(module, Proxy):
            raise self._worker.breach("a module that is none")
        return module

    def fault(self) -> BaseException | None:
        """What kept the candidate from answering in this test, if anything did."""
        return self._fault or (self._worker.fault if self._worker else None)

    def drain_output(self) -> str:
        """What the candidate printed since the last call."""
        return self._worker.drain_output() if self._worker else ""

    def end(self) -> list[str]:
        """End the run. Gives the signs of tampering that only the end of a worker shows."""
        self._end_worker()
        return self._signs

    def begin_second_try(self) -> None:
        """Have the test that follows run in a fresh worker, and its verdict stand."""
        self._end_worker()
        self.is_second_try = True

    def _end_worker(self) -> None:
        worker, self._worker, self._module = self._worker, None, None
        # When the warm process is gone, every worker is gone with it.
        with suppress(HarnessError):
            death = worker.dismiss() if worker is not None else None
            if death is not None and death.stray_processes:
                self._signs.append("left processes behind")


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
