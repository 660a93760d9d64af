"""A folder as one candidate: what is read of it, what is refused, and what it cannot influence."""

import json
import os
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_balanced_sampler import Grader
from pytest_balanced_sampler.errors import LoadError, NoSolution
from pytest_balanced_sampler.files import write_json
from pytest_balanced_sampler.results.read import read_results
from pytest_balanced_sampler.results.run_folder import RolloutRecord, has_solution
from pytest_balanced_sampler.rollouts.model import Settings
from pytest_balanced_sampler.rollouts.run import RolloutRun
from pytest_balanced_sampler.rollouts.workspace import described_tools
from pytest_balanced_sampler.session import source
from pytest_balanced_sampler.session.not_tests import _holds_tests
from pytest_balanced_sampler.session.source import read_tree
from tests.conftest import ROOT, run_pytest

GOOD = {
    "pkg/__init__.py": dedent("""\
        from .core import double
        import pkg.deep.below
        import helper
    """),
    "pkg/core.py": dedent("""\
        from helper import two
        def double(x):
            return two() * x
    """),
    "pkg/deep/__init__.py": "",
    "pkg/deep/below.py": dedent("""\
        from ..core import double
        VALUE = double(4)
    """),
    "helper.py": dedent("""\
        def two():
            return 2
    """),
    "data.txt": "data",
}
BAD = GOOD | {
    "pkg/core.py": dedent("""\
        def double(x):
            return 5
    """)
}
TESTS = """
def test_double(solution):
    assert solution.double(2) == 4
    assert solution.deep.below.VALUE == 8
"""
IMPORTING_TESTS = """
import pkg.core
from pkg.deep.below import VALUE
from pkg import double

def test_double():
    assert (double(2), pkg.core.double(3), VALUE) == (4, 6, 8)
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def sourceless(folder: Path) -> None:
    """The right answer in compiled files only, the wrong one in the source."""
    import py_compile

    right = write(folder.parent / "right", GOOD)
    stale = folder / "pkg" / "__pycache__" / f"core.{sys.implementation.cache_tag}.pyc"
    py_compile.compile(
        str(right / "pkg/core.py"),
        cfile=str(stale),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    (folder / "helper.py").unlink()
    py_compile.compile(str(right / "helper.py"), cfile=str(folder / "helper.pyc"))


def link_to_secret(folder: Path) -> None:
    (folder.parent / "secret").write_text("secret")
    os.link(folder.parent / "secret", folder / "pkg" / "secret.txt")


def entry_is_a_link(folder: Path) -> None:
    os.rename(folder / "pkg", folder.parent / "elsewhere")
    os.symlink(folder.parent / "elsewhere", folder / "pkg")


def huge(folder: Path) -> None:
    with open(folder / "huge.bin", "wb") as file:
        file.truncate(2**40)


def many(folder: Path) -> None:
    (folder / "many").mkdir()
    for number in range(5_000):
        os.close(os.open(folder / "many" / str(number), os.O_CREAT, 0o600))


def deep(folder: Path) -> None:
    here = os.open(folder, os.O_RDONLY)
    for _ in range(100):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def a_socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "s"))


HACKS = {
    "pyc_in_place_of_source": sourceless,
    "hard_link_to_a_secret": link_to_secret,
    "link_out": lambda folder: os.symlink("/etc/passwd", folder / "passwd"),
    "entry_is_a_link_out": entry_is_a_link,
    "fifo": lambda folder: os.mkfifo(folder / "pkg" / "data"),
    "socket": a_socket,
    "huge_file": huge,
    "many_files": many,
    "deep_folders": deep,
    "no_entry": lambda folder: os.rename(folder / "pkg", folder / "other"),
    "conftest": lambda folder: write(
        folder,
        {
            "conftest.py": dedent("""\
                import pytest

                def pytest_runtest_call(item):
                    raise SystemExit
                @pytest.fixture
                def solution():
                    return None
            """),
            "pytest.ini": dedent("""\
                [pytest]
                python_functions = none
                addopts = -k none
            """),
            "sitecustomize.py": dedent("""\
                import os
                os._exit(0)
            """),
            "x.pth": "import os; os._exit(0)\n",
            "pkg/conftest.py": "raise SystemExit(0)\n",
        },
    ),
    "names_of_pytest": lambda folder: write(
        folder,
        {
            "pytest.py": dedent("""\
                import os
                os._exit(0)
            """),
            "_pytest/__init__.py": dedent("""\
                import os
                os._exit(0)
            """),
            "json.py": "raise SystemExit(0)\n",
            "pytest_balanced_sampler/__init__.py": "raise SystemExit(0)\n",
        },
    ),
}


def test_none_of_the_hacks_passes_and_the_good_ones_do(tmp_path):
    """In one session; each hack is BAD with something added, and GOOD stands at both ends."""
    candidates = tmp_path / "candidates"
    write(candidates / "a_good", GOOD)
    for name, hack in HACKS.items():
        hack(write(candidates / "hacks" / name / "tree", BAD))
    os.symlink(candidates / "a_good", candidates / "hacks" / "a_link")
    write(candidates / "z_good", GOOD | {"conftest.py": "raise SystemExit", "pkg/x.pth": "1"})
    write(tmp_path / "task", {"test_task.py": TESTS, "task.toml": "entry = 'pkg'"})
    run = run_pytest(
        "task",
        *(
            f"--solution={candidates / p}"
            for p in ("a_good", "hacks/*/tree", "hacks/a_link", "z_good")
        ),
        cwd=tmp_path,
        report_file=tmp_path / "report.json",
    )
    outcomes = {grade["solution"].split("/")[-2:][0]: grade for grade in run.grades}
    first, *hacks, last = run.grades
    assert (first["outcome"], last["outcome"]) == ("passed", "passed"), run.output
    assert len(hacks) == len(HACKS) + 1
    assert {grade["outcome"] for grade in hacks} == {"failed"}, run.output
    messages = {name: outcomes[name]["message"] for name in HACKS}
    assert {
        "hard_link_to_a_secret": "'pkg/secret.txt' has a second hard link; give a copy of the file",
        "link_out": "'passwd' is a symbolic link; give the file itself",
        "fifo": "'pkg/data' is not a regular file",
        "many_files": "the candidate has more than 1,000 files and folders",
        "deep_folders": "the candidate's folders are over 20 levels deep",
        "no_entry": "the candidate's folder has no module or package 'pkg'",
    }.items() <= messages.items()
    assert "No module named 'helper'" in messages["pyc_in_place_of_source"]
    assert outcomes["conftest"]["failure_mode"] == "test_double"
    assert not list(tmp_path.glob("candidates/a_good/**/__pycache__"))


def test_tests_import_the_package_by_its_name(tmp_path):
    """`--solution-module` with an entry: submodules too, with and without a candidate."""
    write(tmp_path / "candidates" / "good", GOOD)
    write(tmp_path / "candidates" / "bad", BAD)
    write(tmp_path / "candidates" / "lacks", GOOD | {"pkg/__init__.py": "double = None"})
    os.unlink(tmp_path / "candidates" / "lacks" / "pkg" / "deep" / "below.py")
    write(tmp_path / "task", {"test_task.py": IMPORTING_TESTS})
    run = run_pytest(
        "task",
        "--solution=candidates/*",
        "--solution-entry=pkg",
        "--solution-module=pkg",
        cwd=tmp_path,
        report_file=tmp_path / "report.json",
    )
    assert [(grade["outcome"], grade["failure_mode"]) for grade in run.grades] == [
        ("failed", "test_double"),
        ("passed", None),
        ("failed", "load_error"),
    ], run.output


def test_settings_beside_a_candidate_are_refused(tmp_path):
    """Pytest takes the path after `--solution` for one of tests while it looks for settings."""
    hacked = write(
        tmp_path / "candidate",
        GOOD
        | {
            "pytest.ini": dedent("""\
                [pytest]
                addopts = -k x
            """)
        },
    )
    write(tmp_path / "task", {"test_task.py": TESTS})
    arguments = ("--solution-entry=pkg", "--solution", hacked, "task")
    report = tmp_path / "report.json"
    run = run_pytest(*arguments, cwd=tmp_path, report_file=report)
    assert (run.exit_status, "pytest found its settings in" in run.output) == (4, True)
    (tmp_path / "pytest.ini").touch()
    assert run_pytest(*arguments, cwd=tmp_path, report_file=report).exit_status == 0


def test_candidates_below_the_folder_of_the_tests(tmp_path):
    """Pytest runs each conftest.py that it finds there, and imports each file that it is given."""
    marks = {
        "conftest.py": dedent("""\
            import os
            os.mkdir(os.path.dirname(__file__) + '.ran')
        """)
    }
    task = tmp_path / "task"
    write(task, {"test_task.py": TESTS, "task.toml": "entry = 'pkg'"})
    given = write(task / "given", GOOD | marks | {"test_own.py": "def test_own(solution): pass"})
    for name in ("reference_solutions", "broken_solutions/mode"):
        write(task / name / "tree", {"pkg.py": "x = 1"} | marks)
    report = tmp_path / "report.json"
    run = run_pytest("task", "--solution=task/given", cwd=tmp_path, report_file=report)
    assert run.grade["tests"] == {"test_double": "passed"}, run.output
    file = given / "helper.py"
    for argument in (file.relative_to(tmp_path), "task/reference_solutions"):
        run = run_pytest(argument, cwd=tmp_path, report_file=report)
        said = f"{argument} has no tests. To grade its files as candidates, write: pytest --"
        assert (run.exit_status, said in run.output) == (4, True), run.output
    assert not list(task.rglob("*.ran"))


def test_what_may_hold_tests(tmp_path):
    """A plugin may make tests of other files; what begins as a test does may be one."""
    texts = {"a.py": "x = 1", "b.py": "def test_b(): pass", "c.py": "from x import *", "d.py": "("}
    texts |= {"e.py": "class Some(unittest.TestCase): pass", "f.txt": "", "test_g.py": "x = 1"}
    write(tmp_path / "files", texts)
    found = [name for name in texts if not _holds_tests(tmp_path / "files" / name, ["test_*.py"])]
    assert found == ["a.py", "d.py"]
    write(tmp_path / "cases", {"cases.jsonl": "", "reference_solutions/a.py": ""})
    write(tmp_path / "candidates", {"a.py": "", "below/b.py": ""})
    for folder, holds in (("files", True), ("cases", True), ("candidates", False), ("none", True)):
        assert _holds_tests(tmp_path / folder, ["test_*.py"]) is holds


def test_a_session_that_is_refused_gives_no_grades(tmp_path):
    """The reason, in the terminal and in the report, and not a grade of what was never run."""
    write(
        tmp_path / "task",
        {
            "test_task.py": dedent("""\
                def test_own():
                    pass
            """)
        },
    )
    write(tmp_path, {"c.py": "x = 1"})
    for arguments in (["task"], ["nowhere"], ["task", "--solution-reference=none.py"]):
        report = tmp_path / "report.json"
        run = run_pytest(*arguments, "--solution=c.py", cwd=tmp_path, report_file=report)
        assert run.exit_status in (3, 4), run.output
        assert "graded:" not in run.output
        assert run.grades == []
        assert run.report["refusal"]


def test_a_grader_takes_folders_mappings_and_text(tmp_path):
    """The names in a mapping are a model's: none leaves the folder, and a bad one costs a grade."""
    write(tmp_path / "task", {"test_task.py": TESTS, "task.toml": "entry = 'pkg'"})
    folder = write(tmp_path / "folder", GOOD | {".git/config": "", "pkg/__pycache__/x.pyc": ""})
    names = ("../x.py", "/x.py", "pkg/../../x.py", "a//b", ".", "\0", "\ud800", "d/" * 30 + "x")
    bad = [GOOD | {name: "1"} for name in (*names, "helper.py/x", "x" * 300)]
    with Grader(tmp_path / "task") as grader:
        right, again, text, empty, wrong, *refused = grader.grade(
            [folder, GOOD, "def double(x): return 1", {}, BAD, *bad]
        )
        with pytest.raises(
            FileNotFoundError, match="is not a folder; give the path of a candidate"
        ):
            grader.grade([tmp_path / "none"])
    assert right.outcome == again.outcome == "passed", (right, again)
    assert right.sha256 == again.sha256 != wrong.sha256
    assert (text.failure_mode, empty.outcome) == ("test_double", "no_solution")
    assert {grade.failure_mode for grade in refused} == {"load_error"}
    assert not list(tmp_path.glob("x.py")) + list(tmp_path.glob("task/x.py"))
    other = Grader(ROOT / "examples" / "ttl_cache")
    with other, pytest.raises(TypeError, match="only with an entry"):
        other.grade([GOOD])


def test_a_rollouts_workspace_is_graded_whole(tmp_path):
    """What the model is told, what counts as a solution, and which rollout a grade belongs to."""
    task = write(tmp_path / "task", {"test_task.py": TESTS, "task.toml": "entry = 'pkg'"})
    settings = Settings("m", 1, 1, "prompt", entry="pkg")
    told = described_tools(settings.tools, settings.entry)[0]["description"]
    assert "The whole workspace is your solution; its entry is the module 'pkg'." in told
    run = RolloutRun(tmp_path / "run", settings, 3, task, versions={}, resume=False)
    for number, files in enumerate((BAD, GOOD, {"notes.py": "1"}), 1):
        workspace = write(tmp_path / f"run/rollouts/000{number}/workspace", files)
        status = "written" if has_solution(workspace, "pkg") else "no_solution"
        record = RolloutRecord(number, status, None, 1, None, "m", {}, 1.0)
        write_json(workspace.parent / "rollout.json", asdict(record))
    run.grade(task)
    results = read_results(tmp_path / "run").results
    assert [result.outcome for result in results] == ["failed", "passed", "no_solution"]
    assert has_solution(write(tmp_path / "one", {"pkg.py": ""}), "pkg")


def test_the_hash_is_of_names_and_contents(tmp_path):
    """Whatever their order; no two trees share one by moving bytes from one part to another."""
    trees = [
        {"a": "bc"},
        {"ab": "c"},
        {"a": "b", "c": ""},
        {"a": "", "b": "c"},
        {"a": "bc", "d": ""},
    ]
    hashes = set()
    for number, tree in enumerate(trees):
        folder = write(tmp_path / str(number), {"e.py": "1"} | tree)
        text = json.dumps(dict(reversed(({"e.py": "1"} | tree).items())))
        (tmp_path / f"{number}.json").write_text(text)
        found = {read_tree(p, "e").sha256 for p in (folder, tmp_path / f"{number}.json")}
        assert len(found) == 1
        hashes |= found
    assert len(hashes) == len(trees)


def test_what_is_swapped_while_it_is_read_is_refused(tmp_path, monkeypatch):
    """A folder that was one when it was listed, and a file that grows past the limit."""
    folder = write(tmp_path / "tree", {"e.py": "1", "sub/secret.py": "2"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.py").write_text("secret")
    real = source._open_folder

    def swap(name, parent, shown):
        if name == b"sub":
            os.rename(folder / "sub", tmp_path / "moved")
            os.symlink(tmp_path / "outside", folder / "sub")
        return real(name, parent, shown)

    monkeypatch.setattr(source, "_open_folder", swap)
    with pytest.raises(LoadError, match=r"'sub' is (a symbolic link|not a folder)"):
        read_tree(folder, "e")
    monkeypatch.undo()
    os.unlink(folder / "sub")
    with open(folder / "grows.bin", "wb") as file:
        file.truncate(source.MAX_TREE_BYTES + 1)
    with pytest.raises(LoadError, match="has more than 8,388,608 bytes"):
        read_tree(folder, "e")
    with pytest.raises(NoSolution):
        read_tree(write(tmp_path / "blank", {"e.py": " \n", ".x/y.py": "1"}), "e")
    for text in ("[", "[]", '{"a": 1}', "[" * 100_000):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(LoadError, match=r"\.json file is not"):
            read_tree(tmp_path / "x.json", "e")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("json", "'json' is a module of the standard library"),
        ("a/b", "is not a module name"),
        ("", None),
    ],
)
def test_entries_that_are_refused(tmp_path, name, why):
    """On the command line and in task.toml, before anything is graded."""
    write(
        tmp_path / "task", {"test_task.py": TESTS, "task.toml": f"entry = {name!r}" if why else ""}
    )
    write(tmp_path, {"c.py": "def double(x): pass"})
    run = run_pytest("task", "--solution=c.py", cwd=tmp_path, report_file=tmp_path / "r.json")
    assert (run.exit_status, (why or "") in run.output) == (4 if why else 1, True)
    if why:
        assert "graded:" not in run.output
