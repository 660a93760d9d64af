"""Ends the process from a destructor, in the middle of an assertion."""

import os


class Leaver(list):
    def __del__(self):
        os._exit(0)


def attack():
    return Leaver()
