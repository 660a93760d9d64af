"""Grading on a real local Ray cluster of several nodes, one of which is killed in the middle."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.conftest import GENEROUS_SECONDS, ROOT, run_pytest
from tests.rollout_command import run_script

ray = pytest.importorskip("ray", reason="install the extra `ray` to test grading on a cluster")

SCRIPT = ROOT / "scripts" / "grade_on_ray.py"

TESTS = """
import pathlib, time
SLOW = pathlib.Path(__file__).parent.parent / "slow"
def test_double(solution):
    if SLOW.exists():
        time.sleep(0.2)
    assert solution.double(2) == 4
"""
SOURCES = ("def double(x): return 2 * x\n", "def double(x): return x\n", "", "def double(")


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    unused = {"include_dashboard": False, "include_log_monitor": False, "no_monitor": True}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **unused})
    yield cluster
    cluster.shutdown()


def grade_on_ray(cluster, tmp_path, *options):
    command = [sys.executable, SCRIPT, "candidates", "--task", "task"]
    command += ["--out", "out", "--shard", "4", "--address", cluster.address, *options]
    environment = {**os.environ, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    return subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )


def essence(report):
    kept = ("grades_version", "grading_tests_sha256", "versions")
    grades = [
        {k: v for k, v in g.items() if k not in ("details", "duration", "message")}
        for g in report["grades"]
    ]
    return {name: report[name] for name in kept} | {"grades": grades}


def test_a_killed_node_loses_nothing_and_doubles_nothing(cluster, tmp_path):
    """The report is that of one machine; --resume grades only what has no result yet."""
    (tmp_path / "task").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "task/test_task.py").write_text(TESTS)
    (tmp_path / "candidates").mkdir()
    for number in range(24):
        (tmp_path / f"candidates/{number:02}#a.py").write_text(SOURCES[number % 4])
    (tmp_path / "slow").touch()  # So that the node that is killed has work.
    node = cluster.add_node(num_cpus=1)
    started = grade_on_ray(cluster, tmp_path)
    shards, deadline = tmp_path / "out/shards", time.monotonic() + GENEROUS_SECONDS
    while not (shards.exists() and len(list(shards.glob("*.json"))) >= 2):
        assert started.poll() is None, started.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    cluster.remove_node(node, allow_graceful=False)
    _, errors = started.communicate(timeout=GENEROUS_SECONDS)
    (tmp_path / "slow").unlink()
    assert started.returncode == 1, errors
    assert "24/24 graded" in errors
    report = json.loads((tmp_path / "out/report.json").read_text())
    here = run_pytest(
        "task", "--solution=candidates", cwd=tmp_path, report_file=tmp_path / "r.json"
    )
    assert essence(report) == essence(here.report)

    written = {path: path.stat().st_mtime_ns for path in shards.iterdir()}
    lost = next(iter(written))
    lost.unlink()
    resumed = grade_on_ray(cluster, tmp_path, "--resume")
    _, errors = resumed.communicate(timeout=GENEROUS_SECONDS)
    assert "4/4 graded" in errors
    again = {path: path.stat().st_mtime_ns for path in shards.iterdir()}
    assert [path for path in written if again[path] != written[path]] == [lost]
    assert essence(json.loads((tmp_path / "out/report.json").read_text())) == essence(here.report)


KILLS_A_WORKER = """
import os, pathlib
def test_double(solution):
    killed = pathlib.Path({killed!r})
    if not killed.exists():
        killed.touch()
        pytest_stat = pathlib.Path("/proc", str(os.getppid()), "stat").read_text()
        os.kill(int(pytest_stat.rpartition(")")[2].split()[1]), 9)
    assert solution.double(2) == 4
"""


def test_a_lost_shard_is_in_the_log(cluster, tmp_path):
    """It is tried again, and that is said, since no grade shows it."""
    (tmp_path / "task").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    tests = KILLS_A_WORKER.format(killed=str(tmp_path / "killed"))
    (tmp_path / "task/test_task.py").write_text(tests)
    (tmp_path / "candidates").mkdir()
    (tmp_path / "candidates/good.py").write_text(SOURCES[0])
    _, errors = (process := grade_on_ray(cluster, tmp_path)).communicate(timeout=GENEROUS_SECONDS)
    assert process.returncode == 0, errors
    assert "was lost, retrying it" in errors


def test_several_tasks(cluster, tmp_path):
    """Of one file and of folders: each candidate by its own task, as in one session here."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for task, settings in (("single", ""), ("whole", 'entry = "pkg.double"')):
        folder = tmp_path / "task" / task
        folder.mkdir(parents=True)
        (folder / "task.toml").write_text(settings)
        (folder / "test_task.py").write_text(TESTS)
    for number, source in enumerate(SOURCES):
        files = {f"single/{number}.py": source, f"whole/{number}/pkg/double.py": source}
        files[f"whole/{number}/pkg/other.py"] = "x = 1"
        for path, text in files.items():
            (tmp_path / "candidates" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "candidates" / path).write_text(text)
    (tmp_path / "candidates/whole/none").mkdir()
    (tmp_path / "candidates/whole/other").mkdir()
    (tmp_path / "candidates/whole/other/double.py").write_text(SOURCES[0])
    _, errors = (process := grade_on_ray(cluster, tmp_path)).communicate(timeout=GENEROUS_SECONDS)
    assert process.returncode == 1, errors
    report = json.loads((tmp_path / "out/report.json").read_text())
    here = run_pytest(
        "task", "--solution=candidates", cwd=tmp_path, report_file=tmp_path / "r.json"
    )
    assert essence(report) == essence(here.report)
    found = {grade["solution"]: (grade["task"], grade["outcome"]) for grade in report["grades"]}
    outcomes = ("passed", "failed", "no_solution", "failed")
    assert found == {
        **{f"candidates/single/{n}.py": ("single", how) for n, how in enumerate(outcomes)},
        **{f"candidates/whole/{n}": ("whole", how) for n, how in enumerate(outcomes)},
        "candidates/whole/2": ("whole", "failed"),  # Its other file is there.
        "candidates/whole/none": ("whole", "no_solution"),
        "candidates/whole/other": ("whole", "failed"),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py", "--out", "out"], "no such file"),
        (["here.py", "--out", "out", "--task", "nowhere"], "no such folder"),
        (["here.py", "--out", "."], "pass --resume"),
        (["link.py", "--out", "out"], "link.py: the candidate is a symbolic link"),
        (["here.py"], "--out"),
    ],
)
def test_usage_errors(arguments, message, tmp_path, monkeypatch):
    """A user's mistake gets a sentence and status 4."""
    (tmp_path / "here.py").write_text("x = 1\n")
    (tmp_path / "link.py").symlink_to("here.py")
    (tmp_path / "shards").mkdir()
    monkeypatch.chdir(tmp_path)
    finished = run_script(SCRIPT, *arguments)
    assert finished.returncode == 4
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr
