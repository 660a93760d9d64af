"""JSON reports made up for tests of what is read from them."""

import hashlib
import json
from pathlib import Path

TESTS = ("test_first", "test_second", "test_third")


def grade(name, outcome="passed", mode=None, message="", failed=(), **fields):
    """A grade as it stands in a report; `failed` names the tests that did."""
    if outcome == "failed" and not failed:
        failed = TESTS
    tests = {test: "failed" if test in failed else "passed" for test in TESTS}
    if outcome == "harness_error":
        tests, mode = dict.fromkeys(TESTS, "harness_error"), "harness_error"
    return {
        "solution": name,
        "sha256": hashlib.sha256(name.encode()).hexdigest(),
        "outcome": outcome,
        "score": list(tests.values()).count("passed") / len(TESTS),
        "failure_mode": mode,
        "message": message,
        "tests": tests,
        "duration": 0.5,
        "grading_seed": 7,
        "isolation": {"mode": "auto", "enforced": ["files"], "missing": []},
        "tampering": [],
        **fields,
    }


def write_report(path: Path, grades, **fields) -> Path:
    """A report with these grades."""
    report = {
        "grades_version": 1,
        "grades": grades,
        "grading_tests_sha256": "a" * 64,
        "versions": {"pytest-balanced-sampler": "0.1.0", "pytest": "9.2.0", "python": "3.11.7"},
        **fields,
    }
    path.write_text(json.dumps(report))
    return path
