"""Attaches to its parent as a debugger does."""

import ctypes
import os


def attack():
    ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)
