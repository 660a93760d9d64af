"""Fixtures of the project's own tests: real pytest runs in real subprocesses."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import hypothesis
import pytest

from tests.pytest_forker import run_forked

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
GENEROUS_SECONDS = 600

GOOD = """\
def double(x):
    return 2 * x
"""
BAD = """\
def double(x):
    return 3 * x
"""
TEST = """\
def test_double(solution):
    assert solution.double(2) == 4
"""

# On a busy machine an example may take long.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

SHARING = (
    *("balanced_sampler_task", "boundary_hacks", "calibrate", "callback_hacks", "chat_rollout"),
    *("exercism", "feedback", "generic_hacks", "grade_command", "grade_on_ray", "inspect_log"),
    *("many_tasks", "marks", "output", "packaging", "program", "program_hacks"),
    *("report", "reward_hacks", "rollout", "rollout_cost", "solution_program", "watch", "xdist"),
)
"""Files whose tests share a fixture that takes long."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have pytest-xdist keep the tests of such a file in one process, and part all others.

    Its own groups do not work with pytest 9.2: it writes them into an attribute that is gone.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if Path(file).stem.removeprefix("test_") in SHARING else nodeid

    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def same_sessions_everywhere():
    """Give each session the same settings on every machine, and the cheaper ones."""
    # Hypothesis' plugin imports all of it as each session ends: half the time of a short one.
    # That of anyio imports asyncio and all of anyio as each begins.
    os.environ.setdefault("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:anyio")
    # Each of a thousand processes would compile the project anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Of what pip installs for a test little is imported.
    os.environ.setdefault("PIP_NO_COMPILE", "1")
    # With CI set, pytest does not cut long lines of its summary: an output would depend on it.
    os.environ.pop("CI", None)
    os.environ.pop("BUILD_NUMBER", None)


@dataclass
class GradingRun:
    """What a `pytest --solution` process left: its exit status, its output and its report."""

    exit_status: int
    output: str
    report: dict[str, Any]

    @property
    def grades(self) -> list[dict[str, Any]]:
        return self.report["grades"]

    @property
    def grade(self) -> dict[str, Any]:
        (grade,) = self.grades
        return grade


def heed_interrupts() -> None:
    """For `preexec_fn`: what a shell starts in the background would ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_pytest(
    *arguments: object,
    cwd: Path,
    report_file: Path,
    preloaded: tuple[str, ...] = (),
    **environment: str,
) -> GradingRun:
    """Run pytest as a user would, with the JSON report."""
    command = [*map(str, arguments), "--json-report", f"--json-report-file={report_file}"]
    command += ["-p", "no:cacheprovider"]
    finished = run_forked(command, cwd, os.environ | environment, GENEROUS_SECONDS, preloaded)
    report = json.loads(report_file.read_text()) if report_file.exists() else {}
    return GradingRun(finished.returncode, finished.stdout + finished.stderr, report)


@pytest.fixture
def grade_here(tmp_path):
    """Grade, by this project's own task, candidates at paths relative to the checkout."""

    def grade(*arguments: object) -> GradingRun:
        report = tmp_path / "report.json"
        return run_pytest(*arguments, cwd=ROOT, report_file=report, preloaded=("numpy", "torch"))

    return grade


@pytest.fixture
def grade_sources(tmp_path):
    """Grade candidates, given by their names and sources, by a test's source, in one session, in a
    folder of their own, without torch."""
    (tmp_path / "task").mkdir()
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            testpaths = task
        """)
    )

    def grade(
        solutions: dict[str, str], tests: str, *arguments: object, **environment: str
    ) -> GradingRun:
        for name, solution in solutions.items():
            (tmp_path / name).write_text(solution, errors="surrogateescape")
        (tmp_path / "task" / "test_task.py").write_text(tests)
        return run_pytest(
            *(f"--solution={name}" for name in solutions),
            *arguments,
            cwd=tmp_path,
            report_file=tmp_path / "report.json",
            **environment,
        )

    return grade


@pytest.fixture
def grade_source(grade_sources):
    """The same for one candidate."""

    def grade(solution: str, tests: str, *arguments: object, **environment: str) -> GradingRun:
        return grade_sources({"solution.py": solution}, tests, *arguments, **environment)

    return grade
