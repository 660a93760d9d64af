"""Which system calls a worker may make: seccomp filters, built from the lists in `allowed_calls`.

What is in no list fails with ENOSYS, as on a kernel that does not have it: libraries then use an
older call, and a call that a later kernel brings is refused before anybody has heard of it.

The warm process installs most of it on itself, and every worker inherits that: one load in place
of one per worker. It needs a few calls more than a worker, to fork and to confine; each worker
installs last what forbids those.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import seccompy
from seccompy import Action, CmpOp

from .allowed_calls import ALLOWED, IS_A_THREAD, RESTRICTED

REFUSED = (
    # These fail with EPERM, a PermissionError, which says more than ENOSYS: honest code, too, asks
    # for the network or for a process.
    "socket bind connect listen accept accept4 sendmsg sendmmsg recvmmsg "
    "execveat ptrace process_vm_readv process_vm_writev process_madvise "
    "pidfd_open pidfd_getfd pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo "
    "mount umount2 chroot setns unshare memfd_create inotify_init inotify_init1 inotify_add_watch "
    "mknod mknodat setpriority sched_setscheduler sched_setparam sched_setattr sched_setaffinity "
    "setpgid setuid setgid setreuid setregid setresuid setresgid setgroups capset "
    "mlock mlock2 mlockall sync syncfs "
    "shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl "
    "mq_open mq_unlink keyctl add_key request_key perf_event_open io_uring_setup"
).split()

IGNORED = (
    # Landlock does not cover owners, modes and times. Copying a file sets them, so these calls
    # say that all went well, and do nothing.
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat "
    "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat "
    # What is made must be ours to remove again.
    "umask "
    # Advice on files that others use as well.
    "fadvise64 readahead"
).split()

UNSUPPORTED = {
    # Their flags lie in memory, out of a filter's reach; libc falls back to the older calls.
    "openat2": errno.ENOSYS,
    "clone3": errno.ENOSYS,
    # It takes space faster than anybody can look.
    "fallocate": errno.EOPNOTSUPP,
}

OF_THE_WARM_PROCESS = (
    "fork vfork execve clone recvmsg ioctl setsid setrlimit prlimit64 prctl close_range seccomp "
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
).split()
"""What the warm process must be able to do: its workers may not, or not with any arguments."""

_X32_BIT = 0x40000000
"""Marks a system call of the x32 ABI, which seccomp shows under the same architecture. No other
number is as high."""

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LOAD_NUMBER, _IS_AT_LEAST, _RETURN = 0x20, 0x35, 0x06


def load_inherited(*, may_truncate: bool) -> None:
    """Allow this process, and all that it forks, what workers and the warm process need.

    `may_truncate` says whether Landlock keeps `truncate` to the files that may be written.
    """
    calls = seccompy.Filter(Action.ERRNO | errno.ENOSYS)
    withheld = {*OF_THE_WARM_PROCESS, *(() if may_truncate else ("truncate",))}
    for name in RESTRICTED:
        if name not in withheld:
            _restrict(calls, name)
    # First what is called most: the kernel compares one number after the other.
    for name in (*OF_THE_WARM_PROCESS, *" ".join(ALLOWED.values()).split()):
        _for_each(name, calls.allow)
    for name in REFUSED:
        if name not in OF_THE_WARM_PROCESS:
            _for_each(name, partial(calls.errno, error=errno.EPERM))
    if not may_truncate:
        _for_each("truncate", partial(calls.errno, error=errno.EPERM))
    for name in IGNORED:
        _for_each(name, partial(calls.errno, error=0))
    for name, code in UNSUPPORTED.items():
        _for_each(name, partial(calls.errno, error=code))
    calls.load()
    _kill_at_high_numbers()


def worker_filter() -> seccompy.Filter:
    """What a worker may not do, and the warm process must."""
    calls = seccompy.Filter()
    for name in OF_THE_WARM_PROCESS:
        if name in RESTRICTED:
            _restrict(calls, name)
        else:
            _for_each(name, partial(calls.errno, error=errno.EPERM))
    return calls


def refuse_signals_to_others() -> None:
    """Let this process send signals to itself only, where Landlock cannot see to it."""
    calls = seccompy.Filter()
    for name in ("kill", "tgkill"):
        _for_each(name, partial(calls.errno, error=errno.EPERM, args=[(0, CmpOp.NE, os.getpid())]))
    _for_each("tkill", partial(calls.errno, error=errno.EPERM))
    calls.load()


def thread_filter() -> seccompy.Filter:
    """Has the one who loads it asked whether a thread may be started: see `thread_limit`."""
    calls = seccompy.Filter(flags=seccompy.FilterFlag.NEW_LISTENER)
    _for_each("clone", partial(calls.notify, args=IS_A_THREAD))
    return calls


def _restrict(calls: seccompy.Filter, name: str) -> None:
    rule = RESTRICTED[name]
    for arguments in rule.refused:
        _for_each(name, partial(calls.errno, error=rule.error, args=arguments))
    for arguments in rule.allowed:
        _for_each(name, partial(calls.allow, args=arguments))
    if all(rule.allowed):
        _for_each(name, partial(calls.errno, error=rule.error))


def _for_each(name: str, rule: Callable[[int], None]) -> None:
    # Not every architecture has every call.
    with suppress(ValueError):
        rule(seccompy.syscall_nr(name))


def _kill_at_high_numbers() -> None:
    """End whoever makes a call of x32, of which no list knows anything."""
    program = (
        (_LOAD_NUMBER, 0, 0, 0),
        (_IS_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, Action.KILL_PROCESS),
        (_RETURN, 0, 0, Action.ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    header = struct.pack("@HxxxxxxP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no filter for the calls of x32")
