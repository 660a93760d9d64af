"""Registers what grades and what reports in a session that has candidates; called by the plugin.

A session in one process has both. With pytest-xdist the controller hands out and reports, and each
of its processes grades.
"""

from __future__ import annotations

from functools import partial

import pytest

from .batches import CANDIDATES_AT_A_TIME
from .candidate import Candidate, find_candidates
from .grade_book import GradeBook
from .grading import TURNS_FOLDER, GradingSession
from .progress import Progress
from .session_lock import SessionLock

MANY_CANDIDATES = 100
"""Above so many, what is shown and kept of each test is little: nobody reads thousands."""

_DETAILS = ("collectors", "keywords", "log", "streams", "traceback")


def register_session_plugins(
    config: pytest.Config, patterns: list[str], grading_seed: int, isolation: str
) -> None:
    """Find the candidates and register what this process needs. Raises `UsageError`."""
    if hasattr(config, "workerinput"):
        from . import with_xdist as distribution

        folder = distribution.session_folder(config)
        candidates = distribution.given_candidates(config)
        is_brief = _shorten_reports(config, candidates)
        session = GradingSession(
            config,
            candidates,
            isolation,
            lambda collected: collected.save(folder),
            SessionLock(folder),
            is_brief=is_brief,
            at_a_time=len(candidates),
        )
        config.pluginmanager.register(session, "grading_session")
        return
    candidates = _find(config, patterns)
    grading_session = partial(GradingSession, config, candidates, isolation)
    if config.option.collectonly:
        session = grading_session(
            lambda _: None, SessionLock(None), is_brief=False, at_a_time=len(candidates)
        )
        config.pluginmanager.register(session, "grading_session")
        return
    is_brief = _shorten_reports(config, candidates)
    book = GradeBook(config, candidates, grading_seed, isolation)
    config.pluginmanager.register(book, "grade_book")
    if is_brief:
        config.pluginmanager.register(Progress(config, book, len(candidates)))
    if _is_xdist_controller(config):
        from .with_xdist import XdistController

        config.pluginmanager.register(XdistController(config, candidates, book), "grading_session")
        return
    turns = SessionLock(config.stash.get(TURNS_FOLDER, None))
    at_a_time = _candidates_at_a_time(config, candidates)
    session = grading_session(book.expect, turns, is_brief=is_brief, at_a_time=at_a_time)
    config.pluginmanager.register(session, "grading_session")


def _find(config: pytest.Config, patterns: list[str]) -> list[Candidate]:
    try:
        return find_candidates(patterns, config.invocation_params.dir)
    except FileNotFoundError as error:
        raise pytest.UsageError(str(error)) from None


def _is_xdist_controller(config: pytest.Config) -> bool:
    options = config.option
    return bool(getattr(options, "tx", None) and options.dist != "no")


def _candidates_at_a_time(config: pytest.Config, candidates: list[Candidate]) -> int:
    """How many candidates' tests pytest makes at once: all where somebody names a single one."""
    names_one = any("::" in argument for argument in config.args)
    return len(candidates) if names_one else CANDIDATES_AT_A_TIME


def _shorten_reports(config: pytest.Config, candidates: list[Candidate]) -> bool:
    """Have pytest-json-report leave out what it would keep of each of very many tests."""
    if len(candidates) <= MANY_CANDIDATES:
        return False
    omitted = getattr(config.option, "json_report_omit", [])
    config.option.json_report_omit = [*omitted, *_DETAILS]
    return True
