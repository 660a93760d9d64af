"""The supply of workers: a warm process that is started again whenever it has died.

Used by the grading session and by rollouts, which take workers and end them.
"""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from ..errors import HarnessError, WorkerLost
from .remote_worker import RemoteWorker
from .warm_process import WarmProcess


class WorkerSupply:
    """Workers of a warm process, which is started at once and anew whenever it has died.

    May be used from many threads. Raises `HarnessError` when a second warm process fails as well.
    """

    def __init__(
        self,
        preload: list[str],
        isolation: str,
    ) -> None:
        self._start = partial(WarmProcess, preload, isolation)
        self._lock = threading.RLock()
        self._warm: WarmProcess | None = self._start()

    def warm_process(self) -> WarmProcess:
        """The warm process, when it has imported everything."""
        with self._lock:
            if self._warm is not None:
                try:
                    self._warm.wait_until_ready()
                except WorkerLost:
                    self.discard_warm_process()
            if self._warm is None:
                self._warm = self._start()
                self._warm.wait_until_ready()
            return self._warm

    def fork(self, workspace: Path | None = None) -> RemoteWorker:
        """A fresh worker, in a folder of its own or in a `workspace` that outlives it."""
        try:
            return self._fork(workspace)
        except WorkerLost:
            self.discard_warm_process()
        try:
            return self._fork(workspace)
        except WorkerLost as error:
            raise HarnessError(f"cannot get a worker: {error}") from error

    def discard_warm_process(self) -> None:
        """End the warm process, and every worker with it; the next use starts another."""
        with self._lock:
            warm, self._warm = self._warm, None
        if warm is not None:
            warm.close()

    def _fork(self, workspace: Path | None) -> RemoteWorker:
        warm = self.warm_process()
        return warm.fork() if workspace is None else warm.fork_in(workspace)
