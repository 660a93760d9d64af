"""`task.toml`, as sessions and rollouts use it."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT, run_pytest

REPORTS = """\
import sys
has_email = 'email' in sys.modules
"""


TESTS = """\
def test_preload(solution):
    assert solution.has_email is True
"""


@pytest.mark.parametrize("started_in", [".", "task", "elsewhere"])
def test_preload_wherever_pytest_was_started(tmp_path, started_in):
    """The settings are those of the tests, not of the folder that pytest runs in."""
    for folder in ("task", "elsewhere"):
        (tmp_path / folder).mkdir()
    (tmp_path / "solution.py").write_text(REPORTS)
    (tmp_path / "task" / "test_task.py").write_text(TESTS)
    (tmp_path / "task" / "task.toml").write_text("preload = ['email']")
    run = run_pytest(
        tmp_path / "task",
        f"--solution={tmp_path / 'solution.py'}",
        cwd=tmp_path / started_in,
        report_file=tmp_path / "report.json",
    )
    assert run.grade["outcome"] == "passed", run.output


def test_an_invalid_file_is_a_usage_error(grade_source, tmp_path):
    """A session with candidates ends with status 4 and the error's sentence."""
    (tmp_path / "task" / "task.toml").write_text("preload = 'email'")
    run = grade_source("", TESTS)
    assert (run.exit_status, "task.toml: preload = 'email' is not a list" in run.output) == (
        4,
        True,
    )


def test_a_rollout_refuses_an_invalid_file(tmp_path):
    """Before anything is sent, with a sentence and status 4."""
    (tmp_path / "prompt.md").write_text("Write it.")
    (tmp_path / "task.toml").write_text("preload = 'email'")
    command = [ROOT / "scripts" / "rollout.py", "--dry-run", "--task", tmp_path]
    finished = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 4
    assert "task.toml: preload = 'email' is not a list" in finished.stderr
    assert finished.stderr.count("\n") == 1
