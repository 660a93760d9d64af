"""examples/human_eval: problems of ours, in HumanEval's format, as tasks that pytest grades by."""

import gzip
import json
import os
import subprocess
import sys
from textwrap import dedent, indent

import pytest
from markdown_it import MarkdownIt

from pytest_balanced_sampler.verify.specimens import (
    SpecimenSession,
    broken_in,
    grade,
    references_in,
)
from tests.conftest import GENEROUS_SECONDS, ROOT

SCRIPT = ROOT / "examples" / "human_eval" / "make_tasks.py"

MIDDLE = {
    "task_id": "Ours/0",
    "prompt": 'def middle(a: int, b: int, c: int) -> int:\n    """The middle one, {sorted}."""\n',
    "entry_point": "middle",
    "canonical_solution": "    return sorted([a, b, c])[1]\n",
    "test": (
        dedent("""\
            def check(candidate):
                assert candidate(3, 1, 2) == 2
                assert candidate(5, 5, 0) == 5
                assert candidate(1, 2, 3) == middle(3, 2, 1)
        """)
    ),
}
# A helper that the check calls, cases that are drawn, and the name of our own fixture.
MIRROR = {
    "task_id": "Ours/1",
    "prompt": (
        "def mirror(text: str) -> str:\n"
        '    """The text and its mirror image."""\n'
        "    return text + text[::-1]\n\n\n"
        "def solution(text: str) -> str:\n"
        '    """What mirror() was given."""\n'
    ),
    "entry_point": "solution",
    "canonical_solution": "    return text[: len(text) // 2]",
    "test": (
        dedent("""\
            import random

            def check(candidate):
                for size in range(0, 40, 8):
                    text = ''.join(random.choices('abc', k=size))
                    assert candidate(mirror(text)) == text, text
        """)
    ),
}
SAME = """\
class Same:
    __eq__ = lambda self, other: True
return Same()
"""
WRONG = {
    "Ours/0": [
        "    return b\n",
        indent(SAME, "    "),
        "    return sorted([a, b, c])[1\n",
    ],
    "Ours/1": [
        "    return text\n",
        # It would pass where the check runs in the candidate's module.
        dedent("""\
                return text

            def mirror(text):
                return text
        """),
        "    return text[: len(text) // 2].upper()\n",
    ],
}


def make(tmp_path, *arguments):
    command = [sys.executable, SCRIPT, *arguments, "--out", tmp_path / "tasks"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def write_lines(path, objects):
    text = "".join(f"{json.dumps(item)}\n" for item in objects).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.fixture
def problems(tmp_path):
    return write_lines(tmp_path / "problems.jsonl.gz", [MIDDLE, MIRROR])


@pytest.mark.parametrize("name", ["Ours_0", "Ours_1"])
def test_references_pass_and_broken_solutions_fail(problems, tmp_path, name):
    """Each task knows a solution that passes, and one that fails in the mode of its folder."""
    finished = make(tmp_path, problems)
    assert finished.stdout == f"{tmp_path / 'tasks'}: 2 tasks\n", finished.stderr
    task = tmp_path / "tasks" / name
    specimens = references_in(task / "reference_solutions") + broken_in(task / "broken_solutions")
    verdicts = grade(task, SpecimenSession(specimens, 1), [])
    assert [verdict.got for verdict in verdicts] == ["passed", "test_check"]


def test_samples(problems, tmp_path):
    """Of a model's samples those pass that are right, and no hack does.

    What a check draws is the same each time: so are the messages.
    """
    make(tmp_path, problems)
    completions = [
        (problem["task_id"], text)
        for problem in (MIDDLE, MIRROR)
        for text in (problem["canonical_solution"], *WRONG[problem["task_id"]])
    ]
    samples = [{"task_id": name, "completion": text} for name, text in completions]
    write_lines(tmp_path / "samples.jsonl", samples)
    command = [sys.executable, ROOT / "scripts" / "grade.py", "samples.jsonl", "--tasks", "tasks"]
    runs = []
    for out in ("first.jsonl", "second.jsonl"):
        subprocess.run([*command, "--out", out], cwd=tmp_path, timeout=GENEROUS_SECONDS)
        lines = (tmp_path / out).read_text().splitlines()
        grades = sorted(map(json.loads, lines), key=lambda grade: grade["index"])
        runs.append([(g["task"], g["outcome"], g["message"]) for g in grades])
    assert runs[0] == runs[1]
    assert [run[:2] for run in runs[0]] == [
        (name, outcome)
        for name in ("Ours/0", "Ours/1")
        for outcome in ("passed", "failed", "failed", "failed")
    ]


def test_commands_of_the_readme(tmp_path):
    """Its commands, run as they stand on our problems, print what they are said to."""
    (tmp_path / "grader").symlink_to(ROOT)
    write_lines(tmp_path / "HumanEval.jsonl.gz", [MIDDLE, MIRROR])
    completions = [
        (problem["task_id"], text)
        for problem in (MIDDLE, MIRROR)
        for text in (problem["canonical_solution"], *WRONG[problem["task_id"]])
    ]
    samples = [{"task_id": name, "completion": text} for name, text in completions]
    write_lines(tmp_path / "samples.jsonl", samples)
    blocks = MarkdownIt().parse((SCRIPT.parent / "README.md").read_text())
    finished = subprocess.run(
        ["bash", "-uc", "".join(block.content for block in blocks if block.info == "sh")],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )
    printed = finished.stdout + finished.stderr
    sentences = [line for line in printed.splitlines() if " candidates: " in line]
    assert sentences.pop(0).startswith("8 candidates: 6 failed, 2 passed; ")
    assert sentences == [
        "8 candidates: 2 passed, 6 failed",
        "2 candidates: 2 passed",
        "2 candidates: 2 failed",
    ], printed
    rows = [line.split()[:2] for line in printed.splitlines() if line.startswith(("1  ", "2  "))]
    assert rows == [["1", "25.0%"], ["2", "50.0%"], ["1", "100.0%"], ["1", "0.0%"]], printed


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([MIDDLE, {**MIDDLE, "test": None}], "problems.jsonl, line 2: not an object with"),
        (["text"], "problems.jsonl, line 1: not an object with the strings task_id, prompt"),
        ([MIDDLE, MIDDLE], "problems.jsonl, line 2: Ours/0 occurs twice"),
        ([{**MIDDLE, "task_id": "../up"}], "line 1: task_id or entry_point is not a name"),
    ],
)
def test_lines_that_are_not_understood(tmp_path, lines, message):
    """The line is named, and nothing is left behind."""
    given = write_lines(tmp_path / "problems.jsonl", lines)
    finished = make(tmp_path, given)
    assert finished.returncode == 4
    assert message in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"problems.jsonl"}


def test_files_that_cannot_be_used(problems, tmp_path):
    """A missing file, one cut off, and a folder that is there already are each a sentence."""
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(problems.read_bytes()[:-20])
    assert "cut.jsonl.gz cannot be read: " in make(tmp_path, cut).stderr
    assert "nowhere cannot be read: " in make(tmp_path, tmp_path / "nowhere").stderr
    assert make(tmp_path, problems).returncode == 0
    finished = make(tmp_path, problems)
    assert finished.returncode == 4
    assert (
        finished.stderr == f"make_tasks.py: cannot create {tmp_path}/tasks: Directory not empty\n"
    )
