"""Grading with `-n N`: the same grades as in one process, and no pass without evidence."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from textwrap import dedent

import pytest

from tests.conftest import ROOT, run_pytest

pytest.importorskip("xdist", reason="pytest-xdist is not installed")

CANDIDATES = {
    "good": dedent("""\
        def double(x):
            return 2 * x
    """),
    "bad": dedent("""\
        def double(x):
            return 3 * x
    """),
    "empty": "",
    "exits": dedent("""\
        import os
        def double(x):
            os._exit(0)
    """),
    "hangs": dedent("""\
        def double(x):
            while True: pass
    """),
    "surrogate": dedent("""\
        def double(x):
            raise ValueError('\\udcff\\x1b[31m')
    """),
    "text": dedent("""\
        def double(x):
            return '\\udcff\\x1b[31m'
    """),
    "no_module": "import nowhere_to_be_found\n",
}
TESTS = """\
import pytest
def test_double(solution):
    assert solution.double(2) == 4
def test_zero(solution):
    assert solution.double(0) == 0
def test_unless_text(solution):
    if isinstance(solution.double(1), str):
        pytest.skip(solution.double(1))
"""


@pytest.fixture
def grade(tmp_path):
    """Grade candidates by a torch-free task."""
    return graded_in(tmp_path)


def graded_in(tmp_path):
    (tmp_path / "candidates").mkdir()
    (tmp_path / "task").mkdir()
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            testpaths = task
        """)
    )

    def run(sources, tests, *arguments):
        for name, source in sources.items():
            (tmp_path / "candidates" / f"{name}.py").write_text(source)
        (tmp_path / "task" / "test_task.py").write_text(tests)
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        arguments = ["--solution=candidates", "--solution-timeout=0.5", *arguments]
        return run_pytest(*arguments, cwd=tmp_path, report_file=report)

    return run


MEASURED = {"duration", "details"}
# On a busy machine the clock ends what loops, after a second try, before it has used its CPU time.
OF_TIMEOUTS = MEASURED | {"tries", "message"}


def without_duration(grades):
    left_out = [OF_TIMEOUTS if grade["failure_mode"] == "timeout" else MEASURED for grade in grades]
    return [
        {key: value for key, value in grade.items() if key not in keys}
        for grade, keys in zip(grades, left_out, strict=True)
    ]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run of one process, and a way to grade in its folder, as paths are in the grades."""
    grade = graded_in(tmp_path_factory.mktemp("alone"))
    return grade(CANDIDATES, TESTS), grade


@pytest.mark.parametrize("style", ["auto", "native"])
def test_the_grades_are_those_of_one_process(alone, style):
    """Order, outcomes, messages, hashes and exit status do not depend on the number of processes,
    and no text of a candidate's, however it is shown, breaks the connection between them."""
    alone, grade = alone
    shared = grade(CANDIDATES, TESTS, f"--tb={style}", "-n", 2)
    assert without_duration(shared.grades) == without_duration(alone.grades), shared.output
    assert [grade["outcome"] for grade in shared.grades].count("passed") == 1
    assert shared.exit_status == alone.exit_status == 1
    assert "crashed" not in shared.output
    for key in ("grades_version", "grading_tests_sha256", "versions"):
        assert shared.report[key] == alone.report[key]


def test_the_task_that_is_shipped(tmp_path):
    """A real task, with a reference, callbacks and drawn cases, gives the same grades too."""
    solutions = [
        "reference_solutions",
        "broken_solutions/errors/none_for_a_missing_key.py",
        "broken_solutions/eviction/an_update_evicts.py",
        "broken_solutions/expiry/get_prolongs.py",
    ]
    given = [f"--solution=examples/ttl_cache/{path}" for path in solutions]
    arguments = ["examples/ttl_cache", *given]
    alone = run_pytest(*arguments, cwd=ROOT, report_file=tmp_path / "alone.json")
    shared = run_pytest(*arguments, "-n", 2, cwd=ROOT, report_file=tmp_path / "shared.json")
    assert without_duration(shared.grades) == without_duration(alone.grades), shared.output
    assert len(shared.grades) == 4
    modes = {grade["failure_mode"] for grade in shared.grades}
    assert {None, "errors", "eviction", "expiry"} == modes


def test_a_process_that_dies_costs_no_more_than_its_test(grade):
    """The test in which the grader died is a harness error, the rest is graded by others."""
    tests = dedent("""\
        import os
        def test_first(solution):
            assert solution.double(2) == 4
        def test_dies(solution, request):
            if 'b.py' in request.node.nodeid:
                os._exit(9)
        def test_last(solution):
            assert solution.double(2) == 4
    """)
    run = grade(dict.fromkeys("abcdef", CANDIDATES["good"]), tests, "-n", 2)
    outcomes = {grade["solution"]: grade["outcome"] for grade in run.grades}
    assert outcomes == {
        f"candidates/{name}.py": "harness_error" if name == "b" else "passed" for name in "abcdef"
    }, run.output
    assert run.grades[1]["tests"] == {
        "test_first": "passed",
        "test_dies": "harness_error",
        "test_last": "passed",
    }
    assert run.exit_status == 3


@pytest.mark.parametrize(("names", "processes"), [("bd", 1), ("abcdefgh", 2)])
def test_a_process_that_dies_between_tests_costs_no_more_than_the_next(
    grade, tmp_path, names, processes
):
    """What it reported last makes xdist send it more work, which may find nobody; a single test,
    left of its candidate, is the first that a new process gets."""
    (tmp_path / "conftest.py").write_text(
        dedent("""\
            import os
            def pytest_configure(config):
                if hasattr(config, 'workerinput'):
                    config.pluginmanager.register(Dies())
            class Dies:
                def pytest_runtest_logstart(self, nodeid):
                    if 'test_third[candidates/b.py' in nodeid:
                        os._exit(9)
        """)
    )
    tests = "\n".join(
        f"def test_{name}(solution):\n    assert solution.double(2) == 4\n"
        for name in ("first", "second", "third", "last")
    )
    run = grade(dict.fromkeys(names, CANDIDATES["good"]), tests, "-n", processes)
    outcomes = {grade["solution"]: grade["outcome"] for grade in run.grades}
    assert outcomes == {
        f"candidates/{name}.py": "harness_error" if name == "b" else "passed" for name in names
    }, run.output


def test_a_process_that_dies_once(grade, tmp_path):
    """Costs its candidate nothing: another process grades it from the start."""
    (tmp_path / "conftest.py").write_text(
        dedent("""\
            import os
            from pathlib import Path
            def pytest_configure(config):
                if hasattr(config, 'workerinput'):
                    config.pluginmanager.register(Dies())
            class Dies:
                def pytest_runtest_logstart(self, nodeid):
                    name = Path(nodeid.partition('[')[2].replace('/', '_'))
                    if 'test_last' in nodeid and not name.exists():
                        name.touch()
                        os._exit(9)
        """)
    )
    tests = dedent("""\
        def test_first(solution):
            assert solution.double(2) == 4
        def test_last(solution):
            assert solution.double(3) == 6
    """)
    run = grade({name: CANDIDATES[name] for name in ("good", "bad")}, tests, "-n", 2)
    assert [grade["outcome"] for grade in run.grades] == ["failed", "passed"], run.output
    assert run.exit_status == 1
    assert set(run.grades[0]["tests"].values()) == {"failed"}


def test_a_session_that_is_told_to_end_leaves_no_folder(tmp_path):
    """SIGTERM ends the controller, which has made one."""
    (tmp_path / "candidate.py").write_text(CANDIDATES["good"])
    (tmp_path / "test_task.py").write_text(
        dedent("""\
            import time
            from pathlib import Path
            def test_all(solution):
                Path('started').touch()
                time.sleep(600)
        """)
    )
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "pytest", "--solution=candidate.py", "-n", "1"]
    session = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.DEVNULL,
    )
    while not (tmp_path / "started").exists():
        assert session.poll() is None
        time.sleep(0.1)
    session.terminate()
    assert session.wait() == -signal.SIGTERM
    assert not list((tmp_path / "tmp").glob("pytest-solution-session-*"))


def test_a_second_try_is_alone_in_the_session(grade, tmp_path):
    """While a test is tried again no other process of the session runs one."""
    log = tmp_path / "log"
    tests = dedent(f"""\
        import json, time, pytest
        @pytest.fixture(autouse=True)
        def times(request):
            begin = time.monotonic()
            yield
            with open({str(log)!r}, 'a') as file:
                entry = [request.node.nodeid, begin, time.monotonic()]
                file.write(json.dumps(entry) + '\\n')
    """) + "".join(
        f"def test_{number}(solution):\n    assert solution.double(2) == 4\n" for number in range(3)
    )
    slow = dedent("""\
        import time
        def double(x):
            time.sleep(0.3)
            return 2 * x
    """)
    hangs = slow.replace("0.3", "600")
    sources = {f"slow_{n}": slow for n in range(4)} | {"hangs_1": hangs, "hangs_2": hangs}
    run = grade(sources, tests, "-n", 2)
    assert [grade["outcome"] for grade in run.grades] == ["failed"] * 2 + ["passed"] * 4
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    tried_again = [
        second
        for first, second in itertools.combinations(entries, 2)
        if first[0] == second[0] and "hangs" in first[0]
    ]
    assert len(tried_again) == 2
    for second in tried_again:
        for other in entries:
            assert other is second or other[2] <= second[1] or other[1] >= second[2]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--dist=each", "--dist=each would grade every candidate in every process"),
        ("--tx=ssh=nowhere", "--tx: candidates are graded only by processes on this machine"),
        ("-osolution_preload=nowhere_to_be_found", "No module named"),
        ("--solution=missing", "no such file or folder"),
        ("-kdouble", "no result for"),
    ],
)
def test_what_keeps_a_session_from_grading_is_said_once(grade, argument, message):
    """Usage errors end the session, by their own exit status; deselected tests do not pass."""
    processes = ["--dist=load"] if argument.startswith("--tx") else ["-n", 2]
    run = grade({"good": CANDIDATES["good"]}, TESTS, *processes, argument)
    assert message in run.output, run.output
    assert run.exit_status == (0 if argument.startswith("-k") else 4)
    assert "INTERNALERROR" not in run.output
