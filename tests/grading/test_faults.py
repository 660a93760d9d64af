"""Faults: each is blamed on whom it belongs to, and touches no other test or candidate."""

import glob
import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from tests.conftest import GENEROUS_SECONDS, GOOD, ROOT, TEST, heed_interrupts

TWO_TESTS = (
    dedent("""\
        def test_bad(solution):
            solution.bad()
    """)
    + TEST
)


FAULTS = [
    ("import os; os._exit(0)", "crash", "ended (exit status 0) before it answered"),
    ("import os; os._exit(3)", "crash", "ended (exit status 3) before it answered"),
    ("import os; os.abort()", "crash", "killed by SIGABRT"),
    ("import os; os.kill(os.getpid(), 9)", "crash", "killed by SIGKILL"),
    ("import sys; sys.exit()", "crash", "raised SystemExit"),
    ("while True: pass", "timeout", "more than 0.5 s of CPU time"),
    ("import time; time.sleep(100)", "timeout", "no answer within 1.5 s"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "timeout", "no answer"),
    ("return bytearray(2**33)", "crash", "needs more memory"),
    ("bad()", "test_bad", "RecursionError"),
]


def test_each_test_has_its_own_verdict(grade_sources):
    """A worker that died or ran out of time is replaced: the next test is judged by itself."""
    bad = dedent("""\
        def bad():
            {body}
    """)
    sources = {
        f"{number}.py": GOOD + bad.format(body=body) for number, (body, *_) in enumerate(FAULTS)
    }
    run = grade_sources(sources, TWO_TESTS, "--solution-timeout=0.5")
    for grade, (_, mode, message) in zip(run.grades, FAULTS, strict=True):
        assert grade["tests"] == {"test_bad": "failed", "test_double": "passed"}, run.output
        assert grade["failure_mode"] == mode
        assert message in grade["message"]


@pytest.fixture
def little_memory():
    """A control group with 300 MB, in which the kernel ends processes that need more."""
    for parent, limit in (
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        ("/sys/fs/cgroup", "memory.max"),
    ):
        group = Path(parent, f"little-memory-{os.getpid()}")
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / limit).write_text("300000000")
        except OSError:
            group.rmdir()
            continue
        yield group
        group.rmdir()
        return
    pytest.skip("no control group for memory can be made here")


def test_where_memory_is_short_the_candidate_that_takes_it_ends(tmp_path, little_memory):
    """The kernel ends its worker, twice; neither the judge nor a neighbour."""
    (tmp_path / "test_task.py").write_text("BALLAST = b'x' * 160_000_000\n" + TEST)
    (tmp_path / "bad.py").write_text("def double(x): return len(bytearray(2**29)) * 2 * x")
    (tmp_path / "good.py").write_text(GOOD)
    solutions = [f"--solution={name}.py" for name in ("good", "bad", "good")]
    script = f'echo $$ > {little_memory}/cgroup.procs && exec "$@"'
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *solutions]
    run = subprocess.run(
        ["sh", "-c", script, "sh", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "failed (crash)  the candidate's process ended (killed by SIGKILL)" in run.stdout
    assert run.stdout.count(": passed") == 2, run.stdout


COLLECTS_ALL = (
    dedent("""\
        def test_bad(solution):
            list(solution.bad())
    """)
    + TEST
)


def test_endless_values_end(grade_sources):
    """A test that collects an endless iterable ends before its own process's memory does.

    What values take in memory is counted, not what they take on the wire.
    """
    endless = dedent("""\
        def bad():
            while True: yield 'x' * 100_000
    """)
    # Little memory is really used: tests/unit/test_wire.py has values that are wide in truth.
    wide = dedent("""\
        def bad():
            batch = [None] * 5_000_000
            while True: yield batch
    """)
    run = grade_sources({"endless.py": endless + GOOD, "wide.py": wide + GOOD}, COLLECTS_ALL)
    endless, wide = run.grades
    assert endless["tests"] == {"test_bad": "failed", "test_double": "passed"}
    assert (endless["failure_mode"], endless["outcome"]) == ("crash", "failed")
    assert "sent more than the memory limit of a test" in endless["message"]
    assert wide["tests"] == {"test_bad": "failed", "test_double": "passed"}
    assert wide["failure_mode"] == "crash", wide


def test_a_candidate_cannot_write_lines_of_pytests(grade_source):
    """Names and messages of several lines stay recognisable as the candidate's."""
    unseen = "\u00ad\u115f\u1160\u180e\u200f\u3164\ufe00\ufe0f\uffa0\ufff9\ufffb"
    forged = f"\\n  1/1  other.py: passed\\n1 graded: 1 passed{ascii(unseen)[1:-1]}"
    for base, on_ci in itertools.product(("BaseException", "ValueError"), ("", "true")):
        solution = dedent(f"""\
            def double(x):
                raise type('X{forged}', ({base},), {{}})('{forged}')
        """)
        run = grade_source(solution, TEST, CI=on_ci)
        assert run.grade["outcome"] == "failed"
        assert "\n  1/1  other.py" not in run.output
        assert not set(unseen) & set(run.output)


def test_deep_folders_are_removed_with_few_descriptors(grade_source, tmp_path):
    """A session that may open few files leaves no folder behind either."""
    solution = dedent("""\
        import os
        here = os.getcwd()
        for _ in range(1200):
            os.mkdir('d'); os.chdir('d')
        open('left', 'w').write('x')
    """)
    tests = dedent(f"""\
        import pathlib
        def test_where(solution):
            pathlib.Path({str(tmp_path / "where")!r}).write_text(solution.here)
    """)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (250 + len(os.listdir("/proc/self/fd")), limits[1]))
    try:
        run = grade_source(solution, tests)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert run.grade["outcome"] == "passed", run.output
    assert not Path((tmp_path / "where").read_text()).parent.exists()


def test_time_limit_marker(grade_source):
    """One test may have a limit of its own."""
    tests = dedent("""\
        import pytest
        @pytest.mark.solution_timeout(0.3)
        def test_short(solution):
            solution.work()
        def test_long(solution):
            solution.work()
    """)
    solution = dedent("""\
        import time
        def work():
            end = time.process_time() + 1
            while time.process_time() < end: pass
    """)
    run = grade_source(solution, tests)
    assert run.grade["tests"] == {"test_short": "failed", "test_long": "passed"}


def test_import_that_never_ends_costs_two_limits_only(grade_source):
    """A candidate that hangs at import is not tried again for every test."""
    tests = "".join(TEST.replace("double(sol", f"{name}(sol") for name in "abcdefgh")
    run = grade_source("while True: pass\n", tests, "--solution-timeout=1")
    assert set(run.grade["tests"].values()) == {"failed"}
    assert len(run.grade["tests"]) == 8
    assert run.grade["failure_mode"] == "timeout"
    assert run.report["duration"] < 8 * 1


SLOW_ONCE = """
import pathlib, time
def double(x):
    flag = pathlib.Path({flag!r})
    if not flag.exists():
        flag.touch(); time.sleep(100)
    return 2 * x
"""


def test_a_timeout_is_tried_again_alone(grade_source, tmp_path):
    """Who ran out of time because the machine was busy passes in the second, quiet try."""
    flag = str(tmp_path / "flag")
    run = grade_source(
        SLOW_ONCE.format(flag=flag), TEST, "--solution-timeout=0.5", "--isolation=off"
    )
    assert run.grade["outcome"] == "passed", run.output


DIE_ONCE = """
import os, pathlib, signal
def double(x):
    flag = pathlib.Path({flag!r})
    if {times} > len(flag.read_text() if flag.exists() else ""):
        flag.write_text((flag.read_text() if flag.exists() else "") + "x")
        {what}
    return 2 * x
"""
KILL_WARM = "os.kill(os.getppid(), 9); signal.pause()"
KILL_SELF = "os.kill(os.getpid(), 9)"


@pytest.mark.parametrize("what", [KILL_WARM, KILL_SELF])
def test_a_killed_process_is_tried_again(grade_source, tmp_path, what):
    """A kill that does not happen again was the machine's, and costs no verdict."""
    solution = DIE_ONCE.format(flag=str(tmp_path / "flag"), times=1, what=what)
    run = grade_source(solution, TEST, "--isolation=off")
    assert run.grade["outcome"] == "passed", run.output


@pytest.mark.parametrize("what", [KILL_WARM, KILL_SELF])
def test_harness_errors_cannot_be_bought(grade_source, tmp_path, what):
    """What happens again in a fresh warm process is the candidate's doing."""
    solution = DIE_ONCE.format(flag=str(tmp_path / "flag"), times=99, what=what)
    run = grade_source(solution, TEST, "--isolation=off")
    assert (run.grade["outcome"], run.grade["failure_mode"]) == ("failed", "crash"), run.output
    assert run.exit_status == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_session(tmp_path, how):
    """However pytest ends, its warm process, its workers and their folders go too."""
    marker = f"marker_of_{os.getpid()}_{how}"
    (tmp_path / "test_task.py").write_text(
        dedent("""\
            def test_x(solution):
                solution.hang()
        """)
    )
    (tmp_path / "solution.py").write_text(
        dedent(f"""\
            import signal, time
            for number in (15, 2):
                signal.signal(number, signal.SIG_IGN)
            def hang():
                open({marker!r}, 'w').write('x')
                time.sleep(600)
        """)
    )
    pytest_process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "--solution=solution.py", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed_interrupts,
    )
    wait_until(lambda: folders_with(marker))
    (folder,) = folders_with(marker)
    family = psutil.Process(pytest_process.pid).children(recursive=True)
    assert len(family) >= 2
    pytest_process.send_signal(how)
    pytest_process.wait(timeout=120)
    wait_until(lambda: not any(is_alive(process) for process in family))
    wait_until(lambda: not folder.parent.exists())


def folders_with(marker):
    # Not pathlib's glob: that stumbles over folders which vanish meanwhile, as other tests' do.
    found = glob.glob(f"{tempfile.gettempdir()}/pytest-solution-*/*/{marker}")
    return [Path(path).parent for path in found]


def is_alive(process):
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def wait_until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


FILL = """
import ctypes, mmap, os, threading, time
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
def write(name, flags=os.O_CREAT, folder=None):
    descriptor = os.open(name, flags | os.O_RDWR, dir_fd=folder)
    for _ in range(15):
        os.write(descriptor, os.urandom(2**16) * 16)
    return descriptor
def double(x):
{body}
    time.sleep(600)
"""
WAYS_TO_FILL_THE_DISK = {
    "removed files, open": """
    for number in range(40):
        write("file"); os.unlink("file")
""",
    "removed files, mapped only": """
    for number in range(40):
        descriptor = write("file")
        assert LIBC.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0) < 2**63
        os.close(descriptor); os.unlink("file")
""",
    "files that never had a name": """
    for number in range(40):
        write(".", os.O_TMPFILE)
""",
    "half of it in removed files": """
    for number in range(12):
        os.close(write(f"file{number}")); write("file"); os.unlink("file")
""",
    "a folder that changes its name": """
    os.mkdir("old")
    folder = os.open("old", os.O_RDONLY)
    def rename(old="old"):
        for number in range(10**9):
            os.rename(old, f"new{number}"); old = f"new{number}"
    threading.Thread(target=rename).start()
    for number in range(200):
        os.close(write(f"file{number}", folder=folder))
""",
}


def test_filling_the_disk_is_the_candidates_failure(grade_sources):
    """However a candidate holds disk space, it fails for that, and is not waited for."""
    sources = {
        f"{number}.py": FILL.format(body=body)
        for number, body in enumerate(WAYS_TO_FILL_THE_DISK.values())
    }
    run = grade_sources(sources, TEST, "--solution-timeout=200")
    for grade, way in zip(run.grades, WAYS_TO_FILL_THE_DISK, strict=True):
        assert (grade["outcome"], grade["failure_mode"]) == ("failed", "crash"), (way, run.output)
        assert "wrote over" in grade["message"]


WAIT_FOR_FLAG = """
import os, time
def double(x):
    while not os.path.exists({flag!r}): time.sleep(0.01)
    time.sleep(0.5)
    return 2 * x
"""
BYSTANDER = """
import os, pathlib, tempfile
with tempfile.NamedTemporaryFile(dir={folder!r}, prefix="checkpoint", delete=False) as file:
    os.posix_fallocate(file.fileno(), 0, 3 * 2**29)
pathlib.Path({flag!r}).touch()
"""
TEST_BESIDE_BYSTANDER = """
import pathlib, subprocess, sys
def test_double(solution):
    pathlib.Path({flag!r}).unlink(missing_ok=True)
    subprocess.Popen([sys.executable, "-c", {bystander!r}])
    assert solution.double(2) == 4
"""


def test_what_others_write_changes_no_grade(grade_source, tmp_path):
    """Another process may take 1.5 GiB of the same disk while a candidate is waited for."""
    if shutil.disk_usage(tmp_path).free < 8 * 2**30:
        pytest.skip("the disk has too little room for a bystander's file")
    flag, folder = str(tmp_path / "flag"), str(tmp_path)
    bystander = BYSTANDER.format(flag=flag, folder=folder)
    tests = TEST_BESIDE_BYSTANDER.format(flag=flag, bystander=bystander)
    try:
        run = grade_source(WAIT_FOR_FLAG.format(flag=flag), tests, TMPDIR=folder)
        checkpoints = len(list(tmp_path.glob("checkpoint*")))
    finally:
        for checkpoint in tmp_path.glob("checkpoint*"):
            checkpoint.unlink()
    assert (run.grade["outcome"], checkpoints) == ("passed", 1), run.output


def test_an_honest_candidate_may_use_its_disk(grade_source):
    """Links count once, and what was removed and let go does not count at all."""
    solution = FILL.format(
        body="""
    for number in range(30):
        os.close(write("file")); os.link("file", f"link{number}"); time.sleep(0.02)
    for number in range(30):
        os.close(write("other")); os.unlink("other"); time.sleep(0.02)
    return 2 * x
"""
    )
    run = grade_source(solution, TEST)
    assert run.grade["outcome"] == "passed", run.output


def test_a_full_disk_is_no_load_error():
    """A candidate that cannot be stored is a fault of the machine's, not the candidate's."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a full disk needs the privilege to mount one")
    if {Path(sys.prefix).parts[:2], ROOT.parts[:2]} & {("/", "tmp")}:
        pytest.skip("a full disk in the place of /tmp would hide this checkout")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder, "test_task.py").write_text(TEST)
        candidate = Path(folder, "longer_than_the_disk.py")
        candidate.write_text(GOOD + "# more\n" * 50_000)
        grade = f"{sys.executable} -m pytest -p no:cacheprovider --solution={candidate.name}"
        script = f"mount -t tmpfs -o size=256k none /tmp && exec {grade}"
        finished = subprocess.run(
            ["unshare", "--mount", "bash", "-c", script],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=GENEROUS_SECONDS,
            check=False,
        )
    assert finished.returncode == 3, finished.stdout + finished.stderr
    assert "harness_error  cannot store the candidate" in finished.stdout
