"""Registers the plugins that grade and report, in a session with candidates.

A session in one process has both. With pytest-xdist the controller distributes candidates and
reports, and each of its processes grades.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator

import pytest

from ..platforms import why_no_grading
from .candidate import Candidate, find_candidates
from .collection import Collected
from .grade_book import GradeBook
from .grading import LOCK_FOLDER, GradingSession
from .many_tasks import ManyTasks, ManyTasksSession, TaskFolders, tasks_below
from .not_tests import CandidateFolders
from .options import options_of, settings_of_arguments
from .progress import Progress
from .session_lock import SessionLock
from .task_session import Reports

SERVES_TASKS = pytest.StashKey[bool]()
"""Set if a session itself grades nothing: sessions of one task each are forked from it."""

MANY_CANDIDATES = 100
"""With more candidates, few details of each test are shown and kept: no one reads thousands."""

_HYPOTHESIS = "hypothesispytest"

_DETAILS = ("collectors", "keywords", "log", "streams", "traceback")


def register(config: pytest.Config) -> None:
    """Find the candidates, and register the plugins that this process needs. Raises
    `UsageError`."""
    if reason := why_no_grading(options_of(config).isolation):
        raise pytest.UsageError(reason)
    # The tests run in forks of this process. Threads of an OpenMP pool do not survive a fork, so
    # code that uses them would wait forever.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Otherwise a failed assertion in a thread of a test would be only a warning.
    thread_warning = "pytest.PytestUnhandledThreadExceptionWarning"
    config.addinivalue_line("filterwarnings", f"error::{thread_warning}")
    if config.getoption("keyword", None):
        config.pluginmanager.register(_KeywordsOfTests())
    if SERVES_TASKS in config.stash:
        return
    if hasattr(config, "workerinput"):
        _in_xdist_process(config)
    elif config.option.collectonly:
        _to_collect_only(config)
    elif getattr(config.option, "tx", None) and config.option.dist != "no":
        _in_xdist_controller(config)
    else:
        _in_one_process(config)


def _in_one_process(config: pytest.Config) -> None:
    candidates, tasks = _find(config)
    book = _report(config, candidates)
    if tasks is None:
        lock = SessionLock(config.stash.get(LOCK_FOLDER, None))
        _grade(config, candidates, book.expect, lock)
        return
    book.name_tasks(tasks.name_of_each())

    def expect(collected: Collected, task: int) -> None:
        book.expect(collected, tasks.candidates_of(task))

    _grade_many(config, candidates, tasks, expect)


def _in_xdist_controller(config: pytest.Config) -> None:
    from .with_xdist import XdistController

    candidates, tasks = _find(config)
    book = _report(config, candidates)
    if tasks is not None:
        book.name_tasks(tasks.name_of_each())
    controller = XdistController(config, candidates, tasks, book)
    config.pluginmanager.register(controller, "grading_session")


def _in_xdist_process(config: pytest.Config) -> None:
    from . import with_xdist

    folder = with_xdist.session_folder(config)
    candidates = with_xdist.given_candidates(config)
    _keep_little(config, candidates)
    if (folders := _several_tasks(config)) is None:
        _grade(config, candidates, lambda collected: collected.save(folder), SessionLock(folder))
        return
    tasks = folders.assign(candidates)
    config.stash[LOCK_FOLDER] = folder
    _grade_many(config, candidates, tasks, lambda collected, task: collected.save(folder, task))


def _to_collect_only(config: pytest.Config) -> None:
    candidates, _ = _find(config)
    _grade(config, candidates, lambda _: None, SessionLock(None))


def _grade(
    config: pytest.Config,
    candidates: list[Candidate],
    deliver: Callable[[Collected], None],
    lock: SessionLock,
) -> None:
    keeps_details = len(candidates) <= MANY_CANDIDATES
    if folders := [one.path for one in candidates if one.entry is not None]:
        config.pluginmanager.register(CandidateFolders(folders))
    session = GradingSession(config, candidates, deliver, lock, keeps_details=keeps_details)
    config.pluginmanager.register(session, "grading_session")
    config.pluginmanager.register(_NoIdleSummary(config))


class _KeywordsOfTests:
    """Keeps `-k` from matching the names of files and folders.

    A task's file often has the name of what it tests: `-k cache` would select all tests of
    test_cache.py.
    """

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None]:
        """Hide the names while pytest selects tests."""
        nodes = {node for item in items for node in item.listchain()}
        files = (pytest.File, pytest.Directory)
        names = {node: node.name for node in nodes if isinstance(node, files)}
        for node in names:
            node.name = ""
        try:
            yield
        finally:
            for node, name in names.items():
                node.name = name


class _NoIdleSummary:
    """Leaves Hypothesis' plugin out of the summary of a session that did not use Hypothesis.

    The plugin would import all of Hypothesis, only to print nothing: a third of the time of a short
    session.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_sessionfinish(self) -> None:
        """Unregister the plugin, before pytest calls its plugins for the summary."""
        is_idle = "hypothesis" not in sys.modules
        if is_idle and not self._config.getoption("hypothesis_show_statistics", False):
            self._config.pluginmanager.unregister(name=_HYPOTHESIS)


def _grade_many(
    config: pytest.Config,
    candidates: list[Candidate],
    tasks: ManyTasks,
    deliver: Callable[[Collected, int], None],
) -> None:
    reports = Reports.IN_DETAIL if len(candidates) <= MANY_CANDIDATES else Reports.BRIEF
    session = ManyTasksSession(config, candidates, tasks, deliver, reports)
    config.pluginmanager.register(session, "grading_session")


def _report(config: pytest.Config, candidates: list[Candidate]) -> GradeBook:
    _keep_little(config, candidates)
    book = GradeBook(config, candidates)
    config.pluginmanager.register(book, "grade_book")
    if len(candidates) > MANY_CANDIDATES:
        config.pluginmanager.register(Progress(config, book, len(candidates)), "progress")
    return book


def _several_tasks(config: pytest.Config) -> TaskFolders | None:
    return tasks_below(config.args, config.invocation_params.dir)


def _find(config: pytest.Config) -> tuple[list[Candidate], ManyTasks | None]:
    """The candidates, and their tasks if there are several."""
    options, folders = options_of(config), _several_tasks(config)
    entry = options.entry
    if entry is None and folders is None:
        entry = settings_of_arguments(config).entry
    entry_of = folders.entry_of if folders and entry is None else lambda _: entry
    try:
        found = find_candidates(list(options.patterns), config.invocation_params.dir, entry_of)
        found = _named_in_tests(config, found) or found
        return found, None if folders is None else folders.assign(found)
    except (FileNotFoundError, ValueError) as error:
        raise pytest.UsageError(str(error)) from None


def _named_in_tests(config: pytest.Config, candidates: list[Candidate]) -> list[Candidate]:
    """The candidates named in test ids as reports have them, `test_x.py::test_y[CANDIDATE-1]`.

    Each such argument is replaced by the id without the candidate, which pytest can find.
    """
    named = []
    for place, argument in enumerate(config.args):
        test, bracket, parameters = argument.removesuffix("]").partition("[")
        for candidate in candidates:
            if bracket and "::" in test and f"{parameters}-".startswith(f"{candidate.name}-"):
                own = parameters.removeprefix(candidate.name).removeprefix("-")
                config.args[place] = f"{test}[{own}]" if own else test
                named.append(candidate)
    return named


def _keep_little(config: pytest.Config, candidates: list[Candidate]) -> None:
    """Make pytest-json-report omit the details of single tests, if there are very many."""
    if len(candidates) > MANY_CANDIDATES:
        omitted = getattr(config.option, "json_report_omit", [])
        config.option.json_report_omit = [*omitted, *_DETAILS]
