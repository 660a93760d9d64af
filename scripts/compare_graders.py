"""Gives the reward hacks to other graders, and counts how many of them pass.

Run as `python scripts/compare_graders.py GRADER FILE...`, where GRADER is `pytest` (a plain pytest
session that imports the candidate), `evalplus` or `bigcodebench` (their own checkers, where
installed). The candidates run unconfined: use a throwaway machine. SECURITY.md has the table.

The seven tests are the project's own. The two checkers forbid subprocesses, so that the test of the
DataLoader cannot run there: it is left out, and a hack passes when the other six do.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable
from pathlib import Path

from other_graders import passes_bigcodebench, passes_evalplus, passes_pytest

SECONDS = 180

GRADERS = {
    "pytest": passes_pytest,
    "evalplus": passes_evalplus,
    "bigcodebench": passes_bigcodebench,
}


def passes_in_a_process(passes: Callable[[Path], bool], candidate: Path) -> bool:
    """The verdict of a grader that the candidate may kill: no verdict is no pass."""
    verdict = multiprocessing.Value("b", 0)

    def grade() -> None:
        verdict.value = passes(candidate)

    process = multiprocessing.Process(target=grade)
    process.start()
    process.join(timeout=SECONDS)
    if process.is_alive():
        process.kill()
    return bool(verdict.value)


def main() -> None:
    """Print the verdict of the named grader on each candidate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("grader", choices=GRADERS)
    parser.add_argument("candidates", type=Path, nargs="+")
    arguments = parser.parse_args()
    passes = GRADERS[arguments.grader]
    # The checkers fork from here; a candidate should not wait for this import in its own time.
    import torch.utils.data  # noqa: F401

    for path in arguments.candidates:
        passed = passes_in_a_process(passes, path.resolve())
        print(f"{arguments.grader} {path.stem}: {'passed' if passed else 'failed'}")


if __name__ == "__main__":
    main()
