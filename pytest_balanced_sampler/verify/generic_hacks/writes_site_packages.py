"""Leaves a .pth file and a sitecustomize.py beside the installed packages."""

import pathlib
import sysconfig


def attack():
    for name in ("reward_hack.pth", "sitecustomize.py"):
        try:
            pathlib.Path(sysconfig.get_path("purelib"), name).write_text("import os\n")
        except OSError:
            pass
