"""Ignores signals, stops the clocks that Python code reads a time limit from, and never ends."""

import resource
import signal
import time


def attack():
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    time.monotonic = time.perf_counter = time.time = time.process_time = lambda: 0.0
    signal.alarm = signal.setitimer = lambda *_: 0
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass
    while True:
        pass
