"""The time limits of a candidate's tests: derived from the reference's times, and lower after a
timeout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from .. import errors
from ..errors import CandidateFault, SolutionTimeout, WorkerLost
from ..judge.limits import WALL_SECONDS_PER_CPU_SECOND
from .options import DEFAULT_TIMEOUT_SECONDS

COLLECTION = ""
"""In import mode, stands for the import of the tests, in place of a test's name."""

LOAD_SECONDS = 10.0
MIN_SECONDS = 2.0
MIN_JUDGE_SECONDS = 3.0
JUDGE_SECONDS_PER_CPU_SECOND = 3
TIMES_REFERENCE = 20
"""Honest but slow code needs up to three times the reference's CPU time, and a machine with both
threads of each core busy up to twice that."""

_SECONDS_TO_START = 60.0

_SHARE_AFTER_TIMEOUT = 0.25
"""The share of a test's usual limit that remains after a timeout in another test."""

_SHARE_OF_A_SLOW_FAILURE = 0.5
"""A test that fails after more than this share of its limit counts as a timeout: otherwise a
candidate could stay just below the limit in every test. Honest code, even if slow, needs less."""

_LEAST_SHARE = 0.1
"""No test runs with less than this share of its limit: such a failure would say little about the
candidate."""


class SecondsUsed(NamedTuple):
    """The CPU seconds of a test, excluding the loading of the candidate.

    `whole` is the candidate's CPU time, `setup` the part of it used in fixtures; `judge` is the CPU
    time of the process of tests itself, which compares and formats the results.
    """

    setup: float
    whole: float
    judge: float = 0.0


@dataclass(frozen=True)
class TimeLimits:
    """A candidate's limits per test, derived from `times`, the reference's; None without a
    reference."""

    times: Mapping[str, SecondsUsed] | None = None

    @property
    def load_seconds(self) -> float | None:
        """CPU seconds to load a candidate; None if that counts as part of the test."""
        return None if self.times is None else LOAD_SECONDS

    def seconds(self, test: str, most: float, *, is_resumed: bool) -> float:
        """CPU seconds for a test, never above `most`.

        `is_resumed` means that the process did not start with the first test, so that it sets up
        the fixtures of earlier tests again.
        """
        time = (self.times or {}).get(test)
        if self.times is None or time is None:
            return most
        again = sum(each.setup for each in self.times.values()) if is_resumed else 0.0
        return min(most, max(MIN_SECONDS, TIMES_REFERENCE * (time.whole + again)))

    def judge_seconds(self, test: str, most: float, *, is_resumed: bool) -> float:
        """CPU seconds for the work of the process of tests itself.

        Never above `most`, except that a test without a reference time gets a multiple of it.
        """
        time = (self.times or {}).get(test)
        if self.times is None or time is None:
            return most * JUDGE_SECONDS_PER_CPU_SECOND
        again = sum(each.judge for each in self.times.values()) if is_resumed else 0.0
        return min(most, max(MIN_JUDGE_SECONDS, TIMES_REFERENCE * (time.judge + again)))

    def longest(self, tests: Mapping[str, float]) -> float | None:
        """The most wall-clock seconds that a candidate can take, if nothing is repeated.

        `tests` has the limit of each test in CPU seconds. None if neither it nor the reference
        names any test.
        """
        tests = tests or dict.fromkeys(self.times or {}, DEFAULT_TIMEOUT_SECONDS)
        if not tests:
            return None
        used = sum(
            self.seconds(test, most, is_resumed=True)
            + self.judge_seconds(test, most, is_resumed=True)
            for test, most in tests.items()
        )
        return _SECONDS_TO_START + WALL_SECONDS_PER_CPU_SECOND * used


@dataclass
class Budget:
    """The time that a candidate may still use; passed on from one of its processes to the next.

    `maxfail` is the number of failed tests after which no more are run, 0 for no limit. `left` is
    the total that all tests after a timeout may use, each measured as a share of its own limit: 1.0
    at first, None before the first timeout. `slept` is the message of a test in which the candidate
    slept until the wall-clock limit, or empty; the second try of such a test may be short.
    `had_loss` says that a worker was killed by SIGKILL in a second try, too.
    """

    maxfail: int = 0
    failed: int = 0
    left: float | None = None
    slept: str = ""
    had_loss: bool = False
    load_fault: list[str] = field(default_factory=list)

    @property
    def had_timeout(self) -> bool:
        """Whether a timeout was confirmed, or a test failed after nearly as much time."""
        return self.left is not None

    def is_last_try(self, tries: int) -> bool:
        """Whether a worker that is killed by SIGKILL now counts as the candidate's failure."""
        return tries > 1 or self.had_loss

    def limit(self, seconds: float) -> float:
        """CPU seconds for a test that usually gets `seconds`."""
        if self.left is None:
            return seconds * (_SHARE_AFTER_TIMEOUT if self.slept else 1)
        return min(_SHARE_AFTER_TIMEOUT, self.left) * seconds

    def spend(
        self,
        seconds: float,
        used: float | None,
        fault: BaseException | None,
        *,
        has_failed: bool,
    ) -> None:
        """Charge a test that usually gets `seconds`.

        `used` is None if the candidate's process has ended; `fault` is the reason.
        """
        slept, self.slept = self.slept, ""
        self.failed += has_failed
        self.had_loss |= isinstance(fault, WorkerLost)
        is_slow = has_failed and (used or 0.0) > _SHARE_OF_A_SLOW_FAILURE * seconds
        if self.left is None:
            if isinstance(fault, SolutionTimeout) or is_slow:
                self.left = _SHARE_AFTER_TIMEOUT if slept else 1.0
        elif used is None:
            self.left -= min(_SHARE_AFTER_TIMEOUT, self.left)
        else:
            self.left -= used / seconds

    def note_lost(self) -> None:
        """Charge a test whose own code did not end in time."""
        if self.left is None:
            self.left = 1.0
        else:
            self.left -= min(_SHARE_AFTER_TIMEOUT, self.left)

    def note_load_fault(self, fault: CandidateFault) -> None:
        """Record a fault, so that later processes do not load the candidate again."""
        self.load_fault = [type(fault).__name__, str(fault), fault.traceback, fault.tampering]

    def load_fault_noted(self) -> CandidateFault | None:
        """The recorded fault, if any."""
        if not self.load_fault:
            return None
        name, message, traceback, tampering = self.load_fault
        kind: type[CandidateFault] = getattr(errors, name)
        return kind(message, traceback=traceback, tampering=tampering)

    def why_stop(self) -> str:
        """Why no more tests are run; empty if they are."""
        if 0 < self.maxfail <= self.failed:
            return f"--solution-maxfail={self.maxfail} was reached"
        if self.left is not None and self.left < _LEAST_SHARE:
            return "the time for the tests after a timeout is used up"
        return ""

    def as_json(self) -> dict[str, Any]:
        """The budget as plain data."""
        return asdict(self)
