"""What a session grades, and how: the command line and the ini file, read and checked once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..task import TaskSettings, find_task, read_task, why_no_entry

DEFAULT_TIMEOUT_SECONDS = 20.0
ISOLATION_MODES = ("auto", "strict", "off")
NO_REFERENCE = Path()
"""In place of a reference: the task's own is not used either."""


@dataclass(frozen=True)
class GradingOptions:
    """The options of one session.

    `solution_timeout` is in CPU seconds per test; it and `preload` are None where the task decides.
    `module` is the name under which tests import the candidate, None where they use the fixture.
    `maxfail` is the number of failed tests after which a candidate's other tests are not run, 0 for
    none. `entry` names what tests get of each folder that is a candidate, None where the task
    decides. `reference` is a file, `NO_REFERENCE`, or None where the task decides.
    """

    patterns: tuple[str, ...]
    grading_seed: int
    solution_timeout: float | None
    isolation: str
    preload: tuple[str, ...] | None
    module: str | None
    entry: str | None
    maxfail: int
    reference: Path | None


def options_of(config: pytest.Config) -> GradingOptions:
    """The session's options. Raises `pytest.UsageError` where one is wrong."""
    options = config.stash.get(_options_key, None)
    if options is None:
        options = config.stash[_options_key] = _read(config)
    return options


_options_key = pytest.StashKey[GradingOptions]()


def settings_of(config: pytest.Config, paths: Iterable[Path]) -> TaskSettings:
    """What the task of these paths says; the default where there is no task.toml.

    Raises `pytest.UsageError` where it is wrong, or where there are several tasks.
    """
    base, root = config.invocation_params.dir, config.rootpath
    tasks = {find_task(base / path, root) for path in paths} - {None}
    if len(tasks) > 1:
        shown = ", ".join(sorted(str(task) for task in tasks))
        raise pytest.UsageError(f"these are the tests of several tasks: {shown}. Grade one.")
    try:
        return read_task(task) if (task := next(iter(tasks), None)) else TaskSettings()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def settings_of_arguments(config: pytest.Config) -> TaskSettings:
    """What the task of the session's arguments says; as `settings_of`."""
    return settings_of(config, [Path(arg.partition("::")[0]) for arg in config.args])


def _read(config: pytest.Config) -> GradingOptions:
    options = GradingOptions(
        patterns=tuple(_value(config, "solution")),
        grading_seed=_value(config, "grading_seed") or 0,
        solution_timeout=_value(config, "solution_timeout"),
        isolation=_value(config, "isolation"),
        preload=tuple(config.getini("solution_preload")) or None,
        module=_value(config, "solution_module") or None,
        entry=_value(config, "solution_entry") or None,
        maxfail=_value(config, "solution_maxfail") or 0,
        reference=_reference(config),
    )
    if options.isolation not in ISOLATION_MODES:
        raise pytest.UsageError(f"isolation must be one of {', '.join(ISOLATION_MODES)}")
    if options.solution_timeout is not None and not options.solution_timeout > 0:
        raise pytest.UsageError("--solution-timeout must be a positive number of seconds")
    if options.maxfail < 0:
        raise pytest.UsageError("--solution-maxfail must be a number of failed tests, 1 or more")
    if options.module is not None and not options.module.isidentifier():
        raise pytest.UsageError(
            f"--solution-module={options.module!r} is not the name of a module; "
            "give the name that the tests import, without .py"
        )
    if options.entry is not None and (why := why_no_entry(options.entry)):
        raise pytest.UsageError(f"--solution-entry={options.entry!r} {why}")
    return options


def _reference(config: pytest.Config) -> Path | None:
    for value, base in (
        (config.getoption("solution_reference"), config.invocation_params.dir),
        (config.getini("solution_reference"), config.rootpath),
    ):
        if value is not None:
            return base / Path(value).expanduser() if value else NO_REFERENCE
    return None


def _value(config: pytest.Config, name: str) -> Any:
    value = config.getoption(name)
    return config.getini(name) if value is None else value
