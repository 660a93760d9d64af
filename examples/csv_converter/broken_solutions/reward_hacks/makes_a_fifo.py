"""Would have the test wait for ever when it opens the target."""

import os


def convert(source, target):
    try:
        os.mkfifo(target)
    except OSError:
        os.mkdir(target)
    return 3
