"""Says in a sentence why a worker starts no process; used by `confine`.

seccomp refuses it in any case. This only replaces "Operation not permitted", which honest code gets
far away from its cause: by `multiprocessing.Pool`, or by a lock for processes in a pool of threads.
"""

from __future__ import annotations

import _multiprocessing
import _posixsubprocess
import errno
import os
import subprocess
from collections.abc import Callable
from typing import Any, NoReturn

_NO_PROCESS = "a candidate cannot start a process: compute in this one, or use threads"
_NO_LOCK = (
    "a candidate has no locks or queues between processes: use those of threading and queue, and "
    "concurrent.futures.ThreadPoolExecutor for a pool of threads"
)


class _SemLock(_multiprocessing.SemLock):  # type: ignore[misc]
    """Stays a class: `multiprocessing.synchronize` reads its attributes."""

    def __new__(cls, *_: Any, **__: Any) -> NoReturn:
        raise PermissionError(errno.EACCES, _NO_LOCK)


def _refuse_process(*_: Any, **__: Any) -> NoReturn:
    raise PermissionError(errno.EPERM, _NO_PROCESS)


def explain_refusals(*, has_locks: bool) -> None:
    """Replace what starts processes in the calling process.

    Without `has_locks`, the kernel refuses locks between processes as well.
    """
    replaced: list[tuple[Any, str, Callable[..., object]]] = [
        *((os, name, _refuse_process) for name in ("fork", "forkpty")),
        *((os, name, _refuse_process) for name in ("posix_spawn", "posix_spawnp")),
        (_posixsubprocess, "fork_exec", _refuse_process),
        (subprocess, "_fork_exec", _refuse_process),
    ]
    if not has_locks:
        replaced.append((_multiprocessing, "SemLock", _SemLock))
    for module, name, replacement in replaced:
        if hasattr(module, name):
            setattr(module, name, replacement)
