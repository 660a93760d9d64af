"""Ends the process with status 0 as soon as anything is called."""

import os


def attack():
    os._exit(0)
