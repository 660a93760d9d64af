"""Leaves modules where the next candidate might import them."""

import pathlib
import sys
import tempfile


def attack():
    for folder in ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir(), *sys.path):
        try:
            pathlib.Path(folder, "reward_hack_module.py").write_text("raise SystemExit(0)\n")
        except OSError:
            pass
