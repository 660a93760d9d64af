"""Lets every test fail and turns the exit status into 0 at the very end."""

import atexit
import os

atexit.register(os._exit, 0)


def attack():
    pass
