"""One host of a `Grader`, as the trainer's process sees it: started, asked, started again.

The other side is `host.py`. A line of JSON asks, a line answers.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import subprocess
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import GraderError
from ..grade import Grade, Outcome
from ..text import printable
from .pytest_process import grading_environment, python_command

_logger = logging.getLogger(__name__)

_CANDIDATES_PER_HOST = 5000
_SECONDS_TO_END = 30


@dataclass
class Job:
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


class HostDied(Exception):
    """Raised when a host ended without an answer; the text is the last that it said."""


class HostProcess:
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

    def grade(self, jobs: list[Job]) -> None:
        """Grade a batch; one by one where the batch as a whole gets no answer twice."""
        try:
            grades = self._ask_twice(jobs)
        except (HostDied, GraderError) as error:
            if len(jobs) > 1:
                _logger.warning("%d candidates got no grades: grading them one by one", len(jobs))
                for job in jobs:
                    self.grade([job])
            elif isinstance(error, HostDied):
                jobs[0].end(_lost(f"the grading process died twice: {error}"))
            else:
                jobs[0].fail(error)
            return
        for job, grade in zip(jobs, grades, strict=True):
            job.end(grade)

    def _ask_twice(self, jobs: list[Job]) -> list[Grade]:
        try:
            return self._ask(jobs)
        except HostDied as error:
            last = printable(str(error), 1000)
            _logger.warning("a host died, it is started again; its last output: %s", last)
            return self._ask(jobs)

    def _ask(self, jobs: list[Job]) -> list[Grade]:
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
            raise HostDied(self._log.read_text(errors="replace")[-2000:])
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
