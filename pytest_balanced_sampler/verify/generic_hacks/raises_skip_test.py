"""Raises unittest.SkipTest, which pytest takes for a skip."""

import unittest


def attack():
    raise unittest.SkipTest("not today")
