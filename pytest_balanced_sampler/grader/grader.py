"""`Grader`, the library's interface for training loops: candidates in, grades out.

A grader keeps *hosts*: processes that stay ready to grade, each with pytest, the tests and the
modules that candidates import. Candidates wait in one queue; a host that is free takes what waits,
as one batch. Grades are those of `pytest --solution`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from ..grade import Grade, Outcome
from ..text import printable
from .pytest_process import grading_environment, python_command

_logger = logging.getLogger(__name__)

_MAX_BATCH = 256
_CANDIDATES_PER_HOST = 5000
_SECONDS_TO_END = 30


class GraderError(Exception):
    """Raised when pytest refuses to grade by this task at all; the text says what to change."""


class Grader:
    """Grades candidates by the tests in `task`, a folder, for as long as it is open.

    Safe to use from many threads and tasks. `hosts` is how many candidates are graded at a time,
    best the number of cores. The other options are those of pytest's command line.
    """

    def __init__(
        self,
        task: str | os.PathLike[str],
        *,
        hosts: int = 1,
        grading_seed: int | None = None,
        solution_timeout: float | None = None,
        isolation: str | None = None,
    ) -> None:
        if hosts < 1:
            raise ValueError(f"hosts is {hosts}; at least 1 is needed")
        if not Path(task).is_dir():
            raise FileNotFoundError(f"there is no task folder {os.fspath(task)!r}")
        options = {
            "grading-seed": grading_seed,
            "solution-timeout": solution_timeout,
            "isolation": isolation,
        }
        given = [f"--{name}={value}" for name, value in options.items() if value is not None]
        self._folder = Path(tempfile.mkdtemp(prefix="pytest-grader-"))
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._is_closed = False
        self._lock = threading.Lock()
        self._hosts = [
            _Host([str(Path(task).resolve()), *given], self._folder) for _ in range(hosts)
        ]
        self._threads = [
            threading.Thread(target=self._serve, args=(host,), daemon=True) for host in self._hosts
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def grade(self, solutions: Iterable[str | os.PathLike[str]]) -> list[Grade]:
        """The grades of candidates, in their order. Text is source code, a `Path` names a file.

        Raises `FileNotFoundError` for a path that is no file, `TypeError` for a single text, and
        `GraderError` when pytest refuses to grade at all. A fault that concerns one candidate only
        is a grade, with the outcome `harness_error`.
        """
        return [future.result() for future in self._submit(solutions)]

    async def grade_async(self, solutions: Iterable[str | os.PathLike[str]]) -> list[Grade]:
        """As `grade`, for coroutines."""
        return list(await asyncio.gather(*map(asyncio.wrap_future, self._submit(solutions))))

    def close(self) -> None:
        """Grade what still waits, then end the hosts."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _submit(self, solutions: Iterable[str | os.PathLike[str]]) -> list[Future[Grade]]:
        if self._is_closed:
            raise ValueError("this Grader is closed")
        if isinstance(solutions, str):
            raise TypeError("solutions is one text; give a list of sources or of paths")
        jobs = [self._job(solution, index) for index, solution in enumerate(solutions)]
        with self._lock:
            self._waiting += len(jobs)
        for job in jobs:
            self._jobs.put(job)
        return [job.future for job in jobs]

    def _job(self, solution: str | os.PathLike[str], index: int) -> _Job:
        if not isinstance(solution, str):
            path = Path(solution).absolute()
            if not path.is_file():
                raise FileNotFoundError(f"{os.fspath(solution)!r} is no file, so no candidate")
            return _Job(path, os.fspath(solution), index, None)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        path = folder / "solution.py"
        path.write_text(solution, "utf-8", "surrogatepass")
        return _Job(path, path.name, index, folder)

    def _serve(self, host: _Host) -> None:
        """What one host's thread does."""
        with host:
            while (jobs := self._next_batch()) is not None:
                try:
                    host.grade(jobs)
                except Exception as error:  # Whoever waits must learn of it.
                    for job in jobs:
                        job.fail(error)

    def _next_batch(self) -> list[_Job] | None:
        """What a host takes of the queue; None when all is done and the grader is closed."""
        jobs = [self._jobs.get()]
        if jobs[0] is None:
            return None
        share = min(_MAX_BATCH, -(-self._waiting // len(self._threads)))
        while jobs[-1] is not None and len(jobs) < share:
            try:
                jobs.append(self._jobs.get_nowait())
            except queue.Empty:
                break
        if jobs[-1] is None:
            self._jobs.put(None)
        batch = [job for job in jobs if job is not None]
        with self._lock:
            self._waiting -= len(batch)
        # From here on nobody can cancel what is being graded.
        return [job for job in batch if job.future.set_running_or_notify_cancel()]


@dataclass
class _Job:
    """A candidate that waits; `folder` is removed with it."""

    path: Path
    name: str
    index: int
    folder: Path | None
    future: Future[Grade] = field(default_factory=Future)

    def end(self, grade: Grade) -> None:
        """The candidate is graded."""
        self._forget_source()
        # Of a text there is no file any more.
        path = os.fspath(self.path) if self.folder is None else ""
        self.future.set_result(replace(grade, solution=self.name, path=path, index=self.index))

    def fail(self, error: Exception) -> None:
        """The candidate cannot be graded; no-op when it has been."""
        if not self.future.done():
            self._forget_source()
            self.future.set_exception(error)

    def _forget_source(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class _HostDied(Exception):
    """Raised when a host ended without an answer; the text is the last that it said."""


class _Host:
    """The process behind one thread; started again when it died."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._command = python_command(f"{__package__}.host", str(folder), *arguments)
        self._log = folder / f"host-{id(self)}.log"
        self._process: subprocess.Popen[str] | None = None
        self._graded = 0

    def __enter__(self) -> None:
        self._start()

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def grade(self, jobs: list[_Job]) -> None:
        """Grade a batch; one by one where the batch as a whole gets no answer twice."""
        try:
            grades = self._ask_twice(jobs)
        except (_HostDied, GraderError) as error:
            if len(jobs) > 1:
                _logger.warning("%d candidates got no grades: grading them one by one", len(jobs))
                for job in jobs:
                    self.grade([job])
            elif isinstance(error, _HostDied):
                jobs[0].end(_lost(f"the grading process died twice: {error}"))
            else:
                jobs[0].fail(error)
            return
        for job, grade in zip(jobs, grades, strict=True):
            job.end(grade)

    def _ask_twice(self, jobs: list[_Job]) -> list[Grade]:
        try:
            return self._ask(jobs)
        except _HostDied as error:
            last = printable(str(error), 1000)
            _logger.warning("a host died, it is started again; its last output: %s", last)
            return self._ask(jobs)

    def _ask(self, jobs: list[_Job]) -> list[Grade]:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps([os.fspath(job.path) for job in jobs]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        if not line.endswith("\n"):
            self._stop()
            raise _HostDied(self._log.read_text(errors="replace")[-2000:])
        self._graded += len(jobs)
        answer = json.loads(line)
        if "error" in answer:
            raise GraderError(answer["error"])
        return [Grade.from_json(grade) for grade in answer["grades"]]

    def _running(self) -> subprocess.Popen[str]:
        if self._graded >= _CANDIDATES_PER_HOST:
            self._stop()
        if self._process is not None and (status := self._process.poll()) is not None:
            _logger.warning("an idle host ended with status %d, it is started again", status)
            self._process = None
        if self._process is None:
            self._start()
        assert self._process is not None
        return self._process

    def _start(self) -> None:
        self._graded = 0
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C in the training loop is the loop's to handle.
                env=grading_environment(),
            )

    def _stop(self) -> None:
        """Have the process end by itself, as it does when there is nothing more to read."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _lost(message: str) -> Grade:
    return Grade(
        solution="",
        sha256=None,
        outcome=Outcome.HARNESS_ERROR,
        score=0.0,
        failure_mode=Outcome.HARNESS_ERROR.value,
        message=printable(message, 1000),
        tests={},
        duration=0.0,
        grading_seed=0,
        isolation={"mode": "auto"},
        tampering=[],
    )
