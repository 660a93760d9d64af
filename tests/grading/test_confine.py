"""What a worker can do, and what becomes possible when a part of the kernel is missing."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import landlockpy
import pytest
import seccompy

from pytest_balanced_sampler.disk_use import MAX_BYTES_PER_FILE
from pytest_balanced_sampler.worker import confine
from pytest_balanced_sampler.worker.allowed_calls import ALLOWED, RESTRICTED
from pytest_balanced_sampler.worker.confine import FILE_BYTES, Confinement
from pytest_balanced_sampler.worker.system_calls import (
    IGNORED,
    OF_THE_WARM_PROCESS,
    REFUSED,
    UNSUPPORTED,
)
from pytest_balanced_sampler.worker.unconfined import Feature
from tests import system_call_table
from tests.conftest import ROOT, run_pytest

needs_everything = pytest.mark.skipif(
    bool(Confinement(enabled=True).missing),
    reason=f"this machine cannot enforce {Confinement(enabled=True).missing}",
)

ALWAYS_POSSIBLE = {
    "read its own folder",
    "read the standard library",
    "start a thread",
    "use a pool of threads",
    "run an event loop",
    "ask for a limit",
    "draw random bytes",
    "guess a file's type",
    "read public settings",
    "read the certificates",
    "learn the machine's size",
    "look at its own process",
    "move a file between its folders",
    "shorten its own file",
}
ONLY_AS_ROOT = {"have root's powers", "read /etc/shadow"}
POSSIBLE_WITHOUT = {
    Feature.FILES: {
        "read a file elsewhere",
        "read the checkout",
        "read /etc/passwd",
        "read /proc/self/environ",
        "read /etc/shadow",
        "list /etc",
        "list its own descriptors",
        "list the home folder",
        "list the root folder",
        "write elsewhere",
        "make a lock for processes",
        "write to shared memory",
        "write to the standard library",
        "make a symbolic link",
        "empty a file by its path",
    },
    Feature.SIGNALS: {"signal its parent"},
    Feature.SYSTEM_CALLS: {
        "open a TCP socket",
        "open a Unix socket",
        "make a pair of datagram sockets",
        "fork",
        "unshare a namespace",
        "unshare its descriptors",
        "open its parent's descriptor",
        "make a memory file",
        "use the kernel's keyring",
        "outlive the warm process",
        "change a file's mode",
        "make an unreadable file",
        "make a locked folder",
        "reserve disk space",
        "put a question to a file system",
        "have root's powers",
        "lease a library file",
        "mark another folder",
        "pass a descriptor",
        "have room for asynchronous reads",
        "open a file without a right",
    },
    Feature.RESOURCES: {
        "take four gigabytes",
        "write a large file",
        "open a thousand files",
        "queue a thousand signals",
    },
}


def probe(*arguments):
    """What is reported as missing, and what is possible."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.confinement_probes", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    missing, possible = json.loads(finished.stdout)
    return missing, {name for name, succeeded in possible.items() if succeeded}


def what_is_possible(*without):
    return probe(*without)[1]


@needs_everything
def test_what_a_worker_can_do():
    """Everything that honest code needs, and nothing else."""
    assert what_is_possible() == ALWAYS_POSSIBLE


@needs_everything
@pytest.mark.parametrize("feature", Feature)
def test_what_each_feature_prevents(feature):
    """Each part of the isolation prevents just what SECURITY.md says that it does."""
    expected = POSSIBLE_WITHOUT[feature] - (set() if os.geteuid() == 0 else ONLY_AS_ROOT)
    assert what_is_possible(feature) - ALWAYS_POSSIBLE == expected


KERNELS = [
    ([], []),
    (["abi=0"], ["files"]),
    (["abi=1"], []),
    (["abi=2"], []),
    (["abi=3"], []),
    (["abi=5"], []),
    (["abi=6"], []),
    (["seccomp=absent"], ["system_calls"]),
    (["abi=0", "seccomp=absent"], ["files", "signals", "system_calls"]),
    (["abi=1", "seccomp=absent"], ["files", "signals", "system_calls"]),
    (["abi=3", "seccomp=absent"], ["signals", "system_calls"]),
    (["abi=5", "seccomp=absent"], ["signals", "system_calls"]),
    (["abi=6", "seccomp=absent"], ["system_calls"]),
]
"""What is there of the kernel, by its versions of Landlock, and what is reported as missing."""


@needs_everything
def test_what_is_reported_is_true_on_every_kernel():
    """A feature that is not missing prevents all that SECURITY.md says of it."""
    with ThreadPoolExecutor(2) as pool:
        reports = pool.map(lambda kernel: probe(*kernel[0]), KERNELS)
        for (kernel, expected), (missing, possible) in zip(KERNELS, reports, strict=True):
            assert missing == expected, kernel
            for feature in set(Feature) - set(missing):
                assert not possible & POSSIBLE_WITHOUT[feature], (kernel, feature)
            lost = {"move a file between its folders"} if "abi=1" in kernel else set()
            assert ALWAYS_POSSIBLE - possible <= lost, kernel


X32 = """
import ctypes
from pytest_balanced_sampler.worker.confine import Confinement
Confinement(enabled=True).enter_warm_process()
print(ctypes.CDLL(None).syscall({number}))
"""


@needs_everything
@pytest.mark.parametrize("number", [0x40000000 + 39, 0x40000000 + 520, 0x7FFFFFFF])
def test_a_number_that_no_list_has_in_mind(number):
    """A call of x32 ends the process; one that no kernel has yet does not exist."""
    run = [sys.executable, "-c", X32.format(number=number)]
    assert subprocess.run(run, cwd=ROOT, check=False).returncode == -signal.SIGSYS
    unknown = [sys.executable, "-c", X32.format(number=520)]
    finished = subprocess.run(unknown, cwd=ROOT, check=True, capture_output=True, text=True)
    assert finished.stdout == "-1\n"


def test_security_md_has_the_system_calls():
    """The table of system calls is that of the filters: see tests/system_call_table.py."""
    assert "\n".join(system_call_table.rows()) in (ROOT / "SECURITY.md").read_text()


def test_security_md_has_the_same_table():
    """The table in SECURITY.md is this file's."""
    text = (ROOT / "SECURITY.md").read_text()
    for feature, prevented in POSSIBLE_WITHOUT.items():
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `{feature}` |"))
        assert set(row.split("|")[3].strip().split("; ")) == prevented


def test_security_md_names_what_is_readable():
    """Every path that is granted stands in SECURITY.md, with the reason."""
    text = (ROOT / "SECURITY.md").read_text()
    granted = (
        *confine._SYSTEM_PATHS,
        *confine._PROC_PATHS,
        *confine._DEVICES,
        *confine._CGROUP_LIMITS,
    )
    assert [path for path in granted if f"`{path}`" not in text] == []


WITHOUT_CALLS = """
import errno, os, sys
import seccompy
calls = seccompy.Filter()
for name in sys.argv[1].split(","):
    calls.errno(name, errno.ENOSYS)
calls.load()
os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[2:]])
"""
LANDLOCK = "landlock_create_ruleset,landlock_add_rule,landlock_restrict_self"


@pytest.fixture
def grade_on_old_kernel(tmp_path):
    """Grade where some system calls do not exist, as on an older kernel."""
    (tmp_path / "test_task.py").write_text(
        dedent("""\
            def test_x(solution):
                assert solution.x == 1
        """)
    )
    (tmp_path / "solution.py").write_text("x = 1\n")

    def grade(calls, *arguments):
        report_file = tmp_path / "report.json"
        to_report = ["--json-report", f"--json-report-file={report_file}", *arguments]
        to_report += ["-p", "no:cacheprovider"]
        finished = subprocess.run(
            [sys.executable, "-c", WITHOUT_CALLS, calls, "--solution=solution.py", *to_report],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        report = json.loads(report_file.read_text()) if report_file.exists() else {}
        return finished, report

    return grade


@needs_everything
@pytest.mark.parametrize(
    ("calls", "missing"), [(LANDLOCK, ["files"]), ("seccomp", ["system_calls"])]
)
def test_auto_and_strict_on_an_old_kernel(grade_on_old_kernel, calls, missing):
    """`auto` grades and says what is missing, everywhere; `strict` refuses, and names it."""
    finished, report = grade_on_old_kernel(calls)
    assert finished.returncode == 0, finished.stdout
    assert f"NOT ENFORCED: {', '.join(missing)}" in finished.stdout
    isolation = report["grades"][0]["isolation"]
    assert isolation["missing"] == missing
    assert (isolation["landlock_abi"] > 0) is (calls != LANDLOCK)
    assert report["grades"][0]["outcome"] == "passed"
    finished, _ = grade_on_old_kernel(calls, "--isolation=strict")
    assert finished.returncode == 4
    assert f"this machine cannot enforce {', '.join(missing)}" in finished.stderr


@needs_everything
def test_strict_where_everything_is_there(tmp_path):
    """`strict` grades where all of it can be enforced; `off` says that nothing is."""
    (tmp_path / "test_task.py").write_text(
        dedent("""\
            def test_x(solution):
                assert solution.x == 1
        """)
    )
    (tmp_path / "solution.py").write_text("x = 1\n")
    report_file = tmp_path / "report.json"
    solution = "--solution=solution.py"
    strict = run_pytest(solution, "--isolation=strict", cwd=tmp_path, report_file=report_file)
    assert strict.grade["isolation"] == {
        "mode": "strict",
        "enforced": [str(feature) for feature in Feature],
        "missing": [],
        "landlock_abi": landlockpy.abi_version(),
    }
    off = run_pytest(solution, "--isolation=off", cwd=tmp_path, report_file=report_file)
    assert off.grade["isolation"]["enforced"] == []
    assert "isolation: nothing; NOT ENFORCED: files, signals" in off.output


def test_another_library_agrees_on_the_kernel():
    """What we ask of the kernel through one library exists according to the other."""
    sandlock = pytest.importorskip("sandlock", reason="sandlock is not installed")
    assert sandlock.landlock_abi_version() == landlockpy.abi_version()
    assert seccompy.supported()


def test_every_call_has_a_number():
    """A name that no table knows would allow, or forbid, nothing; none stands in two lists."""
    if seccompy.arch() != "x86_64":
        pytest.skip("the lists hold the names of x86-64")
    allowed = " ".join(ALLOWED.values()).split()
    others = [*REFUSED, *IGNORED, *UNSUPPORTED]
    for name in (*allowed, *RESTRICTED, *others, *OF_THE_WARM_PROCESS):
        assert seccompy.syscall_nr(name) >= 0
    assert len({*allowed, *RESTRICTED, *others}) == len(allowed) + len(RESTRICTED) + len(others)


def test_both_sides_know_how_large_a_file_may_be():
    """The trusted side assumes the worker's limit, which it must not import."""
    assert MAX_BYTES_PER_FILE == FILE_BYTES


def test_no_file_of_the_project_is_granted():
    """An editable install puts the checkout on the path; it must not become readable so."""
    for path, _ in Confinement(enabled=True)._readable:
        assert not ROOT.is_relative_to(path)
        assert not Path.home().is_relative_to(path)
