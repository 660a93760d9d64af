"""A grade is evidence about one candidate: no test is dropped, no other candidate changes it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from textwrap import dedent

import pytest

from pytest_balanced_sampler import Grader
from tests.conftest import run_pytest

RIGHT = """\
def double(x):
    return 2 * x
"""
WRONG = """\
def double(x):
    return 4
"""
FAULTS = {
    "empty": "",
    "no_module": "import nowhere_to_be_found\n",
    "exits_at_import": dedent("""\
        import os
        os._exit(0)
    """),
    "exits": dedent("""\
        import os
        def double(x):
            os._exit(0)
    """),
    "loops": dedent("""\
        def double(x):
            while True: pass
    """),
    "leaves": dedent("""\
        def double(x):
            raise SystemExit
    """),
}


@pytest.fixture
def grade(tmp_path):
    """Grade sources, in their order, by a task; gives the run."""
    (tmp_path / "task").mkdir()
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            testpaths = task
        """)
    )

    def run(sources, tests, *arguments, preloaded=(), **files):
        (tmp_path / "task" / "test_task.py").write_text(textwrap.dedent(tests))
        for name, text in files.items():
            (tmp_path / "task" / f"{name}.py").write_text(textwrap.dedent(text))
        paths = []
        for number, source in enumerate(sources):
            paths.append(tmp_path / f"candidate_{number}.py")
            paths[-1].write_text(source)
        given = [f"--solution={path}" for path in paths]
        return run_pytest(
            *given,
            "--solution-timeout=0.5",
            *arguments,
            cwd=tmp_path,
            report_file=tmp_path / "report.json",
            preloaded=preloaded,
        )

    return run


def outcomes(run):
    return [grade["outcome"] for grade in run.grades]


def files_of(cases):
    """Test files, one for each case, that are graded in one session."""
    return {f"test_case_{number}": text for number, text in enumerate(cases.values())}


def outcomes_in(graded, file):
    """The outcomes of the tests of one file."""
    return {
        name: outcome
        for name, outcome in graded["tests"].items()
        if name.startswith(f"{file}.py::")
    }


REACHES = {
    "getfixturevalue": """
        def test_more(request):
            assert request.getfixturevalue("solution").double(3) == 6
    """,
    "autouse in a TestCase": """
        class MoreTest(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def module(self, solution):
                self.module = solution

            def test_more(self):
                self.assertEqual(self.module.double(3), 6)
    """,
    "getfixturevalue in a TestCase": """
        class MoreTest(unittest.TestCase):
            @pytest.fixture(autouse=True, scope="class")
            def module(self, request):
                request.cls.module = request.getfixturevalue("solution")

            def test_first(self):
                self.assertEqual(self.module.double(2), 4)

            def test_more(self):
                self.assertEqual(self.module.double(3), 6)
    """,
    "a result in a class": """
        class TestMore:
            @pytest.fixture(autouse=True, scope="class")
            def result(self, request):
                request.cls.result = request.getfixturevalue("solution").double(3)

            def test_first(self):
                pass

            def test_more(self):
                assert self.result == 6
    """,
    "a subtest": """
        class MoreTest(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def module(self, solution):
                self.module = solution

            def test_more(self):
                for number in (2, 3):
                    with self.subTest(number=number):
                        self.assertEqual(self.module.double(number), 2 * number)
    """,
    "a session fixture": """
        @pytest.fixture(scope="session")
        def results(solution):
            return [solution.double(x) for x in (2, 3)]

        def test_more(results):
            assert results == [4, 6]
    """,
    "setup_module": """
        @pytest.fixture(scope="module", autouse=True)
        def module(request):
            global MODULE
            MODULE = request.getfixturevalue("solution")

        def test_more():
            assert MODULE.double(3) == 6
    """,
}


def test_a_test_counts_however_it_reaches_the_candidate(grade):
    """What it asserts fails a wrong candidate, and is listed in the grade of a right one."""
    tests = dedent("""\
        import pytest, unittest
        def test_ok(solution):
            assert solution.double(2) == 4
    """)
    files = files_of({name: tests + textwrap.dedent(more) for name, more in REACHES.items()})
    run = grade([RIGHT, WRONG, RIGHT], tests, **files)
    assert outcomes(run) == ["passed", "failed", "passed"], run.output
    for file in files:
        for graded, wanted in zip(run.grades, ["passed", "failed", "passed"], strict=True):
            of_file = outcomes_in(graded, file)
            assert any(name.endswith("test_more") for name in of_file), file
            assert ("failed" if "failed" in of_file.values() else "passed") == wanted, file


STATE = {
    "a generator": """
        CASES = zip([1, 2, 3], [2, 4, 6])

        def test_all(solution):
            for x, twice in CASES:
                assert solution.double(x) == twice
    """,
    "a cache": """
        import functools

        KNOWN = {}

        def test_all(solution):
            for x in (1, 2, 3):
                if x not in KNOWN:
                    KNOWN[x] = solution.double(x)
                assert KNOWN[x] == 2 * x
    """,
    "a mutable default": """
        def check(solution, done=[]):
            if not done:
                assert solution.double(3) == 6
            done.append(True)

        def test_all(solution):
            check(solution)
    """,
    "a session fixture": """
        import pytest

        @pytest.fixture(scope="session")
        def cases():
            return iter([(1, 2), (3, 6)])

        def test_all(solution, cases):
            for x, twice in cases:
                assert solution.double(x) == twice
    """,
    "a helper's state": """
        import helper

        def test_all(solution):
            for x in helper.left():
                assert solution.double(x) == 2 * x
    """,
    "a conftest's state": """
        def test_all(solution, left):
            while left:
                x = left.pop()
                assert solution.double(x) == 2 * x
    """,
    "the environment": """
        import os

        def test_all(solution):
            if "CHECKED" not in os.environ:
                os.environ["CHECKED"] = "yes"
                assert solution.double(3) == 6
    """,
    "a patched library": """
        import json

        def test_all(solution):
            check = json.dumps
            json.dumps = lambda value: None
            if check(1) is not None:
                assert solution.double(3) == 6
    """,
    "the random state": """
        import random

        def test_all(solution):
            x = random.choice([1, 3])
            assert solution.double(x) == 2 * x
    """,
}
HELPER = """\
CASES = [1, 2, 3]
def left():
    while CASES:
        yield CASES.pop()
"""
CONFTEST = """\
import pytest
LEFT = [1, 2, 3]
@pytest.fixture(scope='session')
def left():
    return LEFT
"""


def test_no_state_outlives_a_candidate(grade):
    """Whatever a right candidate leaves in the tests, a wrong one after it fails."""
    files = files_of(STATE)
    run = grade([RIGHT, WRONG] * 2, "", helper=HELPER, conftest=CONFTEST, **files)
    assert outcomes(run) == ["passed", "failed"] * 2, run.output
    assert len({str(grade["tests"]) for grade in run.grades[1::2]}) == 1
    for file in files:
        assert set(outcomes_in(run.grades[1], file).values()) == {"failed"}, file


@pytest.mark.parametrize("more", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_state_with_a_grader_or_xdist(grade, tmp_path, more):
    """The same holds on processes that are used again."""
    keeps = """
        KEPT = []

        def test_keeps(solution):
            KEPT.append(solution.double)
            assert len(KEPT) == 1
    """
    tests = textwrap.dedent(STATE["a generator"]) + textwrap.dedent(keeps)
    if more:
        run = grade([RIGHT, WRONG] * 4, tests, *more)
        assert outcomes(run) == ["passed", "failed"] * 4, run.output
        return
    (tmp_path / "task" / "test_task.py").write_text(tests)
    with Grader(tmp_path / "task", solution_timeout=0.3) as grader:
        for _ in range(2):
            grades = grader.grade([RIGHT, WRONG, *FAULTS.values(), RIGHT])
            assert [grade.reward() for grade in grades] == [1, *[0] * 7, 1]


def test_a_fault_in_a_fixture_leaves_the_next_candidate_alone(grade):
    """A candidate that cannot answer an author's fixture fails, and only that candidate."""
    tests = """
        import pytest

        @pytest.fixture(scope="{scope}")
        def two(solution):
            yield solution.double(1)
            assert solution.double(1) == 2

        def test_first(solution, two):
            assert two == 2

        def test_second(solution, two):
            assert two == 2
    """
    scopes = ("function", "class", "module", "session")
    files = files_of({scope: tests.format(scope=scope) for scope in scopes})
    run = grade([*FAULTS.values(), RIGHT] * 2, "", "--solution-timeout=0.3", **files)
    wanted = ["no_solution", *["failed"] * (len(FAULTS) - 1), "passed"]
    assert outcomes(run) == wanted * 2, run.output
    for graded in run.grades:
        whole = "passed" if graded["outcome"] == "passed" else "failed"
        assert len(graded["tests"]) == 2 * len(files)
        assert whole in graded["tests"].values()
        # After a timeout not all tests are run.
        assert set(graded["tests"].values()) <= {whole, "not_run"}
    assert "INTERNALERROR" not in run.output


DROPPED = {
    "skipped as a whole": (
        dedent("""\
            import pytest
            pytest.skip('x', allow_module_level=True)
        """),
        [],
    ),
    "a broken file": ("1 / 0\n", ["--continue-on-collection-errors"]),
    "a class that pytest cannot collect": (
        dedent("""\
            class TestMore:
                def __init__(self):
                    pass
                def test_x(self): pass
        """),
        [],
    ),
}


@pytest.mark.parametrize(("more", "arguments"), DROPPED.values(), ids=DROPPED)
def test_what_pytest_does_not_collect_is_never_a_pass(grade, more, arguments):
    """A file or class that is left out, for whatever reason, is named in the grade."""
    tests = dedent("""\
        def test_ok(solution):
            assert solution.double(2) == 4
    """)
    run = grade(
        [
            RIGHT,
            dedent("""\
                def double(x):
                    return 5
            """),
        ],
        tests,
        *arguments,
        test_more=more,
    )
    assert outcomes(run) == ["incomplete", "failed"], run.output
    assert "More" in run.grades[0]["message"] or "test_more" in run.grades[0]["message"]


def test_only_what_failed_last_is_no_pass(grade):
    """With --lf files without failures are not even collected."""
    tests = dedent("""\
        def test_ok(solution):
            assert solution.double(2) == 4
    """)
    more = dedent("""\
        def test_more(solution):
            assert solution.double(3) == 6
    """)
    cached = ("-p", "cacheprovider", "--lf")
    grade([WRONG], tests, *cached, test_more=more)
    run = grade(
        [
            dedent("""\
                def double(x):
                    return 6
            """)
        ],
        tests,
        *cached,
        test_more=more,
    )
    assert run.grade["outcome"] != "passed", run.output


def test_a_test_of_the_task_that_fails_grades_nobody(grade):
    """A wrong candidate is still a failure; the others are nobody's evidence."""
    tests = """
        import pytest

        @pytest.fixture
        def data():
            raise OSError("disk")

        def test_ok(solution):
            assert solution.double(3) == 6

        def test_data(data):
            pass
    """
    run = grade([RIGHT, WRONG], tests)
    assert outcomes(run) == ["harness_error", "failed"]
    assert "OSError" in run.output


def test_what_an_earlier_test_left_behind_is_the_candidates(grade):
    """A candidate buys no harness error by failing where a test only looks at stored answers."""
    tests = """
        STORED = []

        def test_store(solution):
            STORED.append(solution.double(3))

        def test_look():
            assert STORED == [6]
    """
    run = grade([RIGHT, WRONG], tests)
    assert outcomes(run) == ["passed", "failed"], run.output


def test_shared_values_are_computed_once_and_protected(grade, tmp_path):
    """What is declared shared is computed once; no candidate's tests change it for the next."""
    log = tmp_path / "log"
    tests = f"""
        from pytest_balanced_sampler import shared

        @shared
        def cases():
            with open({str(log)!r}, "a") as file:
                file.write("computed\\n")
            return [1, 2, 3]

        def test_all(solution):
            while cases():
                x = cases().pop()
                assert solution.double(x) == 2 * x
    """
    run = grade([RIGHT, WRONG, RIGHT], tests)
    assert outcomes(run) == ["passed", "failed", "passed"], run.output
    assert log.read_text() == "computed\n"


BOOM = """\
def double(x):
    return 'boom'
"""
LEAVES = """\
import os
def double(x):
    os._exit(0)
"""
DIES = {
    "dies of a candidate's value": (
        BOOM,
        """
        import ctypes

        def test_all(solution):
            if solution.double(3) == "boom":
                ctypes.string_at(0)
        """,
    ),
    "exits because of a candidate's value": (
        BOOM,
        """
        import os

        def test_all(solution):
            if solution.double(3) == "boom":
                os._exit(0)
        """,
    ),
    "dies, and leaves a process that holds its descriptors": (
        BOOM,
        """
        import ctypes, os, time

        def test_all(solution):
            if os.fork() == 0:
                time.sleep(600)
            if solution.double(3) == "boom":
                ctypes.string_at(0)
        """,
    ),
    "is interrupted because of a candidate's value": (
        BOOM,
        """
        def test_all(solution):
            if solution.double(3) == "boom":
                raise KeyboardInterrupt
        """,
    ),
    "ends the session because of a candidate's value": (
        BOOM,
        """
        import pytest

        def test_all(solution):
            if solution.double(3) == "boom":
                pytest.exit("no more")
        """,
    ),
    "swallows a fault in the teardown of a fixture": (
        LEAVES,
        """
        import pytest

        @pytest.fixture
        def checked(solution):
            yield
            with pytest.raises(Exception):
                solution.double(3)
                raise ValueError

        def test_all(checked):
            pass
        """,
    ),
    "fails in a subtest, then is skipped": (
        WRONG,
        """
        import unittest, pytest

        class DoubleTest(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def module(self, solution):
                self.module = solution

            def test_all(self):
                with self.subTest():
                    self.assertEqual(self.module.double(3), 6)
                if self.module.double(3) != 6:
                    self.skipTest("no")
        """,
    ),
}


def test_no_way_out_of_the_count(grade):
    """A candidate fails, and it alone, whatever a test does because of it."""
    files = files_of({name: tests for name, (_, tests) in DIES.items()})
    bad = dict.fromkeys(source for source, _ in DIES.values())
    run = grade([RIGHT, *bad, RIGHT], "", **files)
    assert outcomes(run) == ["passed", *["failed"] * len(bad), "passed"], run.output
    assert "INTERNALERROR" not in run.output
    graded = dict(zip(bad, run.grades[1:], strict=False))
    for file, (source, _) in zip(files, DIES.values(), strict=True):
        assert set(outcomes_in(graded[source], file).values()) == {"failed"}, file


UNUSUAL = {
    "a property that JSON cannot hold": """
        def test_all(solution, record_property):
            assert solution.double(3) == 6
            record_property("key", {(1, 2): 10**5000})
    """,
    "a forked process that leaves the test": """
        import os

        def test_all(solution):
            if (pid := os.fork()) == 0:
                assert False
            os.waitpid(pid, 0)
            assert solution.double(3) == 6
    """,
    "hypothesis, which keeps what it found on the disk": """
        from hypothesis import given, settings, strategies

        @settings(max_examples=20)
        @given(strategies.integers(0, 100))
        def test_all(solution, x):
            assert solution.double(x) == 2 * x
    """,
    "a signal that is ignored": """
        import signal

        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

        def test_all(solution):
            assert solution.double(3) == 6
    """,
    "patched functions that the grader uses too": """
        import json, os

        def test_all(solution, monkeypatch):
            monkeypatch.setattr("builtins.open", None)
            monkeypatch.setattr(os, "getpid", lambda: 1)
            monkeypatch.setattr(json, "dumps", None)
            assert solution.double(3) == 6
    """,
    "no standard output at the end": """
        import sys

        def test_all(solution):
            assert solution.double(3) == 6
            sys.stdout = None
    """,
}


@pytest.mark.parametrize("tests", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_tests_grade_as_others_do(grade, tests, monkeypatch):
    """What a test does to its own process changes no grade."""
    if "hypothesis" in tests:
        monkeypatch.delenv("PYTEST_ADDOPTS")  # With its plugin.
    run = grade([RIGHT, WRONG, RIGHT], tests, "-s")
    assert outcomes(run) == ["passed", "failed", "passed"], run.output


def test_a_test_that_stops_the_clock(grade):
    """Stops no limit, though it patches what modules have imported too, as freezegun does."""
    tests = """
        import os, sys, time
        from unittest import mock

        def stopped(*_, **__):
            return 1.0

        def test_all(solution):
            assert solution.double(2) == 4
            real = [getattr(time, name) for name in ("monotonic", "clock_gettime", "sleep")]
            real += [os.listdir, os.read, os.scandir, os.getpid, os.waitstatus_to_exitcode]
            for module in list(sys.modules.values()):
                for name, value in list(vars(module).items()):
                    if any(value is one for one in real):
                        setattr(module, name, stopped)
            assert time.monotonic() == time.monotonic()
            assert solution.double(3) == 6
    """
    waits = dedent("""\
        import time
        def double(x):
            time.sleep(600 * (x == 3))
            return 2 * x
    """)
    run = grade([RIGHT, WRONG, waits, FAULTS["loops"]], tests, "--solution-timeout=0.3")
    assert outcomes(run) == ["passed", *["failed"] * 3], run.output
    assert [graded["failure_mode"] for graded in run.grades[2:]] == ["timeout"] * 2, run.output


LATE = """
import os, socket, stat, threading, time
def late():
    time.sleep(0.1)
    %s
def double(x):
    threading.Thread(target=late, daemon=True).start()
    return 2 * x
"""
WRITES = """for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                os.write(number, b"1234567890")
        except OSError:
            pass"""


def test_a_late_fault(grade):
    """A candidate whose process ends, or breaks the protocol, after its last answer is no pass."""
    tests = """
        import time

        def test_all(solution):
            assert solution.double(3) == 6

        def test_own():
            time.sleep(0.5)
    """
    run = grade([RIGHT, LATE % "os._exit(0)", LATE % WRITES, RIGHT], tests)
    assert outcomes(run) == ["passed", "failed", "failed", "passed"], run.output
    assert [graded["failure_mode"] for graded in run.grades[1:3]] == ["crash"] * 2


@pytest.mark.parametrize("arguments", [["-x"], []], ids=["stop at a failure", "second try"])
def test_fixtures_clean_up_when_a_process_ends_early(grade, tmp_path, arguments):
    """Session fixtures are torn down before a second try, and when the session stops."""
    log = tmp_path / "log"
    tests = f"""
        import pytest

        @pytest.fixture(scope="session", autouse=True)
        def server():
            with open({str(log)!r}, "a") as file:
                file.write("up ")
            yield
            with open({str(log)!r}, "a") as file:
                file.write("down ")

        def test_first(solution):
            assert solution.double(3) == 6

        def test_second(solution):
            assert solution.double(3) == 6
    """
    bad = WRONG if arguments else FAULTS["loops"]
    run = grade([bad], tests, *arguments)
    assert outcomes(run) == ["failed"], run.output
    ups, downs = log.read_text().split().count("up"), log.read_text().split().count("down")
    assert ups == downs >= 1


def test_the_examples_of_hypothesis_do_not_reach_the_next_candidate(grade, monkeypatch):
    """What hypothesis found with one candidate, by chance, is not tried on another."""
    monkeypatch.delenv("PYTEST_ADDOPTS")
    tests = """
        from hypothesis import given, strategies

        @given(strategies.integers(0, 10**9))
        def test_all(solution, x):
            assert solution.double(x) == 2 * x
    """
    often = dedent("""\
        def double(x):
            return 0 if x >= 123457 else 2 * x
    """)
    seldom = dedent("""\
        def double(x):
            return 0 if x == 123457 else 2 * x
    """)
    alone, among = grade([seldom], tests), grade([often, seldom], tests)
    assert outcomes(among) == ["failed", *outcomes(alone)], among.output


def test_a_host_uses_up_no_parametrisation(tmp_path):
    """Each batch of a grader gets all tests, though a generator can be run through once."""
    (tmp_path / "test_task.py").write_text(
        dedent("""\
            import pytest
            CASES = ((x, 2 * x) for x in (1, 2, 3))
            @pytest.mark.parametrize('case', CASES)
            def test_all(solution, case):
                assert solution.double(case[0]) == case[1]
        """)
    )
    with Grader(tmp_path) as grader:
        for _ in range(3):
            grades = grader.grade([RIGHT, WRONG])
            assert [grade.reward() for grade in grades] == [1, 0], grades


def test_names_that_are_no_utf8_with_xdist(grade, tmp_path):
    """A candidate's file may have any name."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/name\xff.py")
    with open(path, "w") as file:
        file.write(RIGHT)
    tests = dedent("""\
        def test_all(solution):
            assert solution.double(3) == 6
    """)
    run = grade([WRONG], tests, f"--solution={path}", "-n", "2")
    assert outcomes(run) == ["failed", "passed"], run.output


def test_the_authors_fault_is_found_in_import_mode(grade):
    """A test that fails without asking the candidate is run alone, without one."""
    tests = """
        import double_module, pytest

        @pytest.fixture
        def data(tmp_path):
            return (tmp_path / "missing").read_text()

        def test_data(data):
            pass

        def test_all():
            assert double_module.double(3) == 6
    """
    run = grade([RIGHT, WRONG], tests, "--solution-module=double_module")
    assert outcomes(run) == ["harness_error", "failed"], run.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_nothing_outlives_a_session_that_is_killed(tmp_path, number):
    """The process that runs tests ends with its parent, in whatever it is busy."""
    (tmp_path / "candidate.py").write_text(RIGHT)
    (tmp_path / "test_task.py").write_text(
        dedent("""\
            import os, time
            from pathlib import Path

            def test_all(solution):
                solution.double(3)
                Path('part').write_text(str(os.getpid()))
                os.rename('part', 'pid')
                time.sleep(600)
        """)
    )
    command = [sys.executable, "-m", "pytest", "--solution=candidate.py"]
    session = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL)
    while not (tmp_path / "pid").exists():
        assert session.poll() is None
        time.sleep(0.1)
    pid = int((tmp_path / "pid").read_text())
    session.send_signal(number)
    session.wait()
    for _ in range(600):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the process that ran tests is still there")


def test_torch_in_threads_before_the_fork(grade):
    """Tests that used torch when they were imported use it again in each process."""
    pytest.importorskip("torch")
    tests = """
        import torch

        def work():
            torch.sort(torch.exp(torch.ones(1000, 1000) @ torch.ones(1000, 1000)).flatten())

        work()

        def test_all(solution):
            work()
            assert solution.double(3) == 6
    """
    run = grade([RIGHT, WRONG], tests, preloaded=("numpy", "torch"))
    assert outcomes(run) == ["passed", "failed"], run.output
