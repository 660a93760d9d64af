"""Which system calls a worker may make; used by `confine` only.

Two filters. The warm process installs the first one on itself, and every worker inherits it: one
load in place of one per worker. The second forbids what the warm process itself needs (to fork, to
confine), so each worker installs it last.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator

import seccompy
from seccompy import ArgCond, CmpOp

_FORBIDDEN_CALLS = (
    # Nobody to talk to but the one socket that was inherited.
    "socket bind connect listen accept accept4 "
    # Nothing outside its own memory.
    "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_open pidfd_getfd "
    "pidfd_send_signal "
    # Nothing that changes the machine.
    "mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount "
    "fspick mount_setattr setns unshare kexec_load kexec_file_load reboot swapon swapoff "
    "init_module finit_module delete_module sethostname setdomainname settimeofday "
    "clock_settime clock_adjtime adjtimex acct quotactl quotactl_fd syslog vhangup iopl ioperm "
    "personality bpf perf_event_open userfaultfd fanotify_init fanotify_mark "
    "inotify_init inotify_init1 inotify_add_watch "
    "open_by_handle_at name_to_handle_at add_key request_key keyctl "
    "io_uring_setup io_uring_enter io_uring_register "
    "setpriority sched_setscheduler sched_setparam sched_setattr sched_setaffinity ioprio_set "
    "setuid setgid setreuid setregid setresuid setresgid setgroups capset mknod mknodat "
    # Nothing that outlives the process.
    "shmget shmat shmctl shmdt semget semop semtimedop semctl msgget msgsnd msgrcv msgctl "
    "mq_open mq_unlink memfd_create memfd_secret"
).split()

_IGNORED_CALLS = (
    # Landlock does not cover owners, modes and times. Copying a file sets them, so these calls
    # say that all went well, and do nothing.
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat "
    "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat "
    # What is made must be ours to remove again.
    "umask"
).split()

_UNSUPPORTED_CALLS = {
    # Its flags lie in memory, out of a filter's reach; libc falls back to the older call.
    "openat2": errno.ENOSYS,
    # It takes space faster than anybody can look.
    "fallocate": errno.EOPNOTSUPP,
}

_CREATING_CALLS = {"open": (1, 2), "openat": (2, 3)}
"""Where the flags and the mode of a file that may be new stand among the arguments."""

_MAKING_CALLS = {"creat": (1, 0o600), "mkdir": (1, 0o700), "mkdirat": (2, 0o700)}
"""Where the mode of what is made stands, and which of its bits must be there."""

_ALLOWED_IOCTLS = (
    0x5401,  # TCGETS: is it a terminal?
    0x5413,  # TIOCGWINSZ
    0x541B,  # FIONREAD
    0x5421,  # FIONBIO
    0x5450,  # FIONCLEX
    0x5451,  # FIOCLEX
)

_FORBIDDEN_IN_WORKERS = (
    "fork vfork execve execveat seccomp landlock_create_ruleset landlock_add_rule "
    "landlock_restrict_self"
).split()

_X32_BIT = 0x40000000
"""Marks a system call of the x32 ABI, which seccomp shows under the same architecture."""

_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE_MASK = 1, 1, 0xF
_CLONE_THREAD, _CLONE_FILES = 0x00010000, 0x00000400
_CLOSE_RANGE_UNSHARE = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36


def inherited_filter() -> seccompy.Filter:
    """What no worker may do, and the warm process does not need to do."""
    calls = seccompy.Filter()
    for number in _numbers(_FORBIDDEN_CALLS):
        calls.errno(number, errno.EPERM)
    for number in _numbers(_IGNORED_CALLS):
        calls.errno(number, 0)
    for name, code in _UNSUPPORTED_CALLS.items():
        for number in _numbers([name]):
            calls.errno(number, code)
    _refuse_modes_without_owner(calls)
    for number in _numbers(["ioctl"]):
        for request in _ALLOWED_IOCTLS:
            calls.allow(number, args=[(1, CmpOp.EQ, request)])
        calls.errno(number, errno.ENOTTY)
    # An event loop wakes itself through a pair of stream sockets; a datagram socket could still
    # be pointed at somebody else's address.
    stream: list[ArgCond] = [
        (0, CmpOp.EQ, _AF_UNIX),
        (1, CmpOp.MASKED_EQ, _SOCK_STREAM, _SOCK_TYPE_MASK),
    ]
    for number in _numbers(["socketpair"]):
        calls.allow(number, args=stream)
        calls.errno(number, errno.EPERM)
    return calls


def _refuse_modes_without_owner(calls: seccompy.Filter) -> None:
    """Let nothing be made that its owner, who is to grade and remove it, may not read and write."""
    for name, (flags, mode) in _CREATING_CALLS.items():
        is_new: ArgCond = (flags, CmpOp.MASKED_EQ, os.O_CREAT, os.O_CREAT)
        for number in _numbers([name]):
            for bits in _fewer_bits(0o600):
                calls.errno(
                    number, errno.EPERM, args=[is_new, (mode, CmpOp.MASKED_EQ, bits, 0o600)]
                )
    for name, (mode, needed) in _MAKING_CALLS.items():
        for number in _numbers([name]):
            for bits in _fewer_bits(needed):
                calls.errno(number, errno.EPERM, args=[(mode, CmpOp.MASKED_EQ, bits, needed)])


def _fewer_bits(bits: int) -> Iterator[int]:
    """Every number that has some of these bits, but not all."""
    return (some for some in range(bits) if some & bits == some)


def worker_filter() -> seccompy.Filter:
    """What a worker may not do, and the warm process must."""
    calls = seccompy.Filter()
    for number in _numbers(_FORBIDDEN_IN_WORKERS):
        calls.errno(number, errno.EPERM)
    # Threads share one table of descriptors: the trusted side looks at the process's only.
    for number in _numbers(["clone"]):
        for flag in (_CLONE_THREAD, _CLONE_FILES):
            calls.errno(number, errno.EPERM, args=[(0, CmpOp.MASKED_EQ, 0, flag)])
    for number in _numbers(["close_range"]):
        unshares: ArgCond = (2, CmpOp.MASKED_EQ, _CLOSE_RANGE_UNSHARE, _CLOSE_RANGE_UNSHARE)
        calls.errno(number, errno.EPERM, args=[unshares])
    # Its flags lie in memory, out of a filter's reach; libc falls back to clone.
    for number in _numbers(["clone3"]):
        calls.errno(number, errno.ENOSYS)
    for number in _numbers(["prlimit64"]):
        calls.errno(number, errno.EPERM, args=[(2, CmpOp.NE, 0)])
    for number in _numbers(["setrlimit"]):
        calls.errno(number, errno.EPERM)
    for number in _numbers(["prctl"]):
        for option in (PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER):
            calls.errno(number, errno.EPERM, args={0: option})
    return calls


def _numbers(names: Iterable[str]) -> Iterator[int]:
    for name in names:
        try:
            number = seccompy.syscall_nr(name)
        except ValueError:  # A call that this architecture never had.
            continue
        yield number
        if seccompy.arch() == "x86_64":
            yield number | _X32_BIT
