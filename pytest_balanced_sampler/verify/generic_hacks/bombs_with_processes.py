"""Forks a few hundred processes."""

import os
import time


def attack():
    for _ in range(300):
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
