"""A process for each candidate: forked from the one that collected, ended with the candidate.

Whatever tests, fixtures and plugins leave behind in memory ends with it: module state, caches,
random state, patched modules, half-finished state of pytest's own. Messages are JSON. Both sides
are trusted: candidates run in workers, never here.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import socket
import struct
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from ..wire import frames

MAX_SILENCE_SECONDS = 1800.0
"""A test may wait for its turn, compute, and wait for the candidate. What is silent for longer
hangs: parallel code of a library, for example, that was used before the process was forked."""

_PR_SET_PDEATHSIG = 1
_STATE = struct.Struct("!i?")
# Bound now: a test may replace `json.dumps`, and be forked before that or after.
_encode = json.JSONEncoder(default=repr).encode
_decode = json.JSONDecoder().decode


class ParentLink:
    """The forked process's end: tells the parent what happened, and asks whether to go on."""

    def __init__(self, channel: socket.socket, state: mmap.mmap) -> None:
        self._channel = channel
        self._state = state

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        body = _encode({"kind": kind, **fields}).encode()
        frames.send_frame(self._channel, body)

    def goes_on(self) -> bool:
        """Whether the parent, having seen all that was sent, wants more."""
        return frames.receive_frame(self._channel) == b"go on"

    def note(self, place: int, *, is_touched: bool) -> None:
        """Note, where the parent sees it even after a sudden death, which test runs.

        `is_touched` says whether it has asked the candidate for anything.
        """
        self._state[:] = _STATE.pack(place, is_touched)


class ForkedProcess:
    """The parent's end. `main` runs in the new process, which ends when it returns."""

    def __init__(self, main: Callable[[ParentLink], None]) -> None:
        self._channel, theirs = socket.socketpair()
        self._state = mmap.mmap(-1, _STATE.size)
        self._state[:] = _STATE.pack(-1, False)
        self.exit_code: int | None = None
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        with warnings.catch_warnings():
            # pytest-xdist's processes have a thread for their connection, which is not used here.
            warnings.simplefilter("ignore", DeprecationWarning)
            parent = os.getpid()
            self._pid = os.fork()
        if self._pid == 0:
            _end_with_parent(parent)
            self._channel.close()
            _run(main, ParentLink(theirs, self._state))
        theirs.close()

    def messages(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What the process tells, until it has ended, or has been silent for so many seconds."""
        # Not settimeout: it makes the socket one that gives parts of a message.
        limit = struct.pack("@ll", int(seconds), 0)
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        with suppress(ConnectionError, BlockingIOError):
            while (body := frames.receive_frame(self._channel)) is not None:
                yield _decode(body.decode())

    def answer(self, *, go_on: bool) -> None:
        """Answer `goes_on`."""
        with suppress(OSError):
            frames.send_frame(self._channel, b"go on" if go_on else b"stop")

    def last_test(self) -> tuple[int, bool]:
        """The place of the test that ran last, -1 for none, and whether it was touched."""
        place, is_touched = _STATE.unpack(self._state[:])
        return place, is_touched

    def wait(self) -> int:
        """Wait for the process's end. Gives its exit code, negative for a signal."""
        if self.exit_code is None:
            self._channel.close()
            _, status = os.waitpid(self._pid, 0)
            self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code

    def is_over(self) -> bool:
        """Whether the process, which has nothing more to do, has ended by now."""
        if self.exit_code is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._channel.close()
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    def kill(self) -> None:
        """End the process now, unless it has ended."""
        if self.exit_code is None:
            os.kill(self._pid, signal.SIGKILL)
            self.wait()


def _end_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent ends, by whatever death."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _run(main: Callable[[ParentLink], None], link: ParentLink) -> None:
    code = 1
    try:
        main(link)
        code = 0
    except BrokenPipeError:  # The parent has gone.
        pass
    except BaseException:
        with suppress(OSError):
            link.tell("broken", text=traceback.format_exc())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        # Not sys.exit: what was to happen at the end of pytest is the parent's to do.
        os._exit(code)
