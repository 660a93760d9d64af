"""What pytest sees: the options, the fixtures, and the session's plugins when there are candidates.

pytest loads it through the `pytest11` entry point, in every session: it imports what grades only
where there is something to grade. It knows nothing of any task.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .judge.proxy import SolutionModule
    from .session.grading import GradingSession

DEFAULT_GRADING_SEED = 20261122
DEFAULT_TIMEOUT_SECONDS = 20.0
ISOLATION_MODES = ("auto", "strict", "off")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options and their ini keys."""
    group = parser.getgroup("solution", "grading candidates (pytest-balanced-sampler)")
    group.addoption(
        "--solution",
        metavar="PATH",
        action="append",
        help="candidate to grade: a file, a folder (every *.py below it) or a glob; repeatable",
    )
    group.addoption(
        "--grading-seed",
        metavar="N",
        type=int,
        help=f"seed of the drawn test cases (default: {DEFAULT_GRADING_SEED})",
    )
    group.addoption(
        "--solution-timeout",
        metavar="SECONDS",
        type=float,
        help="CPU seconds that a candidate may use in one test; three times as much by the clock "
        f"(default: {DEFAULT_TIMEOUT_SECONDS:g})",
    )
    group.addoption(
        "--isolation",
        choices=ISOLATION_MODES,
        help="auto: all that this machine can enforce; strict: no grading unless that is "
        "everything; off: for code that you trust (default: auto)",
    )
    parser.addini("solution", "candidates to grade, as --solution", type="args")
    parser.addini("grading_seed", "as --grading-seed", type="int", default=DEFAULT_GRADING_SEED)
    parser.addini(
        "solution_timeout", "as --solution-timeout", type="float", default=DEFAULT_TIMEOUT_SECONDS
    )
    parser.addini("isolation", "as --isolation", default="auto")
    parser.addini("solution_preload", "modules imported before any candidate", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Look for the candidates, and prepare to grade them if there are any."""
    config.addinivalue_line(
        "markers",
        "solution_timeout(seconds): CPU seconds that a candidate may use in this test.",
    )
    patterns: list[str] = config.getoption("solution") or config.getini("solution")
    if not patterns:
        return
    if _option(config, "isolation") not in ISOLATION_MODES:
        raise pytest.UsageError(f"isolation must be one of {', '.join(ISOLATION_MODES)}")
    if not _option(config, "solution_timeout") > 0:
        raise pytest.UsageError("--solution-timeout must be a positive number of seconds")
    from .session.register import register_session_plugins

    seed, isolation = _option(config, "grading_seed"), _option(config, "isolation")
    register_session_plugins(config, patterns, seed, isolation)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make each candidate a parameter, the first, of every test that uses `solution`."""
    session: GradingSession | None = metafunc.config.pluginmanager.get_plugin("grading_session")
    if "solution" in metafunc.fixturenames and session is not None:
        metafunc.parametrize(
            "solution",
            session.parts.current,
            ids=[session.candidates[index].name for index in session.parts.current],
            indirect=True,
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say what to pass, where tests wait for a candidate and none was given."""
    if config.pluginmanager.has_plugin("grading_session"):
        return
    if any("solution" in getattr(item, "fixturenames", ()) for item in items):
        raise pytest.UsageError(
            "these tests grade a candidate, and none was given. Pass --solution=PATH, where PATH "
            "is a Python file, a folder of them or a glob."
        )


@pytest.fixture(scope="session")
def grading_seed(request: pytest.FixtureRequest) -> int:
    """The seed from which the test cases of this session are drawn."""
    seed: int = _option(request.config, "grading_seed")
    return seed


@pytest.fixture
def grading_random(request: pytest.FixtureRequest, grading_seed: int) -> random.Random:
    """A random generator for this test's cases.

    It depends on the grading seed and the test, not on the candidate or on what ran before.
    """
    return random.Random(f"{grading_seed}/{request.node.originalname}")


@pytest.fixture
def solution(request: pytest.FixtureRequest) -> SolutionModule:
    """The candidate's module, in a process of its own; see `SolutionModule`."""
    from .judge.proxy import SolutionModule
    from .session.candidate_run import run_key

    run = request.node.stash[run_key]
    marker = request.node.get_closest_marker("solution_timeout")
    run.begin_test(marker.args[0] if marker else _option(request.config, "solution_timeout"))
    return SolutionModule(run.candidate.name, run.module)


def _option(config: pytest.Config, name: str) -> Any:
    value = config.getoption(name)
    return config.getini(name) if value is None else value
