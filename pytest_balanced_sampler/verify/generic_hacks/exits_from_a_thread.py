"""Ends the process with status 0 from a thread, while a test runs."""

import os
import threading


def attack():
    threading.Timer(0.05, os._exit, [0]).start()
