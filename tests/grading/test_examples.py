"""The tasks under examples/: their references pass, and each broken solution in its own mode."""

from textwrap import dedent

import pytest

from pytest_balanced_sampler.verify.specimens import (
    REWARD_HACKS,
    SpecimenSession,
    broken_in,
    grade,
    hacks_in,
    references_in,
)
from tests.conftest import ROOT


@pytest.mark.parametrize(
    "name",
    ["focal_loss", "programs", "ttl_cache", "csv_converter", "ledger_package", "async_client"],
)
def test_verdicts_are_as_expected(name):
    """One session over all that the task ships."""
    task = ROOT / "examples" / name
    references = references_in(task / "reference_solutions")
    broken = broken_in(task / "broken_solutions")
    specimens = references + broken + hacks_in(task / "broken_solutions" / REWARD_HACKS)
    # The mode is that of the first test that fails: the others would change no verdict.
    options = ["--solution-timeout=1", "--solution-maxfail=1"]
    verdicts = grade(task, SpecimenSession(specimens, 1), options)
    assert [v for v in verdicts if not v.is_expected] == []
    assert len(verdicts) > 8


@pytest.mark.parametrize("preload", [[], ["torch"]])
def test_torch_is_imported_only_for_tasks_that_name_it(grade_source, preload):
    """Neither where the tests run nor where the candidate does."""
    tests = dedent(f"""\
        import sys
        def test_torch(solution):
            assert solution.has_torch is {bool(preload)}
            assert 'torch' not in sys.modules
    """)
    candidate = dedent("""\
        import sys
        has_torch = 'torch' in sys.modules
    """)
    run = grade_source(candidate, tests, *(f"--override-ini=solution_preload={m}" for m in preload))
    assert run.grade["outcome"] == "passed", run.output
