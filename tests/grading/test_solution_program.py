"""The fixture `solution_program` and `cases.jsonl`, in whole sessions: verdicts and messages."""

import json
import os
import re
import subprocess
import sys
from textwrap import dedent

import pytest

from pytest_balanced_sampler.judge.solution_program import SolutionProgram
from pytest_balanced_sampler.session.cases import read_cases
from tests.conftest import run_pytest

TESTS = """
import pathlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
import pytest
from pytest_balanced_sampler import ProgramTimeout

@pytest.fixture(scope="module")
def doubled(solution_program):
    return solution_program.run(stdin="4\\n")

def test_double(solution_program):
    result = solution_program.run(["a", b"b\\xff", pathlib.Path("c")], "3\\n")
    assert result.stdout == "6 ['a', 'b\\\\udcff', 'c']\\n" and result.returncode == 0
    assert result.stderr == ""

def test_fixture(doubled):
    assert doubled.stdout == "8 []\\n"

def test_bytes(solution_program):
    result = solution_program.run(stdin=bytearray(b"4\\n"))
    assert type(result.stdout) is bytes and result.stdout == b"8 []\\n"

def test_exact(solution_program):
    text = "echo\\n\\r\\nünï \\udcff\\0 no last end of line\\r"
    assert solution_program.run(stdin=text).stdout == text
    assert solution_program.run(stdin=text.encode("utf-8", "surrogateescape")).stdout.decode(
        "utf-8", "surrogateescape") == text

def test_expected_timeout(solution_program):
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        solution_program.run(stdin="wait\\n", timeout=0.2)
    assert type(caught.value) is ProgramTimeout and caught.value.timeout == 0.2
    assert caught.value.stdout == caught.value.output == "so far\\n"
    assert caught.value.stderr == ""

def test_as_a_module(solution, solution_program):
    assert solution.double(4) == 8

def test_in_threads(solution_program):
    inputs = [f"{number}\\n" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda text: solution_program.run(stdin=text).stdout, inputs))
    assert results == [f"{2 * number} []\\n" for number in range(8)]

def test_the_last(solution_program):
    assert solution_program.run(stdin="5\\n").returncode == 0
"""

GOOD = """
import sys

def double(number):
    return 2 * number

if __name__ == "__main__":
    line = sys.stdin.readline()
    if line == "wait\\n":
        import time
        print("so far", flush=True)
        time.sleep(60)
    elif line == "echo\\n":
        sys.stdout.write(line + sys.stdin.read())
    else:
        print(double(int(line)), sys.argv[1:])
"""


def candidate(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


IN_DOUBLE = "    return 2 * number"
CANDIDATES = {
    "good": GOOD,
    "no_python": f"{GOOD}def f(:\n",
    "empty": "",
    "wrong": candidate("2 * number", "2 + number"),
    "loops": candidate(IN_DOUBLE, "    while True: pass"),
    "sleeps": candidate(IN_DOUBLE, "    import time; time.sleep(60)"),
    "killed": candidate(
        IN_DOUBLE,
        "    import os; 'a' in sys.argv and os.kill(os.getpid(), 9)\n    return 2 * number",
    ),
    "fails_as_a_module": f"if __name__ != '__main__': raise OSError('not a module')\n{GOOD}",
    "never_waits": candidate("time.sleep(60)", "pass"),
    "shouts": candidate("    return 2 * number", "    raise ValueError('\x1b[31mno\u202e' * 9999)"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_task.py").write_text(TESTS)
    for name, source in CANDIDATES.items():
        (folder / f"{name}.py").write_text(source)
    return run_pytest(
        "test_task.py",
        *(f"--solution={name}.py" for name in CANDIDATES),
        "--solution-timeout=0.5",
        cwd=folder,
        report_file=folder / "report.json",
    )


@pytest.fixture(scope="module")
def grades(run):
    return {os.path.basename(grade["solution"]).removesuffix(".py"): grade for grade in run.grades}


def test_verdicts(run, grades):
    """Failure modes, second tries, and which tests fail."""
    found = {
        name: (grade["outcome"], grade["failure_mode"], bool(grade["tries"]))
        for name, grade in grades.items()
    }
    assert found == {
        "good": ("passed", None, False),
        "no_python": ("failed", "load_error", False),
        "empty": ("no_solution", "no_solution", False),
        "wrong": ("failed", "test_double", False),
        "loops": ("failed", "timeout", found["loops"][2]),
        "sleeps": ("failed", "timeout", True),
        "killed": ("failed", "test_double", True),
        "fails_as_a_module": ("failed", "load_error", False),
        "never_waits": ("failed", "test_expected_timeout", False),
        "shouts": ("failed", "test_double", False),
    }, run.output
    failed = [name for name, how in grades["fails_as_a_module"]["tests"].items() if how != "passed"]
    assert failed == ["test_as_a_module"]
    assert all(grade["sha256"] for name, grade in grades.items() if name != "empty")
    assert all(grade["tampering"] == [] for grade in grades.values())


def test_messages(run, grades):
    """They say what was wrong, and a report shows what the program printed, made printable."""
    assert "SyntaxError: invalid syntax (no_python.py, line 17)" in grades["no_python"]["message"]
    assert "did not raise" in grades["never_waits"]["message"].lower()
    assert "| [standard output]\n| 5 ['a', 'b" in run.output
    assert "ValueError: \\x1b[31mno\\u202e" in run.output
    assert not {"\x1b[31m", "\u202e"} & set(re.findall("\x1b\\[31m|\u202e", run.output))
    assert "characters cut" in run.output


FOLDERS = {
    "package": {
        "app/__init__.py": "print('first')\n",
        "app/__main__.py": dedent("""\
            from .core import double
            from helper import NAME
            import sys, pathlib
            print(double(int(input())), sys.argv[1:], NAME, __name__, __package__, __spec__.name)
            print(pathlib.Path(sys.argv[0]).name, pathlib.Path(__file__).name)
            print(open('data.txt').read(), file=sys.stderr)
            sys.exit(3)
        """),
        "app/core.py": dedent("""\
            def double(x):
                return 2 * x
        """),
        "helper.py": "NAME = 'helper'\n",
        "data.txt": "data",
    },
    "module": {
        "app.py": dedent("""\
            import helper
            print(helper.VALUE, repr(__package__), __spec__.name, __name__)
            raise KeyError('x')
        """),
        "helper.py": "VALUE = 5\n",
    },
    "fails_in_package": {
        "app/__init__.py": "raise SystemExit('no')\n",
        "app/__main__.py": "print('never')\n",
    },
}
UNRUNNABLE = {
    "no_main": ({"app/__init__.py": "", "other.py": "1"}, "No module named app.__main__"),
    "no_python": ({"app/__init__.py": "", "app/__main__.py": "a b"}, "__main__.py, line 1"),
}


def test_folders_run_as_python_runs_a_module(tmp_path):
    """`python -m ENTRY`, in the folder: the same output and exit status as of a real process."""
    candidates = FOLDERS | {name: files for name, (files, _) in UNRUNNABLE.items()}
    expected = {}
    for name, files in candidates.items():
        for path, text in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        if name in FOLDERS:
            command = [sys.executable, "-m", "app", "a", "b"]
            real = subprocess.run(
                command, cwd=tmp_path / name, input="4\n", capture_output=True, text=True
            )
            # Tracebacks have runpy's frames there.
            last = real.stderr.splitlines()[-1:]
            expected[name] = [real.returncode, real.stdout, last]
    (tmp_path / "test_task.py").write_text(
        dedent(f"""\
            EXPECTED = {list(expected.values())!r}
            def test_as_python(solution_program):
                end = solution_program.run(['a', 'b'], '4\\n')
                assert [end.returncode, end.stdout, end.stderr.splitlines()[-1:]] in EXPECTED
                assert 'worker' not in end.stderr
        """)
    )
    run = run_pytest(
        "test_task.py",
        *(f"--solution={name}" for name in candidates),
        "--solution-entry=app",
        cwd=tmp_path,
        report_file=tmp_path / "report.json",
    )
    found = {os.path.basename(grade["solution"]): grade for grade in run.grades}
    assert {found[name]["outcome"] for name in FOLDERS} == {"passed"}, run.output
    for name, (_, message) in UNRUNNABLE.items():
        assert found[name]["failure_mode"] == "load_error"
        assert message in found[name]["message"]


FILES_TESTS = """
import os
import time
from concurrent.futures import ThreadPoolExecutor
import pytest

@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "in").write_text("abc")
    return folder

def test_as_a_module(solution, data):
    assert solution.convert(data / "in", data / "out") == 3

def test_what_the_module_has(solution_program, solution, data, monkeypatch):
    monkeypatch.chdir(data)
    assert solution.convert("out", "again") == 3
    assert solution_program.run([data / "out", "more"]).stderr == ""
    assert solution.convert("more", data / "most") == 3
    assert (data / "most").read_text() == "ABC"

def test_paths_in_arguments(solution_program, tmp_path):
    (tmp_path / "in").write_text("abc")
    end = solution_program.run([tmp_path / "in", tmp_path / "out"])
    assert (end.stdout, end.stderr) == ("3\\n", "")
    assert (tmp_path / "out").read_text() == "ABC"
    assert not tmp_path.is_symlink()

def test_paths_in_input(solution_program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "in").write_text("abc")
    end = solution_program.run(stdin=f"{folder}/in {folder}/out")
    assert (folder / "out").read_text() == "ABC", end

def test_working_folder(solution_program, tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    (tmp_path / "sub" / "in").write_text("abc")
    assert solution_program.run(["in", "out"]).stdout == "3\\n"
    assert os.getcwd() == str(tmp_path / "sub")
    assert solution_program.run(["out", "../again"]).stderr == ""
    assert (tmp_path / "again").read_text() == "ABC"

def test_working_folder_built_anew(solution_program, tmp_path, monkeypatch, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "in").write_text("abc")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert solution_program.run(["--rebuild", tmp_path / "sub", other / "in"]).stdout == "3\\n"
    assert os.listdir() == os.listdir(tmp_path / "sub") == ["built"]
    assert os.listdir(other) == ["in"] and not other.is_symlink()

def test_variable_names_a_folder(solution_program, tmp_path, monkeypatch):
    (tmp_path / "in").write_text("abc")
    monkeypatch.setenv("MODE", f"{tmp_path}/in {tmp_path}/out")
    assert solution_program.run().stdout == "3\\n"
    assert (tmp_path / "out").read_text() == "ABC"

def test_another_thread_finds_it_at_any_time(solution_program, tmp_path):
    (tmp_path / "in").write_text("abc")
    with ThreadPoolExecutor(1) as pool:
        runs = [
            pool.submit(solution_program.run, [tmp_path / "in", tmp_path / "out"])
            for _ in range(10)
        ]
        while not all(run.done() for run in runs):
            assert (tmp_path / "in").read_text() == "abc"
            (tmp_path / "next").write_text("abc")
            time.sleep(0.001)  # A candidate that sleeps has this loop run until its limit.
    assert [run.result().stdout for run in runs] == ["3\\n"] * 10

def test_what_it_says_names_no_folder(solution_program, tmp_path, tmp_path_factory):
    (tmp_path_factory.mktemp("private") / "in").write_text("abc")
    base = tmp_path_factory.getbasetemp()
    for guess in (f"{base}/private0/in", f"{tmp_path.parent}/private0/in"):
        end = solution_program.run(stdin=f"{guess} {tmp_path}/out")
        assert end.returncode == 1 and list(tmp_path.iterdir()) == []

def test_environment(solution_program, monkeypatch):
    assert solution_program.run(["--mode"]).stdout == "None\\n"
    monkeypatch.setenv("MODE", "x")
    assert solution_program.run(["--mode"]).stdout == "x\\n"

def test_several_at_once(solution_program, tmp_path):
    (tmp_path / "in").write_text("abc")
    with ThreadPoolExecutor(4) as pool:
        arguments = [[tmp_path / "in", tmp_path / f"{n}"] for n in range(8)]
        ends = pool.map(solution_program.run, arguments)
    assert [end.stdout for end in ends] == ["3\\n"] * 8
    assert [(tmp_path / f"{n}").read_text() for n in range(8)] == ["ABC"] * 8

def test_not_shared(solution_program, tmp_path, tmp_path_factory):
    private = tmp_path_factory.mktemp("private") / "secret"
    private.write_text("abc")
    end = solution_program.run([os.path.relpath(private, "/"), tmp_path / "out"])
    assert end.returncode == 1 and list(tmp_path.iterdir()) == []
"""
FILES = """
import os, shutil, sys

def convert(source, target):
    text = open(source).read()
    with open(target, "w") as file:
        file.write(text.upper())
    return len(text)

def main(*arguments):
    match arguments:
        case ["--mode"]:
            print(os.environ.get("MODE"))
        case ["--rebuild", folder, source]:
            shutil.rmtree(folder)
            os.mkdir(folder)
            print(convert(source, f"{folder}/built"))
        case _:
            text = os.environ.get("MODE") or sys.stdin.read()
            print(convert(*arguments or text.split()))

if __name__ == "__main__":
    main(*sys.argv[1:])
"""
FILE_HACKS = {
    "removes_the_folder": "import shutil, os, sys; shutil.rmtree(os.path.dirname(sys.argv[1]))",
    "is_a_file": "import shutil, os, sys; p = os.path.realpath(os.path.dirname(sys.argv[1]));"
    "shutil.rmtree(p); open(p, 'w').write('x')",
    "removes_its_working_folder": "import os, shutil; shutil.rmtree(os.getcwd())",
    "moves_its_working_folder": "import os; d = os.getcwd(); os.rename(d, d + 'x');"
    "open(d, 'w').write('x')",
    "links_out": "import os, sys; os.symlink('/etc/passwd', sys.argv[2])",
    "is_a_pipe": "import os, sys; os.mkfifo(sys.argv[2])",
    "writes_for_ever": dedent("""\
        import sys
        f = open(sys.argv[2], 'w')
        while True: f.write('A')
    """),
    "sleeps": dedent("""\
        import sys, time
        open(sys.argv[2], 'w').write('AB')
        time.sleep(99)
    """),
}


def test_programs_and_files(tmp_path):
    """Folders that a program is told of are its own while it runs, and the test's after that."""
    (tmp_path / "test_task.py").write_text(FILES_TESTS)
    (tmp_path / "good.py").write_text(FILES)
    for name, source in FILE_HACKS.items():
        (tmp_path / f"{name}.py").write_text(source)
    run = run_pytest(
        "test_task.py",
        *(f"--solution={name}.py" for name in ["good", *FILE_HACKS]),
        "--solution-timeout=0.5",
        cwd=tmp_path,
        report_file=tmp_path / "report.json",
    )
    outcomes = {os.path.basename(grade["solution"]): grade["outcome"] for grade in run.grades}
    assert outcomes == {"good.py": "passed", **{f"{name}.py": "failed" for name in FILE_HACKS}}
    assert not [grade for grade in run.grades if grade["failure_mode"] == "harness_error"]


def test_wrong_use():
    """What no process can be given is the author's error, before the candidate is asked."""

    def run(*_):
        raise AssertionError("the candidate was asked")

    program = SolutionProgram("x.py", run)
    for arguments, error in (
        ({"argv": "abc"}, TypeError),
        ({"argv": [3]}, TypeError),
        ({"argv": ["a\0b"]}, ValueError),
        ({"argv": ["x" * 2**21]}, ValueError),
        ({"stdin": 3}, TypeError),
        ({"stdin": None}, TypeError),
        ({"stdin": "\ud800"}, UnicodeEncodeError),
        ({"stdin": bytes(2**27 + 1)}, ValueError),
        ({"timeout": 0}, ValueError),
        ({"timeout": float("nan")}, ValueError),
    ):
        with pytest.raises(error):
            program.run(**arguments)


def case(**fields):
    return json.dumps({"stdin": "", "stdout": ""} | fields)


MALFORMED = {
    "{": "not JSON: Expecting property name",
    "[1]": "not a JSON object",
    "3": "not a JSON object",
    '{"stdin": ""}': "no 'stdout'",
    '{"stdout": ""}': "no 'stdin'",
    '{"stdin": "", "stdin": "", "stdout": ""}': "a key occurs twice",
    '{"stdin": NaN, "stdout": ""}': "NaN is not valid JSON",
    '{"stdin": "\\ud83d", "stdout": ""}': "half of a surrogate pair",
    "[" * 10**6: "nested too deeply",
    case(input="x"): "unknown key 'input'; remove it, or use stdin, stdout",
    case(stdin=3): "'stdin' is 3, not a string",
    case(stdout=["x"]): "'stdout' is ['x'], not a string",
    case(argv="x"): "'argv' is 'x', not a list of strings",
    case(argv=[1]): "'argv' is 1, not a string",
    case(argv=["\0"]): "null character",
    case(returncode=True): "'returncode' is True, not an exit status",
    case(returncode=256): "not an exit status from 0 to 255",
    case(returncode=1.0): "not an exit status",
    case(name=""): "not a name",
    case(name="a[b]"): "not a name",
    case(name="a\nb"): "not a name",
    case(name="first"): "line 1 also has the name 'first'",
    case(timeout=0): "'timeout' is 0, not a positive number",
    case(timeout="1"): "not a positive number",
    case(failure_mode=""): "'failure_mode' is '', not a name",
    case(tolerance=1): "'tolerance' is 1, not a number from 0 to 1",
}


def test_malformed_cases(tmp_path):
    """The message has the file, the line, and what to do."""
    path = tmp_path / "cases.jsonl"
    good = case(name="first")
    for line, message in MALFORMED.items():
        path.write_text(f"{good}\n\n{line}\n")
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            read_cases(path)
        assert str(caught.value).startswith(f"{path}:3: ")
    path.write_bytes(f'{good}\n{{"stdin": "'.encode() + b'\xff", "stdout": ""}\n')
    with pytest.raises(ValueError, match=":2: not UTF-8"):
        read_cases(path)
    for empty in ("", "\n \n"):
        path.write_text(empty)
        with pytest.raises(ValueError, match="the file has no case"):
            read_cases(path)


CASES = """
{"stdin": "3\\n", "stdout": "6", "name": "six"}

{"stdin": "", "stdout": "", "argv": ["--fail", "a b"], "returncode": 3}
{"stdin": "1\\n", "stdout": ".6667", "argv": ["--third"], "tolerance": 1e-3, "failure_mode": "3"}
{"stdin": "2\\n", "stdout": "4\\n", "timeout": 0.5}
"""
PROGRAM = dedent("""
    import sys
    if "--fail" in sys.argv: sys.exit(3 * (sys.argv[2] == "a b"))
    number = 2 * int(input())
    print(number / 3 if "--third" in sys.argv else number)
""")


def test_cases(tmp_path):
    """A task without a line of Python, in one process and with pytest-xdist."""
    task = tmp_path / "task"
    task.mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (task / "task.toml").write_text('reference = "reference.py"\n')
    (task / "prompt.md").write_text("Write a program that doubles a number.\n")
    (task / "cases.jsonl").write_text(CASES)
    candidates = {
        "good": PROGRAM,
        "wrong": PROGRAM.replace("2 *", "3 *"),
        "no_status": PROGRAM.replace("3 *", "0 *"),
        "imprecise": PROGRAM.replace("/ 3", "// 1 * 0.6"),
        "slow": PROGRAM.replace("print", "import time; time.sleep(60 * (number == 4)); print"),
        "crash": PROGRAM.replace("print", "import os; os.abort(); print"),
    }
    (tmp_path / "candidates").mkdir()
    for name, source in candidates.items():
        (tmp_path / "candidates" / f"{name}.py").write_text(source)
    (task / "reference.py").write_text(PROGRAM)
    modes = {
        "good": None,
        "wrong": "six",
        "no_status": "line-4",
        "imprecise": "3",
        "slow": "timeout",
        "crash": "crash",
    }
    report = tmp_path / "report.json"
    # Other people's file of this name, without a task.toml.
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "cases.jsonl").write_text("anything\n")
    run = run_pytest(".", "--solution=candidates", cwd=tmp_path, report_file=report)
    found = {os.path.basename(grade["solution"]).removesuffix(".py"): grade for grade in run.grades}
    assert {name: grade["failure_mode"] for name, grade in found.items()} == modes, run.output
    assert list(found["good"]["tests"]) == ["six", "line-4", "line-5", "line-6"]
    assert "the exit status is 0, not 3" in found["no_status"]["message"]
    assert "expected: '6'" in found["wrong"]["message"]
    assert "did not end within 0.5 s" in found["slow"]["message"]
    assert "killed by SIGABRT" in found["crash"]["message"]
    assert "cases.jsonl, line 4: the program '--fail' 'a b' with the input ''" in run.output


def test_malformed_cases_are_a_gap(tmp_path):
    """A file in which one line is wrong is refused whole: there is no pass without it."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "task.toml").write_text("")
    (tmp_path / "solution.py").write_text("x = 1\n")
    (tmp_path / "cases.jsonl").write_text(f"{case()}\nanything\n")
    (tmp_path / "test_task.py").write_text("def test_it(solution): assert solution.__name__\n")
    run = run_pytest(
        "--solution=solution.py",
        "--continue-on-collection-errors",
        cwd=tmp_path,
        report_file=tmp_path / "report.json",
    )
    assert "cases.jsonl:2: not JSON: Expecting value (column 1)" in run.output
    assert run.grade["outcome"] == "incomplete"
