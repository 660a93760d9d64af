"""`Grader`, the library's interface for training loops: candidates in, grades out.

A grader keeps *hosts*: processes that stay ready to grade, each with pytest, the tests and the
modules that candidates import. Candidates wait in one queue; a host that is free takes what waits,
as one batch. Grades are those of `pytest --solution`.
"""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

from ..grade import Grade
from .host_process import HostProcess, Job

_MAX_BATCH = 256


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
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._is_closed = False
        self._lock = threading.Lock()
        self._hosts = [
            HostProcess([str(Path(task).resolve()), *given], self._folder) for _ in range(hosts)
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

    def _job(self, solution: str | os.PathLike[str], index: int) -> Job:
        if not isinstance(solution, str):
            path = Path(solution).absolute()
            if not path.is_file():
                raise FileNotFoundError(f"{os.fspath(solution)!r} is no file, so no candidate")
            return Job(path, os.fspath(solution), index, None)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        path = folder / "solution.py"
        path.write_text(solution, "utf-8", "surrogatepass")
        return Job(path, path.name, index, folder)

    def _serve(self, host: HostProcess) -> None:
        """What one host's thread does."""
        with host:
            while (jobs := self._next_batch()) is not None:
                try:
                    host.grade(jobs)
                except Exception as error:  # Whoever waits must learn of it.
                    for job in jobs:
                        job.fail(error)

    def _next_batch(self) -> list[Job] | None:
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
