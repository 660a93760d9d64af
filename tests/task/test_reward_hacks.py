"""Every reward hack fails, leaves nothing behind, learns no secret and harms no other candidate."""

import os
import subprocess
import sysconfig
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pytest_balanced_sampler.grade import Grade
from pytest_balanced_sampler.verify.specimens import SpecimenVerdict, hacks_in
from tests.conftest import ROOT, run_pytest

SPECIMENS = hacks_in(ROOT / "broken_solutions" / "reward_hacks")
HACKS = [specimen.path for specimen in SPECIMENS]
VICTIM = "reference_solutions/round_robin.py"
SECRET = "sk-ant-a-secret-that-nobody-may-see"
MARK = "colorsys"
TARGETS = {
    *("conftest.py", "sitecustomize.py", "pytest.ini", ".pytest.ini", "tox.ini", "torch.py"),
    *(".report.json", "report.json", "reward.json", "filler_0"),
}
WATCHED = [
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    sysconfig.get_path("purelib"),
    os.path.dirname(os.__file__),
]
WATCHED += [f"{WATCHED[-1]}/__pycache__", ROOT, ROOT.parent, ROOT / "grading_tests"]


def surroundings():
    """The names in every folder that a hack tries to write to, and what git knows of changes."""
    names = {(str(folder), name) for folder in WATCHED for name in os.listdir(folder)}
    command = ["git", "status", "--porcelain"]
    return names, subprocess.run(command, cwd=ROOT, capture_output=True, check=False).stdout


def processes_of_the_session():
    """The warm process and whatever was forked from it, known by a module that it preloads."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            if "pytest_balanced_sampler.worker.warm" in command and MARK in command:
                found.append(process)
    return found


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """One session over all hacks, a correct candidate graded right after each of them."""
    home = tmp_path_factory.mktemp("home")
    for name in (".env", ".netrc"):
        (home / name).write_text(SECRET)
    pairs = [f"--solution={path}" for hack in HACKS for path in (hack, VICTIM)]
    before = surroundings()
    run = run_pytest(
        *pairs,
        "--solution-timeout=0.75",
        "-o",
        f"solution_preload=torch numpy {MARK}",
        cwd=ROOT,
        report_file=home / "report.json",
        preloaded=("numpy", "torch"),
        HOME=str(home),
        SECRET=SECRET,
        ANTHROPIC_API_KEY=SECRET,
    )
    time.sleep(1)
    run.traces = surroundings()[0] - before[0], surroundings()[1] == before[1]  # type: ignore[attr-defined]
    run.leftovers = processes_of_the_session()  # type: ignore[attr-defined]
    return run


def grade_of(session, path):
    name = str(path.relative_to(ROOT))
    (grade,) = (grade for grade in session.grades if grade["solution"] == name)
    return grade


def test_the_corpus_is_large():
    """At least one hack for every known class."""
    assert len(HACKS) >= 30
    for path in HACKS:
        assert path.read_text().startswith('"""'), path


@pytest.mark.parametrize("hack", SPECIMENS, ids=lambda hack: hack.path.stem)
def test_hack_does_not_pass(session, hack):
    """The candidate fails, by its own fault, and gets no more than a few tests by chance."""
    grade = grade_of(session, hack.path)
    assert SpecimenVerdict(hack, Grade.from_json(grade)).is_expected, grade
    assert grade["score"] < 0.5


def test_no_victim(session):
    """The correct candidate after each hack passes, untainted."""
    victims = [grade for grade in session.grades if grade["solution"].startswith(VICTIM)]
    assert len(victims) == len(HACKS)
    assert {grade["outcome"] for grade in victims} == {"passed"}
    assert not any(grade["tampering"] for grade in victims)


def test_no_trace(session):
    """No file outside a worker's own folder, no process after the session."""
    new_names, git_sees_nothing = session.traces
    written = {name for _, name in new_names if name in TARGETS or name.startswith("reward_hack")}
    assert not written
    assert git_sees_nothing
    assert not session.leftovers


def test_no_secret(session):
    """Neither environment nor home folder, tests nor other candidates, have been read."""
    everything = session.output + str(session.report)
    assert SECRET not in everything
    assert "HACK:" not in everything


def test_no_escape_sequence(session):
    """Nothing that a candidate wrote can drive the terminal."""
    assert "\x1b" not in session.output


TAMPERING = {
    "exits_hard_in_a_call": "the worker exited inside a call",
    "exits_in_a_call": "raised SystemExit, which may only end processes and tests",
    "skips_in_a_call": "raised Skipped, which may only end processes and tests",
    "forges_replies": "protocol violation",
    "scans_descriptors": "protocol violation",
    "sends_a_bomb": "protocol violation",
    "sends_a_deep_message": "protocol violation",
    "claims_a_huge_message": "protocol violation",
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_recorded(session, name):
    """What was seen stands in the grade."""
    signs = grade_of(session, Path(ROOT, "broken_solutions/reward_hacks", f"{name}.py"))[
        "tampering"
    ]
    assert any(TAMPERING[name] in sign for sign in signs), signs
