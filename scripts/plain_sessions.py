"""Runs a plain pytest session for each candidate: the second grader of `compare_graders.py`.

It reads JSON from standard input: a grading seed, the seconds allowed per candidate, and pairs of a
task's folder and a candidate. Each candidate gets a forked process, which works in an empty folder.
After a line "ready", a line of JSON for each says how its session ended. Nothing is confined.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from plain_pytest import Plain

from pytest_balanced_sampler.task import read_task

MAX_BYTES = 8 * 2**30
MAX_FILE_BYTES = 2**28
SECONDS_TO_POLL = 0.005


def run_tests(task: Path, candidate: Path, grading_seed: int, report: Path) -> int:
    """Run the session, and give its exit status."""
    for name, most in ((resource.RLIMIT_AS, MAX_BYTES), (resource.RLIMIT_FSIZE, MAX_FILE_BYTES)):
        resource.setrlimit(name, (most, most))
    with report.open("w") as lines:
        plain = Plain(task, candidate, grading_seed, lines)
        options = ["-q", "--tb=short", "-p", "no:balanced_sampler", "-p", "no:cacheprovider"]
        return int(pytest.main([str(task), *options], plugins=[plain]))


def verdict(run: Callable[[Path], int], seconds: float, verdicts: int) -> dict[str, Any]:
    """What became of the session, in a process that is ended after so many seconds.

    `verdicts` is the descriptor of our own output, which the candidate must not have.
    """
    # No context manager: the child, too, would leave it.
    scratch = Path(tempfile.mkdtemp()).resolve()
    report, folder = scratch / "report", scratch / "cwd"
    folder.mkdir()
    child = os.fork()
    if not child:
        os.setsid()
        os.close(verdicts)
        os.chdir(folder)
        os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
        # Not `os._exit`: what a candidate has registered with `atexit` runs in a plain session.
        sys.exit(run(report))
    status = wait(child, seconds)
    seen = ended(status) | noted(report)
    shutil.rmtree(scratch, ignore_errors=True)
    return seen


def wait(child: int, seconds: float) -> int | None:
    """The status with which a process ended, or None for one that had to be killed."""
    end, done, status = time.monotonic() + seconds, 0, 0
    while not done and time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(SECONDS_TO_POLL)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if done:
        return os.waitstatus_to_exitcode(status)
    os.waitpid(child, 0)
    return None


def ended(status: int | None) -> dict[str, Any]:
    """The verdict by the exit status alone."""
    how = "did not end in time" if status is None else f"ended with the status {status}"
    return {"passed": status == 0, "is_late": status is None, "how": how}


def noted(report: Path) -> dict[str, Any]:
    """The outcome of each test, and what those that failed said, as far as the session came."""
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    over = set()
    is_whole = False
    for line in report.read_text().splitlines() if report.exists() else []:
        fields = json.loads(line)
        is_whole |= "end" in fields
        if name := fields.get("test"):
            if outcomes.get(name, "passed") == "passed":
                outcomes[name] = fields["outcome"]
            if fields["message"]:
                messages.setdefault(name, fields["message"])
            if fields["is_over"]:
                over.add(name)
    tests = {name: outcome for name, outcome in outcomes.items() if name in over}
    return {"tests": tests, "messages": messages, "is_whole": is_whole}


def main() -> None:
    """Give each candidate its process."""
    jobs = json.loads(sys.stdin.read())
    sys.dont_write_bytecode = True
    verdicts = os.dup(1)
    for standard in (0, 1):
        os.dup2(os.open(os.devnull, os.O_RDWR), standard)
    os.write(verdicts, b"ready\n")
    for task, candidate in jobs["candidates"]:
        for name in read_task(Path(task)).preload:
            importlib.import_module(name)
        # pytest collects garbage as it ends: what is here by now is none, and there is much of it.
        gc.freeze()
        run = functools.partial(run_tests, Path(task), Path(candidate), jobs["grading_seed"])
        line = json.dumps(verdict(run, jobs["seconds"], verdicts))
        os.write(verdicts, f"{line}\n".encode())


if __name__ == "__main__":
    main()
