"""Raises SystemExit as soon as anything is called."""

import sys


def attack():
    sys.exit(0)
