"""Raises pytest's own skip out of a call."""


def attack():
    import pytest

    pytest.skip("not today")
