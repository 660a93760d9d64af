"""The prompts beside prompt.md: each states all that is tested, and demands nothing else."""

import re

import pytest

from tests.conftest import ROOT, run_pytest

TASK = ROOT / "grading_tests"
PROMPTS = TASK / "prompts"
COLUMNS = {"brief": 0, "repair": 0, "terse": 1}
DEMANDS_NOTHING_ABOUT_THE_CODE = (
    "The sampler below should yield batches in which every class has the same weight.",
    "It has several defects.",
    "Training on imbalanced data needs batches in which every class has the same weight.",
    "Hidden tests check",
    "Write `solution.py`.",
    "Only the file `solution.py` is graded",
)


def squeezed(text):
    return " ".join(text.split())


def prompt_text(name):
    """A prompt without its code block, white space squeezed."""
    return squeezed(re.sub(r"```.*?```", "", (PROMPTS / f"{name}.md").read_text(), flags=re.DOTALL))


def rows(readme):
    """The rows of a fairness table: rule, the broken solution that names it, the other cells."""
    for line in readme.read_text().splitlines():
        if re.match(r"\| C\d+ ", line):
            rule, *cells = (
                cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]
            )
            (path,) = (cell for cell in cells if re.fullmatch(r"`\w+/\w+\.py`", cell))
            yield rule.split()[0], path.strip("`"), [cell for cell in cells if cell != path]


FAIRNESS = {path: cells for _, path, cells in rows(PROMPTS / "README.md")}
RULES = {f"C{number}" for number in range(1, 12)}


def quotations(name):
    return [
        quoted
        for cells in FAIRNESS.values()
        for quoted in re.findall(r'"(.*?)"', cells[COLUMNS[name]])
    ]


def test_every_tested_rule_has_a_row():
    """The table has each broken solution of that for prompt.md, and each rule."""
    tested = {path for _, path, _ in rows(TASK / "README.md")}
    assert tested - FAIRNESS.keys() == set()
    assert len(tested) > 20
    assert {rule for rule, *_ in rows(PROMPTS / "README.md")} == RULES


@pytest.mark.parametrize("name", COLUMNS)
def test_every_rule_is_stated_or_follows(name):
    """Each row quotes the prompt."""
    for row, cells in FAIRNESS.items():
        quoted = re.findall(r'"(.*?)"', cells[COLUMNS[name]])
        assert quoted, row
        for words in quoted:
            assert words in prompt_text(name), (row, words)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_demand_is_in_the_table(name):
    """Each sentence of a prompt is quoted, at least in part, or demands nothing of the code."""
    sentences = re.split(r"(?<=[.:;])\s+(?=[A-Z`\d-])", prompt_text(name))
    assert len(sentences) > 8
    left = [
        sentence
        for sentence in sentences
        if len(sentence) > 30
        and not any(words in sentence or sentence in words for words in quotations(name))
        and not any(words in sentence for words in DEMANDS_NOTHING_ABOUT_THE_CODE)
    ]
    assert left == []


def test_no_prompt_is_left_out():
    """Each file but the table is a prompt with a column."""
    assert {path.stem for path in PROMPTS.glob("*.md")} == {"README", *COLUMNS}


REPAIRS = {
    "drops_samples": {"return max(": "return -(-max(", "// self.n": "// self.n)"},
    "takes_0_for_no_seed": {"(seed) if seed else random.Random()": "(seed)"},
    "shuffles_by_global_state": {"random.shuffle": "self.rng.shuffle"},
    "keeps_its_pools": {"__iter__(self):": "__iter__(self):\n        self.pools.clear()"},
    "cannot_oversample": {".sample(indices, missing)": ".choices(indices, k=missing)"},
}


def test_the_sampler_to_repair(tmp_path):
    """It fails while any of its five defects is left, and passes once all are repaired."""
    (source,) = re.findall(r"```python\n(.*?)```", (PROMPTS / "repair.md").read_text(), re.DOTALL)
    for left in ("all", "none", *REPAIRS):
        repaired = source
        for defect, changes in REPAIRS.items():
            for old, new in changes.items():
                assert source.count(old) == 1, old
                repaired = repaired.replace(old, new) if left not in ("all", defect) else repaired
        (tmp_path / f"{left}.py").write_text(repaired)
    run = run_pytest(
        f"--solution={tmp_path}",
        # Without torch._inductor.config, which no repair needs.
        *("-o", "solution_preload=torch numpy"),
        cwd=ROOT,
        report_file=tmp_path / "report.json",
        preloaded=("numpy", "torch"),
    )
    outcomes = {grade["solution"]: grade["outcome"] for grade in run.grades}
    assert {path.rpartition("/")[2]: outcome for path, outcome in outcomes.items()} == {
        f"{left}.py": "passed" if left == "none" else "failed" for left in ("all", "none", *REPAIRS)
    }
