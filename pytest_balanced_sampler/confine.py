"""Confines a worker: what it may read, write, call and use up. Used by the warm process only.

`Confinement` is prepared once in the warm process, which installs the part that it can live with
itself (`enter_warm_process`), and completed in each worker before the candidate's first line
(`enter_worker`). SECURITY.md says what is enforced on which system.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import site
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import landlockpy
import seccompy
from landlockpy import AccessFS, Scope
from seccompy import ArgCond, CmpOp


class Feature(StrEnum):
    """One part of the isolation, as it is named in reports."""

    FILES = "files"
    SIGNALS = "signals"
    SYSTEM_CALLS = "system_calls"
    RESOURCES = "resources"


MEMORY_BYTES = 2 * 2**30
FILE_BYTES = 16 * 2**20
OPEN_FILES = 128
CPU_SECONDS = 600
"""A backstop: the trusted side's clock ends a test long before."""

_LANDLOCK_ABI_WITH_SCOPES = 6
_READ = AccessFS.READ_FILE | AccessFS.READ_DIR | AccessFS.EXECUTE
_SCRATCH = (
    AccessFS.READ_FILE
    | AccessFS.READ_DIR
    | AccessFS.WRITE_FILE
    | AccessFS.TRUNCATE
    | AccessFS.REMOVE_FILE
    | AccessFS.REMOVE_DIR
    | AccessFS.MAKE_REG
    | AccessFS.MAKE_DIR
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SYSTEM_PATHS = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
)

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
_CLONE_THREAD = 0x00010000
_CAPABILITY_VERSION = 0x20080522
_CAP_DAC_READ_SEARCH = 1 << 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36


class Confinement:
    """What this machine can enforce on a worker.

    `enabled` False prepares nothing (`--isolation=off`).
    """

    def __init__(self, *, enabled: bool) -> None:
        self.enforced: list[Feature] = list(_available()) if enabled else []
        self.missing = [feature for feature in Feature if feature not in self.enforced]
        self._readable = list(_readable_paths())
        self._address_space = 0
        self._worker_filter = seccompy.Filter()

    def enter_warm_process(self) -> None:
        """Install what every worker shall inherit: one call here costs a worker nothing."""
        if sys.platform == "linux":
            _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        if Feature.SYSTEM_CALLS in self.enforced:
            _drop_capabilities()
            _inherited_filter().load()
            self._worker_filter = _worker_filter()
        if Feature.RESOURCES in self.enforced:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            self._address_space = pages * resource.getpagesize() + MEMORY_BYTES

    def enter_worker(self, scratch: str) -> None:
        """Confine the calling process, which must have one thread, to its `scratch` folder."""
        if sys.platform == "linux":
            _prctl(_PR_SET_PDEATHSIG, 9)
            _prctl(_PR_SET_DUMPABLE, 0)
        if Feature.RESOURCES in self.enforced:
            self._limit_resources()
        if Feature.FILES in self.enforced:
            self._restrict_files(scratch)
        if Feature.SYSTEM_CALLS in self.enforced:
            self._worker_filter.load()

    def _limit_resources(self) -> None:
        limits = {
            resource.RLIMIT_AS: self._address_space,
            resource.RLIMIT_CPU: CPU_SECONDS,
            resource.RLIMIT_FSIZE: FILE_BYTES,
            resource.RLIMIT_NOFILE: OPEN_FILES,
            resource.RLIMIT_CORE: 0,
        }
        for kind, limit in limits.items():
            _, hard = resource.getrlimit(kind)
            value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (value, value))

    def _restrict_files(self, scratch: str) -> None:
        has_scopes = Feature.SIGNALS in self.enforced
        scoped = Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET if has_scopes else Scope.NONE
        with landlockpy.Ruleset(scoped=scoped) as ruleset:
            for path, access in self._readable:
                ruleset.allow_path(path, access)
            for device in _DEVICES:
                ruleset.allow_path(device, AccessFS.READ_FILE | AccessFS.WRITE_FILE)
            ruleset.allow_path(scratch, _SCRATCH)
            ruleset.restrict()


def _available() -> Iterator[Feature]:
    abi = landlockpy.abi_version() if sys.platform == "linux" else 0
    if abi >= 1:
        yield Feature.FILES
    if abi >= _LANDLOCK_ABI_WITH_SCOPES:
        yield Feature.SIGNALS
    if sys.platform == "linux" and seccompy.supported():
        yield Feature.SYSTEM_CALLS
    if sys.platform == "linux":
        yield Feature.RESOURCES


def _readable_paths() -> Iterator[tuple[str, AccessFS]]:
    """The interpreter, the installed packages and the system's libraries, and nothing else.

    Not `sys.path`: an editable install puts a whole checkout there, with tests and solutions.
    """
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [f"{sys.base_prefix}/lib", *site.getsitepackages(), *_SYSTEM_PATHS]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    for path in sorted({os.path.realpath(folder) for folder in folders}):
        if os.path.isdir(path):
            yield path, _READ
        elif os.path.exists(path):
            yield path, AccessFS.READ_FILE


def _inherited_filter() -> seccompy.Filter:
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


def _drop_capabilities() -> None:
    """Give up root's powers, but for reading what another user owns: packages may be somebody's."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    sets = ctypes.create_string_buffer(24)
    if libc.capget(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capget failed")
    _, permitted, *_ = struct.unpack("=6I", sets.raw)
    kept = permitted & _CAP_DAC_READ_SEARCH
    if libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0)) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")


def _worker_filter() -> seccompy.Filter:
    calls = seccompy.Filter()
    for number in _numbers(_FORBIDDEN_IN_WORKERS):
        calls.errno(number, errno.EPERM)
    for number in _numbers(["clone"]):
        calls.errno(number, errno.EPERM, args=[(0, CmpOp.MASKED_EQ, 0, _CLONE_THREAD)])
    # Its flags lie in memory, out of a filter's reach; libc falls back to clone.
    for number in _numbers(["clone3"]):
        calls.errno(number, errno.ENOSYS)
    for number in _numbers(["prlimit64"]):
        calls.errno(number, errno.EPERM, args=[(2, CmpOp.NE, 0)])
    for number in _numbers(["setrlimit"]):
        calls.errno(number, errno.EPERM)
    for number in _numbers(["prctl"]):
        for option in (_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER):
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


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")
