"""The task that is shipped: its references pass, and each broken solution fails for its reason."""

import json
from pathlib import Path

import fastjsonschema
import pytest

from tests.conftest import ROOT, run_pytest

REFERENCES = sorted(path.name for path in (ROOT / "reference_solutions").glob("*.py"))
FAILURE_MODES = {
    "interface",
    "balance",
    "coverage",
    "reproducibility",
    "edge_case",
    "load_error",
    "no_solution",
    "timeout",
    "crash",
}
BROKEN = sorted(
    path for mode in FAILURE_MODES for path in (ROOT / "broken_solutions" / mode).glob("*.py")
)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """One session over every reference and every broken solution."""
    return run_pytest(
        "--solution=reference_solutions",
        *(f"--solution=broken_solutions/{mode}" for mode in sorted(FAILURE_MODES)),
        "--solution-timeout=2",
        cwd=ROOT,
        report_file=tmp_path_factory.mktemp("catalogue") / "report.json",
    )


def grade_of(run, path):
    (grade,) = (grade for grade in run.grades if grade["solution"] == str(path))
    return grade


def without_duration(grade):
    return {key: value for key, value in grade.items() if key != "duration"}


@pytest.mark.parametrize("name", REFERENCES)
def test_reference_passes(catalogue, name):
    """Each reference solution passes all seven tests."""
    grade = grade_of(catalogue, f"reference_solutions/{name}")
    assert (grade["outcome"], grade["score"], len(grade["tests"])) == ("passed", 1, 7)


@pytest.mark.parametrize("path", [path.relative_to(ROOT) for path in BROKEN], ids=str)
def test_broken_solution_fails_in_the_mode_of_its_folder(catalogue, path):
    """Each broken solution fails, and the failure mode is the name of its folder."""
    grade = grade_of(catalogue, path)
    assert grade["failure_mode"] == path.parent.name, grade["message"]
    assert grade["outcome"] in ("failed", "no_solution")
    assert grade["score"] < 1
    assert grade["message"]


def test_every_failure_mode_has_a_broken_solution():
    """The catalogue leaves out no failure mode."""
    assert {path.parent.name for path in BROKEN} == FAILURE_MODES


def test_grades_do_not_depend_on_company_or_order(catalogue, grade_here):
    """The same candidates in another order, alone or twice get the grades that they had."""
    broken = "broken_solutions/reproducibility/ignores_seed.py"
    others = ["reference_solutions/pool_based.py", broken, "broken_solutions/crash/exits.py"]
    again = grade_here(*(f"--solution={path}" for path in [*reversed(others), *others]))
    alone = grade_here(f"--solution={broken}")
    assert len(again.grades) == 6
    for grade in again.grades + alone.grades:
        path = grade["solution"].removesuffix("#2")
        expected = without_duration(grade_of(catalogue, path)) | {"solution": grade["solution"]}
        assert without_duration(grade) == expected


BATCHES = {
    "list(numpy.array(batch))": "passed",
    "[numpy.int32(index) for index in batch]": "passed",
    "type('Batch', (list,), {})(batch)": "passed",
    "torch.tensor(batch)": "interface",
    "[torch.tensor(index) for index in batch]": "interface",
    "tuple(batch)": "interface",
    "numpy.array(batch)": "interface",
    "[bool(index) for index in batch]": "interface",
    "[float(index) for index in batch]": "interface",
    "(index for index in batch)": "interface",
}


def test_what_a_batch_may_be(tmp_path):
    """Lists of Python or NumPy integers are batches; nothing else is."""
    reference = Path(ROOT, "reference_solutions/round_robin.py").read_text()
    for number, batch in enumerate(BATCHES):
        Path(tmp_path, f"candidate_{number}.py").write_text(
            f"import numpy, torch\n{reference}\n"
            "class BalancedBatchSampler(BalancedBatchSampler):\n"
            "    def __iter__(self):\n"
            f"        return ({batch} for batch in super().__iter__())\n"
        )
    run = run_pytest(f"--solution={tmp_path}", cwd=ROOT, report_file=tmp_path / "report.json")
    verdicts = [grade["failure_mode"] or grade["outcome"] for grade in run.grades]
    assert dict(zip(BATCHES, verdicts, strict=True)) == BATCHES


def test_another_grading_seed_draws_other_cases(grade_here):
    """The grading seed decides what is drawn, and is recorded."""
    path = "--solution=broken_solutions/coverage/drops_the_rest.py"
    one, other = grade_here(path, "--grading-seed=1"), grade_here(path, "--grading-seed=2")
    assert [run.grade["grading_seed"] for run in (one, other)] == [1, 2]
    assert one.grade["message"] != other.grade["message"]
    assert one.grade["failure_mode"] == other.grade["failure_mode"] == "coverage"


def test_report_satisfies_its_schema(catalogue):
    """The report of the whole catalogue is as grades.schema.json says."""
    schema = json.loads((ROOT / "pytest_balanced_sampler/grades.schema.json").read_text())
    fastjsonschema.validate(schema, catalogue.report)
    assert catalogue.report["versions"]["torch"]
