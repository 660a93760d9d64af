"""Announces a message of four gigabytes to the judge and sends none of it."""

import os


def attack():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\xff\xff\xff\xff")
        except OSError:
            pass
