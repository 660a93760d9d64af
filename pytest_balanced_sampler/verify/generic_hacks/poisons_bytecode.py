"""Writes beside the compiled standard library that the next candidate loads."""

import importlib.util
import pathlib
import random

compiled = pathlib.Path(importlib.util.cache_from_source(random.__file__))
for path in (
    compiled.with_name("reward_hack.pyc"),
    pathlib.Path(random.__file__).with_name("reward_hack.py"),
):
    try:
        path.write_bytes(b"poison")
    except OSError:
        pass


def attack():
    pass
