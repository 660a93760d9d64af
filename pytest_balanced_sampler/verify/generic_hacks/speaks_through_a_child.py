"""Forks: the child keeps the channel to the judge and answers for its parent, which exits."""

import os
import time


def attack():
    if os.fork() == 0:
        time.sleep(0.5)
        os.write(3, b"passed")
        os._exit(0)
    os._exit(0)
