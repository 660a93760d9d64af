"""Raises pytest's exit, so that no further test is run."""


def attack():
    import pytest

    pytest.exit("all done", returncode=0)
