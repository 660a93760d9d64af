"""Has what seccomp answers make sense to honest code; used by `confine`.

It refuses processes in any case: this only replaces "Operation not permitted", which honest code
gets far away from its cause, by `multiprocessing.Pool` for example. And it answers calls that set
the times of a file by 0, also where there is no file: `Path.touch` would then make none.
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


_set_times = os.utime


def _set_times_of_what_is_there(path: Any, *args: Any, **options: Any) -> None:
    where = {name: options[name] for name in ("dir_fd", "follow_symlinks") if name in options}
    os.stat(path, **where)
    _set_times(path, *args, **options)


def explain_refusals(*, has_locks: bool) -> None:
    """Replace what starts processes, and what sets times, in the calling process.

    Without `has_locks`, the kernel refuses locks between processes as well.
    """
    replaced: list[tuple[Any, str, Callable[..., object]]] = [
        *((os, name, _refuse_process) for name in ("fork", "forkpty")),
        *((os, name, _refuse_process) for name in ("posix_spawn", "posix_spawnp")),
        (os, "utime", _set_times_of_what_is_there),
        (_posixsubprocess, "fork_exec", _refuse_process),
        (subprocess, "_fork_exec", _refuse_process),
    ]
    if not has_locks:
        replaced.append((_multiprocessing, "SemLock", _SemLock))
    for module, name, replacement in replaced:
        if hasattr(module, name):
            setattr(module, name, replacement)
    # `shutil` asks these sets.
    for supporting in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks):
        if _set_times in supporting:
            supporting.add(_set_times_of_what_is_there)
