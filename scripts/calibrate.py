"""Finds the prompt that puts a model inside the task's target: `python scripts/calibrate.py`.

The options are in `--help`.
"""

from pathlib import Path

from pytest_balanced_sampler.commands.calibrate import main

if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent / "grading_tests")
