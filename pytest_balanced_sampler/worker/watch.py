"""Watches workers from the warm process, their parent, whatever the trusted side does meanwhile.

A worker that takes too much of the disk is stopped, and stays so: the trusted side measures the
same when it looks, ends the worker and says why. Threads are counted before they start.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import seccompy
from seccompy import notify

from .. import disk_use
from . import system_calls

MAX_THREADS = 500
"""Known to `judge.limits` as well."""

_BYTES_PER_SECOND = 4 * 2**30
_FILES_PER_SECOND = 100_000
_OVERSHOOT = 1.2
"""What can be taken until the next look: looks come so often that no limit is passed by more."""

_LITTLE = disk_use.MAX_BYTES / 8
"""Bytes that are not worth a search for files without a name."""

_SECONDS_TO_START = 0.02
"""So long a thread that may start is taken to be not yet among those that have."""


class DiskWatch:
    """Stops each worker while its files take too much."""

    def __init__(self) -> None:
        self._folders: dict[int, str] = {}
        self._next_looks: dict[int, float] = {}
        self._stopped: set[int] = set()

    def add(self, pid: int, folder: str) -> None:
        """Watch a worker."""
        self._folders[pid] = folder
        self._next_looks[pid] = time.monotonic() + _interval(disk_use.DiskUse(0, 0))

    def remove(self, pid: int) -> None:
        """No longer watch a worker, before it is reaped: its number may be another's then."""
        del self._folders[pid], self._next_looks[pid]
        self._stopped.discard(pid)

    def forget(self) -> None:
        """Leave nothing of other workers in the memory of one that was just forked."""
        self._folders.clear()
        self._next_looks.clear()

    def look(self) -> None:
        """Look at those whose time has come."""
        now = time.monotonic()
        for pid, when in self._next_looks.items():
            if when <= now:
                folder = self._folders[pid]
                if disk_use.most_written(pid) < _LITTLE:
                    use = disk_use.named(folder)
                else:
                    use = disk_use.measured(pid, folder)
                self._set_stopped(pid, use is None)
                self._next_looks[pid] = time.monotonic() + _interval(use)

    def seconds_to_next(self) -> float | None:
        """When to look again; None where there is no worker."""
        if not self._next_looks:
            return None
        return max(0.0, min(self._next_looks.values()) - time.monotonic())

    def _set_stopped(self, pid: int, is_stopped: bool) -> None:
        if is_stopped:
            # Again at each look: the trusted side may have had it go on.
            os.kill(pid, signal.SIGSTOP)
            self._stopped.add(pid)
        elif pid in self._stopped:
            os.kill(pid, signal.SIGCONT)
            self._stopped.remove(pid)


def _interval(use: disk_use.DiskUse | None) -> float:
    if use is None:
        return _interval(disk_use.DiskUse(0, 0))
    return min(
        (disk_use.MAX_BYTES * _OVERSHOOT - use.size) / _BYTES_PER_SECOND,
        (disk_use.MAX_FILES * _OVERSHOOT - use.files) / _FILES_PER_SECOND,
    )


class ThreadLimit:
    """Is asked before each thread of a worker starts, and lets it, up to a number.

    Made in the warm process; what it forks inherits the filter that asks.
    """

    def __init__(self, listener: notify.Listener) -> None:
        self.listener = listener
        self._started: deque[tuple[float, int]] = deque()
        self._waiting: list[notify.Notification] = []

    @classmethod
    def install(cls) -> ThreadLimit | None:
        """None where the kernel is too old, or somebody further up has such a filter already."""
        try:
            listener = system_calls.thread_filter().load()
        except seccompy.SeccompError:
            return None
        assert listener is not None
        return cls(listener)

    def receive(self) -> None:
        """Receive one question, and answer it if it can be answered now."""
        with suppress(seccompy.SeccompError):  # Whoever asked has died.
            question = self.listener.recv()
            if not self._answered(question):
                self._waiting.append(question)

    def answer(self) -> None:
        """Answer what waits, as far as that can be done now."""
        self._waiting = [question for question in self._waiting if not self._answered(question)]

    def seconds_to_next(self) -> float | None:
        """When to answer; None where no question waits."""
        return _SECONDS_TO_START if self._waiting else None

    def _answered(self, question: notify.Notification) -> bool:
        now = time.monotonic()
        while self._started and self._started[0][0] < now - _SECONDS_TO_START:
            self._started.popleft()
        process, threads = _process_of(question.pid)
        starting = sum(pid == process for _, pid in self._started)
        with suppress(seccompy.SeccompError):
            if threads >= MAX_THREADS:
                self.listener.respond(question.id, error=errno.EAGAIN)
            elif threads + starting >= MAX_THREADS:
                return not self.listener.valid(question.id)
            else:
                self._started.append((now, process))
                self.listener.respond(question.id, flags=notify.RespFlag.CONTINUE)
        return True


def _process_of(thread: int) -> tuple[int, int]:
    """The process of a thread, and how many threads that has."""
    with suppress(OSError):
        lines = Path(f"/proc/{thread}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        return int(status["Tgid"]), int(status["Threads"])
    return 0, 0
