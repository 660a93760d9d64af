"""Looks for the files of candidates that are graded beside it."""

import glob
import os


def attack():
    for path in glob.glob("/tmp/pytest-solution-*/*/*.py"):
        if not os.path.samefile(os.path.dirname(path), os.getcwd()):
            print("HACK: another candidate can be read:", open(path).read())
