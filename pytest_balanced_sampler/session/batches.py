"""Has pytest make the tests of very many candidates a part at a time; used by the grading session.

pytest makes an object of 2.5 kB for each test of each candidate before the first one runs. Here it
makes those of the first candidates only, and more from the same functions when these have run.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

CANDIDATES_AT_A_TIME = 256


class Parts:
    """The candidates of a session, by their places, in parts that are collected one by one.

    `current` is the part that is being collected.
    """

    def __init__(self, candidates: int, *, at_a_time: int) -> None:
        self.current = range(min(candidates, at_a_time))
        self._candidates = candidates
        self._at_a_time = at_a_time
        self._functions: dict[tuple[pytest.Module | pytest.Class, str], None] = {}

    @property
    def is_first(self) -> bool:
        """Whether no other part was collected before the current one."""
        return self.current.start == 0

    @property
    def is_last(self) -> bool:
        """Whether there is no candidate behind the current part."""
        return self.current.stop == self._candidates

    def note(self, items: list[pytest.Function]) -> None:
        """Learn, from the first part's items, which functions are to be tests for all others."""
        for item in items:
            assert isinstance(item.parent, pytest.Module | pytest.Class)
            self._functions[item.parent, item.originalname] = None

    def collect_next(self, session: pytest.Session) -> None:
        """Put the next part's items in the place of the last one's."""
        stop = self.current.stop
        self.current = range(stop, min(self._candidates, stop + self._at_a_time))
        items = list(self._make_items())
        session.config.hook.pytest_collection_modifyitems(
            session=session, config=session.config, items=items
        )
        session.items = items
        session.testscollected += len(items)

    def _make_items(self) -> Iterator[pytest.Item]:
        for collector, name in self._functions:
            made = collector.ihook.pytest_pycollect_makeitem(
                collector=collector, name=name, obj=getattr(collector.obj, name)
            )
            for item in made:
                item.ihook.pytest_itemcollected(item=item)
                yield item
