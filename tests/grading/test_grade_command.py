"""`solution-grade`: a file of samples, each graded by its own task, and runs that were cut off."""

import gzip
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_balanced_sampler.commands.samples import DamagedLine, Tasks, read_samples, take_up
from tests.conftest import GENEROUS_SECONDS, GOOD, ROOT, TEST


@pytest.fixture
def tasks(tmp_path):
    return write_tasks(tmp_path / "tasks")


def write_tasks(folder):
    settings = {
        "first": dedent("""\
            task_id = "Ours/1"
            completes = "start.py"
        """),
        "second": "",
        "broken": "",
        "whole": 'entry = "pkg.core"\n',
    }
    for name, text in settings.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "task.toml").write_text(text)
        (folder / name / "test_task.py").write_text(TEST)
    (folder / "first" / "start.py").write_text("def double(x):\n")
    (folder / "broken" / "test_task.py").write_text("import nowhere_to_be_found\n")
    return folder


def lines(*samples):
    return "".join(f"{json.dumps(sample)}\n" for sample in samples)


def solution_grade(cwd, *arguments, given=""):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "grade.py", *map(str, arguments)],
        cwd=cwd,
        input=given,
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )


SAMPLES = [
    {"task_id": "Ours/1", "completion": "    return 2 * x\n", "note": "ignored"},
    {"task_id": "Ours/1", "completion": "    return 3 * x\n"},
    {"task_id": "second", "solution": GOOD, "completion": "for nothing"},
    {"task_id": "Ours/1", "solution": GOOD + "\ud800"},
    {
        "task_id": "whole",
        "solution": {"pkg/core.py": "from .rest import double", "pkg/rest.py": GOOD},
    },
    {"task_id": "whole", "solution": {"pkg/core.py": "from .rest import double"}},
]


GIVEN = lines(*SAMPLES) + "\n" + lines({"task_id": "broken", "solution": GOOD})
OUTCOMES = {
    0: ("Ours/1", "passed", "-:1"),
    1: ("Ours/1", "failed", "-:2"),
    2: ("second", "passed", "-:3"),
    3: ("Ours/1", "failed", "-:4"),
    4: ("whole", "passed", "-:5"),
    5: ("whole", "failed", "-:6"),
    7: ("broken", "harness_error", "-:8"),
}


def outcomes_in(out):
    found = [json.loads(line) for line in out.read_text().splitlines()]
    return {grade["index"]: (grade["task"], grade["outcome"], grade["solution"]) for grade in found}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with tasks of which one is broken and the grades of all samples, what was said."""
    folder = tmp_path_factory.mktemp("run")
    arguments = ("-", "--tasks", write_tasks(folder / "tasks"), "--out", folder / "graded.jsonl")
    return folder, solution_grade(folder, *arguments, "--hosts", 2, given=GIVEN)


def resume(folder, given=GIVEN, options=("--resume",)):
    arguments = ("-", "--tasks", folder / "tasks", "--out", folder / "graded.jsonl")
    return solution_grade(folder, *arguments, *options, given=given)


def test_a_line_for_each_sample(run):
    folder, finished = run
    assert "7 candidates: 3 passed, 3 failed, 1 harness_error; " in finished.stdout
    assert outcomes_in(folder / "graded.jsonl") == OUTCOMES


def test_a_task_that_cannot_grade_is_named_with_its_reason(run):
    _, finished = run
    assert finished.returncode == 3, finished.stderr
    assert "-:8: the task 'broken' cannot grade: " in finished.stderr
    assert "nowhere_to_be_found" in finished.stderr


def test_grades_are_not_written_over(run):
    folder, _ = run
    again = resume(folder, options=())
    assert (again.returncode, again.stderr.count("\n")) == (4, 1)
    assert "graded.jsonl exists: pass --resume, or another --out" in again.stderr


def test_grades_of_other_samples_are_not_continued(run):
    folder, _ = run
    finished = resume(folder, lines(*SAMPLES[:2], *SAMPLES[:1]))
    assert (finished.returncode, finished.stderr.count("\n")) == (4, 1)
    assert "the grade of a different sample; choose another --out" in finished.stderr


def test_what_is_whole_is_not_graded_again(run, tmp_path):
    """The broken task was mended, and the run was cut off in the middle of a line."""
    folder = shutil.copytree(run[0], tmp_path / "copy")
    out = folder / "graded.jsonl"
    (folder / "tasks" / "broken" / "test_task.py").write_text(TEST)
    whole = out.read_bytes().splitlines(keepends=True)
    kept = [line for line in whole if b'"index": 2' not in line]
    out.write_bytes(b"".join(kept) + b'{"grades_version": 1, "sol')
    finished = resume(folder)
    assert finished.returncode == 1, finished.stderr
    assert "7 candidates: 4 passed, 3 failed; " in finished.stdout
    assert outcomes_in(out) == OUTCOMES | {7: ("broken", "passed", "-:8")}
    assert set(kept) - set(out.read_bytes().splitlines(keepends=True)) == {
        line for line in kept if b"nowhere_to_be_found" in line
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n{", "line 2: not JSON: "),
        ("[]", "line 1: not a JSON object"),
        ("[" * 100_000, "line 1: not JSON: "),
        (lines({"solution": GOOD}), "line 1: no string 'task_id'"),
        (lines({"task_id": "x", "solution": ""}), "line 1: no task 'x' in "),
        (lines({"task_id": "first", "solution": ""}), "line 1: no task 'first' in "),
        (lines({"task_id": "second", "solution": {"a.py": GOOD}}), "'second' has no entry"),
        (lines({"task_id": "whole", "solution": {"a.py": 7}}), "line 1: neither a string"),
        (lines({"task_id": "second"}), "line 1: neither a string 'completion' nor a 'solution'"),
        (
            lines({"task_id": "second", "completion": ""}),
            "does not say what a completion continues",
        ),
        (
            lines({"task_id": "second", "solution": 7, "completion": None}),
            "line 1: neither a string",
        ),
    ],
    ids=range(11),
)
def test_lines_that_are_not_understood(tasks, monkeypatch, text, message):
    """The line is named, and what is wrong with it."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    with pytest.raises(DamagedLine, match="standard input, ") as raised:
        read_samples("-", Tasks(tasks))
    assert message in str(raised.value)


def test_files(tasks, tmp_path):
    """Compressed samples are read; tasks and grades that cannot be used are each a sentence."""
    packed = tmp_path / "samples.jsonl.gz"
    packed.write_bytes(gzip.compress(lines(*SAMPLES).encode()))
    samples = read_samples(str(packed), Tasks(tasks))
    assert [sample.source for sample in samples[:2]] == [
        dedent("""\
            def double(x):
                return 2 * x
        """),
        dedent("""\
            def double(x):
                return 3 * x
        """),
    ]
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(DamagedLine, match=r"samples\.jsonl\.gz cannot be read: "):
        read_samples(str(packed), Tasks(tasks))
    damaged = tmp_path / "graded.jsonl"
    damaged.write_text('{"index": 0}\n')
    with pytest.raises(DamagedLine, match=r"graded\.jsonl, line 1: not a grade of solution-grade"):
        take_up(damaged, samples)
    with pytest.raises(ValueError, match=r"a task is a folder with a task\.toml"):
        Tasks(tmp_path / "nowhere")
    (tasks / "second" / "task.toml").write_text('task_id = "Ours/1"\n')
    with pytest.raises(ValueError, match="have the same task_id, 'Ours/1'"):
        Tasks(tasks)
    finished = solution_grade(tmp_path, "x", "--tasks", tasks / "first", "--out", "x")
    assert "--out is the file with the samples" in finished.stderr
    finished = solution_grade(tmp_path, "x", "--tasks", tasks / "first", "--out", Path("y"))
    assert (finished.returncode, finished.stderr) == (4, "grade.py: x: No such file or directory\n")
