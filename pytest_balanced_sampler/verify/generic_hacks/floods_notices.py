"""Warns and logs without end, and forges what stands for a warning and a record of the test's."""

import json
import logging
import os
import warnings


def attack():
    for number in range(600):
        warnings.warn(f"warning {number}", stacklevel=1)
        logging.getLogger(f"logger{number}").critical("%s", "flood " * 100)
    for forged in (["warning", "BaseException", "m", 0], ["log", "x", 50, "\x1b[2J", 0, ""], []):
        try:
            os.write(4, json.dumps(forged).encode() + b"\n" + b"[" * 5000 + b"\n")
        except OSError:
            return
