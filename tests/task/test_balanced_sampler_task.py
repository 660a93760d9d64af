"""The task that is shipped: its references pass, and each broken solution fails for its reason."""

import json
import os
import re
from pathlib import Path
from textwrap import dedent

import fastjsonschema
import pytest

from pytest_balanced_sampler.grade import Grade
from pytest_balanced_sampler.verify.rules import trace
from pytest_balanced_sampler.verify.specimens import (
    Specimen,
    SpecimenVerdict,
    broken_in,
    references_in,
)
from tests.conftest import ROOT, run_pytest

TASK = ROOT / "grading_tests"
REFERENCES = references_in(ROOT / "reference_solutions")
BROKEN = broken_in(ROOT / "broken_solutions")
VALID = sorted((ROOT / "tests" / "task" / "valid_solutions").glob("*.py"))
RULES = {f"C{number}" for number in range(1, 12)}
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


DROPS_THE_REST = Specimen(ROOT / "broken_solutions/coverage/drops_the_rest.py", "coverage")
GRADED_AGAIN = [
    "reference_solutions/pool_based.py",
    "broken_solutions/reproducibility/ignores_seed.py",
    "broken_solutions/crash/exits.py",
]
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


def graded(folder, *arguments):
    """A session of the task, forked from a process that has imported PyTorch."""
    report = folder / "report.json"
    return run_pytest(*arguments, cwd=ROOT, report_file=report, preloaded=("numpy", "torch"))


CHEAP = ("-o", "solution_preload=torch numpy")
"""Without torch._inductor.config, which one of the valid styles needs, and takes 1.2 s."""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """One session over every reference and every broken solution, the valid styles, what a batch
    may be, and a few candidates again, twice, in two orders."""
    batches = tmp_path_factory.mktemp("batches")
    reference = Path(ROOT, "reference_solutions/round_robin.py").read_text()
    for number, batch in enumerate(BATCHES):
        derived = dedent(f"""\
            import numpy, torch
            class BalancedBatchSampler(BalancedBatchSampler):
                def __iter__(self):
                    return ({batch} for batch in super().__iter__())
        """)
        Path(batches, f"candidate_{number}.py").write_text(f"{reference}{derived}")
    return graded(
        tmp_path_factory.mktemp("session"),
        *(f"--solution={specimen.path.relative_to(ROOT)}" for specimen in REFERENCES + BROKEN),
        "--solution=tests/task/valid_solutions",
        f"--solution={batches}",
        *(f"--solution={path}" for path in [*reversed(GRADED_AGAIN), *GRADED_AGAIN]),
        "--solution-timeout=0.75",
    )


def verdicts_of(specimens, grades):
    """The verdicts on the first candidates of a session, by name."""
    pairs = zip(specimens, grades[: len(specimens)], strict=True)
    return {specimen.name: SpecimenVerdict(specimen, Grade.from_json(it)) for specimen, it in pairs}


@pytest.fixture(scope="module")
def catalogue(session):
    """The verdicts on every reference and every broken solution."""
    return verdicts_of(REFERENCES + BROKEN, session.grades)


@pytest.fixture(scope="module")
def other_seeds(tmp_path_factory):
    """Under each of two other grading seeds, the verdicts on the references and one that fails."""
    specimens = [*REFERENCES, DROPS_THE_REST]
    paths = [f"--solution={specimen.path}" for specimen in specimens]
    folder = tmp_path_factory.mktemp("seeds")
    return [
        verdicts_of(specimens, graded(folder, *paths, *CHEAP, f"--grading-seed={seed}").grades)
        for seed in (1, 2)
    ]


def grade_of(run, path):
    (grade,) = (grade for grade in run.grades if grade["solution"] == str(path))
    return grade


MEASURED = ("duration", "details")


def without_duration(grade):
    return {key: value for key, value in grade.items() if key not in MEASURED}


@pytest.mark.parametrize("specimen", REFERENCES + BROKEN, ids=lambda specimen: specimen.name)
def test_verdict_is_as_expected(catalogue, specimen):
    """Each reference passes seven tests; each broken solution fails in the mode of its folder."""
    verdict = catalogue[specimen.name]
    assert verdict.is_expected, verdict.grade.message
    assert len(verdict.grade.tests) == 7
    assert bool(verdict.failing_tests) == bool(verdict.grade.message) == (specimen in BROKEN)


def test_references_pass_under_other_grading_seeds(other_seeds):
    """A reference does not owe its pass to the cases of one seed."""
    for verdicts in other_seeds:
        got = [verdicts[reference.name].got for reference in REFERENCES]
        assert got == ["passed"] * len(REFERENCES)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_valid_style_passes(session, path):
    """What the prompt leaves free costs nobody anything."""
    verdict = grade_of(session, path.relative_to(ROOT))
    assert verdict["outcome"] == "passed", verdict["message"]


def squeezed(text):
    return " ".join(text.split())


ROW = r'^\| (C\d+) .*? \| "(?P<quoted>.*)" \| (?P<tests>.*) \| `(?P<broken>.*)` \|$'


def fairness_table():
    """The rows of grading_tests/README.md: rule, quotation, names of tests, broken solution."""
    rows = re.findall(ROW, readme(), re.MULTILINE)
    return [
        (rule, quoted, re.findall(r"`(\w+)`", tests), path) for rule, quoted, tests, path in rows
    ]


def readme():
    return (TASK / "README.md").read_text()


def test_every_rule_has_a_row_of_the_fairness_table():
    """No rule of the contract is left out, and no row of the table is left unread."""
    assert {rule for rule, *_ in fairness_table()} == RULES
    assert len(fairness_table()) == readme().count("\n| C")


def checked_by(quoted, failing, traced):
    """The tests that fail what breaks this rule, of those that say by @rule that they check it.

    What the prompt says before the first numbered rule, any test may check.
    """
    before, _, _ = squeezed((TASK / "prompt.md").read_text()).partition(quoted)
    numbers = re.findall(r" (\d)\. \*\*", before)
    return [
        name
        for name, rules in traced.by_test.items()
        if name in failing and (not numbers or int(numbers[-1]) in rules)
    ]


def test_the_table_is_what_happens(catalogue):
    """Set REWRITE_DOCS=1 to write the tests of each row anew."""
    traced, rows = trace(TASK), []
    for line in readme().splitlines():
        if (row := re.match(ROW, line)) is not None:
            tests = checked_by(row["quoted"], catalogue[row["broken"]].failing_tests, traced)
            names = ", ".join(f"`{name}`" for name in tests)
            line = line.replace(f"| {row['tests']} |", f"| {names} |")
        rows.append(line)
    found = "\n".join(rows) + "\n"
    if os.environ.get("REWRITE_DOCS"):
        (TASK / "README.md").write_text(found)
    assert readme() == found


@pytest.mark.parametrize("row", fairness_table(), ids=lambda row: f"{row[0]}-{row[3]}")
def test_rule_is_stated_and_tested(row):
    """The prompt says it in these words, and a test of this rule fails what breaks it."""
    _, quoted, tests, _ = row
    assert quoted in squeezed((TASK / "prompt.md").read_text())
    assert tests


SAYS_WHAT_IS_FREE = (
    "Write `solution.py`.",
    "for Python {python}, PyTorch {torch} and NumPy {numpy}.",
    "Try it with `run_python` before you finish (a DataLoader works there with `num_workers=0` "
    "only): only the file `solution.py` is graded, with its final contents.",
    "(An abandoned iterator is dropped before the next `iter(sampler)`: two iterations of one "
    "sampler at the same time are not required to work.)",
    "The second epoch may equal the first or differ from it, and any order is allowed after an "
    "abandoned epoch.",
    "Hidden tests check these rules, and nothing else.",
)


def test_every_sentence_of_the_prompt_is_in_the_fairness_table():
    """What the prompt demands is quoted, but for what it leaves free and what is no rule."""
    left = squeezed(re.sub(r"^#.*$", "", (TASK / "prompt.md").read_text(), flags=re.MULTILINE))
    for text in (*SAYS_WHAT_IS_FREE, *(quoted for _, quoted, *_ in fairness_table())):
        assert text in left
        left = left.replace(text, "")
    left = re.sub(r"\d\. \*\*\w+\.\*\*", "", left)
    assert set(left) <= set(" -,")


def test_every_failure_mode_has_a_broken_solution():
    """The catalogue leaves out no failure mode."""
    assert {specimen.expected for specimen in BROKEN} == FAILURE_MODES
    assert len(BROKEN) >= 40


def test_grades_do_not_depend_on_company_or_order(catalogue, session, grade_here):
    """The same candidates in another order, alone or twice get the grades that they had."""
    again = session.grades[-6:]
    alone = grade_here(f"--solution={GRADED_AGAIN[1]}", *CHEAP)
    for other in again + alone.grades:
        path = other["solution"].partition("#")[0]
        assert path in GRADED_AGAIN
        before = catalogue[path.removeprefix("broken_solutions/")].grade.as_json()
        own = {name: other[name] for name in ("solution", "index")}
        assert without_duration(other) == without_duration(before) | own


def test_what_a_batch_may_be(session):
    """Lists of Python or NumPy integers are batches; nothing else is."""
    grades = [grade for grade in session.grades if "/candidate_" in grade["solution"]]
    verdicts = [grade["failure_mode"] or grade["outcome"] for grade in grades]
    assert dict(zip(BATCHES, verdicts, strict=True)) == BATCHES


def test_another_grading_seed_draws_other_cases(other_seeds):
    """The grading seed decides what is drawn, and is recorded."""
    one, other = (verdicts[DROPS_THE_REST.name].grade for verdicts in other_seeds)
    assert [grade.grading_seed for grade in (one, other)] == [1, 2]
    assert one.message != other.message
    assert one.failure_mode == other.failure_mode == "coverage"


def test_report_satisfies_its_schema(session):
    """The report of a session with passes and failures is as grades.schema.json says."""
    schema = json.loads((ROOT / "pytest_balanced_sampler/results/grades.schema.json").read_text())
    fastjsonschema.validate(schema, session.report)
    assert session.report["versions"]["torch"]
