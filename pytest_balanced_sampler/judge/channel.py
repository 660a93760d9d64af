"""The trusted end of a worker's socket and of the pipes that it prints to; used by `remote_worker`.

Frames are bounded before they are read, and nothing here waits for longer than a tick without
asking the caller's `check` whether to go on.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress

from ..text import printable
from ..wire import frames, tags
from .kept_output import KeptOutput
from .unpatched import time

MAX_SHOWN_OUTPUT = 128 * 1024

_TICK_SECONDS = 0.1
_SO_PASSRIGHTS = 83
"""Of Linux 6.16; on x86-64 and arm64."""
_LOOKS_BEFORE_SLEEP = 30
"""Most answers come sooner than the kernel puts us to sleep and wakes us again: 50 microseconds of
looking made an exchange twice as fast, and two processes on two cores no slower."""
_RECEIVED_AT_ONCE = 2**18
_USUAL_BYTES = 2**14
"""Asking for more costs 30 microseconds: Python has the kernel map, and clear, memory for it."""


class Channel:
    """Sends requests to one worker and receives its replies, keeping what it prints.

    `theirs` and `inlets` (of output, errors and notices) are the worker's ends; whoever passes them
    on closes them here.
    """

    def __init__(self) -> None:
        self._socket, self.theirs = socket.socketpair()
        self._socket.setblocking(False)
        # Files that a worker sent would take the disk for as long as they wait here.
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_PASSRIGHTS, 0)
        self._outputs = (KeptOutput(), KeptOutput(), KeptOutput())
        self.inlets = [output.inlet for output in self._outputs]
        # The kernel looks at the pipes after the socket: with a reply, it finds what was printed
        # before that reply.
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._open = {output.descriptor: output for output in self._outputs}
        for descriptor in self._open:
            self._poll.register(descriptor, select.POLLIN)
        self.has_output = False
        self._next_check = 0.0

    def send(self, body: bytes, check: Callable[[], None]) -> None:
        """Send one message. `check` is called ten times a second meanwhile, and may raise.

        Raises `EOFError` when the worker is gone and `WireError` when it sent an unexpected reply.
        """
        __tracebackhide__ = True
        self.expect_silence()
        left = memoryview(frames.FRAME_HEADER.pack(len(body)) + body)
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                self._wait_for(select.POLLOUT, check)
            except OSError:
                raise EOFError from None

    def expect_silence(self) -> None:
        """Look, without waiting, whether the worker sends nothing. Raises what `send` does."""
        if any(descriptor == self._socket.fileno() for descriptor, _ in self._poll.poll(0)):
            if self._receive_piece(1):
                raise tags.WireError("a reply that nobody asked for")
            raise EOFError

    def receive(self, check: Callable[[], None]) -> bytes:
        """Receive exactly one message; `check` and what is raised are as for `send`."""
        __tracebackhide__ = True
        received = bytearray()
        size = frames.FRAME_HEADER.size
        while len(received) < size:
            self._wait_for(select.POLLIN, check)
            piece = self._receive_piece(size - len(received))
            if not piece:
                raise EOFError
            received += piece
            if size == frames.FRAME_HEADER.size and len(received) >= size:
                size += frames.FRAME_HEADER.unpack_from(received)[0]
                if size > frames.FRAME_HEADER.size + frames.MAX_FRAME_BYTES:
                    raise tags.WireError(f"a reply that claims to have {size:,} bytes")
        if len(received) > size:
            raise tags.WireError("more than the one reply that it owed")
        return bytes(memoryview(received)[frames.FRAME_HEADER.size :])

    def take_output(self) -> tuple[str, str, str]:
        """What the candidate printed since the last call, to output and errors, and its notices."""
        self.has_output = False
        output, errors, notices = (kept.take() for kept in self._outputs)
        return output, errors, notices

    def drain_output(self) -> str:
        """What the candidate printed since the last call, made safe to show."""
        self._read_outputs(list(self._open))
        output, errors, _ = self.take_output()
        return printable(output + errors, MAX_SHOWN_OUTPUT)

    def hang_up(self) -> None:
        """Close the socket, with all that waits in it; what was printed can still be read."""
        self._socket.close()

    def close(self) -> None:
        """Close this side's descriptors."""
        self._socket.close()
        for output in self._outputs:
            output.close()

    def _receive_piece(self, missing: int) -> bytes:
        try:
            return self._socket.recv(max(_USUAL_BYTES, min(missing, _RECEIVED_AT_ONCE)))
        except OSError:
            return b""

    def _wait_for(self, event: int, check: Callable[[], None]) -> None:
        """Wait for the socket, keeping what the candidate prints, until `check` raises."""
        __tracebackhide__ = True
        if event != select.POLLIN:
            self._poll.modify(self._socket, event)
        while True:
            now = time.monotonic()
            if now > self._next_check:
                self._next_check = now + _TICK_SECONDS
                check()
            ready = {descriptor for descriptor, _ in self._look()}
            if len(ready) > 1 or self._socket.fileno() not in ready:
                self._read_outputs(ready)
            if self._socket.fileno() in ready:
                if event != select.POLLIN:
                    self._poll.modify(self._socket, select.POLLIN)
                return

    def _look(self) -> list[tuple[int, int]]:
        for _ in range(_LOOKS_BEFORE_SLEEP):
            if ready := self._poll.poll(0):
                return ready
        return self._poll.poll(_TICK_SECONDS * 1000)

    def _read_outputs(self, ready: Iterable[int]) -> None:
        for descriptor in ready:
            output = self._open.get(descriptor)
            if output is None:
                continue
            self.has_output = True
            if not output.read():
                del self._open[descriptor]
                self._poll.unregister(descriptor)
