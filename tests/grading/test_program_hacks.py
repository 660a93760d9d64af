"""Hacks against the candidate as a program: none of them passes, and none is a harness error."""

import os
from textwrap import dedent

import pytest

from tests.conftest import run_pytest

TASK = """
from pytest_balanced_sampler import assert_output

SECRET = "the expected sum is 4" + "2"

def test_sum(solution_program):
    result = solution_program.run(stdin="17\\n25\\n")
    assert result.returncode == 0, result
    assert_output(result.stdout, f"{SECRET[-2:]}\\n")

def test_mean(solution_program):
    result = solution_program.run(["--mean"], "1\\n2\\n4\\n")
    assert_output(result.stdout, "2.333333333", tolerance=1e-6)

def test_what_is_no_number(solution_program):
    result = solution_program.run(stdin="1\\nx\\n")
    assert (result.returncode, result.stdout) == (3, ""), result
    assert result.stderr == "not a number: 'x'\\n"

def test_much(solution_program):
    assert solution_program.run(stdin=b"1\\n" * 100_000).stdout == b"100000\\n"
"""
CASES = """
{"stdin": "1\\n2\\n", "stdout": "3\\n", "name": "three"}
{"stdin": "", "stdout": "0\\n", "name": "none"}
{"stdin": "y\\n", "stdout": "", "returncode": 3, "name": "no-number"}
"""
REFERENCE = """
import sys
numbers = []
for line in sys.stdin.read().split():
    try:
        numbers.append(int(line))
    except ValueError:
        sys.stderr.write(f"not a number: {line!r}\\n")
        sys.exit(3)
print(sum(numbers) / len(numbers) if "--mean" in sys.argv else sum(numbers))
"""

HACKS = {
    # Output that comes late, or never.
    "writes_from_a_thread_after_the_end": """
import os, threading, time
def late():
    threading.main_thread().join()
    time.sleep(0.2)
    os.write(1, b"42\\n")
threading.Thread(target=late, daemon=True).start()
""",
    "writes_from_a_child_after_the_end": """
import os, time
if os.fork() == 0:
    time.sleep(0.2)
    os.write(1, b"42\\n")
os._exit(0)
""",
    "writes_from_a_program_that_it_starts": """
import subprocess
subprocess.Popen("sleep 0.2; echo 42", shell=True)
""",
    "exits_before_it_flushes": f"""{REFERENCE}
import os
os._exit(0)
""",
    "exits_in_a_thread": f"""
import os, threading
threading.Thread(target=os._exit, args=(0,)).start()
{REFERENCE}
import time
time.sleep(9)
""",
    "forges_its_exit_status": f"""
import atexit, os, sys
sys.exit = lambda code: os._exit(0)
atexit.register(lambda: (sys.stdout.flush(), os._exit(0)))
{REFERENCE}
""",
    "dies_after_its_answer": f"""{REFERENCE}
import os, signal
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGSEGV)
""",
    # What is beside a program: its socket, its parent, what it inherited.
    "writes_to_every_descriptor": """
import os
for descriptor in range(3, 300):
    for text in (b"\\0\\0\\0\\1\\x90", b"\\0\\0\\0\\2\\xd4\\0", b"42\\n"):
        try: os.write(descriptor, text)
        except OSError: pass
""",
    "writes_to_its_input": """
import os
try: os.write(0, b"42\\n")
except OSError: pass
""",
    "reads_what_is_expected": """
import gc, glob, os, re
texts = [repr(item) for item in gc.get_objects() if type(item) in (dict, list, tuple)]
for path in (f"/proc/{os.getppid()}/environ", f"/proc/{os.getppid()}/cmdline",
             f"/proc/{os.getppid()}/mem", "/proc/self/environ", *glob.glob("/tmp/**/*.py"),
             *glob.glob("../**/*", recursive=True), *glob.glob("/proc/self/fd/*")):
    try: texts.append(open(path, errors="replace").read(10**6))
    except OSError: pass
found = re.search("the expected sum is (4.)", " ".join(texts))
print(found[1] if found else "nothing")
""",
    "takes_the_harness_from_its_memory": """
import gc, os, sys
for module in list(sys.modules.values()):
    for name in ("send_frame", "_reply", "serve_program", "_finish"):
        if hasattr(module, name):
            setattr(module, name, lambda *a, **k: os.write(1, b"42\\n"))
for item in gc.get_objects():
    if type(item).__name__ in ("socket", "Forker", "WarmConnection"):
        try: item.send(b"42\\n")
        except Exception: pass
""",
    "signals_its_parent": """
import os, signal
for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
    try: os.kill(os.getppid(), number)
    except OSError: pass
""",
    "closes_its_descriptors": """
import os
os.closerange(0, 300)
os.open("42", os.O_CREAT | os.O_WRONLY)
os.open("42", os.O_WRONLY)
os.write(1, b"42\\n")
""",
    "leaves_the_answer_for_the_next_run": """
import glob, os, sys, tempfile
for folder in (os.getcwd(), tempfile.gettempdir(), os.environ["HOME"], "/tmp", ".."):
    for path in glob.glob(f"{folder}/kept*"): print(open(path).read())
    try: open(f"{folder}/kept", "w").write("42")
    except OSError: pass
""",
    # Much, or for ever.
    "floods_its_output": "while True: print('42' * 1000)",
    "floods_its_errors": dedent("""\
        import sys
        while True: sys.stderr.write('not a number' * 1000)
    """),
    "floods_with_blank_lines": "print('\\n' * 10**7)",
    "never_reads_its_input": dedent("""\
        import time
        print(42, flush=True)
        time.sleep(60)
    """),
    "stops_itself": dedent("""\
        import signal
        print(42, flush=True)
        signal.raise_signal(signal.SIGSTOP)
    """),
    "takes_the_memory": dedent("""\
        x = 'x' * 2**32
        print(42)
    """),
    "takes_the_disk": """
for n in range(99):
    with open(f"{n}", "wb") as file: file.write(b"x" * 15 * 2**20)
""",
    "has_threads_without_end": """
import threading, time
while True: threading.Thread(target=time.sleep, args=(60,)).start()
""",
    "recurses_in_c": dedent("""\
        import json
        print(json.loads('[' * 10**7))
    """),
    # A harness error would be no failure.
    "kills_itself": dedent("""\
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    """),
    "kills_itself_at_first": """
import os, signal
if "--mean" not in __import__("sys").argv: os.kill(os.getpid(), signal.SIGKILL)
print("2.333333333")
""",
    "says_that_it_could_not_be_set_up": """
import os, sys
sys.stderr.write("the worker could not be set up: OSError()")
sys.stderr.flush()
os._exit(70)
""",
    # What is compared, and shown.
    "exits_with_an_odd_object": """
class Equal(int):
    def __eq__(self, other): return True
    def __str__(self): return "42"
    def __index__(self): return 0
import sys
sys.exit(Equal(42))
""",
    "replaces_its_output": """
import sys
class Text(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
class Output:
    def write(self, text): return 3
    def flush(self): sys.__stdout__.write(Text("43\\n"))
sys.stdout = Output()
""",
    "prints_what_equals_no_number": "print('nan')",
    "prints_what_equals_every_number": "print('1e999 -1e999 inf 42_0 \u0664\u0662')",
    "prints_the_right_words_elsewhere": dedent("""\
        import sys
        sys.stderr.write('42\\n')
    """),
    "prints_every_answer": "print(*range(1000), sep='\\n')",
    "prints_half_a_character": dedent("""\
        import os
        os.write(1, b'\\xed\\xa0\\x80\\xff\\0\\n')
    """),
    "prints_as_a_terminal": "print('\\x1b[2J\\x1b[1;1H== 7 passed ==\\u202e\\nassert 42')",
    "raises_the_test_s_exceptions": """
class Skipped(BaseException): pass
Skipped.__module__ = "_pytest.outcomes"
raise Skipped("not today")
""",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program_hacks")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "task.toml").write_text("")
    (folder / "test_task.py").write_text(TASK)
    (folder / "cases.jsonl").write_text(CASES)
    for name, source in {"reference": REFERENCE, **HACKS}.items():
        (folder / f"{name}.py").write_text(source)
    names = ["reference", *HACKS, "reference"]
    return run_pytest(
        ".",
        *(f"--solution={name}.py" for name in names),
        "--solution-timeout=0.5",
        "--solution-maxfail=2",
        cwd=folder,
        report_file=folder / "report.json",
    )


@pytest.mark.parametrize("name", HACKS)
def test_hack_does_not_pass(run, name):
    """It counts as failed, under a failure mode of its own."""
    grades = {os.path.basename(grade["solution"]): grade for grade in run.grades}
    grade = grades[f"{name}.py"]
    assert grade["outcome"] == "failed", grade
    assert grade["failure_mode"] != "harness_error", grade


def test_the_reference_passes(run):
    """Before the hacks and after them, and nothing of theirs reaches the terminal raw."""
    for grade in (run.grades[0], run.grades[-1]):
        assert (grade["outcome"], len(grade["tests"])) == ("passed", 7), grade
    assert "\x1b[2J" not in run.output
    assert "\u202e" not in run.output


def test_failure_modes(run):
    """What kept a program from its answer is told apart from a wrong answer.

    Whether a flood meets the limit on time or the one on size depends on the machine.
    """
    modes = {os.path.basename(grade["solution"]): grade["failure_mode"] for grade in run.grades}
    assert modes["dies_after_its_answer.py"] == "crash"
    assert modes["never_reads_its_input.py"] == modes["stops_itself.py"] == "timeout"
    for name in ("floods_its_output.py", "floods_its_errors.py", "takes_the_disk.py"):
        assert modes[name] in ("crash", "timeout")
