"""Grades code written by a language model with ordinary pytest tests.

This module is the interface for authors of grading tests; all else is internal.
"""

from .errors import CandidateFault, HarnessError, SolutionError
from .grade import failure_mode
from .proxy import import_beside, is_instance, take

__all__ = [
    "CandidateFault",
    "HarnessError",
    "SolutionError",
    "failure_mode",
    "import_beside",
    "is_instance",
    "take",
]
