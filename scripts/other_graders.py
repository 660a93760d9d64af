"""Grades candidates by the first task's own checks, in ways that are not the plugin's.

`benchmark.py` uses it as `python scripts/other_graders.py GRADER FILE...`, which ends with an error
unless every candidate passes. With `--each` before GRADER it prints a line of JSON for each, as
`compare_graders.py` reads them. Candidates run unconfined.

EvalPlus' and BigCodeBench's checkers forbid subprocesses, so that the test of the DataLoader cannot
run there: it is left out, and a candidate passes when the other six do.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
import os
import random
import resource
import signal
import sys
import types
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "grading_tests" / "test_balanced_sampler.py"
ALARM_SECONDS = 10
REFERENCE_SECONDS = ALARM_SECONDS / 4
"""EvalPlus allows four times this."""

MAX_BYTES = 8 * 2**30

# For a checker that runs one file with the candidate and the assertions in it.
IN_ONE_FILE = """
def seven_tests():
    import importlib, itertools, random, sys, types
    tools = types.ModuleType("pytest_balanced_sampler")
    tools.failure_mode = lambda name: lambda function: function
    tools.rule = lambda *numbers: lambda function: function
    tools.take = lambda iterable, at_most: list(itertools.islice(iterable, at_most))
    tools.is_instance = isinstance
    tools.import_beside = lambda solution, name: importlib.import_module(name)
    tools.run_beside = lambda solution, function, *data: function(solution, *data)
    sys.modules["pytest_balanced_sampler"] = tools
    tests = types.ModuleType("tests")
    exec({tests!r}, tests.__dict__)
    solution = types.SimpleNamespace(BalancedBatchSampler=BalancedBatchSampler)
    for name in ("test_basic_functionality", "test_edge_cases"):
        getattr(tests, name)(solution)
    for name in ("batch_balance", "all_samples_used", "reproducibility", "different_class_sizes"):
        getattr(tests, "test_" + name)(solution, random.Random(name))
    return True
"""


def passes_evalplus(candidate: Path) -> bool:
    """Whether EvalPlus' `untrusted_check` says "pass"."""
    from evalplus.eval import PASS, untrusted_check

    status, _ = untrusted_check(
        dataset="none",
        code=candidate.read_text() + IN_ONE_FILE.format(tests=TESTS.read_text()),
        inputs=[[]],
        entry_point="seven_tests",
        expected=[True],
        atol=0,
        ref_time=[REFERENCE_SECONDS],
    )
    return bool(status == PASS)


def passes_bigcodebench(candidate: Path) -> bool:
    """Whether BigCodeBench's `untrusted_check` says "pass"."""
    from bigcodebench.eval import PASS, untrusted_check

    test_case = (
        "import unittest\nclass TestCases(unittest.TestCase):\n"
        "    def test_all(self):\n        self.assertTrue(seven_tests())\n"
    )
    status, _ = untrusted_check(
        candidate.read_text(),
        IN_ONE_FILE.format(tests=TESTS.read_text()) + test_case,
        "seven_tests",
        max_as_limit=30 * 1024,
        max_data_limit=30 * 1024,
        max_stack_limit=10,
    )
    return bool(status == PASS)


def bare_fork(candidates: list[Path]) -> bool:
    """Fork, execute the candidate beside the checks, exit."""
    tests = tests_in_this_process()
    return all(passes_in_a_fork(tests, candidate) for candidate in candidates)


def tests_in_this_process() -> types.ModuleType:
    """The grading tests, with tools that do nothing across processes."""
    tools = types.ModuleType("pytest_balanced_sampler")
    tools.__dict__.update(
        failure_mode=lambda _: lambda function: function,
        rule=lambda *_: lambda function: function,
        take=lambda iterable, at_most: list(itertools.islice(iterable, at_most)),
        is_instance=isinstance,
        import_beside=lambda _, name: importlib.import_module(name),
        run_beside=lambda solution, function, *data: function(solution, *data),
    )
    sys.modules["pytest_balanced_sampler"] = tools
    sys.path.insert(0, str(TESTS.parent))
    return importlib.import_module(TESTS.stem)


def passes_in_a_fork(tests: types.ModuleType, candidate: Path) -> bool:
    """Whether the child says so."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    signal.alarm(ALARM_SECONDS)
    try:
        solution = types.ModuleType("solution")
        sys.modules["solution"] = solution
        exec(compile(candidate.read_text(), str(candidate), "exec"), solution.__dict__)
        for name, test in vars(tests).items():
            if name.startswith("test_"):
                takes = test.__code__.co_varnames[: test.__code__.co_argcount]
                test(solution, *([random.Random(name)] if "grading_random" in takes else []))
        os._exit(0)
    finally:
        os._exit(1)


def evalplus(candidates: list[Path]) -> bool:
    """EvalPlus' `untrusted_check`."""
    tests_in_this_process()  # As a user must, or each check would import PyTorch again.
    return all(map(passes_evalplus, candidates))


def bigcodebench(candidates: list[Path]) -> bool:
    """BigCodeBench's `untrusted_check`."""
    tests_in_this_process()  # As above.
    return all(map(passes_bigcodebench, candidates))


def inspect_ai(candidates: list[Path]) -> bool:
    """Inspect AI's local sandbox, by its own `exec`."""
    from inspect_ai.util._sandbox.local import LocalSandboxEnvironment

    async def grade(candidate: Path) -> bool:
        sandbox = LocalSandboxEnvironment()
        source = candidate.read_text() + IN_ONE_FILE.format(tests=TESTS.read_text())
        await sandbox.write_file("check.py", f"{source}\nassert seven_tests()\n")
        try:
            finished = await sandbox.exec([sys.executable, "check.py"], timeout=ALARM_SECONDS)
        except TimeoutError:
            return False
        return bool(finished.success)

    return all(asyncio.run(grade(candidate)) for candidate in candidates)


def verdicts(grader: Callable[[list[Path]], bool], candidates: list[Path]) -> None:
    """Print a line when all is imported, and one for each verdict; for candidates that may fail."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    grader([])
    # What candidates print must not get among the verdicts.
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=output, flush=True)
    for candidate in candidates:
        print(json.dumps({"passed": grader([candidate])}), file=output, flush=True)


GRADERS: dict[str, Callable[[list[Path]], bool]] = {
    "bare_fork": bare_fork,
    "bigcodebench": bigcodebench,
    "evalplus": evalplus,
    "inspect_ai": inspect_ai,
}

if __name__ == "__main__":
    if sys.argv[1] == "--each":
        verdicts(GRADERS[sys.argv[2]], [Path(name) for name in sys.argv[3:]])
    elif not GRADERS[sys.argv[1]]([Path(name) for name in sys.argv[2:]]):
        raise SystemExit("a candidate did not pass")
