"""`Grader`, the library's interface for training loops: candidates in, grades out.

A grader keeps *hosts*: processes that stay ready to grade, with pytest, the tests of recent tasks
and the modules that candidates import already loaded. Candidates wait in one queue; a free host
takes a batch of candidates of one task. Grades are the same as those of `pytest --solution`.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import itertools
import os
import tempfile
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Generator, Iterable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from ..errors import GraderError
from ..files import remove_tree_in_use
from ..grade import Grade
from ..platforms import why_no_grading
from .host_process import HostDied, HostProcess, Job
from .job_queue import JobQueue
from .jobs import job_of
from .named_tasks import NamedTasks, Solution, Source

_CLOSED = "this Grader is closed"

Solutions = Iterable[Solution | tuple[Source, Solution]]
"""Candidates, or pairs of a task and a candidate. A string is source code, a `Path` names a file. A
task is a string or a `Path`."""


class Grader:
    """Grades candidates until it is closed.

    `task` is a folder with tests; or a folder of tasks, each with a `task.toml`; or None. Unless it
    is a single task, each candidate is given with its own task: the path relative to that folder,
    or a `Path` to any folder with tests.

    Safe to use from several threads and asyncio tasks, but only in the process that opened it.
    `hosts` is the number of candidates graded at a time, best the number of cores. After `maxfail`
    failed tests a candidate's other tests are not run. `entry` is `--solution-entry`, and the other
    arguments are the options of the same name on pytest's command line. Raises
    `GraderError` on a system that cannot grade.
    """

    def __init__(
        self,
        task: Source | None = None,
        *,
        hosts: int = 1,
        grading_seed: int | None = None,
        solution_timeout: float | None = None,
        isolation: str | None = None,
        maxfail: int | None = None,
        entry: str | None = None,
    ) -> None:
        if hosts < 1:
            raise ValueError(f"hosts={hosts!r}; give at least 1")
        if maxfail is not None and maxfail < 1:
            raise ValueError(f"maxfail={maxfail!r}; give at least 1, or None to run all tests")
        # An ini file may set what is None here.
        if reason := why_no_grading(isolation or "off"):
            raise GraderError(reason)
        self._tasks = NamedTasks(task)
        options = {
            "grading-seed": grading_seed,
            "solution-timeout": solution_timeout,
            "isolation": isolation,
            "solution-maxfail": maxfail,
            "solution-entry": entry,
        }
        given = [f"--{name}={value}" for name, value in options.items() if value is not None]
        self._entry = entry
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix="pytest-grader-"))
        self._jobs = JobQueue(hosts)
        self._numbers = itertools.count()
        self._open: set[Future[Grade]] = set()
        self._is_closed = False
        self._lock = threading.Lock()
        self._hosts = [HostProcess(given, self._folder, self._tasks.only) for _ in range(hosts)]
        self._ready: list[Future[None]] = [Future() for _ in self._hosts]
        self._threads = [
            threading.Thread(target=self._serve, args=served, daemon=True)
            for served in zip(self._hosts, self._ready, strict=True)
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(_close_at_exit, weakref.ref(self))

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close(cancel=kind is not None)

    async def __aenter__(self) -> Grader:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.aclose(cancel=kind is not None)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Grader cannot be pickled or copied: it holds running processes. Open one in the "
            "process that needs it."
        )

    @property
    def task(self) -> Path | None:
        """The folder of the single task of all candidates; None if each candidate names its own."""
        return self._tasks.only.folder if self._tasks.only is not None else None

    def warm_up(self, timeout: float | None = None) -> None:
        """Wait until all hosts are ready, so that the first grades take no longer than later ones.

        Raises `GraderError` if a host cannot grade, and `TimeoutError` after `timeout` seconds.
        """
        self._demand_use()
        end = _end(timeout)
        for ready in self._ready:
            ready.result(_left(end))

    def grade(self, solutions: Solutions, *, timeout: float | None = None) -> list[Grade]:
        """Grade `[source, ...]` or `[(task, source), ...]`; the grades are in the same order.

        With an `entry`, a `Path` names a folder, a mapping gives the texts of a folder's files by
        relative path, and a string is the source of the entry.

        Raises `FileNotFoundError` for a path or a task that does not exist, `TypeError` for a
        single string and for a candidate without a task, `GraderError` if pytest refuses to grade
        at all, `TimeoutError` after `timeout` seconds. An error that affects only one candidate, or
        one of several tasks, gives a grade with the outcome `harness_error`. If this raises or is
        interrupted, the grading of the other candidates is cancelled.
        """
        end, futures = _end(timeout), self._submit(solutions)
        try:
            return [future.result(_left(end)) for future in futures]
        finally:
            _cancel(futures)

    async def grade_async(
        self, solutions: Solutions, *, timeout: float | None = None
    ) -> list[Grade]:
        """As `grade`, for coroutines. Cancelling it frees its hosts within a second."""
        futures = list(map(asyncio.wrap_future, self._submit(solutions)))
        try:
            return list(await asyncio.wait_for(asyncio.gather(*futures), timeout))
        finally:
            _cancel(futures)

    def as_completed(
        self, solutions: Solutions, *, timeout: float | None = None
    ) -> Generator[Grade]:
        """Yield each grade as soon as it is available; its `index` is the candidate's position.

        Raises the errors of `grade`. Closing the iterator cancels the grading of the other
        candidates.
        """
        futures = self._submit(solutions)
        return self._completed(futures, timeout)

    async def as_completed_async(
        self, solutions: Solutions, *, timeout: float | None = None
    ) -> AsyncGenerator[Grade]:
        """As `as_completed`, for `async for`."""
        futures = list(map(asyncio.wrap_future, self._submit(solutions)))
        try:
            for future in asyncio.as_completed(futures, timeout=timeout):
                yield await future
        finally:
            _cancel(futures)

    def close(self, *, cancel: bool = False) -> None:
        """Grade the waiting candidates, then end the hosts; with `cancel`, end them at once.

        Callers that wait for a cancelled grade get a `CancelledError`. In a process forked from the
        one that opened the grader, this does nothing.
        """
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._is_closed = True
            unfinished = list(self._open)
            self._jobs.close()
        if cancel:
            _cancel(unfinished)
            stopping = [threading.Thread(target=host.stop_now) for host in self._hosts]
            for thread in stopping:
                thread.start()
        for thread in self._threads:
            thread.join()
        remove_tree_in_use(str(self._folder))

    async def aclose(self, *, cancel: bool = False) -> None:
        """As `close`, without blocking the event loop."""
        await asyncio.to_thread(self.close, cancel=cancel)

    def _demand_use(self) -> None:
        if os.getpid() != self._owner:
            raise RuntimeError(
                f"this Grader was opened by process {self._owner} and works only there; open "
                f"another one in this process ({os.getpid()}) after the fork"
            )
        if self._is_closed:
            raise ValueError(_CLOSED)

    def _submit(self, solutions: Solutions) -> list[Future[Grade]]:
        self._demand_use()
        if isinstance(solutions, str):
            raise TypeError("solutions is a single string; give a list of sources or paths")
        jobs = [self._job(solution, index) for index, solution in enumerate(solutions)]
        futures = [job.future for job in jobs]
        with self._lock:
            if self._is_closed:
                raise ValueError(_CLOSED)
            self._open.update(futures)
            self._jobs.put(jobs)
        for future in futures:
            future.add_done_callback(self._open.discard)
        return futures

    def _job(self, given: Solution | tuple[Source, Solution], index: int) -> Job:
        task, solution = self._tasks.of(given)
        cancelled = self._folder / f"cancelled-{next(self._numbers)}"
        return job_of(task, solution, index, self._folder, cancelled, self._entry)

    def _completed(self, futures: list[Future[Grade]], timeout: float | None) -> Generator[Grade]:
        try:
            for future in concurrent.futures.as_completed(futures, timeout):
                yield future.result()
        finally:
            _cancel(futures)

    def _serve(self, host: HostProcess, ready: Future[None]) -> None:
        """Run one host: the main function of its thread."""
        try:
            host.warm_up()
            ready.set_result(None)
        except HostDied as error:
            ready.set_exception(GraderError(f"a host ended before it was ready: {error}"))
        except Exception as error:
            ready.set_exception(error)
        task = None
        try:
            while (jobs := self._jobs.take(task)) is not None:
                task = jobs[0].task
                try:
                    host.grade(_wanted(jobs))
                except Exception as error:  # The waiting callers must get the error.
                    for job in jobs:
                        job.fail(error)
        finally:
            host.stop()


def _close_at_exit(reference: weakref.ref[Grader]) -> None:
    """Remove processes and folders if the program did not close its grader."""
    if (grader := reference()) is not None:
        grader.close(cancel=True)


def _wanted(jobs: list[Job]) -> list[Job]:
    for job in jobs:
        if job.future.cancelled():
            job.forget()
    return [job for job in jobs if not job.is_over]


def _cancel(futures: Iterable[Future[Grade] | asyncio.Future[Grade]]) -> None:
    for future in futures:
        future.cancel()


def _end(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _left(end: float | None) -> float | None:
    return None if end is None else max(0.0, end - time.monotonic())
