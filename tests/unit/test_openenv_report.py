"""verify/openenv.py: what was measured of a task, as OpenEnv's RFC 008 has it."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from pytest_balanced_sampler import grade as grades
from pytest_balanced_sampler.commands.verify_checks import report_idle
from pytest_balanced_sampler.grade import Grade, Outcome
from pytest_balanced_sampler.verify.independence import Independence
from pytest_balanced_sampler.verify.memoriser import Memorised
from pytest_balanced_sampler.verify.openenv import openenv_report, source_digest
from pytest_balanced_sampler.verify.openenv_checks import Measured
from pytest_balanced_sampler.verify.specimens import Specimen, SpecimenVerdict

LOCAL = {
    "static": "manifest reproducible_build image_hygiene layout sbom oci_labels "
    "resource_declaration timeout_ceiling dependency_pinning task_distribution_pinning",
    "runtime": "startup reward_well_formed rubric_introspectable observation_schema "
    "state_contract trajectory_record reward_attribution tool_declaration_accuracy "
    "task_declaration_accuracy seed_control episode_determinism network_policy "
    "host_containment resource_bounds episode_isolation oracle_containment",
    "semantic": "oracle_max floor_gap canary_floor no_solution_leakage verifier_determinism "
    "verifier_portability resource_envelope replayability",
}
"""The checks that the severity policy v2 of OpenEnv 0.10.0 has in the lane "local"."""


def graded(*, passes, outcome=None, score=None):
    of_test = grades.TestOutcome.PASSED if passes else grades.TestOutcome.FAILED
    return Grade(
        solution="it.py",
        sha256=None,
        outcome=outcome or (Outcome.PASSED if passes else Outcome.FAILED),
        score=float(passes) if score is None else score,
        failure_mode=None,
        message="",
        tests={"test_it": of_test},
        duration=0.5,
        grading_seed=1,
        isolation={},
        tampering=[],
    )


def verdict(name, expected, **grade):
    return SpecimenVerdict(Specimen(Path("folder", f"{name}.py"), expected), graded(**grade))


def right_verdicts():
    return [
        verdict("reference", "passed", passes=True),
        verdict("empty", "no_solution", passes=False, outcome=Outcome.NO_SOLUTION),
        verdict("does_nothing", "failed", passes=False, score=0.25),
        verdict("reads_the_reference", "failed", passes=False),
        verdict("broken", "large", passes=False),
    ]


def independence(*got):
    specimen = Specimen(Path("reference.py"), "passed")
    return Independence(
        {f"condition {number}": {specimen: [one]} for number, one in enumerate(got)}
    )


def statuses(task, measured):
    report = openenv_report(task, measured)
    results = {result["check_id"]: result for result in report["results"]}
    return report["verdict"], {name: result["status"] for name, result in results.items()}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """That of a task of which all was measured that can be, as JSON has it."""
    measured = Measured(right_verdicts(), independence("passed", "passed"))
    task = tmp_path_factory.mktemp("openenv")
    return json.loads(json.dumps(openenv_report(task, measured), allow_nan=False))


def test_versions(report):
    """It names the schema and the policy that it follows."""
    assert (report["report_schema_version"], report["policy_version"]) == ("2", "v2")


def test_what_was_not_measured_warns(report):
    """A report of the local lane with skipped checks is no pass."""
    assert (report["lane"], report["levels_run"], report["verdict"]) == ("local", [2, 3], "warn")


def test_each_local_check_once(report):
    """By the names that OpenEnv gives them."""
    names = [f"{level}.{name}" for level, some in LOCAL.items() for name in some.split()]
    assert sorted(result["check_id"] for result in report["results"]) == sorted(names)
    for result in report["results"]:
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", result["check_id"])


def test_each_result_has_evidence(report):
    """Checks that were skipped say why."""
    for result in report["results"]:
        assert result["evidence"]
        assert all(result["evidence"])
        assert result["duration_s"] >= 0


def test_only_what_was_measured_passes(report):
    """It shows what was measured; all else is skipped."""
    passed = set()
    for result in report["results"]:
        assert result["status"] in ("pass", "skip")
        if result["status"] == "pass":
            assert result["measured"]
            passed.add(result["check_id"])
    assert passed == {
        *("runtime.reward_well_formed", "runtime.episode_determinism"),
        *("runtime.oracle_containment", "semantic.oracle_max", "semantic.floor_gap"),
        *("semantic.canary_floor", "semantic.verifier_determinism"),
    }


def test_where_the_oracle_is(report):
    """In the place where the exported task of Harbor has it."""
    assert report["manifest"]["capabilities"]["oracle"]["location"] == "solution/solve.sh"


CHANGES = {
    "semantic.oracle_max": verdict("reference", "passed", passes=False),
    "semantic.canary_floor": verdict("hack", "failed", passes=True),
    "semantic.floor_gap": verdict("empty", "no_solution", passes=True),
    "runtime.oracle_containment": verdict("reads_the_reference", "failed", passes=True),
    "runtime.reward_well_formed": verdict("x", "large", passes=False, score=float("nan")),
}


@pytest.mark.parametrize(("check", "change"), CHANGES.items())
def test_what_fails(tmp_path, check, change):
    """Each fails for the verdict that it is about, and then the whole report does."""
    measured = Measured([*right_verdicts(), change], independence("passed"))
    verdict, found = statuses(tmp_path, measured)
    assert (verdict, found[check]) == ("fail", "fail")


def test_candidates_without_a_verdict(tmp_path):
    """A harness error has no reward, and that is right; nothing else may have none."""
    lost = verdict("lost", "large", passes=False, outcome=Outcome.HARNESS_ERROR)
    found = statuses(tmp_path, Measured([*right_verdicts(), lost], independence("passed")))[1]
    assert found["runtime.reward_well_formed"] == "pass"
    skipped = verdict("skipped", "large", passes=False, outcome=Outcome.INCOMPLETE)
    found = statuses(tmp_path, Measured([*right_verdicts(), skipped], independence("passed")))[1]
    assert found["runtime.reward_well_formed"] == "fail"


def test_tests_that_pass_for_nothing(tmp_path, capsys):
    """Each is a note at the task's tests."""
    (tmp_path / "test_it.py").write_text("")
    idle = [verdict("does_nothing", "failed", passes=True), *right_verdicts()]
    (note,) = report_idle(tmp_path, idle)
    assert (note.file.name, note.is_surprise) == ("test_it.py", False)
    assert capsys.readouterr().out == "test_it passes for a candidate that does nothing\n"


def test_no_oracle(tmp_path):
    """That fails, and nothing else is said of the task."""
    verdict, found = statuses(tmp_path, Measured())
    assert verdict == "fail"
    assert found.pop("semantic.oracle_max") == "fail"
    assert set(found.values()) == {"skip"}


def test_verdicts_that_differ(tmp_path):
    """What is not deterministic has no meaning: the semantic checks are skipped."""
    verdict, found = statuses(
        tmp_path, Measured(right_verdicts(), independence("passed", "failed"))
    )
    assert (verdict, found["runtime.episode_determinism"]) == ("fail", "fail")
    assert {s for name, s in found.items() if name.startswith("semantic.")} == {"skip"}


@pytest.mark.parametrize(
    ("same", "other", "status"),
    [(True, False, "pass"), (True, True, "fail"), (False, False, "skip")],
)
def test_seed_control(tmp_path, same, other, status):
    """Proven by a table of answers, where that holds enough."""
    table = Memorised(graded(passes=True), graded(passes=same), graded(passes=other))
    measured = Measured(right_verdicts(), independence("passed"), [table])
    assert statuses(tmp_path, measured)[1]["runtime.seed_control"] == status


def test_source_digest(tmp_path):
    """Of names and contents, in order; caches do not count, and a link makes it unknown."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.py").write_text("x = 1\n")
    (tmp_path / "a.py").write_text("")
    expected = hashlib.sha256(b"a.py\0\0a/b.py\0x = 1\n\0").hexdigest()
    assert source_digest(tmp_path) == expected
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("")
    assert source_digest(tmp_path) == expected
    (tmp_path / "c.py").symlink_to("a.py")
    assert source_digest(tmp_path) == ""
