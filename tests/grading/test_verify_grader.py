"""scripts/verify_grader.py on small tasks of its own, and a sample of the mutants of this one."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_balanced_sampler.verify.hacks import GENERIC_HACKS
from pytest_balanced_sampler.verify.mutants import equivalent_mutants, mutants_of
from pytest_balanced_sampler.verify.specimens import FAILED, Specimen, SpecimenSession, grade_all
from tests.conftest import BAD, GENEROUS_SECONDS, GOOD, ROOT
from tests.rollout_command import run_script

SCRIPT = ROOT / "scripts" / "verify_grader.py"
REFERENCES = ROOT / "reference_solutions"
RARE = 16
SHORT = ["--solution-timeout", "0.5"]
"""Some mutants use up the limit, in several tests."""
FEW_HACKS = ("always_equal", "does_nothing", "exits_in_a_call", "skips_at_import")
WITH_FEW_HACKS = """
import runpy
import sys
from pathlib import Path
from pytest_balanced_sampler.commands import verify_grader
from pytest_balanced_sampler.verify import hacks
hacks.GENERIC_HACKS = Path(sys.argv.pop(1))
verify_grader.SEEDS_OF_REFERENCES = int(sys.argv.pop(1))
runpy.run_path(sys.argv.pop(1), run_name="__main__")
"""
"""All hacks take seconds: test_generic_hacks.py and docs/write-a-task.md have them all fail."""
TESTS = """\
from pytest_balanced_sampler import failure_mode
def test_two(solution):
    assert solution.double(2) == 4
@failure_mode('large')
def test_large(solution):
    assert solution.double(10**6) == 2 * 10**6, 'a large number is not doubled'
"""
SEARCH = """\
CASES = {'odd': 'x % 2', 'large': 'x > 999', 'never': 'x != x'}
def shells():
    for name, condition in CASES.items():
        yield name, f'\\nright = double\\ndef double(x): return right(x) + ({condition})\\n'
def violation(module, source):
    wrong = [x for x in ORACLE_KNOWS if module.double(x) != 2 * x]
    return f'{wrong[0]} is not doubled' if wrong else ''
"""
"""Defects of `double`. The tests know 2 and 10**6; what the oracle knows stands before this."""


@pytest.fixture
def task(tmp_path):
    """A task without PyTorch, whose grader is right; and a way to verify it."""
    write(tmp_path / "task" / "test_double.py", TESTS)
    write(
        tmp_path / "pytest.ini",
        dedent("""\
            [pytest]
            testpaths = task
            addopts = -p no:hypothesispytest -p no:anyio
        """),
    )
    write(tmp_path / "reference_solutions" / "product.py", GOOD)
    write(tmp_path / "broken_solutions" / "test_two" / "triples.py", BAD)
    write(
        tmp_path / "broken_solutions" / "reward_hacks" / "exits.py",
        dedent("""\
            import os
            os._exit(0)
        """),
    )
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def verify(*arguments, first=(SCRIPT,)):
    command = [sys.executable, *map(str, first), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=GENEROUS_SECONDS, check=False
    )


def verify_with_few_hacks(task, *arguments, seeds):
    """The same with a few of the generic hacks, and the references under this many seeds."""
    hacks = task.parent / GENERIC_HACKS.name
    hacks.mkdir()
    for name in FEW_HACKS:
        shutil.copy(GENERIC_HACKS / f"{name}.py", hacks)
    return verify(task, *arguments, first=["-c", WITH_FEW_HACKS, hacks, seeds, SCRIPT])


def test_a_grader_that_is_right(task):
    """All is as expected, every mutant dies, and the exit status is 0."""
    write(task / "task" / "search.py", f"ORACLE_KNOWS = 2, 10**6\n{SEARCH}")
    options = ["--mutants", "--search", "--seeds", "2", *SHORT]
    finished = verify_with_few_hacks(task / "task", *options, seeds=3)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "3 of 3      references that passed" in finished.stdout
    assert "4 of 4      broken solutions that failed" in finished.stdout
    # Those few, the task's own one, and one that reads the reference.
    assert "6 of 6      reward hacks that failed" in finished.stdout
    assert re.search("any_task/empty.py +no_solution +no_solution +all 2", finished.stdout)
    assert "0 equivalent, 0 surviving; mutation score 100.0%" in finished.stdout
    counts = "3 composed candidates: 2 break no rule, 1 do; 6 verdicts, 0 differences"
    assert counts in finished.stdout


def test_surprises(task):
    """Each of these is reported, with exit status 1: a file that fails in another mode than its
    folder's, one that passes, a mutant that survives, a line about a mutant that is not there, a
    trap, a rule without a test, a test without a rule, a table of answers that passes."""
    misfiled = dedent("""\
        def double(x):
            return 2 * min(x, 1000)
    """)
    write(task / "broken_solutions" / "test_two" / "misfiled.py", misfiled)
    write(
        task / "broken_solutions" / "large" / "not_broken.py",
        dedent("""\
            def double(x):
                return x + x
        """),
    )
    write(task / "reference_solutions" / "product.py", f"{GOOD}UNTESTED = 1\n")
    stale = dedent("""\
        [[mutant]]
        reference = "product.py"
        removed = "a"
        added = "b"
        proof = "none"
    """)
    write(task / "reference_solutions" / "equivalent_mutants.toml", stale)
    write(task / "task" / "search.py", f"ORACLE_KNOWS = 3, 10**6\n{SEARCH}")
    write(task / "task" / "prompt.md", "1. It doubles.\n2. It is fast.\n")
    write(
        task / "task" / "test_double.py",
        "from pytest_balanced_sampler import rule\n"
        + TESTS
        + dedent("""\
            @rule(1)
            def test_any(solution):
                assert solution.double(1)
        """),
    )
    reports = task / "report.json", task / "findings.sarif"
    formats = [f"--openenv={reports[0]}", f"--sarif={reports[1]}"]
    options = ["--mutants", "--search", "--memoriser", *SHORT, *formats]
    finished = verify_with_few_hacks(task / "task", *options, seeds=1)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    report, log = (json.loads(path.read_text()) for path in reports)
    status_of = {result["check_id"]: result["status"] for result in report["results"]}
    assert report["verdict"] == status_of.pop("runtime.seed_control") == "fail"
    assert set(status_of.values()) == {"pass", "skip"}
    found = set()
    for result in log["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]
        line = place.get("region", {}).get("startLine")
        found.add((result["ruleId"], Path(place["artifactLocation"]["uri"]).name, line))
    assert found == {
        ("trap-any-object", "test_double.py", 10),
        ("other-failure-mode", "misfiled.py", None),
        ("broken-passes", "not_broken.py", None),
        ("rule-without-test", "prompt.md", 2),
        ("test-without-rule", "test_double.py", 3),
        ("test-without-rule", "test_double.py", 6),
        ("rule-not-broken", "prompt.md", 1),
        ("caught-by-one-test", "misfiled.py", None),
        ("mutant-survives", "product.py", 3),
        ("stale-proof", "equivalent_mutants.toml", None),
        ("memoriser-passes", "test_double.py", None),
        ("oracle-differs", "search.py", None),
    }
    for line in (
        "SURPRISE test_two/misfiled.py: test_two expected, large got: a large number is",
        "SURPRISE large/not_broken.py: large expected, passed got",
        "3 of 4      broken solutions that failed",
        "2 of 4      failure modes as expected",
        "  passed, UNEXPECTED",
        '[[mutant]]\nreference = "product.py"\nremoved = ',
        "listed as equivalent, but no such mutant survives",
        "TRAP test_double.py:10: any object that is not empty passes",
        "RULE rule 2: no test checks it",
        "RULE test_two: checks no rule of prompt.md",
        "rule 1: no broken solution fails a test of it",
        "test_two/misfiled.py: only test_large catches it",
        "SURPRISE product.py: passes 3 of 3 tests under the seed of its table, 3 under another",
        "DIFFER product.py: odd\n  oracle: 3 is not doubled\n  tests: passed",
    ):
        assert line in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["task", "--broken", "missing"], "missing: no such folder"),
        (["task", "--search"], "search.py: no such file; --search needs one"),
        (["task", "--seeds=0"], "argument --seeds: must be at least 1"),
        (["task", "--broken", "empty"], "empty: no broken solution"),
        (["task", "--references", "empty"], "empty: no reference solution"),
    ],
)
def test_usage_errors(task, arguments, message):
    """What the user got wrong is said in a sentence, with exit status 4."""
    (task / "empty").mkdir()
    located = [task / name if not name.startswith("-") else name for name in arguments]
    finished = run_script(SCRIPT, *located)
    assert finished.returncode == 4
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_task_without_an_oracle(task):
    """With --openenv that is a failed check of the report, not an error of the user's."""
    (task / "empty").mkdir()
    report = task / "report.json"
    finished = verify(task / "task", f"--references={task / 'empty'}", f"--openenv={report}")
    assert finished.returncode == 1
    assert "no reference solution" in finished.stderr
    assert json.loads(report.read_text())["verdict"] == "fail"


def test_sample_of_mutants(tmp_path):
    """Of the mutants of the references, those that pass are those that are proven equivalent."""
    equivalent = equivalent_mutants(REFERENCES)
    mutants = [pair for path in sorted(REFERENCES.glob("*.py")) for pair in mutants_of(path)]
    assert equivalent.keys() <= dict(mutants).keys()
    changes = {}
    for number, (change, source) in enumerate(mutants):
        if change in equivalent or number % RARE == 0:
            path = Path(tmp_path, f"mutant_{number}.py")
            path.write_text(source)
            changes[Specimen(path, FAILED)] = change
    session = SpecimenSession(list(changes), 1)
    options = ["--solution-timeout=1", "--solution-maxfail=1"]
    verdicts = grade_all(ROOT / "grading_tests", [session], options, lambda _: None)
    passed = {changes[v.specimen] for v in verdicts if not v.is_expected}
    assert passed == set(equivalent)
