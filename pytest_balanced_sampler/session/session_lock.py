"""Lets a second try run while no other test of the session does; used by the grading session.

A readers-writer lock: with pytest-xdist the tests of a session run in several processes, which lock
two files. Every test holds the lock `running`, shared; a second try holds it exclusively. It also
holds the lock `starting`, which every test needs to start: otherwise new tests could start all the
time, and the second try would wait forever. The kernel releases these locks when their process
dies, and forked processes do not inherit them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from ..judge.unpatched import time

if sys.platform != "win32":
    import fcntl

MAX_WAIT_SECONDS = 600.0
"""After this time a test runs beside others rather than not at all."""

_TICK_SECONDS = 0.02

Waiting = Callable[[], AbstractContextManager[None]]


class SessionLock:
    """The lock of one process among those that share `folder`. Without a folder there are no
    others."""

    def __init__(self, folder: Path | None) -> None:
        self._starting = (folder / "starting").open("ab+") if folder else None
        self._running = (folder / "running").open("ab+") if folder else None

    @contextmanager
    def shared(self, while_waiting: Waiting = nullcontext) -> Generator[None]:
        """A context in which other processes may also run tests.

        `while_waiting` returns a context that is entered while the lock is awaited.
        """
        with ExitStack() as stay:
            with _held(self._starting, fcntl.LOCK_SH, while_waiting):
                stay.enter_context(_held(self._running, fcntl.LOCK_SH, while_waiting))
            yield

    @contextmanager
    def exclusive(self, while_waiting: Waiting = nullcontext) -> Generator[None]:
        """A context in which no other process runs a test."""
        with (
            _held(self._starting, fcntl.LOCK_EX, while_waiting),
            _held(self._running, fcntl.LOCK_EX, while_waiting),
        ):
            yield


@contextmanager
def _held(file: IO[bytes] | None, how: int, while_waiting: Waiting) -> Generator[None]:
    if file is None:
        yield
        return
    if not _lock(file, how):
        end = time.monotonic() + MAX_WAIT_SECONDS
        with while_waiting():
            while not _lock(file, how) and time.monotonic() < end:
                time.sleep(_TICK_SECONDS)
    try:
        yield
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN)


def _lock(file: IO[bytes], how: int) -> bool:
    try:
        fcntl.lockf(file, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
