"""A process for each candidate: forked from the one that collected, ended with the candidate.

So everything that tests, fixtures and plugins leave in memory ends with it: module state, caches,
random state, patched modules, pytest's own unfinished state. Messages are JSON. Both sides are
trusted: candidates run in workers, never here.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import select
import signal
import socket
import struct
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from ..judge.unpatched import os, time
from ..wire import frames
from . import reaping

_STATE = struct.Struct("!i?")
_DEADLINES = struct.Struct("!dd")
MAX_SILENCE_SECONDS = 1800.0
"""A test may wait for the lock, compute, and wait for the candidate. A process that is silent for
longer hangs, for example in parallel library code that was used before the fork."""

_MILLISECONDS_BETWEEN_LOOKS = 500
_MAX_DEPTH = 50
_running: set[int] = set()
_PR_SET_PDEATHSIG = 1

# A copy, because tests may patch the original.
_encode = json.JSONEncoder(default=repr).encode


class ParentLink:
    """The forked process's end: sends results to the parent, and asks whether to continue."""

    def __init__(self, channel: socket.socket, state: mmap.mmap) -> None:
        self._owner = os.getpid()
        self._channel = channel
        self._state = state
        self._end = self._last_cpu_second = 0.0

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        self._end_unless_owner()
        frames.send_frame(self._channel, _as_json({"kind": kind, **fields}))

    def should_continue(self) -> bool:
        """Whether the parent, having read all messages, wants more tests to run."""
        return frames.receive_frame(self._channel) == b"go on"

    def requests(self) -> Iterator[Any]:
        """The requests of the parent, until it has no more."""
        while (body := frames.receive_frame(self._channel)) is not None:
            yield json.loads(body)

    def note(self, place: int, *, is_touched: bool) -> None:
        """Record which test runs, in shared memory, which the parent can read after a crash.

        `is_touched` says whether the test has used the candidate.
        """
        self._end_unless_owner()
        _STATE.pack_into(self._state, 0, place, is_touched)

    def watch(self, seconds: float | None) -> None:
        """Let the parent end this process unless this method is called again within `seconds`.

        None ends the watch. It limits test code that runs on request of a candidate: a thread in
        this process could not stop such code.
        """
        self._end = 0.0 if seconds is None else time.monotonic() + seconds
        self._tell_deadlines()

    def limit_work(self, cpu_seconds: float) -> None:
        """Let the parent end this process when it has used this much CPU time on the current test.

        This limits this process's own work once the candidate was used: a candidate may return
        values whose comparison or display never ends.
        """
        self._last_cpu_second = time.process_time() + cpu_seconds
        self._tell_deadlines()

    def _tell_deadlines(self) -> None:
        _DEADLINES.pack_into(self._state, _STATE.size, self._end, self._last_cpu_second)

    def _end_unless_owner(self) -> None:
        # A process that a test forks may raise out of the test: it must not run further tests.
        if os.getpid() != self._owner:
            os._exit(1)


class ForkedProcess:
    """The parent's end. `main` runs in the new process, which ends when it returns."""

    def __init__(self, main: Callable[[ParentLink], None]) -> None:
        self._channel, theirs = socket.socketpair()
        self._state = mmap.mmap(-1, _STATE.size + _DEADLINES.size)
        _STATE.pack_into(self._state, 0, -1, False)
        self.missed_deadline = self.overworked = False
        self.exit_code: int | None = None
        parent = os.getpid()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        with warnings.catch_warnings():
            # pytest-xdist's processes have a thread for their connection, unused after the fork.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            _running.clear()
            self._channel.close()
            _run(main, ParentLink(theirs, self._state), parent)
        _running.add(self._pid)
        theirs.close()

    def messages(self, is_unwanted: Callable[[], bool] = bool) -> Iterator[dict[str, Any]]:
        """The messages of the process, until it has ended or has been silent for too long.

        `is_unwanted` is polled: it tells whether the caller no longer needs the result.
        """
        self._is_unwanted = is_unwanted
        with suppress(ConnectionError):
            while not is_unwanted() and (body := self._receive_frame()) is not None:
                yield json.loads(body)

    def answer(self, *, go_on: bool) -> None:
        """Answer `should_continue`."""
        with suppress(OSError):
            frames.send_frame(self._channel, b"go on" if go_on else b"stop")

    def ask(self, request: object) -> None:
        """Send a request, which `requests` returns; no effect if the process has ended."""
        with suppress(OSError):
            frames.send_frame(self._channel, _as_json(request))

    def ask_no_more(self) -> None:
        """End `requests`. Messages of the process can still be read."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)

    def last_test(self) -> tuple[int, bool]:
        """The position of the last test, -1 for none, and whether it used the candidate."""
        place, is_touched = _STATE.unpack_from(self._state)
        return place, is_touched

    def wait(self) -> int:
        """Wait for the end of the process. Returns its exit code, negative for a signal."""
        self._channel.close()
        self._reap(0)
        assert self.exit_code is not None
        return self.exit_code

    def is_over(self) -> bool:
        """Whether the process, which has finished its work, has ended."""
        if is_over := self._reap(os.WNOHANG):
            self._channel.close()
        return is_over

    def kill(self) -> None:
        """End the process now, unless it has ended."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self.wait()

    def _receive_frame(self) -> bytes | None:
        header = self._receive(frames.FRAME_HEADER.size)
        if len(header) < frames.FRAME_HEADER.size:
            return None
        (size,) = frames.FRAME_HEADER.unpack(header)
        body = self._receive(size)
        return None if len(body) < size else body

    def _receive(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size and self._waits_to_be_read():
            piece = self._channel.recv(size - len(received))
            if not piece:
                break
            received += piece
        return bytes(received)

    def _waits_to_be_read(self) -> bool:
        """Wait for more to read. False if the process has ended and everything has been read.

        The end of the socket is no sign, because processes that a test started may keep it open.
        """
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        end = time.monotonic() + MAX_SILENCE_SECONDS
        while not poll.poll(_MILLISECONDS_BETWEEN_LOOKS):
            if self._reap(os.WNOHANG):
                return bool(poll.poll(0))
            deadline, last_cpu_second = _DEADLINES.unpack_from(self._state, _STATE.size)
            self.missed_deadline = bool(deadline) and time.monotonic() > deadline
            self.overworked = 0 < last_cpu_second < self._cpu_seconds() and self.last_test()[1]
            is_over = self.missed_deadline or self.overworked or time.monotonic() > end
            if is_over or self._is_unwanted():
                return False
        return True

    def _cpu_seconds(self) -> float:
        with suppress(OSError):
            # The id of another process's CPU clock, computed as clock_getcpuclockid(3) does.
            return time.clock_gettime((~self._pid << 3) | 2)
        return 0.0

    def _reap(self, options: int) -> bool:
        """Whether the process has ended. If so, ends processes that it left running."""
        if self.exit_code is None:
            try:
                status = reaping.wait_status(self._pid, options)
                if status is not None:
                    self.exit_code = os.waitstatus_to_exitcode(status)
            except ChildProcessError:  # If SIGCHLD is ignored, the kernel reaps it.
                self.exit_code = 0
            if self.exit_code is not None:
                _running.discard(self._pid)
        return self.exit_code is not None


def _run(main: Callable[[ParentLink], None], link: ParentLink, parent: int) -> None:
    code = 1
    try:
        # Its own session: it can be killed as a group, and Ctrl-C does not reach it.
        os.setsid()
        end_with(parent, signal.SIGKILL)
        main(link)
        code = 0
    except BrokenPipeError:  # The parent has ended.
        pass
    except BaseException:
        with suppress(OSError):
            link.tell("broken", text=traceback.format_exc())
    finally:
        try:
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):
                    stream.flush()
        finally:
            # Not sys.exit: exit handlers must run in the parent only.
            os._exit(code)


def kill_all() -> None:
    """Kill all processes that were forked here, and those that they started; before an exit."""
    for pid in list(_running):
        reaping.end_group(pid)
        # The process may not yet lead its own group.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end_with(parent: int, how: signal.Signals) -> None:
    """Let the kernel send this process a signal when its parent has ended for any reason.

    For the kernel, the parent is the thread that started the process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, how, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _as_json(message: object) -> bytes:
    """Encode a message. Plugins and tests may have stored any object in a report's properties."""
    try:
        return _encode(message).encode()
    except (TypeError, ValueError, RecursionError):
        return _encode(_plain(message, _MAX_DEPTH)).encode()


def _plain(item: Any, depth: int) -> Any:
    match item:
        case str() | bool() | float() | None:
            return item
        case int() if item.bit_length() <= 64:
            return item
        case dict() if depth:
            return {str(key): _plain(value, depth - 1) for key, value in item.items()}
        case list() | tuple() if depth:
            return [_plain(part, depth - 1) for part in item]
    try:
        return repr(item)
    except Exception as error:
        return f"<{type(item).__name__}: no repr, {type(error).__name__}>"
