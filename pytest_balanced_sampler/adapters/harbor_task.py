"""Writes a task's folder as a task for Harbor.

python -m pytest_balanced_sampler.adapters.harbor_task TASK OUT --metadata metadata.toml

What reviewers of Harbor tasks ask for and the folder does not say is left empty in `task.toml`,
marked as OPEN, and printed. `--metadata` is a TOML file in Harbor's format with such values.
"""

from __future__ import annotations

import ast
import json
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Container
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from ..command_line import EXIT_USAGE, Parser, stop
from ..prompt import preload_of, read_prompt
from ..results.run_folder import SOLUTION
from ..task import SETTINGS_FILE, TaskSettings, read_task
from ..verify.openenv import RESOURCES
from ..verify.rules import tests_in
from ..verify.search import SEARCH
from ..verify.traps import test_files

CASES = "cases.jsonl"
AGENT_FOLDER = "/app"
_LEFT_OUT = {"reference_solutions", "broken_solutions", "prompts", "README.md", SEARCH}
_CACHES = ["__pycache__", ".git", ".venv", "node_modules"]

_TEST = """\
#!/bin/sh
# Grades what the agent wrote. If there is no grade, it leaves no reward.json, and Harbor
# counts the trial as an error.
cd "$(dirname "$0")/task" || exit
logs=${LOGS:-/logs/verifier}
rm -f "$logs/report.json" "$logs/reward.json" "$logs/ctrf.json"
python -m pytest -p no:cacheprovider --solution="${APP:-/app}%(solution)s" \\
    --json-report --json-report-file="$logs/report.json"
status=$?
[ "$status" -le 1 ] || exit "$status"
exec python -m pytest_balanced_sampler.adapters.harbor \\
    "$logs/report.json" "$logs/reward.json" --ctrf "$logs/ctrf.json"
"""
_SOLVE = """\
#!/bin/sh
cp -r "$(dirname "$0")/%(source)s" "${APP:-/app}%(target)s"
"""
_ENVIRONMENT = """\
# Where the agent works: what its solution may use, and nothing of the tests.
FROM python:%(python)s-slim
%(install)sWORKDIR /app
"""
_VERIFIER = """\
# Where solutions are graded: the image that `docker build -t pytest-balanced-sampler .` makes of
# pytest-balanced-sampler, with this task's tests.
FROM pytest-balanced-sampler
USER root
%(install)sRUN mkdir -p /app
COPY . /tests/
USER 1000
# Harbor starts a container with a shell.
ENTRYPOINT []
"""
_INSTALL = """\
# Where several builds of a package are offered, point pip at the right one: --build-arg.
ARG PIP_EXTRA_INDEX_URL
RUN pip install --no-cache-dir %s
"""
_COLLECT = (
    "cd /app && if [ -L solution.py ] || [ ! -f solution.py ]; "
    "then rm -rf solution.py && : > solution.py; fi"
)


def main() -> None:
    """Write the folder, and print what is open."""
    parser = Parser(description="Write a task's folder as a task for Harbor.")
    parser.add_argument("task", type=Path, help="folder with the tests")
    parser.add_argument("out", type=Path, help="folder to write; must not exist")
    parser.add_argument(
        "--name", help="the task's name in the registry, org/name (default: local/FOLDER)"
    )
    parser.add_argument(
        "--metadata", type=Path, metavar="FILE", help="TOML whose values replace those of task.toml"
    )
    options = parser.parse_args()
    try:
        values = tomllib.loads(options.metadata.read_text("utf-8")) if options.metadata else {}
        found = export(options.task, options.out, options.name, values)
    except (OSError, ValueError, SyntaxError) as error:
        stop(str(error), EXIT_USAGE)
    for field in found:
        sys.stdout.write(f"open: {field}\n")


def export(task: Path, out: Path, name: str | None, values: dict[str, Any]) -> list[str]:
    """Write the task to a new folder. Gives the names of the fields that are open.

    `values` has tables as Harbor's `task.toml` has them; they replace what is known of the task.
    Raises `ValueError`, for the task's author, when the task cannot be written, `SyntaxError` when
    one of its files is not Python, and `OSError`.
    """
    if out.resolve().is_relative_to(task.resolve()):
        raise ValueError(f"{out} is in the folder of the task; write to another place")
    settings, prompt, pins = read_task(task), read_prompt(task), _pins(task)
    config = _config(task, settings, prompt, name, pins)
    _merge(config, values)
    out.mkdir(parents=True)
    for folder in ("environment", "tests"):
        (out / folder).mkdir()
    install = _INSTALL % " ".join(pins) if pins else ""
    agent_install = install
    if "run_python" in prompt:
        agent_install += 'RUN ln -s "$(command -v python)" /usr/local/bin/run_python\n'
    places = {"python": platform.python_version(), "install": agent_install}
    is_tree = settings.entry is not None
    what, file = ("folder", "") if is_tree else ("file", f"/{SOLUTION}")
    where = f"The {what} is `{AGENT_FOLDER}{file}`."
    (out / "instruction.md").write_text(f"{prompt.rstrip()}\n\n{where}\n", "utf-8")
    (out / "environment" / "Dockerfile").write_text(_ENVIRONMENT % places)
    (out / "tests" / "Dockerfile").write_text(_VERIFIER % {"install": install})
    _write_script(out / "tests" / "test.sh", _TEST % {"solution": file})
    _copy(task, out / "tests" / "task", _LEFT_OUT)
    # Where the folder has none, Harbor's would be taken for the settings of the tests.
    (out / "tests" / "task" / SETTINGS_FILE).touch()
    found = [f"{table}.{key}" for table in ("task", "metadata") for key in _open(config[table])]
    reference = settings.reference
    if reference is None:
        found.append("solution/: task.toml of the task names no reference")
    else:
        inside = reference.is_relative_to(task)
        relative = reference.relative_to(task if inside else task.resolve().parent)
        _copy(reference, out / "tests" / "task" / relative)
        _copy(reference, out / "solution" / reference.name)
        source = f"{reference.name}/." if is_tree else reference.name
        script = _SOLVE % {"source": source, "target": file}
        _write_script(out / "solution" / "solve.sh", script)
    (out / "task.toml").write_text(_toml(config), "utf-8")
    return found


def _config(
    task: Path, settings: TaskSettings, prompt: str, name: str | None, pins: list[str]
) -> dict[str, Any]:
    title = re.search(r"^# +(?:Task: *)?(.+)", prompt, re.MULTILINE)
    own = re.sub(r"[^a-z0-9]+", "-", task.resolve().name.lower()).strip("-")
    tags = ["python", *(pin.partition("==")[0] for pin in pins)]
    resources = {
        "cpus": int(RESOURCES["cpu"]),
        "memory_mb": RESOURCES["memory_mb"],
        "storage_mb": RESOURCES["disk_mb"],
    }
    verifier: dict[str, Any] = {"environment_mode": "separate", "timeout_sec": 600}
    artifacts: list[Any] = [{"source": AGENT_FOLDER, "exclude": _CACHES}]
    if settings.entry is None:
        artifacts = [f"{AGENT_FOLDER}/{SOLUTION}"]
        # A missing file says that there is no solution; one that was lost on the way is no verdict.
        verifier["collect"] = [{"command": _COLLECT}]
    verifier["environment"] = {
        "build_timeout_sec": 1200,
        "network_mode": "no-network",
        **resources,
    }
    return {
        "schema_version": "1.4",
        "artifacts": artifacts,
        "task": {
            "name": name or f"local/{own}",
            "description": title[1].strip() if title else "",
            "keywords": tags,
        },
        "metadata": {
            "author_name": "",
            "author_email": "",
            "author_organization": "",
            "difficulty_explanation": "",
            "solution_explanation": _docstring_of(settings),
            "verification_explanation": _verification(task),
            "category": "software-engineering",
            "tags": tags,
            "expert_time_estimate_hours": 0,
            "relevant_experience": "",
        },
        "agent": {"timeout_sec": RESOURCES["episode_timeout_s"]},
        "environment": {"build_timeout_sec": 1200, **resources},
        "verifier": verifier,
    }


def _docstring_of(settings: TaskSettings) -> str:
    """What the reference says of itself: of a tree, its entry."""
    file = settings.reference
    if file is not None and settings.entry is not None:
        place = file.joinpath(*settings.entry.split("."))
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) if file else None
    return " ".join((text or "").split())


def _verification(task: Path) -> str:
    parts = []
    tests = {name: rules for file in test_files(task) for name, _, rules in tests_in(file)}
    if tests:
        named = (
            f"{name} (rules {', '.join(map(str, sorted(rules)))})" if rules else name
            for name, rules in tests.items()
        )
        parts.append(f"pytest runs these tests: {', '.join(named)}.")
    if (task / CASES).is_file():
        number = len((task / CASES).read_text("utf-8").split("\n")) - 1
        parts.append(f"The program gets {number} fixed inputs, and its output is compared.")
    parts.append(
        "The solution runs in a confined process of its own, which has no access to the tests. The "
        "reward is 1 if every test passes, else 0. The limits on CPU time are multiples of what "
        "the reference needs on the same machine."
    )
    return " ".join(parts)


def _pins(task: Path) -> list[str]:
    """What a candidate may import beside the standard library, at the versions that are here."""
    distributions = packages_distributions()
    names = {
        name: None
        for module in preload_of(task)
        for name in distributions.get(module.partition(".")[0], [])[:1]
    }
    return [f"{name}=={version(name).partition('+')[0]}" for name in names]


def _copy(source: Path, target: Path, left_out: Container[str] = ()) -> None:
    """Copy a file or a folder without its caches, and without these of its entries."""

    def ignored(folder: str, names: list[str]) -> set[str]:
        is_top = Path(folder) == source
        is_cache = (name.startswith((".", "__pycache__")) for name in names)
        pairs = zip(names, is_cache, strict=True)
        return {name for name, cache in pairs if cache or (is_top and name in left_out)}

    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=ignored)
    else:
        shutil.copy(source, target)


def _write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _merge(config: dict[str, Any], values: dict[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            _merge(config[key], value)
        else:
            config[key] = value


def _open(table: dict[str, Any]) -> list[str]:
    return [key for key, value in table.items() if value in ("", 0, [])]


def _toml(config: dict[str, Any], name: str = "") -> str:
    """A document of plain values, tables, and arrays of tables in tables."""
    lines, tables = [], []
    for key, value in config.items():
        path = f"{name}.{key}" if name else key
        if isinstance(value, dict):
            tables.append(f"\n[{path}]\n{_toml(value, path)}")
        elif name and isinstance(value, list) and value and isinstance(value[0], dict):
            tables += [f"\n[[{path}]]\n{_toml(each, path)}" for each in value]
        else:
            mark = " # OPEN" if value in ("", 0, []) else ""
            lines.append(f"{key} = {_value(value)}{mark}\n")
    return "".join([*lines, *tables])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    # Basic strings of TOML are escaped as those of JSON are.
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
