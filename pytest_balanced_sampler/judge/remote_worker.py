"""The trusted side's hold on one worker: requests, replies, the clock, and how it ended.

Made by the supervisor, used by proxies and by the tools of a workspace. All waiting for a candidate
happens in `RemoteWorker.request`, under the trusted side's clock.
"""

from __future__ import annotations

import builtins
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from weakref import WeakValueDictionary

from ..errors import (
    CandidateFault,
    FaultInFixture,
    HarnessError,
    LoadError,
    ProtocolBreach,
    SolutionCrash,
    SolutionError,
    SolutionTimeout,
    WorkerLost,
    solution_error_type,
)
from ..text import printable, printable_line
from ..wire import frames, tags, values
from .channel import Channel
from .limits import Limits, TimeUsed

MAX_MEMORY_PER_TEST = 2 * 2**30
"""What all that a candidate sends in one test may take in memory, by a rough and high estimate: a
test that collects an endless iterable ends here, before the process that judges does."""


@dataclass(frozen=True)
class Death:
    """How a worker ended: its wait status, and how many processes it left behind."""

    wait_status: int
    stray_processes: int


class Reaper(Protocol):
    """Ends workers: the warm process, as the trusted side sees it."""

    def reap(self, worker: RemoteWorker) -> Death:
        """End a worker, if it has not ended already, and say how it did."""

    def dismiss(self, worker: RemoteWorker) -> Death | None:
        """End a worker without waiting for it, unless how it ends must be known."""


class RemoteWorker:
    """One forked process with one candidate, as the trusted side sees it."""

    def __init__(self, reaper: Reaper) -> None:
        self._reaper = reaper
        self.resolve: Callable[[tags.Reference], object] = values.refuse_reference
        self._channel = Channel()
        self.theirs, self.output_inlet = self._channel.theirs, self._channel.output_inlet
        # Decoding a set of proxies asks for their hashes, in the middle of a request.
        self._lock = threading.RLock()
        self._number = 0
        self._allowance = tags.Allowance(MAX_MEMORY_PER_TEST)
        self._limits = Limits()
        self.pid: int | None = None
        self.scratch = ""
        self.is_alive = True
        self.is_in_fixture = False
        self._death: Death | None = None
        self.fault: BaseException | None = None
        self.requests = 0
        self.on_first_request: Callable[[], object] = bool
        self.released: set[int] = set()
        self._depth = 0
        self.proxies: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def wait_until_ready(self) -> None:
        """Wait until the worker is confined. Raises `HarnessError` when it could not be."""
        try:
            self._exchange(None, time.monotonic())
        except CandidateFault as error:
            stderr_tail = self.drain_output()
            raise HarnessError(f"a worker could not be set up: {error} {stderr_tail}") from error

    def start_clock(self, cpu_seconds: float) -> None:
        """Give the candidate this much time for what comes next, and forget the last fault."""
        self.fault = None
        self.requests = 0
        self._allowance = tags.Allowance(MAX_MEMORY_PER_TEST)
        self.renew_time(cpu_seconds)

    def renew_time(self, cpu_seconds: float) -> None:
        """Give the candidate this much time from now on, in the same test."""
        self._limits.start(self.pid, cpu_seconds)

    def time_used(self) -> TimeUsed | None:
        """What the candidate used of its time by now; None where that cannot be known."""
        return self._limits.used(self.pid) if self.is_alive else None

    def request(self, operation: str, /, *args: object, **kwargs: object) -> Any:
        """Ask the worker for one operation and give its result.

        Raises `SolutionError` when the candidate's code raised, a `CandidateFault` when no answer
        came, `HarnessError` when that was not its doing.
        """
        __tracebackhide__ = True
        with self._lock:
            self._depth += 1
            try:
                return self._request(operation, args, kwargs)
            except (CandidateFault, HarnessError) as fault:
                self.fault = self.fault or fault
                if self.is_in_fixture:
                    raise FaultInFixture(fault) from fault
                raise
            finally:
                self._depth -= 1

    def drain_output(self) -> str:
        """What the candidate printed since the last call, made safe to show."""
        return self._channel.drain_output()

    def close(self) -> Death:
        """End the worker's process, unless it has ended, and say how it did."""
        death = self._death or self._end()
        self.hang_up()
        return death

    def dismiss(self) -> Death | None:
        """End the worker's process without waiting for that; say how where it must be known."""
        self.is_alive = False
        death = self._death or self._reaper.dismiss(self)
        self.hang_up()
        return death

    def hang_up(self) -> None:
        """Let go of the worker's descriptors."""
        self._channel.close()

    def _request(self, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        if not self.is_alive:
            raise SolutionCrash("the candidate's process has ended before")
        self.requests += 1
        if self.requests == 1:
            self.on_first_request()
        self._number += 1
        released, self.released = self.released, set()
        try:
            request = [self._number, operation, list(args), kwargs, list(released)]
            body = values.encode(request, self._refer)
        except tags.WireError as error:
            self.released |= released
            raise TypeError(f"cannot send this to the candidate: {error}") from error
        if len(body) > frames.MAX_FRAME_BYTES:
            raise TypeError(f"cannot send {len(body):,} bytes to the candidate in one call")
        started = time.monotonic()
        status, result = self._reply(self._number, self._exchange(body, started))
        self._limits.spend(time.monotonic() - started)
        match status, result:
            case "value", _:
                return result
            case "error", (str(), str(), str(), str()):
                raise exception_from(tags.RemoteException(*result))
            case "load_error", (str() as kind, str(), str() as message, str() as text):
                raise LoadError(
                    printable(f"{printable_line(kind)}: {message}"), traceback=printable(text)
                )
            case "unsendable", str():
                raise SolutionError(f"the candidate's result cannot be used: {printable(result)}")
        raise self.breach("a reply of unknown kind")

    def _refer(self, item: object) -> tags.Reference | None:
        refer = getattr(type(item), "__solution_reference__", None)
        reference: tags.Reference | None = refer(item, self) if refer is not None else None
        return reference

    def _exchange(self, body: bytes | None, started: float) -> bytes:
        """Send a request, if there is one, and give the reply."""
        __tracebackhide__ = True
        check = partial(self._check_limits, started)
        try:
            if body is not None:
                self._channel.send(body, check)
            return self._channel.receive(check)
        except EOFError:
            raise self._died() from None
        except tags.WireError as error:
            raise self.breach(str(error)) from None

    def _check_limits(self, started: float) -> None:
        """End the worker and raise why, if it has used up what it may."""
        __tracebackhide__ = True
        waited = time.monotonic() - started
        if (fault := self._limits.exceeded(self.pid, self.scratch, waited)) is not None:
            self._end()
            raise fault

    def _reply(self, asked: int, body: bytes) -> tuple[str, Any]:
        __tracebackhide__ = True
        try:
            # A reply that is asked for while another is decoded, a hash, ends the matter: it has
            # no members whose hashes had to be asked for in turn.
            resolve = self.resolve if self._depth == 1 else values.refuse_reference
            reply = values.decode(body, resolve, self._allowance)
        except tags.AllowanceSpentError:
            self._end()
            raise SolutionCrash("the candidate sent more than one test has memory for") from None
        except tags.WireError as error:
            if isinstance(error.__cause__, SolutionError):
                raise error.__cause__ from None
            raise self.breach(str(error)) from error
        match reply:
            case [number, str() as status, value] if number in (asked, None):
                return status, value
        raise self.breach("a reply to another question")

    def breach(self, what: str) -> ProtocolBreach:
        """End the worker first; then explain, in the exception to raise, what it had sent."""
        self._end()
        fault = f"broke the protocol: {what}"
        self.fault = ProtocolBreach(f"the candidate's process {fault}", tampering=fault)
        return self.fault

    def _died(self) -> CandidateFault | HarnessError:
        code = os.waitstatus_to_exitcode(self._end().wait_status)
        ending = f"the candidate's process ended ({describe_exit(code)}) before it answered"
        if code >= 0:
            return SolutionCrash(ending, tampering="the worker exited inside a call")
        if code == -signal.SIGXCPU:
            return SolutionTimeout("the candidate used up all its CPU time")
        # The kernel, short of memory, kills like this, and so does a candidate; see WorkerLost.
        if code == -signal.SIGKILL:
            return WorkerLost(ending)
        return SolutionCrash(ending)

    def _end(self) -> Death:
        self.is_alive = False
        self._death = self._reaper.reap(self)
        return self._death


def exception_from(described: tags.RemoteException) -> SolutionError | CandidateFault:
    """The exception for what the worker says that the candidate raised."""
    kind, builtin_name = map(printable_line, (described.type_name, described.builtin_name))
    message, traceback = map(printable, (described.message, described.traceback))
    builtin = getattr(builtins, builtin_name, None)
    if builtin is MemoryError:
        message = message or "the candidate needs more memory than it may use"
    if isinstance(builtin, type) and issubclass(builtin, Exception):
        return solution_error_type(builtin_name)(message, type_name=kind, traceback=traceback)
    return SolutionCrash(
        f"the candidate raised {kind}: {message}",
        traceback=traceback,
        tampering=f"raised {kind}, which only ends processes and tests",
    )


def describe_exit(code: int) -> str:
    """An exit status as `subprocess` gives it, in words."""
    if code >= 0:
        return f"exit status {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
