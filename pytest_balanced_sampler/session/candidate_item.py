"""What stands for a candidate in pytest's list of tests, and in the shares of pytest-xdist."""

from __future__ import annotations

from typing import Any

import pytest


class CandidateItem(pytest.Item):
    """Stands in the session's list of tests for all tests of one candidate."""

    def __init__(self, *, index: int, candidate_name: str, **fields: Any) -> None:
        super().__init__(nodeid=candidate_name, **fields)
        self.index = index
        self.shown_nodeid = candidate_name

    @property
    def nodeid(self) -> str:
        """The id of the test whose report is being logged; pytest-xdist compares the two."""
        return self.shown_nodeid

    def runtest(self) -> None:
        raise AssertionError("the grading session runs the tests of a candidate")
