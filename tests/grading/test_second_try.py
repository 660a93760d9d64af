"""A worker that was killed gets a second try with a new warm process, once per candidate."""

import pytest

KILLS_ITSELF = """
import os, signal
def double(x):
    os.kill(os.getpid(), signal.SIGKILL)
if __name__ == "__main__":
    double(1)
"""
CLOSES_ITS_CONNECTION = """
import os, time
def double(x):
    os.closerange(3, 100)
    time.sleep(60)
if __name__ == "__main__":
    os.kill(os.getpid(), 9)
"""
BREAKS_THE_SERVER = """
import builtins, os
if __name__ == "__main__":
    os.kill(os.getpid(), 9)
builtins.isinstance = lambda *_: True
builtins.set = lambda *_: frozenset()
"""
CALLS = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_double(solution, number):
    assert solution.double(number) == 2 * number
"""
PROGRAMS = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_double(solution_program, number):
    assert solution_program.run(stdin=str(number)).stdout == str(2 * number)
"""


@pytest.mark.parametrize("tests", [CALLS, PROGRAMS], ids=["calls", "programs"])
def test_only_the_first_loss_is_tried_again(grade_sources, tests):
    """Each second try imports the preloaded modules again: a candidate cannot ask for many."""
    sources = (KILLS_ITSELF, CLOSES_ITS_CONNECTION, BREAKS_THE_SERVER)
    run = grade_sources({f"{n}.py": source for n, source in enumerate(sources)}, tests)
    for grade in run.grades:
        assert grade["outcome"] == "failed", grade
        assert set(grade["tests"].values()) == {"failed"}
        assert sum(tries - 1 for tries in grade["tries"].values()) <= 1, grade["tries"]
    assert list(run.grades[0]["tries"].values()) == [2]
