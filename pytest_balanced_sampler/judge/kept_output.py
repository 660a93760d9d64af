"""What a worker writes to one of its pipes, of which the trusted side keeps so much and no more."""

from __future__ import annotations

from contextlib import suppress

from .unpatched import os

MAX_KEPT_BYTES = 2**20
_READ_AT_ONCE = 2**18


class KeptOutput:
    """The trusted end of a pipe. `inlet` is the worker's; whoever passes it on closes it here.

    Of what is not taken in time the beginning and the end are kept: one of them has what a reader
    looks for.
    """

    def __init__(self) -> None:
        self.descriptor, self.inlet = os.pipe()
        os.set_blocking(self.descriptor, False)
        self._kept = bytearray()
        self._cut = 0

    def read(self) -> bool:
        """Read what there is. Gives whether there may be more some day."""
        try:
            piece = os.read(self.descriptor, _READ_AT_ONCE)
        except BlockingIOError:
            return True
        self._kept += piece
        cut = len(self._kept) - MAX_KEPT_BYTES
        if cut > 0:
            self._cut += cut
            half = MAX_KEPT_BYTES // 2
            del self._kept[half : half + cut]
        return bool(piece)

    def take(self) -> str:
        """All that was kept since the last time, as text, with a note of what was cut."""
        if not self._kept:
            return ""
        kept, cut = bytes(self._kept), self._cut
        self._kept.clear()
        self._cut = 0
        half = len(kept) // 2
        note = f"\n[... {cut} bytes cut ...]\n".encode() if cut else b""
        return (kept[:half] + note + kept[half:]).decode(errors="backslashreplace")

    def close(self) -> None:
        """Close this side's descriptor."""
        with suppress(OSError):
            os.close(self.descriptor)
