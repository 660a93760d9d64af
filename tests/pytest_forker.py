"""Sessions of pytest, forked from a process that has imported pytest.

A session costs half the CPU time of one in a new process. Nothing of this project is imported
before the fork, so that what a session of it loads, and when, is as for a user.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

_ROOT = Path(__file__).parent.parent
_MAX_REQUEST_BYTES = 2**20
# What every session loads; of pytest's own plugins, what it imports when it starts.
_PRELOADED = (
    *("asyncio", "execnet", "msgpack", "pygments.formatters.terminal", "pygments.lexers.python"),
    *("unittest.mock", "xml.etree.ElementTree", "zoneinfo"),
)


def run_forked(
    arguments: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    seconds: float,
    modules: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """Run `python -m pytest`, as `subprocess.run` would, with its output captured.

    `modules` are imported before the fork.
    """
    of_python = tuple(
        (name, value) for name, value in environment.items() if name.startswith("PYTHON")
    )
    return _forker(of_python, modules).run(arguments, cwd, environment, seconds)


@functools.cache
def _forker(environment: tuple[tuple[str, str], ...], modules: tuple[str, ...]) -> _Forker:
    # Python reads its own variables only when it starts.
    return _Forker(dict(environment), modules)


class _Forker:
    def __init__(self, environment: dict[str, str], modules: tuple[str, ...]) -> None:
        # Each message arrives whole, whatever its size.
        self._socket, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.pytest_forker", *_PRELOADED, *modules],
                cwd=_ROOT,
                env=os.environ | environment,
                stdin=theirs.fileno(),
            )
        self._lock = threading.Lock()
        atexit.register(self._close)

    def run(
        self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], seconds: float
    ) -> subprocess.CompletedProcess[str]:
        request = {"arguments": arguments, "cwd": str(cwd), "environment": dict(environment)}
        with self._lock, ThreadPoolExecutor(2) as readers:
            pipes = [os.pipe(), os.pipe()]
            socket.send_fds(
                self._socket, [json.dumps(request).encode()], [inlet for _, inlet in pipes]
            )
            outputs = []
            for outlet, inlet in pipes:
                os.close(inlet)
                outputs.append(readers.submit(_read_all, outlet))
            process = int(self._socket.recv(64))
            # Without its end nobody could read the rest of the output.
            alarm = threading.Timer(seconds, os.kill, (process, signal.SIGKILL))
            alarm.start()
            status = int(self._socket.recv(64))
            alarm.cancel()
            output, errors = (each.result() for each in outputs)
        return subprocess.CompletedProcess(arguments, status, output, errors)

    def _close(self) -> None:
        self._socket.close()
        self._process.wait()


def _read_all(outlet: int) -> str:
    with open(outlet, encoding="utf-8") as pipe:
        return pipe.read()


def _serve(requests: socket.socket) -> None:
    # An interrupt from the keyboard is for the session alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        body, descriptors, _, _ = socket.recv_fds(requests, _MAX_REQUEST_BYTES, 2)
        if not body:
            return
        process = os.fork()
        if process == 0:
            requests.close()
            _become_pytest(json.loads(body), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        requests.sendall(b"%d" % process)
        _, status = os.waitpid(process, 0)
        requests.sendall(b"%d" % os.waitstatus_to_exitcode(status))


def _become_pytest(request: dict[str, object], descriptors: list[int]) -> NoReturn:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments, cwd, environment = request.values()
    assert isinstance(arguments, list)
    assert isinstance(cwd, str)
    assert isinstance(environment, dict)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.path[0] = cwd
    for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), *descriptors)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv[1:] = arguments
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    from _pytest.config import default_plugins

    for name in (*(f"_pytest.{name}" for name in default_plugins), *sys.argv[1:]):
        importlib.import_module(name)
    # No session traverses these objects, and so copies their memory pages.
    gc.freeze()
    _serve(socket.socket(fileno=os.dup(0)))
