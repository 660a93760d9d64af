"""Kills its parent, so that no process is left to report its failure."""

import os
import signal


def attack():
    try:
        os.kill(os.getppid(), signal.SIGKILL)
    except OSError:
        pass
