"""The trusted side's hold on the warm process, and the supply of workers that it forks.

Used by the grading session and by rollouts, which take workers and end them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import HarnessError, WorkerLost
from ..files import remove_tree
from ..text import printable
from ..wire import frames, values
from .remote_worker import Death, RemoteWorker, describe_exit

_WARM_MODULE = "pytest_balanced_sampler.worker.warm"
_START_SECONDS = 300
_COMMAND_SECONDS = 60
_SECONDS_TO_END = 2
_INHERITED = ("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "TZ")
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Isolation:
    """What is enforced on every worker, and what this machine cannot enforce."""

    mode: str
    enforced: list[str]
    missing: list[str]


class WarmProcess:
    """A process that has imported `preload` and forks workers from there.

    Starting it does not wait for the imports; the first use does. Any method raises `WorkerLost`
    when the process has died, and `HarnessError` when it cannot do what it was asked for.
    """

    def __init__(
        self,
        preload: list[str],
        isolation: str,
    ) -> None:
        self._isolation_mode = isolation
        self._control, theirs = socket.socketpair()
        self._control.settimeout(_START_SECONDS)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        settings = json.dumps({"preload": preload, "isolation": isolation})
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                # -P: neither the working directory nor a script's folder is a place to import from.
                [sys.executable, "-P", "-u", "-m", _WARM_MODULE, str(theirs.fileno()), settings],
                env=inherited | _ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._lock = threading.RLock()
        self._scratch_root: str | None = None
        self._spare: RemoteWorker | None = None
        self._owed: deque[Callable[[Any], None]] = deque()
        self._is_out_of_step = False
        self.versions: dict[str, str] = {}
        self.isolation = Isolation(isolation, [], [])

    def wait_until_ready(self) -> None:
        """Wait for the imports and learn what is enforced. A failed import is a `HarnessError`."""
        if self._scratch_root is None:
            status, result = self._receive()
            if status != "ready":
                raise HarnessError(f"the warm process could not start: {result}")
            versions, enforced, missing, root = result
            self.versions = versions
            self.isolation = Isolation(self._isolation_mode, enforced, missing)
            self._scratch_root = root
            self._control.settimeout(_COMMAND_SECONDS)

    def fork(self) -> RemoteWorker:
        """A fresh worker. The next one is being forked when this returns."""
        with self._lock:
            self.wait_until_ready()
            worker = self._spare or self._order_worker()
            self._spare = None
            self._wait_until_forked(worker)
            worker.wait_until_ready()
            self._spare = self._order_worker()
        return worker

    def fork_in(self, workspace: Path) -> RemoteWorker:
        """A fresh worker whose only folder is `workspace`, which stays when the worker ends."""
        with self._lock:
            self.wait_until_ready()
            worker = self._order_worker(str(workspace.resolve()))
            self._wait_until_forked(worker)
        worker.wait_until_ready()
        return worker

    def reap(self, worker: RemoteWorker) -> Death:
        """End a worker, if it has not ended already, and say how it did."""
        deaths: list[Death] = []
        with self._lock:
            self._order(["reap", worker.pid], lambda death: deaths.append(Death(*death)))
            while not deaths:
                self._take_reply()
        return deaths[0]

    def dismiss(self, worker: RemoteWorker) -> Death | None:
        """End a worker that has done its work, without waiting for that.

        Where workers can leave processes behind, wait, and say how it ended.
        """
        if "system_calls" not in self.isolation.enforced:
            return self.reap(worker)
        with self._lock:
            self._order(["reap", worker.pid], lambda _: None)
        return None

    def close(self) -> None:
        """End the process and every worker that is left."""
        if self._spare is not None:
            self._spare.hang_up()
        self._control.close()
        try:
            self._process.wait(timeout=_COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        if self._scratch_root is not None:
            remove_tree(self._scratch_root)

    def _order_worker(self, workspace: str | None = None) -> RemoteWorker:
        worker = RemoteWorker(self)

        def introduce(forked: Any) -> None:
            worker.pid, worker.scratch = forked

        with worker.theirs:
            descriptors = [worker.theirs.fileno(), worker.output_inlet]
            self._order(["fork", workspace], introduce, descriptors)
            os.close(worker.output_inlet)
        return worker

    def _wait_until_forked(self, worker: RemoteWorker) -> None:
        while worker.pid is None:
            self._take_reply()

    def _order(
        self, command: list[Any], on_done: Callable[[Any], None], descriptors: Sequence[int] = ()
    ) -> None:
        """Send a command. Replies come in the order of the commands; nobody waits for them here."""
        self._owed.append(on_done)
        self._send(command, descriptors)

    def _take_reply(self) -> None:
        status, result = self._receive()
        on_done = self._owed.popleft()
        if status != "done":
            raise HarnessError(f"the warm process could not serve: {result}")
        on_done(result)

    def _send(self, command: list[Any], descriptors: Sequence[int] = ()) -> None:
        body = values.encode(command, values.no_reference)
        with self._in_step():
            frames.send_frame(self._control, body, descriptors)

    def _receive(self) -> Any:
        with self._in_step():
            received = frames.receive_frame(self._control)
            if received is None:
                raise WorkerLost(self._describe_end())
            return values.decode(received, values.no_reference)

    @contextmanager
    def _in_step(self) -> Generator[None]:
        """Send or receive a whole message, or never again.

        An interrupt, or too deep a recursion in a test, may break off what is inside: then nobody
        can tell any more which reply is whose.
        """
        if self._is_out_of_step:
            raise WorkerLost(self._describe_end())
        self._is_out_of_step = True
        try:
            yield
        except OSError as error:
            raise WorkerLost(self._describe_end()) from error
        self._is_out_of_step = False

    def _describe_end(self) -> str:
        # One that hung up is about to end by itself, and how it does is worth knowing.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS_TO_END)
        self._process.kill()
        code = self._process.wait()
        self._errors.seek(0)
        stderr_tail = printable(self._errors.read().decode(errors="backslashreplace"), 2000).strip()
        return f"the warm process ended ({describe_exit(code)}). {stderr_tail}".strip()
