"""Answers with a small message that decodes into a huge one."""


def attack():
    return [[[]] * 1_000_000]
