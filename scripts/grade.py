"""Grades samples of many tasks: `python scripts/grade.py samples.jsonl --tasks DIR --out FILE`.

The options are in `--help`.
"""

from pytest_balanced_sampler.commands.grade import main

if __name__ == "__main__":
    main()
