"""adapters/harbor_task.py: what it writes of the tasks here, as Harbor reads it."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_balanced_sampler.adapters.harbor_task import export
from pytest_balanced_sampler.prompt import read_prompt
from tests.conftest import ROOT

TASKS = [
    "grading_tests",
    *sorted(str(p.parent.relative_to(ROOT)) for p in ROOT.glob("examples/*/task.toml")),
]
REVIEWED = {
    *("difficulty_explanation", "solution_explanation", "verification_explanation"),
    *("author_name", "author_email", "author_organization", "category", "tags"),
    *("expert_time_estimate_hours", "relevant_experience"),
}
"""The fields of `[metadata]` that reviewers of Harbor tasks ask for."""


@dataclass
class Exported:
    """A task, what was written of it, and the fields that are left to its author."""

    name: str
    out: Path
    open_fields: list[str]

    @property
    def config(self) -> dict[str, Any]:
        return tomllib.loads((self.out / "task.toml").read_text())

    @property
    def copied(self) -> set[Path]:
        """The Python files of the task that the verifier gets."""
        tests = self.out / "tests"
        return {path.relative_to(tests / "task") for path in tests.rglob("*.py")}


@pytest.fixture(scope="module", params=TASKS)
def exported(request, tmp_path_factory):
    """Each task here, exported once without any values of its author."""
    out = tmp_path_factory.mktemp("harbor") / "out"
    return Exported(request.param, out, export(ROOT / request.param, out, None, {}))


def test_the_schema_is_that_of_harbor(exported):
    """The version that Harbor reads, and each field that its reviewers ask for."""
    assert exported.config["schema_version"] == "1.4"
    assert exported.config["metadata"].keys() == REVIEWED


def test_empty_fields_are_left_to_the_author(exported):
    """They are returned, and each is marked in the file."""
    metadata = exported.config["metadata"]
    empty = {f"metadata.{key}" for key, value in metadata.items() if not value}
    assert empty == set(exported.open_fields)
    text = (exported.out / "task.toml").read_text()
    assert text.count("# OPEN") == len(exported.open_fields)


def test_the_verifier_is_apart_and_offline(exported):
    """It has an environment of its own, without a network."""
    verifier = exported.config["verifier"]
    assert verifier["environment_mode"] == "separate"
    assert verifier["environment"]["network_mode"] == "no-network"


def test_the_verification_is_explained_by_the_rules(exported):
    """With the numbers of the rules that the tests check, where the prompt has such rules."""
    explanation = exported.config["metadata"]["verification_explanation"]
    assert "rules 1" in explanation or exported.name.endswith("programs")


def test_the_instruction_is_the_prompt(exported):
    """It says in which file, or in which folder, the code is expected, too."""
    instruction = (exported.out / "instruction.md").read_text()
    assert instruction.startswith(read_prompt(ROOT / exported.name).rstrip())
    is_tree = exported.name.endswith("ledger_package")
    assert ("`/app`" if is_tree else "`/app/solution.py`") in instruction


@pytest.mark.parametrize("script", ["solution/solve.sh", "tests/test.sh"])
def test_scripts_can_be_run(exported, script):
    """Harbor executes them."""
    assert os.access(exported.out / script, os.X_OK)


def test_the_image_of_the_agent(exported):
    """It has PyTorch only for tasks that need it, and no file of the task."""
    agents = (exported.out / "environment" / "Dockerfile").read_text()
    assert ("torch==" in agents) == (exported.name in ("grading_tests", "examples/focal_loss"))
    assert "COPY" not in agents


def test_no_broken_solution_is_copied(exported):
    """Nothing needs them to verify."""
    assert not [path for path in exported.copied if "broken_solutions" in path.parts]


def test_one_reference_is_copied(exported):
    """However many references a task has."""
    references = [path for path in exported.copied if path.parts[0] == "reference_solutions"]
    assert len({path.parts[1] for path in references}) == 1


def test_values_of_the_author(tmp_path):
    """They are used instead, whatever is known; what they give is not open any more."""
    values: dict[str, dict[str, object]] = {
        "task": {"name": "an-org/ledger", "authors": [{"name": 'A "B" \\ Ü'}]},
        "metadata": {"author_name": "A", "expert_time_estimate_hours": 0.5, "own": True},
        "agent": {"timeout_sec": 60},
    }
    found = export(ROOT / "examples" / "ledger_package", tmp_path / "out", None, values)
    config = tomllib.loads((tmp_path / "out" / "task.toml").read_text("utf-8"))
    for table, some in values.items():
        assert config[table].items() >= some.items()
    assert "metadata.author_email" in found
    assert not {"metadata.author_name", "metadata.expert_time_estimate_hours"} & set(found)


@pytest.mark.parametrize(("out", "error"), [("task/out", ValueError), ("", FileExistsError)])
def test_where_nothing_is_written(tmp_path, out, error):
    """Not into the task, and not over anything."""
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "prompt.md").write_text("# Any\n")
    with pytest.raises(error):
        export(tmp_path / "task", tmp_path / out, None, {})
    assert [path.name for path in (tmp_path / "task").rglob("*")] == ["prompt.md"]
