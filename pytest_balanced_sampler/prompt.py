"""What a model is asked for: the task's `prompt.md`, with versions filled in."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from .task import read_task


def preload_of(task: Path) -> list[str]:
    """The modules that the warm process imports for the task.

    `task.toml` names them; where pytest's configuration sets `solution_preload`, that is used.
    """
    override: list[str] = pytest.Config.fromdictargs({}, [str(task)]).getini("solution_preload")
    return override or list(read_task(task).preload)


def read_prompt(task: Path) -> str:
    """The task's prompt, with the versions of Python and of the preloaded modules filled in."""
    prompt = (task / "prompt.md").read_text()
    versions = {"python": platform.python_version()}
    for name in preload_of(task):
        try:
            versions[name] = version(name).partition("+")[0]
        except PackageNotFoundError:  # A module of another name than its package, or of the task.
            continue
    for name, number in versions.items():
        prompt = prompt.replace(f"{{{name}}}", number)
    return prompt
