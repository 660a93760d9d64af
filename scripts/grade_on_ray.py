"""Grades candidates on a Ray cluster: `python scripts/grade_on_ray.py PATH... --out DIR`.

The options are in `--help`.
"""

from pathlib import Path

from pytest_balanced_sampler.commands.grade_on_ray import main

if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent / "grading_tests")
