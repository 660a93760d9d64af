"""Runs `rollout.py`, and the commands and scripts beside it, in this process."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from pytest_balanced_sampler.commands import rollout
from tests.chat_api import ChatApi
from tests.messages_api import MessagesApi, text, tool

KEY = "sk-a-key-that-nobody-may-write-down"
WRITE = tool(
    "write_file",
    path="solution.py",
    content=dedent("""\
        def double(x):
            return 2 * x  # é
    """),
)
WRONG = tool(
    "write_file",
    path="solution.py",
    content=dedent("""\
        def double(x):
            return 3 * x
    """),
)
TRY = tool(
    "run_python",
    code=dedent("""\
        from solution import double
        print(double(2))
    """),
)
DONE = [text("Done.")]


@dataclass
class Finished:
    """What the command left."""

    returncode: int
    stdout: str
    stderr: str


def small_task(folder: Path) -> Path:
    """A task that needs no PyTorch."""
    (folder / "task.toml").write_text("")
    (folder / "prompt.md").write_text("Write `double(x)`.\n")
    test = dedent("""\
        def test_double(solution):
            assert solution.double(4) == 8
    """)
    (folder / "test_double.py").write_text(test)
    return folder


def run_rollout(
    task: Path, api: MessagesApi | None, out: Path, *arguments: object, key: str = KEY
) -> Finished:
    """A run that is resumed knows its API and its address."""
    given: list[str] = []
    if api is not None and "--resume" not in arguments:
        given = ["--api", "chat" if isinstance(api, ChatApi) else "messages"]
        given += ["--base-url", api.url]
    return run_command(
        rollout,
        [f"--task={task}", f"--out={out}", *given, *arguments],
        {"ANTHROPIC_API_KEY": key, "OPENAI_API_KEY": key},
    )


def run_command(
    command: ModuleType, arguments: Iterable[object], environment: Mapping[str, str]
) -> Finished:
    """Run a command in this process: a new one takes seconds to import what it needs."""
    return run_here(command.main, command.__name__, arguments, environment)


def run_script(script: Path, *arguments: object) -> Finished:
    """Run a script in this process, as `python SCRIPT` would."""
    main = partial(runpy.run_path, str(script), run_name="__main__")
    return run_here(main, str(script), arguments, {})


def run_here(
    main: Callable[[], object],
    name: str,
    arguments: Iterable[object],
    environment: Mapping[str, str],
) -> Finished:
    """Call what parses `sys.argv`, prints, and ends by `SystemExit`."""
    status = 0
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environment.items():
            patch.setenv(variable, value)
        patch.setattr(sys, "argv", [name, *map(str, arguments)])
        with redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()) as errors:
            try:
                main()
            except SystemExit as end:
                status = end.code or 0
    return Finished(status, output.getvalue(), errors.getvalue())
