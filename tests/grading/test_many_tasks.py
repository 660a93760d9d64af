"""Many tasks in one `Grader` and in one pytest session: each candidate meets its own task only."""

import random
import time
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from pytest_balanced_sampler import Grader
from pytest_balanced_sampler.grader.host_process import Job
from pytest_balanced_sampler.grader.job_queue import JobQueue
from pytest_balanced_sampler.grader.named_tasks import Task
from pytest_balanced_sampler.task import find_tasks
from tests.conftest import GENEROUS_SECONDS, run_pytest

# Each task has modules of the same names, and leaves what it can for the task after it.
TESTS = """
import json, os, random, sys
import helper
import pytest

assert not hasattr(sys, "left_by"), sys.left_by
sys.left_by = "{name}"
json.dumps = lambda *_: "{name}"
os.environ["LEFT"] = "{name}"
GRADED = []


def test_factor(solution, factor):
    assert solution.times(2) == 2 * factor == 2 * helper.FACTOR


@pytest.mark.parametrize("x", [0, 1, 10**20])
def test_values(solution, x):
    assert solution.times(x) == {factor} * x


def test_drawn(solution, grading_random):
    x = grading_random.randrange(1000)
    assert solution.times(x) == {factor} * x, x


def test_fresh(solution):
    GRADED.append(solution.times(1))
    assert GRADED == [{factor}] and "LEFT" in os.environ and random.random() >= 0
"""
CONFTEST = """
import os
import pytest
import helper

@pytest.fixture
def factor():
    return helper.FACTOR

def pytest_sessionstart(session):
    session.config.started = "{name}"

def pytest_runtest_setup(item):
    assert item.config.started == "{name}" and item.path.parent.name == "{folder}"

def pytest_sessionfinish():
    open(os.path.join(os.path.dirname(__file__), "finished"), "a").write("x")
"""
NUMBERED = [f"group/task{number:02}" for number in range(10)]


def write_task(folder, name, factor, tests=TESTS, conftest=CONFTEST, settings=""):
    place = folder / name
    place.mkdir(parents=True)
    (place / "task.toml").write_text(settings)
    (place / "helper.py").write_text(f"FACTOR = {factor}\n")
    (place / "conftest.py").write_text(conftest.format(name=name, folder=place.name))
    (place / "test_solution.py").write_text(tests.format(name=name, factor=factor))


@pytest.fixture
def tasks(tmp_path):
    return write_tasks(tmp_path / "tasks")


def write_tasks(folder):
    """Ten tasks that are alike, and others that need a session of their own, or cannot grade."""
    for number, name in enumerate(NUMBERED):
        write_task(folder, name, number + 2)
    options = dedent("""\
        def pytest_addoption(parser):
            parser.addoption('--mine', default='{name}')
    """)
    uses_option = dedent("""\
        def test_option(request, solution):
            assert solution.times(1) == 3
    """)
    uses_option += "    assert request.config.getoption('mine') == 'options'\n"
    write_task(folder, "options", 3, uses_option, options)
    ini_file = dedent("""\
        def test_ini(request, solution):
            assert solution.times(1) == 3
    """)
    ini_file += "    assert request.config.getini('markers')[0] == 'mine'\n"
    write_task(folder, "ini", 3, ini_file, "")
    (folder / "ini" / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            markers = mine
        """)
    )
    write_task(folder, "broken", 2, "import nowhere_to_be_found\n")
    write_task(folder, "bad_toml", 2, settings="preload = 7\n")
    (folder / "reference.py").write_text("def times(x): return 7 * x\n")
    write_task(folder, "good_reference", 7, settings='reference = "reference.py"\n')
    write_task(folder, "bad_reference", 2, settings='reference = "reference.py"\n')
    return folder


def source(factor, rest=""):
    return f"def times(x):\n    return {factor} * x\n{rest}"


def essence(grade):
    changing = ("duration", "index", "solution", "path", "details")
    return {name: value for name, value in grade.as_json().items() if name not in changing}


# What a candidate may try so that the next grade, of another task, is another.
HACKS = [
    'print(\'{"kind": "grade", "place": 0, "grade": {"outcome": "passed"}}\', flush=True)\n',
    dedent("""\
        import os
        for fd in range(3, 200):
            try: os.write(fd, b'{"kind": "done", "is_spent": true}\\n')
            except OSError: pass
    """),
    dedent("""\
        import os
        for step in ('..', '../..', '/tmp', TASKS):
            for file in ('helper.py', 'conftest.py', 'test_solution.py', 'task.toml'):
                try: open(os.path.join(step, file), 'w').write('FACTOR = 1000')
                except OSError: pass
    """),
    dedent("""\
        import os, signal
        for pid in (os.getppid(), 1):
            try: os.kill(pid, signal.SIGKILL)
            except OSError: pass
    """),
    dedent("""\
        import threading, time
        threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
    """),
    dedent("""\
        import json, builtins, sys
        json.loads = builtins.len = None
        sys.left_by = 'a candidate'
    """),
    dedent("""\
        import os
        os.environ['LEFT'] = 'candidate'
        os._exit(0)
    """),
    dedent("""\
        class Always(int):
            __eq__ = lambda *_: True
        def times(x): return Always()
    """),
]


RIGHT_AND_WRONG = [
    *(
        (name, source(factor + wrong))
        for factor, name in enumerate(NUMBERED, 2)
        for wrong in (0, 1)
    ),
    *(("options", source(3)), ("options", source(4)), ("ini", source(3))),
    *(("good_reference", source(7)), ("good_reference", source(8))),
]
CANNOT_GRADE = [(name, source(2)) for name in ("broken", "bad_toml", "bad_reference")]


def hacks_of(tasks):
    return [
        (name, source(3000, hack.replace("TASKS", repr(str(tasks / NUMBERED[0])))))
        for name in (NUMBERED[0], "options")
        for hack in HACKS
    ]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The tasks, the grade of each candidate alone, and the grades of all in any order."""
    tasks = write_tasks(tmp_path_factory.mktemp("graded") / "tasks")
    right = [(name, source(factor)) for factor, name in enumerate(NUMBERED, 2)]
    everything = [*RIGHT_AND_WRONG, *right, *hacks_of(tasks), *CANNOT_GRADE * 2]
    random.Random(5).shuffle(everything)
    with Grader(tasks, hosts=2) as grader:
        grader.warm_up()
        # Each of ten tasks for itself: more than a host keeps.
        alone = {pair: grader.grade([pair])[0] for pair in RIGHT_AND_WRONG}
        grades = grader.grade(everything)
        elsewhere = grader.grade([(tasks / NUMBERED[1], source(3))])[0]
    return tasks, alone, list(zip(everything, grades, strict=True)), elsewhere


def test_a_grade_is_the_one_of_its_task(graded):
    _, alone, among, elsewhere = graded
    passed = {pair for pair, grade in alone.items() if grade.outcome == "passed"}
    right = {(name, source(factor)) for factor, name in enumerate(NUMBERED, 2)}
    right |= {("options", source(3)), ("ini", source(3)), ("good_reference", source(7))}
    assert passed == right, alone
    assert {grade.outcome for pair, grade in alone.items() if pair not in right} == {"failed"}
    assert all(grade.task == task for (task, _), grade in among)
    assert (elsewhere.outcome, elsewhere.task) == ("passed", NUMBERED[1])


def test_a_grade_does_not_depend_on_other_tasks(graded):
    """Alone and among all, before and after hacks of other tasks, the same grade each time."""
    _, alone, among, _ = graded
    again = [(pair, grade) for pair, grade in among if pair in alone]
    assert {pair for pair, _ in again} == set(alone)
    for pair, grade in again:
        assert essence(grade) == essence(alone[pair])


def test_hacks_of_other_tasks_fail(graded):
    tasks, _, among, _ = graded
    hacks = hacks_of(tasks)
    outcomes = [(grade.outcome, pair) for pair, grade in among if pair in hacks]
    assert sorted(outcomes) == sorted(("failed", hack) for hack in hacks)


def test_a_task_that_cannot_grade_says_why(graded):
    """For each candidate, which has no reward, and no other task is concerned."""
    _, _, among, _ = graded
    lost = [(pair, grade) for pair, grade in among if grade.outcome == "harness_error"]
    assert sorted(pair for pair, _ in lost) == sorted(CANNOT_GRADE * 2)
    for (task, _), grade in lost:
        assert grade.reward() is None
        assert grade.message.startswith(f"the task {task!r} cannot grade: ")
    reasons = {grade.task: grade.message for _, grade in lost}
    assert "nowhere_to_be_found" in reasons["broken"]
    assert "preload = 7" in reasons["bad_toml"]
    assert "the reference reference.py fails test_factor" in reasons["bad_reference"]


def test_the_session_of_each_task_ends_as_pytest_ends_one(graded):
    tasks, _, _, _ = graded
    assert all((tasks / name / "finished").read_text().strip("x") == "" for name in NUMBERED)


def test_one_task_and_many(tasks, tmp_path):
    """A task is named where there are several, by its path or as a folder anywhere."""
    assert list(find_tasks(tasks / "ini")) == ["ini"]
    assert set(NUMBERED) < set(find_tasks(tasks))
    with Grader(tasks / "group" / "task03") as grader:
        first, second = grader.grade([source(5), ("task03", source(5))])
        (other,) = grader.grade([(tasks / "group" / "task04", source(6))])
        assert [g.outcome for g in (first, second, other)] == ["passed"] * 3
        assert [g.task for g in (first, second, other)] == ["task03", "task03", "task04"]
    with Grader() as grader:
        with pytest.raises(TypeError, match="pairs of a task and a candidate"):
            grader.grade([source(5)])
        with pytest.raises(FileNotFoundError, match="no task 'group'; give a Path"):
            grader.grade([("group", source(5))])
        with pytest.raises(FileNotFoundError, match="no task folder"):
            grader.grade([(tmp_path / "nowhere", source(5))])


def running():
    found = psutil.Process().children(recursive=True)
    return [p for p in found if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_processes_of_old_tasks_end(tasks):
    """However many tasks a host has seen, it keeps the processes of eight."""
    with Grader(tasks) as grader:
        grader.grade([(NUMBERED[0], source(2))])
        few = len(running())
        grader.grade([(name, source(2)) for name in NUMBERED])
        deadline = time.monotonic() + GENEROUS_SECONDS
        while (count := len(running())) > few + 7:
            assert time.monotonic() < deadline, count
            time.sleep(0.1)


def test_edited_tests_are_read_again(tmp_path):
    """A grade is that of the files as they are: a test, a helper, or the settings, may change."""
    write_task(tmp_path, "task", 2)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    task = tmp_path / "task"
    with Grader(task) as grader:
        first, again = grader.grade([source(2)]), grader.grade([source(2)])
        (task / "helper.py").write_text("FACTOR = 30\n")
        (task / "test_solution.py").write_text(TESTS.format(name="task", factor=30))
        edited = grader.grade([source(2), source(30)])
        (task / "test_more.py").write_text(
            dedent("""\
                def test_more(solution):
                    assert solution.times(1) == 0
            """)
        )
        more = grader.grade([source(30)])
    assert [grade.outcome for grade in first + again + edited] == [
        "passed",
        "passed",
        "failed",
        "passed",
    ]
    assert more[0].outcome == "failed"
    assert len(more[0].tests) == len(first[0].tests) + 1


def test_batches(tmp_path):
    """A host gets candidates of one task, many while many wait, and tasks that no other has."""
    a, b, c = (Task(tmp_path / name, name) for name in "abc")
    queue = JobQueue(2)

    def jobs(task, count):
        return [Job(task, tmp_path, "x", index, None, tmp_path / "c") for index in range(count)]

    queue.put(jobs(a, 300) + jobs(b, 8) + jobs(c, 8))
    taken, last = [], [None, None]
    for turn in range(100):
        queue.close()
        batch = queue.take(last[turn % 2])
        if batch is None:
            break
        assert len({job.task for job in batch}) == 1
        last[turn % 2] = batch[0].task  # type: ignore[call-overload]
        taken.append((batch[0].task.name, len(batch)))
    assert taken[:3] == [("a", 64), ("b", 8), ("c", 8)]
    assert sum(size for _, size in taken) == 316
    sizes = [size for _, size in taken[3:]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1


@pytest.mark.parametrize("processes", [0, 2])
def test_one_session(tasks, tmp_path, processes):
    """A session over a folder of tasks gives each candidate the grade that its task gives alone."""
    for name, factor in ((NUMBERED[0], 2), (NUMBERED[1], 3)):
        for wrong in (0, 1):
            place = tasks / name / "samples" / f"{wrong}.py"
            place.parent.mkdir(exist_ok=True)
            place.write_text(source(factor + wrong))
    elsewhere = tmp_path / "candidates" / NUMBERED[2] / "0.py"
    for place in (elsewhere, tmp_path / "candidates" / "broken" / "0.py"):
        place.parent.mkdir(parents=True)
        place.write_text(source(4))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["--solution=tasks/*/*/samples", "--solution=candidates", "-n", processes]
    run = run_pytest("tasks", *options, cwd=tmp_path, report_file=tmp_path / "r.json")
    assert [(g["task"], g["outcome"], len(g["tests"])) for g in run.grades] == [
        (NUMBERED[0], "passed", 6),
        (NUMBERED[0], "failed", 6),
        (NUMBERED[1], "passed", 6),
        (NUMBERED[1], "failed", 6),
        ("broken", "harness_error", 1),
        (NUMBERED[2], "passed", 6),
    ], run.output
    assert [g["index"] for g in run.grades] == list(range(6))
    assert "nowhere_to_be_found" in run.grades[4]["message"]
    assert set(run.report["tests_sha256_by_task"]) == set(NUMBERED[:3])
    assert run.exit_status == 3
    with Grader(tasks) as grader:
        paths = [Path(grade["path"]) for grade in run.grades]
        grades = grader.grade(
            [(grade["task"], path) for grade, path in zip(run.grades, paths, strict=True)]
        )
    for here, there in zip(grades, run.grades, strict=True):
        assert (here.outcome, here.sha256) == (there["outcome"], here.sha256)
        if here.outcome != "harness_error":
            assert here.tests == there["tests"]
    if not processes:
        place = tmp_path / "lost.py"
        place.write_text(source(2))
        run = run_pytest("tasks", f"--solution={place}", cwd=tmp_path, report_file=tmp_path / "x")
        assert "belongs to none of the 16 tasks. Put it below its task's folder" in run.output
        assert run.exit_status == 4
