"""Removes the folders that candidates worked in; used by warm, supervisor and rollout_run."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress


def remove_tree(path: str) -> None:
    """Remove a folder, however deep a candidate made it.

    `shutil.rmtree` holds a frame and a descriptor for every level, and runs out of both.
    """
    with suppress(RecursionError):
        shutil.rmtree(path, ignore_errors=True)
    if os.path.exists(path):
        subprocess.run(["rm", "-rf", "--", path], check=False)
