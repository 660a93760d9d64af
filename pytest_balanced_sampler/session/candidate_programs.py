"""Runs one candidate as a program, as often as its tests ask for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from ..errors import NeedsCandidate, SolutionCrash, WorkerLost
from ..judge.death import describe_exit
from ..judge.limits import NOTHING_USED, TimeUsed
from ..judge.program import Program, TimeIsUp
from ..judge.remote_worker import MAX_MEMORY_PER_TEST
from ..judge.shared_files import SharedFiles
from ..judge.solution_program import ProgramEnd
from ..judge.supply import WorkerSupply
from ..judge.surroundings import Surroundings
from ..judge.unpatched import os
from ..text import printable
from .budget import Budget
from .candidate import Candidate
from .source import FileSource, TreeSource

_MAX_SHOWN_BYTES = 64 * 1024
"""Kept of each stream of the last run, to show why a test failed."""


class CandidatePrograms:
    """Runs one candidate, each time in a new worker, within the limits of the current test.

    `used` is the total of its runs in this test.
    """

    def __init__(
        self,
        candidate: Candidate | None,
        supply: WorkerSupply,
        module: str | None,
        surroundings: Surroundings,
        find_private_folders: Callable[[], Mapping[str, str]],
    ) -> None:
        self._candidate = candidate
        self._supply = supply
        self._module_name = module
        self._surroundings = surroundings
        self._lock, self._sharing = threading.Lock(), threading.Lock()
        self._find_private_folders = find_private_folders
        self.sha256: str | None = None
        self.begin_test(0.0)

    def begin_test(self, cpu_seconds: float) -> None:
        """Start a test, with a limit of CPU seconds for all its runs together."""
        self._cpu_seconds = cpu_seconds
        self._memory_left = MAX_MEMORY_PER_TEST
        self._last: ProgramEnd | None = None
        self.used = NOTHING_USED
        self.have_run = False

    def run(
        self,
        arguments: list[str],
        stdin: bytes,
        timeout: float | None,
        tries: int,
        budget: Budget,
    ) -> ProgramEnd:
        """Run it once. Raises the errors of `Program.run`.

        SIGKILL may come from the machine, which is out of memory: only on the last try does it
        count as an ordinary end.
        """
        __tracebackhide__ = True
        if self._candidate is None:
            raise NeedsCandidate("this test runs the candidate, but there is none")
        source = self._candidate.read()
        self.sha256 = source.sha256
        self.have_run = True
        program, before = self._supply.fork_program(), self.used
        returncode = -signal.SIGKILL
        environment = self._surroundings.environment_changes()
        try:
            told = [*arguments, *filter(None, environment.values())]
            with self._shared_files(program, told, stdin) as folder:
                returncode = program.run(
                    [*self._named(source), arguments, environment, folder],
                    stdin,
                    cpu_seconds=self._cpu_seconds,
                    before=before,
                    timeout=timeout,
                )
        except TimeIsUp as up:
            up.stdout, up.stderr = bytes(program.stdout), bytes(program.stderr)
            raise
        finally:
            end = ProgramEnd(returncode, bytes(program.stdout), bytes(program.stderr))
            self._note(end, program.used.cpu - before.cpu, program.used.waited - before.waited)
        if self._memory_left < 0:
            raise SolutionCrash("the program's output exceeds the memory limit of a test")
        if returncode == -signal.SIGKILL:
            if not budget.is_last_try(tries):
                raise WorkerLost("the program was killed by SIGKILL")
            budget.had_loss = True
        return end

    @contextmanager
    def _shared_files(
        self, program: Program, told: list[str], stdin: bytes
    ) -> Generator[str | None]:
        """Share with the program the temporary folders that its input names. Returns its working
        folder.

        One program at a time: another that runs at the same time may be given the same folders.
        """
        files = SharedFiles(program.scratch, self._find_private_folders())
        with ExitStack() as stack:
            stack.enter_context(self._sharing)
            program.before_removal = files.give_back
            try:
                files.share_named(b"\0".join([*map(os.fsencode, told), stdin]))
                folder = files.news_of_working_folder()
            except BaseException:
                program.end()
                raise
            if not files.are_shared:
                program.before_removal = None
                stack.close()
            yield folder

    def _named(self, source: FileSource | TreeSource) -> tuple[str, Any]:
        if isinstance(source, TreeSource):
            return source.entry, tuple(source.files.items())
        assert self._candidate is not None
        return self._module_name or self._candidate.path.stem, source.content

    def _note(self, end: ProgramEnd, cpu: float, waited: float) -> None:
        """Count a run. A test may have several runs at once, in threads."""
        with self._lock:
            self._last = end
            self._memory_left -= len(end.stdout) + len(end.stderr)
            self.used = TimeUsed(self.used.cpu + cpu, self.used.waited + waited)

    def drain_output(self) -> str:
        """The output of the last run since the last call, safe to print, and how the run ended."""
        end, self._last = self._last, None
        if end is None:
            return ""
        texts = [
            f"[standard {name}]\n{_shown(stream)}"
            for name, stream in (("output", end.stdout), ("error", end.stderr))
            if stream
        ]
        return "\n".join([*texts, f"[{describe_exit(end.returncode)}]"])


def _shown(stream: bytes) -> str:
    half = _MAX_SHOWN_BYTES // 2
    if len(stream) > _MAX_SHOWN_BYTES:
        note = f"\n[... {len(stream) - 2 * half} bytes cut ...]\n".encode()
        stream = stream[:half] + note + stream[-half:]
    return printable(stream.decode("utf-8", "backslashreplace"), _MAX_SHOWN_BYTES)
