"""Run as a script: confines itself as a worker, without the features named, and tries things out.

Prints a JSON object: for each probe whether it succeeded.
"""

import asyncio
import ctypes
import fcntl
import json
import mimetypes
import mmap
import multiprocessing
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import landlockpy
import seccompy

from pytest_balanced_sampler.worker.confine import Confinement
from pytest_balanced_sampler.worker.unconfined import Feature

LIBC = ctypes.CDLL(None, use_errno=True)
PARENT = os.getpid()


def system_call(name, *arguments):
    if LIBC.syscall(seccompy.syscall_nr(name), *arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def read(path):
    with open(path, "rb") as file:
        file.read(1)


def read_those_there_are(*paths):
    for path in filter(os.path.exists, paths):
        read(path)


def move_between_folders():
    os.mkdir("from")
    os.mkdir("to")
    with open("from/moved", "w") as file:
        file.write("x")
    os.replace("from/moved", "to/moved")


def write(path):
    with open(path, "w") as file:
        file.write("x")
    os.unlink(path)


def fork():
    if os.fork() == 0:
        os._exit(0)


def start_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def use_thread_pool():
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(abs, [-1, -2]))


def write_large_file():
    with open("large", "wb") as file:
        file.write(b"x" * 2**25)


def open_many_files():
    for _ in range(1000):
        os.dup(1)


def make_readable_file_executable():
    write_path = os.path.join(os.getcwd(), "mode")
    with open(write_path, "w") as file:
        file.write("x")
    os.chmod(write_path, 0o777)
    if os.stat(write_path).st_mode & 0o777 != 0o777:
        raise OSError("the mode did not change")


def make_without_mode():
    os.close(os.open("nobodys", os.O_CREAT | os.O_WRONLY, 0))


def reserve_space():
    descriptor = os.open("reserved", os.O_CREAT | os.O_WRONLY)
    system_call("fallocate", descriptor, 0, ctypes.c_long(0), ctypes.c_long(4096))


def ask_file_system():
    descriptor = os.open("asked", os.O_CREAT | os.O_RDWR)
    fcntl.ioctl(descriptor, 2, bytes(4))  # FIGETBSZ, which asks no more than a size.


def use_capability():
    header, sets = struct.pack("=Ii", 0x20080522, 0), ctypes.create_string_buffer(24)
    LIBC.capget(header, sets)
    effective, *_, more, _, _ = struct.unpack("=6I", sets.raw)
    if not (effective & ~(1 << 2) or more):
        raise OSError("there is none but to read")


def take_lease():
    with open(os.__file__) as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def mark_folder():
    attributes = struct.pack("=QIIII", 0, 0, 0, 0, 0)
    system_call("file_setattr", -100, SECRET_FOLDER.encode(), attributes, len(attributes), 0)


def pass_descriptor():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(ours, [b"x"], [1])


def take_timers():
    for _ in range(1000):
        system_call("timer_create", 1, 0, ctypes.byref(ctypes.c_int()))


def queue_signals():
    """More than one process may have, by realtime signals that wait."""
    number = signal.SIGRTMIN
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    for _ in range(1000):
        signal.raise_signal(number)


def empty_by_path():
    os.truncate(f"{SECRET_FOLDER}/secret", 3)


def empty_by_opening():
    os.close(os.open(f"{SECRET_FOLDER}/secret", os.O_RDONLY | os.O_TRUNC))


def open_without_a_right():
    os.close(os.open(f"{SECRET_FOLDER}/secret", os.O_ACCMODE))


def shorten_own_file():
    with open("long", "w") as file:
        file.write("long")
    with open("long", "r+") as file:
        file.truncate(1)


def raise_limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


SECRET_FOLDER = tempfile.mkdtemp()
with open(f"{SECRET_FOLDER}/secret", "w") as secret_file:
    secret_file.write("secret")
PROGRAM = ["/bin/true"]
HOME = os.path.expanduser("~")
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")

PROBES = {
    "read its own folder": lambda: (write("x"), os.listdir(".")),
    "read the standard library": lambda: read(os.__file__),
    "start a thread": start_thread,
    "use a pool of threads": use_thread_pool,
    "run an event loop": lambda: asyncio.run(asyncio.sleep(0)),
    "ask for a limit": lambda: resource.getrlimit(resource.RLIMIT_AS),
    "draw random bytes": lambda: read("/dev/urandom"),
    "guess a file's type": mimetypes.init,
    "read public settings": lambda: read_those_there_are("/etc/timezone", "/etc/services"),
    "read the certificates": lambda: read_those_there_are(*BUNDLES),
    "learn the machine's size": lambda: (read("/proc/cpuinfo"), read("/proc/meminfo")),
    "look at its own process": lambda: (read("/proc/self/maps"), read("/proc/self/status")),
    "move a file between its folders": move_between_folders,
    "shorten its own file": shorten_own_file,
    "read a file elsewhere": lambda: read(f"{SECRET_FOLDER}/secret"),
    "read the checkout": lambda: read(__file__),
    "read /etc/passwd": lambda: read("/etc/passwd"),
    "read /proc/self/environ": lambda: read("/proc/self/environ"),
    "read /etc/shadow": lambda: read("/etc/shadow"),
    "list /etc": lambda: os.listdir("/etc"),
    "list its own descriptors": lambda: os.listdir("/proc/self/fd"),
    "list the home folder": lambda: os.listdir(HOME),
    "list the root folder": lambda: os.listdir("/"),
    "write elsewhere": lambda: write(f"{SECRET_FOLDER}/new"),
    "make a lock for processes": lambda: multiprocessing.get_context("fork").Lock(),
    "write to shared memory": lambda: write("/dev/shm/reward_hack"),
    "write to the standard library": lambda: write(os.__file__ + ".new"),
    "make a symbolic link": lambda: os.symlink("a", "b"),
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "open a TCP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
    "open a Unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).close(),
    "make a pair of datagram sockets": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    "fork": fork,
    "run a program": lambda: subprocess.run(PROGRAM, check=True),
    "unshare a namespace": lambda: system_call("unshare", 0x00020000),
    "open its parent's descriptor": lambda: system_call("pidfd_open", os.getppid(), 0),
    "unshare its descriptors": lambda: system_call("close_range", 1000, 1000, 2),
    "make a memory file": lambda: system_call("memfd_create", b"x", 0),
    "use the kernel's keyring": lambda: system_call("keyctl", 0, -3, 1),
    "outlive the warm process": lambda: system_call("prctl", 1, 0),
    "change a file's mode": make_readable_file_executable,
    "make an unreadable file": make_without_mode,
    "make a locked folder": lambda: os.mkdir("locked", 0o300),
    "reserve disk space": reserve_space,
    "put a question to a file system": ask_file_system,
    "lease a library file": take_lease,
    "mark another folder": mark_folder,
    "pass a descriptor": pass_descriptor,
    "take a thousand timers": take_timers,
    "queue a thousand signals": queue_signals,
    "empty a file by its path": empty_by_path,
    "empty a file by opening it": empty_by_opening,
    "open a file without a right": open_without_a_right,
    "have room for asynchronous reads": lambda: system_call(
        "io_setup", 100, ctypes.byref(ctypes.c_ulong())
    ),
    "have root's powers": use_capability,
    "raise a limit": raise_limit,
    # Reserved is enough: to clear all its pages would take ten seconds.
    "take four gigabytes": lambda: mmap.mmap(
        -1, 2**32, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    ),
    "write a large file": write_large_file,
    "open a thousand files": open_many_files,
}


def main():
    """Arguments are features to do without, and what to emulate: `abi=N`, `seccomp=absent`."""
    without = [name for name in sys.argv[1:] if "=" not in name]
    for name in set(sys.argv[1:]) - set(without):
        kind, _, value = name.partition("=")
        emulate_landlock(int(value)) if kind == "abi" else emulate_no_seccomp()
    confinement = Confinement(enabled=True)
    for feature in map(Feature, without):
        if feature in confinement.enforced:
            confinement.enforced.remove(feature)
    confinement.enter_warm_process()
    scratch = tempfile.mkdtemp()
    os.chdir(scratch)
    confinement.enter_worker(scratch)
    possible = {}
    for name, probe in PROBES.items():
        try:
            probe()
            possible[name] = True
        except (OSError, MemoryError, ValueError):
            possible[name] = False
    print(json.dumps([confinement.missing, possible]))


def emulate_landlock(abi):
    """Ask of the kernel only what that version of Landlock knows."""
    landlockpy._syscall.abi_version = landlockpy.abi_version = lambda: abi


def emulate_no_seccomp():
    seccompy.supported = lambda: False


if __name__ == "__main__":
    main()
