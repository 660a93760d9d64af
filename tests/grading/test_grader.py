"""`Grader`: the verdicts of the command line, from a library that never loses one."""

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from pytest_balanced_sampler import Grader, GraderError
from pytest_balanced_sampler.grader import host_process
from tests.conftest import BAD, GENEROUS_SECONDS, GOOD, ROOT, heed_interrupts, run_pytest

LOGGER = "pytest_balanced_sampler."
TESTS = """
import pathlib, os
def test_double(solution):
    assert solution.double(2) == 4
def test_again(solution):
    assert solution.double(3) == 6
"""
CANDIDATES = {
    "good": (GOOD, "passed", None),
    "bad": (BAD, "failed", "test_double"),
    "empty": ("", "no_solution", "no_solution"),
    "syntax": ("def double(:", "failed", "load_error"),
    "surrogate": ("x = '\ud800'", "failed", "load_error"),
    "exits": (
        dedent("""\
            import os
            def double(x): os._exit(0)
        """),
        "failed",
        "crash",
    ),
    "loops": (
        dedent("""\
            def double(x):
                while True: pass
        """),
        "failed",
        "timeout",
    ),
}


@pytest.fixture
def task(tmp_path):
    folder = tmp_path / "task"
    folder.mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_task.py").write_text(TESTS)
    return folder


def verdicts(grades):
    return [(grade.outcome, grade.failure_mode) for grade in grades]


@pytest.fixture
def children():
    """Gives the processes that a test has started so far."""
    before = set(psutil.Process().children(recursive=True))
    return lambda: [p for p in psutil.Process().children(recursive=True) if p not in before]


def test_verdicts_are_those_of_the_command_line(task, tmp_path):
    """The same candidates get the same grades, but for names and durations, either way."""
    paths = []
    for name, (source, *_) in CANDIDATES.items():
        path = tmp_path / "candidates" / name / "solution.py"
        path.parent.mkdir(parents=True)
        path.write_text(source, "utf-8", "surrogatepass")
        paths.append(path)
    with Grader(task, solution_timeout=0.5) as grader:
        from_text = grader.grade([source for source, *_ in CANDIDATES.values()])
        from_paths = grader.grade(paths)
    arguments = [f"--solution={path}" for path in paths]
    run = run_pytest(
        task, "--solution-timeout=0.5", *arguments, cwd=tmp_path, report_file=tmp_path / "r.json"
    )
    assert verdicts(from_text) == [tuple(expected) for _, *expected in CANDIDATES.values()]
    assert [grade.solution for grade in from_paths] == [str(path) for path in paths]
    assert [grade.path for grade in from_paths] == [str(path) for path in paths]
    assert {grade.path for grade in from_text} == {""}

    def essence(grade):
        named_or_timed = ("solution", "path", "details", "duration", "message")
        return {k: v for k, v in grade.items() if k not in named_or_timed}

    for grades in (from_text, from_paths):
        assert [essence(g.as_json()) for g in grades] == [essence(g) for g in run.grades]


def test_the_real_task():
    """References pass and broken solutions fail as in a session of pytest's."""
    references = sorted((ROOT / "reference_solutions").glob("*.py"))[:2]
    broken = sorted((ROOT / "broken_solutions" / "coverage").glob("*.py"))[:2]
    with Grader(ROOT / "grading_tests") as grader:
        grades = grader.grade([*references, *broken])
        modes = Counter(grade.failure_mode for grade in grades)
    assert modes[None] == len(references)
    assert modes["coverage"] == len(grades) - len(references)


def test_many_threads_and_tasks(task):
    """Each caller gets the grades of what it gave, in that order."""
    sources = [[GOOD, BAD, GOOD], [BAD], [GOOD], [BAD, BAD, GOOD]] * 3
    expected = [[{GOOD: "passed", BAD: "failed"}[s] for s in batch] for batch in sources]

    async def all_at_once(grader):
        return await asyncio.gather(*map(grader.grade_async, sources))

    with Grader(task, hosts=2) as grader:
        with ThreadPoolExecutor(12) as threads:
            from_threads = list(threads.map(grader.grade, sources))
        from_tasks = asyncio.run(all_at_once(grader))
    for answers in (from_threads, from_tasks):
        assert [[grade.outcome for grade in grades] for grades in answers] == expected


def test_a_host_that_is_killed_loses_nothing(task, children):
    """Killed at any moment, a host is started again, and every verdict arrives and is right."""
    sources = [GOOD, BAD] * 12

    def kill_a_host(moment):
        time.sleep(moment)
        for child in children():
            with suppress(psutil.Error):
                if "grader.host" in " ".join(child.cmdline()):
                    child.kill()

    with Grader(task) as grader:
        for moment in (0.1, 0.6, 1.0):
            killer = threading.Thread(target=kill_a_host, args=[moment])
            killer.start()
            outcomes = [grade.outcome for grade in grader.grade(sources)]
            killer.join()
            assert outcomes == ["passed", "failed"] * 12


def test_an_idle_host_that_dies_is_started_again(task, caplog, children):
    """The next batch is graded by a new one, and the log says so."""
    with Grader(task) as grader:
        grader.grade([GOOD])
        (host,) = (process for process in children() if process.ppid() == os.getpid())
        host.kill()
        while host.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)
        assert [grade.outcome for grade in grader.grade([BAD])] == ["failed"]
    assert "an idle host ended with status -9; starting it again" in caplog.messages


def test_a_candidate_on_which_the_grader_dies_is_a_harness_error(task, caplog):
    """The others of its batch are graded all the same; the log says what no grade shows."""
    (task / "test_task.py").write_text(
        TESTS
        + dedent("""\
            def test_die(solution):
                if solution.double(1) == 3: os.kill(os.getppid(), 9)
        """)
    )
    with Grader(task) as grader:
        assert [g.outcome for g in grader.grade([GOOD, BAD, GOOD])] == [
            "passed", "harness_error", "passed"
        ]  # fmt: skip
    logged = [r.getMessage() for r in caplog.records if r.name.startswith(LOGGER)]
    assert any("a host died; starting it again" in message for message in logged)
    assert "2 candidates got no grade; grading them one by one" in logged


def test_a_candidate_on_which_its_own_process_dies_fails(task):
    """What ends the process twice after the candidate was asked is a way out for no candidate."""
    (task / "test_task.py").write_text(
        TESTS
        + dedent("""\
            def test_die(solution):
                if solution.double(1) == 3: os._exit(9)
        """)
    )
    with Grader(task) as grader:
        good, bad, last = grader.grade([GOOD, BAD, GOOD])
    assert [good.outcome, bad.outcome, last.outcome] == ["passed", "failed", "passed"]
    assert bad.tests["test_die"] == "failed"
    assert bad.tries == {"test_die": 2}


def test_a_task_that_cannot_grade_is_an_error(task, tmp_path):
    """A broken task is not a verdict on anybody; the text says what is wrong."""
    (task / "test_task.py").write_text("import nowhere_to_be_found\n")
    with Grader(task) as grader, pytest.raises(GraderError, match="nowhere_to_be_found"):
        grader.grade([GOOD])
    with pytest.raises(ValueError, match="hosts=0"):
        Grader(ROOT, hosts=0)
    with pytest.raises(FileNotFoundError, match="no task folder"):
        Grader(tmp_path / "nowhere")


def test_misuse(task):
    """A missing file and a closed grader are errors at once."""
    with Grader(task) as grader:
        for no_file in (Path("nowhere.py"), task):
            with pytest.raises(
                FileNotFoundError, match="is not a file; give the path of a candidate"
            ):
                grader.grade([GOOD, no_file])
        with pytest.raises(TypeError, match="give a list"):
            grader.grade(GOOD)
        assert grader.grade([]) == []
    with pytest.raises(ValueError, match="closed"):
        grader.grade([GOOD])


def test_options_and_environment(task, monkeypatch):
    """Options are pytest's own; what steers pytest from the environment does not reach a host."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    with Grader(task, grading_seed=5, isolation="off") as grader:
        (grade,) = grader.grade([GOOD])
    assert (grade.outcome, grade.grading_seed, grade.isolation["mode"]) == ("passed", 5, "off")


def test_nothing_is_left(task, tmp_path, monkeypatch, children):
    """No process and no file outlives a grader, not even when a caller stopped waiting."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    slow = dedent("""\
        import time
        def double(x):
            time.sleep(1); return 2 * x
    """)

    async def impatient(grader):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(grader.grade_async([slow] * 3), 1.5)
        return await grader.grade_async([GOOD])

    with Grader(task) as grader:
        (grade,) = asyncio.run(impatient(grader))
        processes = children()
    assert grade.outcome == "passed"
    deadline = time.monotonic() + 60
    while any(p.is_running() and p.status() != "zombie" for p in processes):
        assert time.monotonic() < deadline, processes
        time.sleep(0.1)
    assert list((tmp_path / "tmp").iterdir()) == []


LOOP = """\
def double(x):
    while True: pass
"""
WAIT = """\
import time
def double(x):
    time.sleep(10_000)
"""


def test_a_grader_can_be_stopped(task):
    """Whatever a caller gives up frees its hosts; the candidates would loop or wait for hours."""

    async def impatient(grader):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(grader.grade_async([LOOP] * 3), 0.2)
        with pytest.raises(TimeoutError):
            await grader.grade_async([WAIT] * 3, timeout=0.2)
        completed = grader.as_completed_async([WAIT, GOOD, WAIT, BAD])
        first = await anext(completed)
        await completed.aclose()
        return first.index

    def use(grader):
        grader.warm_up()
        assert asyncio.run(impatient(grader)) in (1, 3)
        assert [grade.outcome for grade in grader.grade([GOOD, BAD])] == ["passed", "failed"]
        with pytest.raises(TimeoutError):
            grader.grade([WAIT, GOOD, WAIT], timeout=0.5)
        completed = grader.as_completed([WAIT, GOOD, BAD])
        assert {next(completed).index, next(completed).index} == {1, 2}
        completed.close()
        assert [grade.outcome for grade in grader.grade([GOOD, BAD] * 9)] == [
            "passed",
            "failed",
        ] * 9
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(grader)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            said = pool.apply(use_inherited)
        assert f"opened by process {os.getpid()} and works only there" in said
        grader.grade([WAIT] * 50, timeout=0.3)

    with pytest.raises(TimeoutError), Grader(task, hosts=2, solution_timeout=10_000) as grader:
        use(grader)
    with Grader(task, solution_timeout=10_000) as grader:
        waiting = ThreadPoolExecutor(1).submit(grader.grade, [WAIT] * 50)
        grader.warm_up()
        grader.close(cancel=True)
        assert isinstance(waiting.exception(), CancelledError | ValueError)

    async def closes(grader):
        async with grader:
            assert [grade.outcome for grade in await grader.grade_async([GOOD])] == ["passed"]

    asyncio.run(closes(Grader(task)))


def use_inherited():
    # Tests before this one may have left another.
    *_, grader = (
        thing for thing in gc.get_objects() if isinstance(thing, Grader) and thing._threads
    )
    grader.close(cancel=True)
    try:
        grader.grade([GOOD])
    except RuntimeError as error:
        return str(error)


KILLED = """
import sys
from pytest_balanced_sampler import Grader
with Grader(sys.argv[1], hosts=2, solution_timeout=10_000) as grader:
    for grade in grader.as_completed([GOOD] + 20 * [LOOP]):
        print(grade.outcome, flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_a_trainer(task, tmp_path, how):
    """Hosts, warm processes and folders go with the process that opened the grader."""
    (tmp_path / "tmp").mkdir()
    trainer = subprocess.Popen(
        [sys.executable, "-c", f"GOOD, LOOP = {GOOD!r}, {LOOP!r}\n{KILLED}", task],
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        preexec_fn=heed_interrupts,
        text=True,
    )
    assert trainer.stdout.readline() == "passed\n"
    family = psutil.Process(trainer.pid).children(recursive=True)
    trainer.send_signal(how)
    trainer.wait(GENEROUS_SECONDS)
    _, alive = psutil.wait_procs(family, GENEROUS_SECONDS)
    assert len(family) > 4
    assert not alive
    end = time.monotonic() + GENEROUS_SECONDS
    while left := list((tmp_path / "tmp").iterdir()):
        assert time.monotonic() < end, left
        time.sleep(0.1)


HANGS = """
import os, time
def pytest_runtest_logstart():
    if not os.path.exists({file!r}):
        open({file!r}, "w").close()
        time.sleep(10_000)
"""


def test_a_host_that_hangs_is_replaced(task, tmp_path, monkeypatch):
    """Nobody waits for ever: a silent host is ended, and what it had is graded by another."""
    (task / "conftest.py").write_text(HANGS.format(file=str(tmp_path / "hung")))
    monkeypatch.setattr(host_process, "CANDIDATES_OF_SILENCE", 0.05)
    with Grader(task, solution_timeout=1) as grader:
        assert [grade.outcome for grade in grader.grade([GOOD])] == ["passed"]
    assert (tmp_path / "hung").exists()
