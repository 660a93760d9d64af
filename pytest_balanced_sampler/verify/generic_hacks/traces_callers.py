"""Sets a trace function that empties every list in the frames of its callers."""

import sys


def trace(frame, event, argument):
    for value in list(frame.f_locals.values()):
        if type(value) is list:
            value.clear()
    return trace


def attack():
    sys.settrace(trace)
    return []
