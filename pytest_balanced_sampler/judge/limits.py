"""What a worker may use up, as seen from outside: time, disk, threads; used by `remote_worker`.

All of it is attributed to the one process: what others do to the disk meanwhile is not looked at.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from .. import disk_use
from ..errors import CandidateFault, SolutionCrash, SolutionTimeout, UnconfirmedTimeout
from .unpatched import open_file, os, time

WALL_SECONDS_PER_CPU_SECOND = 3
"""A candidate may wait, or share the machine, for this many times its CPU budget."""

MAX_WRITTEN_BYTES = 2 * 2**30
"""What one test may write to a disk. A candidate that renames its folders while they are searched
could hide files, but the kernel counts the pages that it writes."""

MAX_THREADS = 500
_START_SECONDS = 60

_ASLEEP = 0.9
"""What waits of its own accord for this share of the time was not kept waiting by the machine."""


class TimeUsed(NamedTuple):
    """The seconds of CPU time that a worker used, and the seconds in which it was waited for."""

    cpu: float
    waited: float


NOTHING_USED = TimeUsed(0.0, 0.0)


class _Moment(NamedTuple):
    """A moment in a wait: seconds waited, and a worker's seconds on the CPU and in line for it."""

    waited: float
    cpu: float
    in_line: float


class Limits:
    """What one worker may still use up: to start, and then in each test.

    `cpu_seen` and `peak_memory_seen` are what it had used at the last look in this test.
    """

    def __init__(self) -> None:
        self._cpu_limit: float | None = None
        self._cpu_budget = self.wall_left = float(_START_SECONDS)
        self._cpu_before: float | None = None
        self._written_before = 0
        self._wait_began: _Moment | None = None
        self.cpu_seen: float | None = None
        self.peak_memory_seen: int | None = None

    def start(self, pid: int | None, cpu_seconds: float, before: TimeUsed = NOTHING_USED) -> None:
        """Give the process this much CPU time, and a multiple of it to be waited for.

        What other processes have used of both `before` is no longer there.
        """
        used = _cpu_seconds_of(pid)
        begin = self._cpu_before = None if used is None else used - before.cpu
        self._cpu_budget = cpu_seconds
        self._cpu_limit = None if begin is None else begin + cpu_seconds
        self.wall_left = cpu_seconds * WALL_SECONDS_PER_CPU_SECOND - before.waited
        self._written_before = _bytes_written_by(pid)
        self.cpu_seen = self.peak_memory_seen = None

    def spend(self, seconds: float) -> None:
        """Count seconds in which the worker was waited for."""
        self.wall_left -= seconds

    def used(self, pid: int | None) -> TimeUsed | None:
        """What was used since `start`; None where that is unknown, as of a process that ended."""
        now = _cpu_seconds_of(pid)
        if now is None or self._cpu_before is None:
            return None
        wall_budget = self._cpu_budget * WALL_SECONDS_PER_CPU_SECOND
        return TimeUsed(now - self._cpu_before, wall_budget - self.wall_left)

    def exceeded(self, pid: int | None, scratch: str, waited: float) -> CandidateFault | None:
        """The exception to raise if the worker used too much, `waited` seconds into this wait.

        `scratch` is its folder, empty where it has none yet.
        """
        used = _cpu_seconds_of(pid)
        if used is not None and self._cpu_before is not None:
            # It may be the last look at a process that is ended, or ends itself.
            self.cpu_seen, self.peak_memory_seen = used - self._cpu_before, peak_memory(pid)
        if self._cpu_limit is not None and used is not None and used > self._cpu_limit:
            return SolutionTimeout(f"the candidate used over {self._cpu_budget:g} s of CPU time")
        if scratch and (excess := self._excess(pid, scratch)) is not None:
            return SolutionCrash(f"the candidate {excess}")
        if waited > self.wall_left:
            wall = self._cpu_budget * WALL_SECONDS_PER_CPU_SECOND
            fault = UnconfirmedTimeout(f"the candidate gave no answer within {wall:g} s")
            fault.slept = self._has_slept(pid, waited, used)
            return fault
        if self._wait_began is None or waited < self._wait_began.waited:
            self._wait_began = _moment(pid, waited, used)
        return None

    def _has_slept(self, pid: int | None, waited: float, cpu: float | None) -> bool:
        """Whether this wait took so long because the worker slept, not because others ran."""
        began, now = self._wait_began, _moment(pid, waited, cpu)
        if began is None or now is None:
            return False
        seconds = waited - began.waited
        busy = now.cpu - began.cpu + now.in_line - began.in_line
        most_of_the_budget = self._cpu_budget * WALL_SECONDS_PER_CPU_SECOND / 2
        return most_of_the_budget < seconds and has_slept(seconds, busy)

    def _excess(self, pid: int | None, scratch: str) -> str | None:
        if disk_use.measured(pid, scratch) is None:
            return f"wrote over {disk_use.MAX_BYTES // 2**20} MiB, or too many files or mappings"
        if _bytes_written_by(pid) - self._written_before > MAX_WRITTEN_BYTES:
            return f"wrote over {MAX_WRITTEN_BYTES // 2**20} MiB to the disk in one test"
        # Where the kernel has no filter that asks, the warm process cannot count them in time.
        with suppress(OSError):
            if len(os.listdir(f"/proc/{pid}/task")) > MAX_THREADS:
                return f"has over {MAX_THREADS} threads"
        return None


def has_slept(seconds: float, busy: float) -> bool:
    """Whether what ran, or was in line for a CPU, for so much of the time slept for the rest."""
    return busy < (1 - _ASLEEP) * seconds


def seconds_in_line(pid: int | None) -> float:
    """How long a process could have run, but the machine had no CPU for it; 0 where unknown."""
    return _seconds_in_line(pid) or 0.0


@contextmanager
def stopped(pid: int | None) -> Iterator[None]:
    """A time in which a process, if there is one, does nothing."""
    _signal(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pid, signal.SIGCONT)


def _signal(pid: int | None, number: signal.Signals) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def is_stopped(pid: int | None) -> bool:
    """Whether a process was stopped: the warm process does that to one that took too much."""
    with suppress(OSError), open_file(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b") ")[2].startswith(b"T")
    return False


def peak_memory(pid: int | None) -> int | None:
    """The most memory that a process had since it was reset, in bytes; None where unknown."""
    with suppress(OSError, ValueError), open_file(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def reset_peak_memory(pid: int | None) -> None:
    """Have `peak_memory` tell of what comes from now on, where this side may say so."""
    with suppress(OSError), open_file(f"/proc/{pid}/clear_refs", "wb") as file:
        file.write(b"5")


def _cpu_seconds_of(pid: int | None) -> float | None:
    """The CPU time that a process has used; None where it cannot be known."""
    if sys.platform != "linux" or pid is None:
        return None
    with suppress(OSError):
        # The CPU clock of another process, as clock_getcpuclockid(3) numbers it.
        return time.clock_gettime((~pid << 3) | 2)
    return None


def _moment(pid: int | None, waited: float, cpu: float | None) -> _Moment | None:
    """None where the kernel does not say how long a process was in line for a CPU."""
    in_line = _seconds_in_line(pid)
    return None if cpu is None or in_line is None else _Moment(waited, cpu, in_line)


def _seconds_in_line(pid: int | None) -> float | None:
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[1]) / 1e9
    return None


def _bytes_written_by(pid: int | None) -> int:
    """What a process has sent to disks, less what it truncated in time; 0 where unknown.

    Never less than what its files hold, except on tmpfs, which counts nothing.
    """
    with suppress(OSError), open_file(f"/proc/{pid}/io", "rb") as file:
        counts = {name: int(count) for name, count in (line.split(b": ") for line in file)}
        return counts[b"write_bytes"] - counts[b"cancelled_write_bytes"]
    return 0
