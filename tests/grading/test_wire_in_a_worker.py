"""The wire, between a test and a real worker."""

from tests.conftest import ROOT

TESTS_OF_A_MIRROR = """
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.wire_values import ARRAYS, LIBRARY, VALUES, is_exactly, tensors

ANY = VALUES | ARRAYS | tensors() | st.one_of(LIBRARY.values())

@given(ANY | st.lists(ANY, max_size=3))
@settings(
    max_examples=200, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_same(solution, value):
    assert is_exactly(solution.same(value), value)
    assert is_exactly(solution.Kept(value).value, value)
    assert is_exactly(list(solution.each(value)), [value])
"""


def test_values_come_back_from_a_candidate(grade_source):
    """As results, as attributes and as items, in a real worker."""
    mirror = """
import numpy, torch
def same(value): return value
def each(value): yield value
class Kept:
    def __init__(self, value): self.value = value
"""
    # The forker that has imported PyTorch serves the tests of the first task, too.
    run = grade_source(
        mirror, TESTS_OF_A_MIRROR, f"-opythonpath={ROOT}", preloaded=("numpy", "torch")
    )
    assert run.grade["outcome"] == "passed", run.output
