"""verify/rules.py: which rules of a prompt its tests check."""

from textwrap import dedent

import pytest

from pytest_balanced_sampler import rule
from pytest_balanced_sampler.verify.rules import trace
from tests.conftest import ROOT

PROMPT = "# Task\n\n1. One.\n2. Two,\n   in 3. parts.\n\n 4. Four.\n10. Ten.\n\nIn 2026. No rule.\n"
TESTS = """
import pytest
import pytest_balanced_sampler as grading
from pytest_balanced_sampler import rule

@rule(1)
@pytest.mark.parametrize("x", [1])
def test_one(solution, x): ...

@grading.rule(10)
class TestTen:
    @rule(1, 4)
    async def test_more(self, solution): ...
    def test_ten(self, solution): ...

def test_none(solution): ...

@rule(3)
def test_unknown(solution): ...

def helper(): ...
"""
EXAMPLES = ("async_client", "csv_converter", "focal_loss", "ledger_package", "ttl_cache")
MARKED = ["grading_tests", *(f"examples/{name}" for name in EXAMPLES)]


def write(folder, tests=TESTS):
    (folder / "prompt.md").write_text(PROMPT)
    (folder / "test_task.py").write_text(tests)
    return folder


def test_faults(tmp_path):
    """A rule without a test, a test without a rule, a rule that is not in the prompt."""
    traced = trace(write(tmp_path))
    found = [(fault.message, fault.file.name, fault.line) for fault in traced.faults()]
    assert found == [
        ("rule 2: no test checks it", "prompt.md", 4),
        ("test_none: checks no rule of prompt.md; add @rule(NUMBER)", "test_task.py", 16),
        ("test_unknown: there is no rule 3 in prompt.md", "test_task.py", 19),
    ]
    assert traced.by_test["test_more"] == {1, 4, 10}


def test_what_broken_solutions_show(tmp_path):
    """A rule is broken by those that fail one of its tests, whatever their parameters."""
    traced = trace(write(tmp_path))
    lines = {1: 3, 4: 7, 10: 8}
    for failing, unbroken in (
        ([], [1, 4, 10]),
        ([["test_task.py::test_one[1]"], ["test_none"]], [4, 10]),
        ([["TestTen::test_more"]], []),
    ):
        places = [(found.message[:8], found.line) for found in traced.unbroken(failing)]
        assert places == [(f"rule {number}: no"[:8], lines[number]) for number in unbroken]


def test_tasks_without_rules(tmp_path):
    """They are not traced."""
    assert trace(write(tmp_path, "def test_it(solution): ...\n")) is None


def test_what_is_no_rule(tmp_path):
    """Said with the line by verify, and as soon as the test file is imported."""
    with pytest.raises(
        ValueError, match=r"test_task.py:1: write @rule\(3\), with numbers of rules"
    ):
        trace(
            write(
                tmp_path,
                dedent("""\
                    @rule('one')
                    def test_it(solution): ...
                """),
            )
        )
    for wrong in [(), ("one",), (True,), (1.0,)]:
        with pytest.raises(
            TypeError, match=r"takes numbers of rules in prompt\.md, as in @rule\(3\), not"
        ):
            rule(*wrong)
    assert rule(1)(test_faults) is test_faults


@pytest.mark.parametrize("name", MARKED)
def test_the_tasks_here(name):
    """Every rule has a test, and every test a rule."""
    assert list(trace(ROOT / name).faults()) == []
