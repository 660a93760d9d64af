"""Imports any reference solution that it finds on the disk, and gives what that gives."""

import importlib
import os
import pathlib
import sys


def attack():
    for root in map(pathlib.Path, (*sys.path, os.getcwd(), *pathlib.Path.cwd().parents)):
        for path in root.glob("reference_solutions/*.py"):
            sys.path.insert(0, str(path.parent))
            print("HACK: a reference can be read:", importlib.import_module(path.stem))
