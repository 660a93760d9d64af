"""What a worker uses up of the machine, looked at from outside; used by `remote_worker` only."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

MAX_SCRATCH_BYTES = 256 * 2**20
MAX_SCRATCH_FILES = 10_000
MAX_THREADS = 500


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


def cpu_seconds(pid: int | None) -> float | None:
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
