"""scripts/benchmark.py, on as few candidates as it takes; how fast anything is, is not tested."""

import importlib
import json
import subprocess
import sys

from tests.conftest import GENEROUS_SECONDS, ROOT

SCRIPT = ROOT / "scripts" / "benchmark.py"


ONE_TEST = """
def test_batches(solution):
    assert list(solution.BalancedBatchSampler([0, 1], 1))
"""
IMPORTS_TORCH = "from torch.utils.data import Sampler\n"
IMPORTS_IT_WHERE_NEEDED = """
import sys
if "torch" in sys.modules or __name__ == "__main__":
    from torch.utils.data import Sampler
else:
    Sampler = object
"""
"""The first task's own checks need it. The plugin's sessions, with `ONE_TEST`, do not: there are a
dozen of them, and each would import PyTorch."""
WITH_OTHER_TESTS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv.pop(1))
import benchmark
benchmark.TESTS = Path(sys.argv.pop(1))
benchmark.SOLUTIONS = [Path(sys.argv.pop(1))]
benchmark.PRELOADED = ""
benchmark.main()
"""


def benchmark(*arguments, script=(SCRIPT,)):
    """Run the script."""
    return subprocess.run(
        [sys.executable, *map(str, script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )


def test_every_way_is_measured(tmp_path):
    """Each has a time, or is named as missing; the picture shows those that have one."""
    tests, candidate = tmp_path / "test_batches.py", tmp_path / "candidate.py"
    tests.write_text(ONE_TEST)
    reference = (ROOT / "reference_solutions" / "round_robin.py").read_text()
    assert IMPORTS_TORCH in reference
    candidate.write_text(reference.replace(IMPORTS_TORCH, IMPORTS_IT_WHERE_NEEDED))
    few = ["--candidates", "2", "--rounds", "1", "--out", tmp_path]
    script = ["-c", WITH_OTHER_TESTS, SCRIPT.parent, tests, candidate]
    finished = benchmark(*few, script=script)
    assert finished.returncode == 0, finished.stderr
    ways = json.loads((tmp_path / "benchmark.json").read_text())["ways"]
    picture = (tmp_path / "benchmark.svg").read_text()
    for name in ("bare fork", "this plugin", "this plugin, -n 2", "fresh pytest per candidate"):
        assert f">{name}</text>" in picture
    assert len(ways) + finished.stderr.count("not installed") == 8


def test_too_few_candidates():
    """A usage error."""
    finished = benchmark("--candidates", "1")
    assert finished.returncode == 4
    assert "--candidates must be at least 2" in finished.stderr


def test_a_mix(tmp_path, monkeypatch):
    """Each verdict of a batch has its time; the same seed draws the same batch."""
    monkeypatch.syspath_prepend(SCRIPT.parent)
    candidate_mix = importlib.import_module("candidate_mix")
    way = "this plugin, 1 host"
    finished = benchmark("--mix", "4", "--ways", way, "bare fork with an alarm", "--out", tmp_path)
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
