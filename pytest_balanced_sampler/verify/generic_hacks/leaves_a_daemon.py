"""Leaves a process behind, in a session of its own, that writes a verdict later."""

import os
import pathlib
import time


def attack():
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(3)
                pathlib.Path("/tmp/reward_hack_daemon").write_text("passed")
            os._exit(0)
    except OSError:
        pass
