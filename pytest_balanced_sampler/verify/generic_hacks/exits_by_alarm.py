"""Ends the process with status 0 by a timer, while a test runs."""

import os
import signal

signal.signal(signal.SIGALRM, lambda *_: os._exit(0))


def attack():
    signal.setitimer(signal.ITIMER_REAL, 0.05)
