"""What a candidate prints, warns of, logs and reads, seen from a test."""

import re
from textwrap import dedent

import pytest

from tests.conftest import run_pytest

SOLUTION = r"""
import logging, os, sys, warnings
print("at import")
logger = logging.getLogger("shop.till")
class OwnWarning(DeprecationWarning): pass
def say(*words, **how): print(*words, **how)
def grumble(text): sys.stderr.write(text)
def write(descriptor, data): os.write(descriptor, data)
def warn(text): warnings.warn(text, OwnWarning)
def log(level, text): logger.log(level, text)
def fail():
    try: 1 / 0
    except ZeroDivisionError: logger.exception("cannot divide")
def ask(): return input("name? ")
def rest(): return sys.stdin.read()
def exit(): print("last words"); os._exit(3)
def flood():
    for n in range(3000):
        print("x" * 1000)
        warnings.warn(f"warning {n}")
        logger.error("error %d", n)
def forge(lines):
    for line in lines: os.write(4, line + b"\n")
"""

TESTS = r"""
import contextlib, io, logging, sys, warnings
import pytest

def test_import(solution, capsys):
    print("before")
    solution.say
    assert capsys.readouterr().out == "before\nat import\n"

def test_order(solution, capsys):
    print("one"); solution.say("two"); print("three"); solution.say("four", end="")
    solution.grumble("oh"); print("no", file=sys.stderr); solution.write(2, b"!")
    out, err = capsys.readouterr()
    assert out == "one\ntwo\nthree\nfour"
    assert err == "ohno\n!"
    solution.say("\x1b[31mred")
    assert capsys.readouterr().out == "\x1b[31mred\n"

def test_descriptors(solution, capfd):
    solution.say("printed"); solution.write(1, b"written\n")
    assert capfd.readouterr().out == "printed\nwritten\n"

def test_redirected(solution):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        solution.say("here")
    assert text.getvalue() == "here\n"
    with contextlib.redirect_stdout(None):
        solution.say("nowhere")

def test_warnings(solution, recwarn):
    with pytest.warns(DeprecationWarning, match="old"):
        solution.warn("old")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solution.warn("a"); solution.warn("a")
    assert [(w.category, str(w.message)) for w in caught] == [(DeprecationWarning, "a")] * 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solution.warn("no error")

def test_logs(solution, caplog):
    solution.log(logging.INFO, "unseen"); solution.log(logging.WARNING, "seen")
    assert caplog.record_tuples == [("shop.till", logging.WARNING, "seen")]
    with caplog.at_level(logging.DEBUG, "shop"):
        solution.log(logging.DEBUG, "now")
    assert caplog.messages == ["seen", "now"]
    solution.fail()
    assert "ZeroDivisionError" in caplog.text

def test_input(solution, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("Ada\nGrace\nrest"))
    assert (solution.ask(), solution.ask()) == ("Ada", "Grace")
    assert capsys.readouterr().out == "name? name? "
    assert solution.rest() == "rest"
    monkeypatch.setattr("sys.stdin", io.StringIO("again"))
    assert solution.ask() == "again"

def test_input_is_over(solution):
    with pytest.raises(EOFError):
        solution.ask()

def test_flood(solution, capsys, caplog, recwarn):
    solution.flood()
    out = capsys.readouterr().out
    assert len(out) < 3_000_000 and "cut" in out
    assert len(caplog.records) + len(recwarn) <= 1000

def test_forged(solution, caplog, recwarn):
    solution.forge([
        b"", b"[", b"[" * 10_000, b"9" * 9999, b'["warning", "BaseException", "o", "m", 1]',
        b'["warning", "print", "solution.say", "m", -1]',
        b'["log", "a\\u001b", 30, "\\u001b[2J", 1, ""]',
        b'["log", "", 1e99, "m", 1, ""]', b'["log", "root", 30, "%s %d", 1, ""]', b"\xff",
        b'["other"]', b'["log", {}, [], "m", 1, ""]',
    ])
    assert [w.category for w in recwarn] == [UserWarning] * 2
    assert [record.getMessage() for record in caplog.records] == ["\\x1b[2J", "%s %d"]

def test_sections(solution):
    print("the test's")
    solution.say("=== 7 passed ===\x1b[2J")
    solution.exit()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All of them on one candidate."""
    folder = tmp_path_factory.mktemp("output")
    (folder / "test_task.py").write_text(TESTS)
    (folder / "solution.py").write_text(SOLUTION)
    return run_pytest("--solution=solution.py", cwd=folder, report_file=folder / "report.json")


def test_a_test_sees_what_a_candidate_prints(run):
    """In its place among what the test prints; and so with warnings, records and input."""
    tests = run.grade["tests"]
    assert tests.pop("test_sections") == "failed"
    assert set(tests.values()) == {"passed"}, run.output


def test_a_report_shows_it_escaped(run):
    """No line looks like one of pytest's, nothing drives the terminal, and no warning is listed."""
    assert "| the test's" in run.output
    assert r"| === 7 passed ===\x1b[2J" in run.output
    assert "| last words" in run.output
    assert "\x1b" not in run.output
    assert "warnings summary" not in run.output


def test_without_capture_it_is_escaped(grade_source):
    """Where the test's own output goes to the terminal, so does the candidate's."""
    run = grade_source(
        "def f(): print('\\x1b[2J here')\n", "def test_f(solution): solution.f()\n", "-s"
    )
    assert r"\x1b[2J here" in run.output
    assert "\x1b" not in run.output


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """What a session says of some of five candidates: a broken, a bad and three good ones."""
    folder = tmp_path_factory.mktemp("said_once")
    (folder / "test_task.py").write_text(
        dedent("""\
            def test_double(solution):
                assert solution.double(2) == 4
            def test_zero(solution):
                assert solution.double(0) == 0
            def test_one(solution):
                assert solution.double(1) == 2
        """)
    )
    sources = {"broken": "def double(x) return", "bad": "def double(x): return 3 * x"}
    sources |= {f"good_{number}": "def double(x): return 2 * x" for number in range(3)}
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)

    def run(*arguments):
        return run_pytest("test_task.py", *arguments, cwd=folder, report_file=folder / "r").output

    return run


def test_a_load_error_is_said_once(output):
    """The tests that follow refer to the first."""
    broken = output("--solution=broken.py")
    assert broken.count("the candidate's traceback") == 1
    assert broken.count("LoadError, as in the test before") == 2 * 2  # Also in the summary.
    # Once below the test, with pytest's own line, once in the traceback, once in the grade.
    assert broken.count("SyntaxError: ") == 3


def test_candidates_after_a_stop_have_one_line(output):
    """With -x they are counted, not listed."""
    stopped = output("--solution=bad.py", "--solution=good_*.py", "-x")
    assert "good_" not in stopped
    assert "3 candidates: incomplete  no result for test_double (not_run), test_zero" in stopped


def test_candidates_with_deselected_tests_have_one_line(output):
    """With -k they are counted, not listed."""
    chosen = output("--solution=good_*.py", "-k", "zero or one")
    assert "good_" not in chosen
    assert "3 candidates: incomplete  no result for test_double (deselected)" in chosen


@pytest.mark.parametrize(
    ("expression", "tests"),
    [
        ("double", ["test_double"]),
        ("not double", ["test_zero", "test_one"]),
        ("task or one", ["test_one"]),
    ],
)
def test_k_matches_no_name_of_a_file_or_folder(output, expression, tests):
    """The tests are in test_task.py."""
    chosen = output("--solution=good_1.py", "-v", "-k", expression)
    assert re.findall(r"::(\w+)\[good_1.py\] PASSED", chosen) == tests


def test_an_only_candidate_is_named(output):
    """Where there is one incomplete candidate only, its line stays."""
    assert "1/3  good_1.py: incomplete" in output("--solution=good_1.py", "-k", "zero")
