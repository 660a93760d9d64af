"""The trusted end of a worker's socket and of the pipe that it prints to; used by `remote_worker`.

Frames are bounded before they are read, and nothing here waits for longer than a tick without
asking the caller's `check` whether to go on.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from contextlib import suppress

from ..text import printable
from ..wire import frames, tags
from .unpatched import os, time

MAX_KEPT_OUTPUT = 64 * 1024

_TICK_SECONDS = 0.1
_LOOKS_BEFORE_SLEEP = 30
"""Most answers come sooner than the kernel puts us to sleep and wakes us again: 50 microseconds of
looking made an exchange twice as fast, and two processes on two cores no slower."""
_RECEIVED_AT_ONCE = 2**18
_USUAL_BYTES = 2**14
"""Asking for more costs 30 microseconds: Python has the kernel map, and clear, memory for it."""


class Channel:
    """Sends requests to one worker and receives its replies, keeping what it prints.

    `theirs` and `output_inlet` are the worker's ends; whoever passes them on closes them here.
    """

    def __init__(self) -> None:
        self._socket, self.theirs = socket.socketpair()
        self._socket.setblocking(False)
        self._output, self.output_inlet = os.pipe()
        os.set_blocking(self._output, False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)
        self._output_is_open = True
        self._kept_output = bytearray()
        self._cut_output = 0
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

    def drain_output(self) -> str:
        """What the candidate printed since the last call, made safe to show."""
        with suppress(BlockingIOError):
            self._read_output()
        kept, cut = bytes(self._kept_output), self._cut_output
        self._kept_output.clear()
        self._cut_output = 0
        half = len(kept) // 2
        note = f"\n[... {cut} bytes cut ...]\n".encode() if cut else b""
        text = kept[:half] + note + kept[half:]
        return printable(text.decode(errors="backslashreplace"), 2 * MAX_KEPT_OUTPUT)

    def close(self) -> None:
        """Close this side's descriptors."""
        self._socket.close()
        os.close(self._output)

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
            if self._output in ready:
                self._read_output()
            if self._socket.fileno() in ready:
                if event != select.POLLIN:
                    self._poll.modify(self._socket, select.POLLIN)
                return

    def _look(self) -> list[tuple[int, int]]:
        for _ in range(_LOOKS_BEFORE_SLEEP):
            if ready := self._poll.poll(0):
                return ready
        return self._poll.poll(_TICK_SECONDS * 1000)

    def _read_output(self) -> None:
        piece = os.read(self._output, _RECEIVED_AT_ONCE)
        # The beginning and the end are kept: one of them has what a reader looks for.
        self._kept_output += piece
        cut = len(self._kept_output) - MAX_KEPT_OUTPUT
        if cut > 0:
            self._cut_output += cut
            half = MAX_KEPT_OUTPUT // 2
            del self._kept_output[half : half + cut]
        if not piece and self._output_is_open:
            self._output_is_open = False
            self._poll.unregister(self._output)
