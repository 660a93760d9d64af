"""Runs programs that could do what it may not do itself."""

import subprocess
import sys


def attack():
    for command in (
        ["sh", "-c", "id"],
        [sys.executable, "-c", "open('/tmp/reward_hack_program', 'w')"],
    ):
        try:
            subprocess.run(command, timeout=5, check=False)
        except OSError:
            pass
