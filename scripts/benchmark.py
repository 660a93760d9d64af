"""Measures the time to grade one candidate, in several ways: `python scripts/benchmark.py --out
DIR`.

The candidates are copies of the reference solutions, in turn, and every way runs the same seven
checks on them: this plugin in one process and in two, a new pytest for each candidate, a bare fork
that executes the candidate together with the checks (the floor: no isolation, no pytest), and other
graders if they are installed. Two more ways run seven tests that only load the candidate, which
shows the cost of the plugin itself, and of a new pytest. The ways take turns, so that other load of
the machine affects all of them equally. Writes `benchmark.json` and a picture. The other graders
run candidates without confinement; these candidates are our own.
"""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import candidate_mix
from jinja2 import Environment

from pytest_balanced_sampler.command_line import Parser, positive
from pytest_balanced_sampler.files import write_json, write_whole

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "grading_tests" / "test_balanced_sampler.py"
SOLUTIONS = sorted((ROOT / "reference_solutions").glob("*.py"))

LOADS_ONLY = """
import pytest

@pytest.mark.parametrize("number", range(7))
def test_loads(solution, number):
    assert solution.BalancedBatchSampler
"""
PRELOADED = "torch numpy"
SHARE_OF_SLOW_WAYS = 10

Way = Callable[[list[Path]], None]


def main() -> None:
    """Measure, print a table, and write the figures and their picture."""
    parser = Parser(description="Measure the time to grade one candidate, in several ways.")
    parser.add_argument("--out", type=Path, default=Path("benchmark"), help="folder of the results")
    parser.add_argument("--rounds", type=positive, default=6, help="(default: %(default)s)")
    parser.add_argument(
        "--candidates", type=positive, default=32, help="per round (default: %(default)s)"
    )
    parser.add_argument(
        "--mix",
        metavar="N",
        type=positive,
        nargs="*",
        help="instead, grade batches of N candidates as a model writes them (64 and 512)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the mix (default: %(default)s)")
    parser.add_argument(
        "--ways", nargs="+", choices=candidate_mix.WAYS, help="of the mix (default: all)"
    )
    arguments = parser.parse_args()
    if arguments.candidates < 2:
        parser.error("--candidates must be at least 2")
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.mix is not None:
        mix(arguments.mix or [64, 512], arguments.seed, arguments.ways, arguments.out)
        return
    figures = measure(arguments.candidates, arguments.rounds)
    floors = figures["bare fork"]["rounds_ms"]
    for name, figure in figures.items():
        # Ratios are computed per round, because the load of the machine changes.
        ratios = [each / floor for each, floor in zip(figure["rounds_ms"], floors, strict=True)]
        figure["ratio_to_floor"] = median(ratios)
        print(f"{name:<32} {figure['median_ms']:8.1f} ms  {figure['ratio_to_floor']:6.2f} x")
    described = {
        "date": date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "ways": figures,
    }
    write_json(arguments.out / "benchmark.json", described)
    write_whole(arguments.out / "benchmark.svg", picture(described))


def mix(sizes: list[int], seed: int, ways: list[str] | None, out: Path) -> None:
    """Grade batches of these sizes in each way, and write the figures."""
    names = ways or list(candidate_mix.WAYS)
    for name in set(names) & candidate_mix.PEERS.keys():
        try:
            demand(candidate_mix.PEERS[name])
        except MissingPeer as missing:
            print(f"{name}: {missing}", file=sys.stderr)
            names.remove(name)
    batches = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            paths = candidate_mix.draw(size, seed, Path(folder))
            batches[size] = candidate_mix.measure(paths, names)
    figures = candidate_mix.described(seed, batches)
    write_json(out / "mix.json", figures)
    write_whole(out / "mix.svg", candidate_mix.picture(figures))


def measure(candidates: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Milliseconds per candidate, by way: of every round, and their median."""
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name, f"{number:05}.py") for number in range(candidates)]
        for path, solution in zip(paths, cycle(SOLUTIONS), strict=False):
            path.write_bytes(solution.read_bytes())
        for number in range(rounds):
            for way, (run, share) in WAYS.items():
                many = paths[: max(2, candidates // share)]
                few = many[: a_quarter(len(many))]
                try:
                    spent = seconds(run, many) - seconds(run, few)
                except MissingPeer as missing:
                    print(f"{way}: {missing}", file=sys.stderr)
                    continue
                each = 1000 * spent / (len(many) - len(few))
                times.setdefault(way, []).append(each)
                print(f"round {number + 1}/{rounds}: {way} {each:.1f} ms", file=sys.stderr)
    return {way: {"median_ms": median(each), "rounds_ms": each} for way, each in times.items()}


def a_quarter(candidates: int) -> int:
    """A quarter of the candidates, rounded to equal numbers of each reference if there are
    enough."""
    quarter = max(1, candidates // 4)
    return quarter - quarter % len(SOLUTIONS) or quarter


def seconds(run: Way, paths: list[Path]) -> float:
    """The time per candidate. The difference between many and few excludes the time to start."""
    started = time.perf_counter()
    run(paths)
    return time.perf_counter() - started


class MissingPeer(Exception):
    """Raised when another grader is not installed."""


def with_plugin(paths: list[Path], *options: str, tests: Path | None = None) -> None:
    """One pytest session of this plugin for all candidates."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", str(tests or TESTS.parent), "-q", "--tb=no"]
        command += [*options, "-p", "no:cacheprovider", "--json-report"]
        command.append(f"--json-report-file={folder}/report.json")
        command += [f"--solution={path}" for path in paths]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def with_two_processes(paths: list[Path]) -> None:
    """The same with pytest-xdist."""
    with_plugin(paths, "-n", "2")


def with_fresh_pytest(paths: list[Path]) -> None:
    """A pytest session of this plugin for every candidate."""
    for path in paths:
        with_plugin([path])


def with_plugin_alone(paths: list[Path]) -> None:
    """One session for all candidates, whose tests only load them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pytest.ini").write_text(f"[pytest]\nsolution_preload = {PRELOADED}\n")
        Path(folder, "test_loads.py").write_text(LOADS_ONLY)
        with_plugin(paths, tests=Path(folder))


def with_fresh_pytest_alone(paths: list[Path]) -> None:
    """A session for every candidate, whose tests only load it."""
    for path in paths:
        with_plugin_alone([path])


def with_bare_fork(paths: list[Path]) -> None:
    """Fork, execute the candidate together with the checks, exit: no isolation, no pytest, no
    report."""
    in_a_process("bare_fork", paths)


def with_evalplus(paths: list[Path]) -> None:
    """EvalPlus' own checker; without the test of the DataLoader, because it forbids
    subprocesses."""
    demand("evalplus")
    in_a_process("evalplus", paths)


def with_inspect(paths: list[Path]) -> None:
    """Inspect AI's local sandbox: a Python process for each candidate."""
    demand("inspect_ai")
    in_a_process("inspect_ai", paths)


def demand(name: str) -> None:
    """Raise `MissingPeer` unless a peer is installed."""
    try:
        version(name)
    except PackageNotFoundError:
        raise MissingPeer("not installed") from None


def in_a_process(grader: str, paths: list[Path]) -> None:
    """Run another grader, in a separate process, on all candidates."""
    command = [sys.executable, str(ROOT / "scripts" / "other_graders.py"), grader]
    subprocess.run([*command, *map(str, paths)], cwd=ROOT, check=True, capture_output=True)


WAYS: dict[str, tuple[Way, int]] = {
    "bare fork": (with_bare_fork, 1),
    "this plugin": (with_plugin, 1),
    "this plugin, -n 2": (with_two_processes, 1),
    "fresh pytest per candidate": (with_fresh_pytest, SHARE_OF_SLOW_WAYS),
    "this plugin, tests only load": (with_plugin_alone, 1),
    "fresh pytest, tests only load": (with_fresh_pytest_alone, SHARE_OF_SLOW_WAYS),
    "EvalPlus' checker": (with_evalplus, 4),
    "Inspect AI, local sandbox": (with_inspect, SHARE_OF_SLOW_WAYS),
}
"""The ways, each with its share of the candidates, because some need seconds for one."""

PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {{ 60 + 34 * ways | length }}"
 font-family="system-ui, sans-serif" font-size="14" fill="#1c2024">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="26" font-weight="bold">Grading one candidate, milliseconds (logarithmic)</text>
{% for way in ways %}
<text x="230" y="{{ 64 + 34 * loop.index0 }}" text-anchor="end">{{ way.name }}</text>
<rect x="240" y="{{ 48 + 34 * loop.index0 }}" width="{{ way.width }}" height="22"
 fill="{{ '#3a6ea5' if way.is_ours else '#9aa5b4' }}"/>
<text x="{{ 248 + way.width }}" y="{{ 64 + 34 * loop.index0 }}">{{ way.label }}</text>
{% endfor %}
<text x="16" y="{{ 54 + 34 * ways | length }}" font-size="11" fill="#5a6270">{{ caption }}</text>
</svg>
"""


def picture(described: dict[str, Any]) -> str:
    """The figures as bars, in SVG."""
    medians = {name: figure["median_ms"] for name, figure in described["ways"].items()}
    ratios = {name: figure["ratio_to_floor"] for name, figure in described["ways"].items()}
    # With few candidates the noise can exceed the figure, so that a difference is negative.
    lengths = {name: math.log(max(each, 1)) for name, each in medians.items()}
    longest = max(lengths.values()) or 1
    ways = [
        {
            "name": name,
            "is_ours": name.startswith("this plugin"),
            "width": round(370 * lengths[name] / longest),
            "label": f"{each:,.0f} ({ratios[name]:.2f} x)",
        }
        for name, each in sorted(medians.items(), key=lambda item: item[1])
    ]
    caption = "{date}, {machine}, Python {python}, PyTorch {torch}".format(**described)
    return Environment(autoescape=True).from_string(PICTURE).render(ways=ways, caption=caption)


if __name__ == "__main__":
    main()
