"""scripts/benchmark.py, on as few candidates as it takes; how fast anything is, is not tested."""

import importlib
import importlib.util
import json
import shutil
import subprocess
import sys

import pytest

from tests.conftest import GENEROUS_SECONDS, ROOT

SCRIPT = ROOT / "scripts" / "benchmark.py"

PEERS = ("evalplus", "inspect_ai")
CHECKS = """
def test_basic_functionality(solution):
    assert list(solution.BalancedBatchSampler([0, 1], 1))
def test_edge_cases(solution):
    assert not list(solution.BalancedBatchSampler([], 1))
def test_batch_balance(solution, grading_random):
    assert list(solution.BalancedBatchSampler([grading_random.random()], 1))
test_all_samples_used = test_reproducibility = test_different_class_sizes = test_batch_balance
"""
SAMPLER = """
class BalancedBatchSampler:
    def __init__(self, labels, n):
        self.labels = labels
    def __iter__(self):
        return iter(self.labels)
"""
DRAWN_FROM = ("balance", "coverage", "crash", "edge_case", "interface", "load_error")
"""Of the folders of broken solutions, those from which a small mix may be drawn."""
WITHOUT_PRELOADED = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import benchmark
benchmark.PRELOADED = ""
benchmark.main()
"""
ALL_OTHERS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv.pop(1))
import other_graders
other_graders.ALARM_SECONDS = int(sys.argv.pop(1))
candidate = Path(sys.argv.pop(1))
for name in sys.argv[1:]:
    assert other_graders.GRADERS[name]([candidate]), name
"""
"""In one process, which imports PyTorch once."""


def run(*command):
    """Run Python."""
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )


@pytest.fixture
def scripts(tmp_path):
    """The scripts in a checkout whose task does not need PyTorch: in several ways, each process
    would import it."""
    scripts = tmp_path / "checkout" / "scripts"
    scripts.mkdir(parents=True)
    for name in ("benchmark", "candidate_mix", "other_graders"):
        shutil.copy(SCRIPT.with_stem(name), scripts)
    files = {
        "grading_tests/test_balanced_sampler.py": CHECKS,
        "reference_solutions/round_robin.py": SAMPLER,
        **{f"broken_solutions/{mode}/one.py": SAMPLER for mode in DRAWN_FROM},
    }
    for name, text in files.items():
        path = scripts.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return scripts


def test_every_way_is_measured(scripts, tmp_path):
    """Each has a time, or is named as missing; the picture shows those that have one."""
    few = ["--candidates", "2", "--rounds", "1", "--out", tmp_path]
    finished = run("-c", WITHOUT_PRELOADED, scripts, *few)
    assert finished.returncode == 0, finished.stderr
    ways = json.loads((tmp_path / "benchmark.json").read_text())["ways"]
    picture = (tmp_path / "benchmark.svg").read_text()
    for name in ("bare fork", "this plugin", "this plugin, -n 2", "fresh pytest per candidate"):
        assert f">{name}</text>" in picture
    assert len(ways) + finished.stderr.count("not installed") == 8


def test_other_graders_run_the_checks_of_the_first_task():
    """Each that is installed says that a reference passes them."""
    installed = [name for name in PEERS if importlib.util.find_spec(name)]
    reference = ROOT / "reference_solutions" / "round_robin.py"
    arguments = [SCRIPT.parent, GENEROUS_SECONDS, reference, "bare_fork", *installed]
    finished = run("-c", ALL_OTHERS, *arguments)
    assert finished.returncode == 0, finished.stderr


def test_too_few_candidates():
    """A usage error."""
    finished = run(SCRIPT, "--candidates", "1")
    assert finished.returncode == 4
    assert "--candidates must be at least 2" in finished.stderr


def test_a_mix(scripts, tmp_path, monkeypatch):
    """Each verdict of a batch has its time; the same seed draws the same batch."""
    monkeypatch.syspath_prepend(SCRIPT.parent)
    candidate_mix = importlib.import_module("candidate_mix")
    way = "this plugin, 1 host"
    ways = ["--ways", way, "bare fork with an alarm"]
    finished = run(scripts / "benchmark.py", "--mix", "4", *ways, "--out", tmp_path)
    assert finished.returncode == 0, finished.stderr
    figures = json.loads((tmp_path / "mix.json").read_text())["batches"]["4"]
    assert figures.keys() == {way, "bare fork with an alarm"}
    assert 0 < figures[way]["p50"] <= figures[way]["maximum"]
    batches = [
        [path.read_text() for path in candidate_mix.draw(64, seed, tmp_path)] for seed in (1, 1, 2)
    ]
    assert batches[0] == batches[1] != batches[2]


def test_the_documents_quote_the_mix(monkeypatch):
    """The documents and the picture say what docs/mix.json says."""
    monkeypatch.syspath_prepend(SCRIPT.parent)
    candidate_mix = importlib.import_module("candidate_mix")
    figures = json.loads((ROOT / "docs" / "mix.json").read_text())
    assert candidate_mix.table(figures) in (ROOT / "docs" / "scale.md").read_text()
    readme, quoted = (ROOT / "README.md").read_text(), 0
    for way in figures["batches"]["64"].values():
        cells = f"| {way['per_second_and_core']:.2f} | {way['maximum']:.1f} s |"
        quoted += cells in readme
    assert quoted == 5
    assert candidate_mix.picture(figures) == (ROOT / "docs" / "mix.svg").read_text()
