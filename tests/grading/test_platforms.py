"""macOS and Windows, as far as Linux can show: `tests/other_platforms.py` says how."""

import json
import subprocess
import sys
import textwrap
from textwrap import dedent

import pytest

from tests.conftest import GENEROUS_SECONDS, ROOT

LINUX_ONLY = {
    f"worker.{name}"
    for name in ("allowed_calls", "confine", "no_processes", "system_calls", "thread_limit")
}
"""They speak to Landlock and seccomp. The warm process imports them, on Linux."""

TESTS = """
    import pytest

    def test_class(solution):
        counter = solution.Counter(2)
        assert list(counter) == [0, 1]
        assert counter.each(lambda number: -number) == [0, -1]
        with pytest.raises(ValueError, match="below"):
            solution.Counter(-1)

    def test_end(solution):
        assert solution.end() is None
"""
CANDIDATE = """
    import os, time

    class Counter:
        def __init__(self, end):
            if end < 0:
                raise ValueError("below 0")
            self.end = end

        def __iter__(self):
            yield from range(self.end)

        def each(self, function):
            return [function(number) for number in self]

    def end():
        {end}
"""


def run_there(platform, *arguments, cwd=ROOT):
    """Run a module with the package as on that system; without one, import all of the package."""
    command = [sys.executable, ROOT / "tests" / "other_platforms.py", platform, *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=GENEROUS_SECONDS, check=False
    )


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_every_module_is_imported(platform):
    """All but those that only the isolation of Linux needs."""
    finished = run_there(platform)
    assert finished.returncode == 0, finished.stderr
    failures = json.loads(finished.stdout)
    assert set(failures) <= LINUX_ONLY, failures
    assert {"worker.confine", "worker.thread_limit"} <= set(failures)


@pytest.fixture
def task(tmp_path):
    """A task and its candidates: one that is right, one that exits, one that sleeps."""
    (tmp_path / "test_task.py").write_text(textwrap.dedent(TESTS))
    ends = {"right": "print('done')", "exits": "os._exit(3)", "sleeps": "time.sleep(600)"}
    for name, end in ends.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(CANDIDATE).format(end=end))
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            addopts = -p no:cacheprovider --solution=exits.py --solution=sleeps.py
        """)
    )
    return tmp_path


def test_macos(task):
    """Without isolation it grades, with limits by the clock; with any it refuses to."""
    given = ["-m", "pytest", "--solution=right.py", "--solution-timeout=0.2"]
    report = task / "report.json"
    options = ["--isolation=off", "--json-report", f"--json-report-file={report}"]
    finished = run_there("darwin", *given, *options, cwd=task)
    grades = json.loads(report.read_text())["grades"]
    modes = {grade["solution"]: grade["failure_mode"] for grade in grades}
    assert modes == {"right.py": None, "exits.py": "crash", "sleeps.py": "timeout"}, finished.stdout
    assert {grade["score"] for grade in grades} == {1.0, 0.5}
    assert {tuple(grade["isolation"]["enforced"]) for grade in grades} == {()}
    finished = run_there("darwin", *given, cwd=task)
    assert finished.returncode == 4
    assert finished.stderr.strip() == (
        "ERROR: macOS cannot enforce --isolation=auto: pass --isolation=off for code that you "
        "trust, or grade in a Linux container"
    )


def test_windows(task):
    """It runs other tests, and refuses to grade."""
    (task / "test_plain.py").write_text(
        dedent("""\
            def test_plain(grading_seed):
                assert grading_seed
        """)
    )
    finished = run_there("win32", "-m", "pytest", "test_plain.py", "-c", "/dev/null", cwd=task)
    assert finished.returncode == 0, finished.stdout
    finished = run_there("win32", "-m", "pytest", "--isolation=off", cwd=task)
    assert finished.returncode == 4
    assert finished.stderr.strip() == (
        "ERROR: Windows cannot grade, because grading needs os.fork: run it in WSL 2 or in a "
        "Linux container"
    )
