"""What a worker may use up, as seen from outside: time, disk, threads; used by `remote_worker`."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from ..errors import SolutionTimeout

WALL_SECONDS_PER_CPU_SECOND = 3
"""A candidate may wait, or share the machine, for this many times its CPU budget."""

MAX_SCRATCH_BYTES = 256 * 2**20
MAX_SCRATCH_FILES = 10_000
MAX_THREADS = 500
MAX_NAMELESS_BYTES = 2**30
"""A file that is mapped, and then removed, takes space that no look at the folder finds: so the
disk itself may not lose more than this while a candidate is waited for."""

_START_SECONDS = 60


class Clock:
    """The time that a worker has left: to start, and then for each test."""

    def __init__(self) -> None:
        self._cpu_limit: float | None = None
        self._cpu_budget = self._wall_left = float(_START_SECONDS)

    def start(self, pid: int | None, cpu_seconds: float) -> None:
        """Give the process this much CPU time, and a multiple of it to be waited for."""
        used = cpu_seconds_of(pid)
        self._cpu_budget = cpu_seconds
        self._cpu_limit = None if used is None else used + cpu_seconds
        self._wall_left = cpu_seconds * WALL_SECONDS_PER_CPU_SECOND

    def spend(self, seconds: float) -> None:
        """Count seconds in which the worker was waited for."""
        self._wall_left -= seconds

    def timeout(self, pid: int | None, waited: float) -> SolutionTimeout | None:
        """The exception to raise if the time is up, `waited` seconds into the present wait."""
        used = cpu_seconds_of(pid)
        if self._cpu_limit is not None and used is not None and used > self._cpu_limit:
            return SolutionTimeout(f"the candidate used over {self._cpu_budget:g} s of CPU time")
        if waited > self._wall_left:
            wall = self._cpu_budget * WALL_SECONDS_PER_CPU_SECOND
            return SolutionTimeout(f"the candidate gave no answer within {wall:g} s")
        return None


def excess(folder: str, pid: int | None) -> str | None:
    """What a worker has too much of, as the end of a sentence about the candidate; None if nothing.

    `folder` is its scratch folder, empty where it has none yet.
    """
    if folder and _is_over_quota(folder):
        return f"wrote over {MAX_SCRATCH_BYTES // 2**20} MiB, or too many files"
    with suppress(OSError):
        if len(os.listdir(f"/proc/{pid}/task")) > MAX_THREADS:
            return f"has over {MAX_THREADS} threads"
    return None


def free_bytes(folder: str) -> int | None:
    """What is free of the disk that a folder lies on; None where nobody can tell."""
    with suppress(OSError):
        status = os.statvfs(folder)
        return status.f_bavail * status.f_frsize
    return None


def cpu_seconds_of(pid: int | None) -> float | None:
    """The CPU time that a process has used; None where nobody can tell."""
    if sys.platform != "linux" or pid is None:
        return None
    with suppress(OSError):
        # The CPU clock of another process, as clock_getcpuclockid(3) numbers it.
        return time.clock_gettime((~pid << 3) | 2)
    return None


def _is_over_quota(folder: str) -> bool:
    size = files = 0
    folders = [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    files += 1
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                        continue
                    with suppress(FileNotFoundError):
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
        except FileNotFoundError:
            continue
        except OSError:  # A folder that cannot be looked into could hold anything.
            return True
        if size > MAX_SCRATCH_BYTES or files > MAX_SCRATCH_FILES:
            return True
    return False
