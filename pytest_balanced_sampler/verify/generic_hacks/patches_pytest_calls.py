"""Makes pytest call no test function at all."""

import _pytest.python

_pytest.python.Function.runtest = lambda self: None


def attack():
    pass
