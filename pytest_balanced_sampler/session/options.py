"""What a session grades, and how: the command line and the ini file, read and checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

DEFAULT_TIMEOUT_SECONDS = 20.0
ISOLATION_MODES = ("auto", "strict", "off")


@dataclass(frozen=True)
class GradingOptions:
    """The options of one session.

    `solution_timeout` is in CPU seconds per test; it and `preload` are None where the task decides.
    `module` is the name under which tests import the candidate, None where they use the fixture.
    """

    patterns: tuple[str, ...]
    grading_seed: int
    solution_timeout: float | None
    isolation: str
    preload: tuple[str, ...] | None
    module: str | None


def options_of(config: pytest.Config) -> GradingOptions:
    """The session's options. Raises `pytest.UsageError` where one is wrong."""
    options = config.stash.get(_options_key, None)
    if options is None:
        options = config.stash[_options_key] = _read(config)
    return options


_options_key = pytest.StashKey[GradingOptions]()


def _read(config: pytest.Config) -> GradingOptions:
    options = GradingOptions(
        patterns=tuple(_value(config, "solution")),
        grading_seed=_value(config, "grading_seed") or 0,
        solution_timeout=_value(config, "solution_timeout"),
        isolation=_value(config, "isolation"),
        preload=tuple(config.getini("solution_preload")) or None,
        module=_value(config, "solution_module") or None,
    )
    if options.isolation not in ISOLATION_MODES:
        raise pytest.UsageError(f"isolation must be one of {', '.join(ISOLATION_MODES)}")
    if options.solution_timeout is not None and not options.solution_timeout > 0:
        raise pytest.UsageError("--solution-timeout must be a positive number of seconds")
    if options.module is not None and not options.module.isidentifier():
        raise pytest.UsageError(
            f"--solution-module={options.module!r} is not the name of a module; "
            "give the name that the tests import, without .py"
        )
    return options


def _value(config: pytest.Config, name: str) -> Any:
    value = config.getoption(name)
    return config.getini(name) if value is None else value
