"""The warm process: imports the preloaded modules once, then forks a worker for each candidate.

Started by `judge.warm_process` as `python -m pytest_balanced_sampler.worker.warm FD`, with a clean
environment. It reads commands from its control socket, never a byte from a candidate. In its own
session, Ctrl-C for pytest does not reach it. When the trusted side ends, it ends all workers.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..files import remove_tree
from ..wire import frames, values
from .notices import NOTICES, send_notices
from .preloading import preload
from .program import serve_program
from .serve import CandidateServer
from .unconfined import Feature, NoConfinement
from .watch import DiskWatch

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from .confine import Confinement
    from .thread_limit import ThreadLimit


class Forker:
    """Forks and ends workers, and removes their files, on commands from its connections.

    The first connection belongs to the process that started this one, each other to a process that
    grades one candidate. Workers end with the connection that ordered them.
    """

    def __init__(
        self,
        control: socket.socket,
        confinement: Confinement | NoConfinement,
        root: str,
        thread_limit: ThreadLimit | None,
    ) -> None:
        self._first = control
        self._disk_watch = DiskWatch()
        self._thread_limit = thread_limit
        self._confinement = confinement
        self._root = root
        self._scratch: dict[int, str] = {}
        self._workers: dict[socket.socket, set[int]] = {control: set()}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        if thread_limit is not None:
            self._selector.register(thread_limit.listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Carry out commands until the process that started this one closes its connection."""
        while self._first in self._workers:
            for key, _ in self._selector.select(self._seconds_to_next()):
                if isinstance(key.fileobj, socket.socket):
                    self._serve(key.fileobj)
                elif self._thread_limit is not None:
                    self._thread_limit.receive()
            self._disk_watch.look()
            if self._thread_limit is not None:
                self._thread_limit.answer()
        for connection in list(self._workers):
            self._hang_up(connection)

    def _seconds_to_next(self) -> float | None:
        """The seconds until the next check is due, even if no command arrives."""
        watches = (self._disk_watch, self._thread_limit)
        times = [watch.seconds_to_next() for watch in watches if watch is not None]
        return min((time for time in times if time is not None), default=None)

    def _serve(self, connection: socket.socket) -> None:
        """Carry out one command."""
        commands: dict[str, Callable[..., object]] = {
            "fork": self._fork,
            "fork_program": self._fork_program,
            "reap": self._reap,
            "connect": self._connect,
        }
        with suppress(ConnectionError):
            body, descriptors = frames.receive_frame_and_descriptors(connection)
            if body is not None:
                command, *args = values.decode(body, values.no_reference)
                try:
                    result = commands[command](connection, *args, *descriptors)
                    _reply(connection, "done", result)
                except OSError as error:
                    _reply(connection, "failed", f"cannot {command} a worker: {error}")
                finally:
                    for descriptor in descriptors:
                        os.close(descriptor)
                return
        self._hang_up(connection)

    def _connect(self, _: socket.socket, descriptor: int) -> None:
        """Add a connection to another process."""
        connection = socket.socket(fileno=os.dup(descriptor))
        self._workers[connection] = set()
        self._selector.register(connection, selectors.EVENT_READ)

    def _hang_up(self, connection: socket.socket) -> None:
        """End the workers of a process that has closed its connection."""
        self._selector.unregister(connection)
        connection.close()
        for pid in self._workers.pop(connection):
            self._end(pid)

    def _fork(
        self,
        connection: socket.socket,
        workspace: str | None,
        channel: int,
        output: int,
        errors: int | None = None,
        notices: int | None = None,
    ) -> list[object]:
        """Fork a worker, in a new folder or in a `workspace` that outlives it.

        Without `errors`, its standard error goes to `output`, too.
        """
        scratch = workspace or tempfile.mkdtemp(dir=self._root)
        pid = os.fork()
        if pid == 0:
            self._become_worker(scratch, channel, output, errors, notices)
        return self._added(connection, pid, scratch)

    def _fork_program(
        self, connection: socket.socket, channel: int, stdin: int, output: int, errors: int
    ) -> list[object]:
        """Fork a worker that runs the candidate as a program, in a new folder."""
        scratch = tempfile.mkdtemp(dir=self._root)
        pid = os.fork()
        if pid == 0:
            os.dup2(stdin, 0)
            self._become_worker(scratch, channel, output, errors, None, is_program=True)
        return self._added(connection, pid, scratch)

    def _added(self, connection: socket.socket, pid: int, scratch: str) -> list[object]:
        self._scratch[pid] = scratch
        self._disk_watch.add(pid, scratch)
        self._workers[connection].add(pid)
        return [pid, scratch]

    def _become_worker(
        self,
        scratch: str,
        channel: int,
        output: int,
        errors: int | None,
        notices: int | None,
        *,
        is_program: bool = False,
    ) -> NoReturn:
        try:
            with suppress(OSError):
                # If a container runs out of memory, the kernel must kill workers before the judge.
                Path("/proc/self/oom_score_adj").write_text("1000")
            self._forget_others()
            os.setsid()
            os.chdir(scratch)
            os.environ.update(HOME=scratch, TMPDIR=scratch)
            tempfile.tempdir = scratch
            os.dup2(output, 1)
            os.dup2(output if errors is None else errors, 2)
            if notices is not None:
                # Moved to a high number first: others may still use the low target numbers.
                notices = fcntl.fcntl(notices, fcntl.F_DUPFD, 100)
            os.dup2(channel, 3)
            if notices is not None:
                os.dup2(notices, NOTICES)
            os.closerange(4 if notices is None else NOTICES + 1, 2**16)
            self._confinement.enter_worker(scratch)
            own_end = socket.socket(fileno=3)
            if notices is not None:
                send_notices()
            if is_program:
                serve_program(own_end)
            CandidateServer(own_end).serve([])
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            # Whatever a candidate breaks or raises, it never returns into the code of the Forker.
            os._exit(70)

    def _forget_others(self) -> None:
        """Remove the paths and process ids of other workers from the memory of a new one."""
        self._selector.close()
        for connection in self._workers:
            connection.detach()
        self._workers.clear()
        self._scratch.clear()
        self._disk_watch.forget()

    def _reap(self, connection: socket.socket, pid: int) -> list[object]:
        """End a worker. Returns its wait status and the number of processes that it left."""
        self._workers[connection].remove(pid)
        return self._end(pid)

    def _end(self, pid: int) -> list[object]:
        self._disk_watch.remove(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        stray = self._end_stray_processes()
        scratch = self._scratch.pop(pid)
        if scratch.startswith(self._root):
            remove_tree(scratch)
        return [status, stray]

    def _end_stray_processes(self) -> int:
        """Kill what a dead worker left running; as subreaper, this process inherited it."""
        children = Path(f"/proc/self/task/{os.getpid()}/children")
        seen: set[int] = set()
        while children.exists():
            left = {int(pid) for pid in children.read_text().split()} - self._scratch.keys()
            if not left:
                break
            seen |= left
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        return len(seen)


def _prepare(*, is_enabled: bool) -> tuple[Confinement | NoConfinement, ThreadLimit | None]:
    """Install what workers inherit. Returns their confinement, and the limit of threads."""
    if sys.platform != "linux":
        return NoConfinement(), None
    # These need packages that exist for Linux only.
    from .confine import Confinement
    from .thread_limit import ThreadLimit

    confinement = Confinement(enabled=is_enabled)
    confinement.enter_warm_process()
    can_limit = Feature.SYSTEM_CALLS in confinement.enforced
    return confinement, ThreadLimit.install() if can_limit else None


def main() -> None:
    """Report what was imported and what is enforced, then serve until the trusted side ends."""
    gc.disable()
    control = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    root = tempfile.mkdtemp(prefix="pytest-solution-")
    try:
        versions = preload(settings["preload"])
        confinement, thread_limit = _prepare(is_enabled=settings["isolation"] != "off")
        # The imported objects never become garbage. Without this, a garbage collection in a worker
        # would write to them, and the kernel would copy all their memory pages.
        gc.freeze()
        gc.enable()
        enforced = [confinement.enforced, confinement.missing, confinement.landlock_abi]
        _reply(control, "ready", [versions, *enforced, root])
        Forker(control, confinement, root, thread_limit).run()
    except ImportError as error:
        _reply(control, "failed", str(error))
    finally:
        remove_tree(root)
    # The exit handlers of the imported libraries would take longer than everything above.
    os._exit(0)


def _reply(control: socket.socket, status: str, result: object) -> None:
    with suppress(ConnectionError):
        frames.send_frame(control, values.encode([status, result], values.no_reference))


if __name__ == "__main__":
    main()
