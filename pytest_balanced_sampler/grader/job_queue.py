"""The candidates that wait for a host of a `Grader`, by task."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable

from .host_process import Job
from .named_tasks import Task

_MAX_BATCH = 64
_BATCHES_PER_HOST = 2
"""A host takes its share of half of what waits, and so on: the last shares are single candidates,
and none waits behind a slow one while another host is free."""


class JobQueue:
    """Gives `hosts` hosts their batches. Safe to use from many threads."""

    def __init__(self, hosts: int) -> None:
        self._condition = threading.Condition()
        self._waiting: OrderedDict[Task, deque[Job]] = OrderedDict()
        self._count = 0
        self._at_work: Counter[Task] = Counter()
        self._shares = hosts * _BATCHES_PER_HOST if hosts > 1 else 1
        self._is_closed = False

    def put(self, jobs: Iterable[Job]) -> None:
        """Have these wait, behind those of their tasks that do."""
        with self._condition:
            for job in jobs:
                self._waiting.setdefault(job.task, deque()).append(job)
                self._count += 1
            self._condition.notify_all()

    def close(self) -> None:
        """Have `take` give None once nothing waits."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    def take(self, last: Task | None = None) -> list[Job] | None:
        """A batch of candidates of one task. None when all is done and the queue is closed.

        A host that asks has done its batch of `last`. While there are tasks at which no other host
        works, it gets one of those: each host that takes up a task has to collect its tests.
        """
        with self._condition:
            if last is not None:
                self._at_work[last] -= 1
                self._at_work = +self._at_work
            self._condition.wait_for(lambda: self._waiting or self._is_closed)
            if not self._waiting:
                return None
            task = next((t for t in self._waiting if t not in self._at_work), None)
            task = task or next(iter(self._waiting))
            waiting = self._waiting[task]
            share = min(_MAX_BATCH, -(-self._count // self._shares), len(waiting))
            batch = [waiting.popleft() for _ in range(share)]
            self._count -= len(batch)
            self._at_work[task] += 1
            # Others come first, then what is left of this one.
            del self._waiting[task]
            if waiting:
                self._waiting[task] = waiting
            return batch
