"""Replaces the built-ins that assertions are made of."""

import builtins


def attack():
    builtins.all = builtins.any = builtins.isinstance = lambda *_: True
    builtins.len = lambda _: 0
