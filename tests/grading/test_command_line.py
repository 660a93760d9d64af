"""Options, ini keys, what the user reads, and exit statuses."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.conftest import GOOD, TEST, run_pytest


@pytest.fixture
def task(tmp_path):
    """A task and a candidate, and a way to run pytest on them."""
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "test_task.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            testpaths = task
        """)
    )
    (tmp_path / "good.py").write_text(GOOD)

    def run(*arguments, **environment):
        return run_pytest(
            *arguments, cwd=tmp_path, report_file=tmp_path / "report.json", **environment
        )

    run.folder = tmp_path  # type: ignore[attr-defined]
    return run


def test_without_a_candidate_pytest_says_what_to_pass(task):
    """Tests that wait for a candidate do not fail in confusion."""
    run = task()
    assert run.exit_status == 4
    assert "none was given. Pass --solution=PATH" in run.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--solution=missing.py"], "--solution=missing.py: no such file or folder"),
        (["--solution="], "--solution is empty"),
        (["--solution=none/*.py"], "no file matches --solution=none/*.py"),
        (["--solution=empty"], "no *.py file in this folder"),
        (["--solution=good.py", "--solution-timeout=0"], "must be a positive number"),
        (["--solution=good.py", "missing_folder"], "file or directory not found"),
        (["--solution=good.py", "unrelated"], "no test that was collected uses the solution"),
        (["--solution=good.py", "-o", "isolation=maybe"], "isolation must be one of"),
        (["--solution=good.py", "-o", "solution_preload=nowhere_to_be_found"], "No module named"),
    ],
)
def test_usage_errors(task, arguments, message):
    """What the user got wrong is said in a sentence, with pytest's exit status for that."""
    (task.folder / "empty").mkdir()
    (task.folder / "unrelated").mkdir()
    (task.folder / "unrelated" / "test_unrelated.py").write_text(
        dedent("""\
            def test_x():
                pass
        """)
    )
    run = task(*arguments)
    assert run.exit_status == 4, run.output
    assert message in run.output
    assert "Traceback" not in run.output


def test_files_folders_and_globs(task):
    """A folder stands for every visible *.py below it, and a path keeps its own grade."""
    many = task.folder / "many"
    (many / "deep").mkdir(parents=True)
    (many / ".hidden").mkdir()
    for name in ("b.py", "a.py", "deep/c.py", ".hidden/d.py", ".e.py", "notes.txt"):
        (many / name).write_text(GOOD)
    (many / "folder.py").mkdir()
    run = task("--solution=many", "--solution=many/*.py", "--solution=good.py")
    assert [grade["solution"] for grade in run.grades] == [
        "many/a.py",
        "many/b.py",
        "many/deep/c.py",
        "many/a.py#2",
        "many/b.py#2",
        "good.py",
    ]
    assert [grade["index"] for grade in run.grades] == list(range(6))
    assert run.grades[0]["path"] == run.grades[3]["path"] == str(many / "a.py")
    assert {grade["outcome"] for grade in run.grades} == {"passed"}
    assert "6 graded: 6 passed" in run.output


def test_links_are_not_followed(task):
    """A model can link to any file that we may read; a candidate is a file of its own."""
    os.symlink(task.folder / "good.py", task.folder / "link.py")
    run = task("--solution=link.py")
    assert run.grade["failure_mode"] == "load_error"
    assert "symbolic link" in run.grade["message"]


def test_a_pipe_does_not_block(task):
    """What is no plain file is no candidate."""
    os.mkfifo(task.folder / "pipe.py")
    assert "not a regular file" in task("--solution=pipe.py").grade["message"]


def test_strange_names(task):
    """A file's name cannot drive the terminal or break the report."""
    name = "näme [31m\x1b]0;owned\x07 \n.py"
    (task.folder / name).write_text(GOOD)
    run = task(f"--solution={task.folder / name}")
    assert run.grade["outcome"] == "passed"
    assert "\x1b]0" not in run.output
    assert run.grade["solution"] == r"näme [31m\x1b]0;owned\x07 \n.py"


def test_a_name_is_shortened_only_where_it_is_shown(task):
    """The report has the whole name and a path that finds the file; the table shows both ends."""
    folder = task.folder / "a" / ("long" * 60) / "rest"
    folder.mkdir(parents=True)
    path = Path(os.fsdecode(os.fsencode(folder) + b"/b\xff#1.py"))
    path.write_text(GOOD)
    run = task(f"--solution={folder}")
    assert run.grade["solution"] == f"a/{'long' * 60}/rest/b\\udcff#1.py"
    assert Path(run.grade["path"]).read_text() == GOOD
    assert run.grade["solution"] not in run.output
    assert "rest/b\\udcff#1.py: passed" in run.output


def test_ini_keys(task):
    """Every option has an ini key, and the command line wins."""
    (task.folder / "pytest.ini").unlink()
    (task.folder / "pyproject.toml").write_text(
        dedent("""\
            [tool.pytest]
            strict = true
            testpaths = ['task']
            solution = ['good.py']
            grading_seed = 5
            solution_timeout = 7.5
            isolation = 'off'
            solution_preload = ['json']
        """)
    )
    run = task()
    assert (run.grade["outcome"], run.grade["grading_seed"]) == ("passed", 5)
    assert run.grade["isolation"]["mode"] == "off"
    assert "json" in run.report["versions"]
    assert task("--grading-seed=6", "--isolation=auto").grade["grading_seed"] == 6


def test_nothing_near_the_candidate_or_in_the_environment_steers_the_workers(task):
    """Neither the working directory nor the environment is a place to import from."""
    for name in ("json.py", "msgpack.py", "sitecustomize.py", "conftest.py", "pytest.ini"):
        folder = task.folder / "workspace"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("raise SystemExit('steered')\n")
    (task.folder / "workspace" / "solution.py").write_text(
        dedent("""\
            import json, os, sys
            assert json.dumps(1) == '1'
            assert 'SECRET' not in os.environ
            assert '' not in sys.path
        """)
        + GOOD
    )
    run = task(
        "--solution=workspace/solution.py",
        PYTHONPATH="",
        SECRET="123",
        PYTHONSTARTUP=str(task.folder / "workspace/json.py"),
    )
    assert run.grade["outcome"] == "passed", run.output
    steered = task.folder / "workspace"
    assert task("--solution=good.py", PYTHONPATH=str(steered / "missing")).exit_status == 0


def test_what_a_candidate_prints_is_shown_with_its_failure(task):
    """Kept, bounded, free of control characters, and apart from pytest's own output."""
    (task.folder / "loud.py").write_text(
        dedent("""\
            import sys
            print('at import')
            def double(x):
                print('\\x1b[31mred'); print('x' * 300_000); sys.stderr.write('oops\\n')
                return 3 * x
        """)
    )
    run = task("--solution=loud.py")
    assert "Captured stdout call" in run.output
    assert r"\x1b[31mred" in run.output
    assert "at import" in run.output
    assert len(run.output) < 100_000


def test_remote_traceback_is_shown(task):
    """A failing call points at the test's line, and the candidate's own traceback follows."""
    (task.folder / "raises.py").write_text(
        dedent("""\
            def helper():
                raise ValueError('deep down')
            def double(x):
                helper()
        """)
    )
    run = task("--solution=raises.py")
    assert "test_task.py:2: " in run.output
    assert 'File "raises.py", line 2, in helper' in run.output
    assert "supervisor.py" not in run.output
    assert run.grade["message"] == ("ValueError: deep down (line 2: raise ValueError('deep down'))")


def test_a_session_without_grading_imports_nothing_heavy(tmp_path):
    """The plugin costs other people's sessions nothing."""
    (tmp_path / "test_x.py").write_text(
        dedent("""\
            import sys
            def test_x():
                heavy = {'msgpack', 'torch', 'numpy', 'anthropic', 'landlockpy', 'seccompy'}
                assert not heavy & set(sys.modules)
        """)
    )
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_x.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 0, finished.stdout


def test_report_that_cannot_be_written(task):
    """A report appears whole or not at all, and its absence shows in the exit status."""
    target = task.folder / "report.json"
    target.mkdir()
    to_target = ["--json-report", f"--json-report-file={target}"]
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "--solution=good.py", *to_target],
        cwd=task.folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 3
    assert "could not save report" in finished.stdout
    assert sorted(path.name for path in Path(task.folder).glob("report*")) == ["report.json"]
