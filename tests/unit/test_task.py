"""`task.toml`: what is read from it, what is refused, and in which folder it is found."""

from textwrap import dedent

import pytest

from pytest_balanced_sampler.prompt import preload_of
from pytest_balanced_sampler.task import Expectations, TaskSettings, find_task, read_task

WHOLE = """
preload = ["json", "email.message"]
solution_timeout = 7
target_pass_rate = [0.1, 0.4]
indifference_zones = [[0.05, 0.2], [0.2, 0.5]]
decision_error = 0.01

[expected_failure_shares]
value = 0.25
errors = 0.75
"""
TARGET = "target_pass_rate = [0.2, 0.5]\n"


def test_every_setting(tmp_path):
    """A file with every key gives every setting, with numbers as floats."""
    (tmp_path / "task.toml").write_text(WHOLE)
    assert read_task(tmp_path) == TaskSettings(
        ("json", "email.message"),
        7.0,
        Expectations(
            (0.1, 0.4),
            {"value": 0.25, "errors": 0.75},
            ((0.05, 0.2), (0.2, 0.5)),
            decision_error=0.01,
        ),
    )


@pytest.mark.parametrize(
    ("target", "zones"),
    [
        ((0.1, 0.4), [(0.05, 0.15), (0.3, 0.5)]),
        ((0.5, 0.53), [(0.49, 0.51), (0.52, 0.54)]),
        ((0, 0.4), [(0.3, 0.5)]),
        ((0, 1), []),
        (None, []),
    ],
)
def test_zones_that_are_not_declared(target, zones):
    """A target without declared zones has some, around each edge that is neither 0 nor 1."""
    flat = [end for zone in Expectations(target).zones() for end in zone]
    assert flat == pytest.approx([end for zone in zones for end in zone])


@pytest.mark.parametrize("text", [None, ""])
def test_defaults(tmp_path, text):
    """A folder without the file, or with an empty one, gets the defaults."""
    if text is not None:
        (tmp_path / "task.toml").write_text(text)
    assert read_task(tmp_path) == TaskSettings((), None, Expectations(None, {}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("preloads = []", "unknown key 'preloads'; remove it, or use preload, solution_timeout"),
        ("preload = 'torch'", "preload = 'torch' is not a list of module names; write it as"),
        ("preload = [1]", "is not a list of module names"),
        ("preload = ['a-b']", "is not a list of module names"),
        ("solution_timeout = 0", "solution_timeout = 0 is not a positive number of seconds"),
        ("solution_timeout = inf", "is not a positive number of seconds"),
        ("solution_timeout = nan", "is not a positive number of seconds"),
        ("solution_timeout = true", "is not a positive number of seconds"),
        ("target_pass_rate = 0.5", "target_pass_rate = 0.5 is not a pair of numbers; write it"),
        ("target_pass_rate = [0.5, 0.2]", "0.5 to 0.2 is not a band of pass rates"),
        ("indifference_zones = [[0.1, 0.2]]", "indifference_zones needs target_pass_rate; add it"),
        (f"{TARGET}indifference_zones = 0.1", "= 0.1 is not a list; write it as [[0.05"),
        (f"{TARGET}indifference_zones = [0.1]", "indifference_zones = 0.1 is not a pair"),
        (f"{TARGET}indifference_zones = [[0.1, 0.3]]", "has 1 zones; write one for each of the"),
        (f"{TARGET}indifference_zones = [[0.1, 0.3], [0.6, 0.8]]", "0.6 to 0.8 is not around 0.5"),
        (f"{TARGET}indifference_zones = [[0.0, 0.3], [0.4, 0.8]]", "0 to 0.3 is not around 0.2"),
        (f"{TARGET}indifference_zones = [[0.1, 0.4], [0.3, 0.8]]", "the zones overlap"),
        ("decision_error = 0", "decision_error = 0 is not a share from 0 to 0.5; write it as"),
        ("decision_error = nan", "is not a share from 0 to 0.5"),
        ("expected_failure_shares = 1", "expected_failure_shares = 1 is not a table"),
        (
            dedent("""\
                [expected_failure_shares]
                a = 0.7
                b = 0.7
            """),
            "and their sum at most 1",
        ),
        (
            dedent("""\
                [expected_failure_shares]
                a = -0.1
            """),
            "each share must be from 0 to 1",
        ),
        ("preload = [", "cannot be read"),
        ("preload = '\udcff'", "cannot be read"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    """An error names the file, the key, what was there and what to write."""
    (tmp_path / "task.toml").write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(ValueError, match=r"task\.toml: ") as raised:
        read_task(tmp_path)
    assert message in str(raised.value)


def test_no_folder(tmp_path):
    """A folder that is not there is an error: it was misspelt."""
    with pytest.raises(ValueError, match=r"no task folder .*nowhere"):
        read_task(tmp_path / "nowhere")


def test_the_nearest_task_is_found(tmp_path):
    """From a test file and from a folder, up to the root and no further."""
    project, outer = tmp_path / "project", tmp_path / "project" / "outer"
    inner = outer / "tests" / "inner"
    inner.mkdir(parents=True)
    for folder in (tmp_path, outer, inner):
        (folder / "task.toml").touch()
    (outer / "tests" / "test_a.py").touch()
    assert find_task(inner, project) == inner
    assert find_task(inner / "test_b.py", project) == inner
    assert find_task(outer / "tests" / "test_a.py", project) == outer
    assert find_task(outer, outer) == outer
    assert find_task(project, project) is None
    assert find_task(project, tmp_path) == tmp_path


def test_a_task_beside_the_root(tmp_path):
    """Tests outside of pytest's root folder have their own task; no common parent configures it."""
    task, root = tmp_path / "task", tmp_path / "root"
    task.mkdir()
    root.mkdir()
    (tmp_path / "task.toml").touch()
    assert find_task(task, root) is None
    (task / "task.toml").touch()
    assert find_task(task, root) == task


def test_the_ini_key_overrides_preload(tmp_path):
    """`solution_preload`, where it is set, replaces what `task.toml` says."""
    (tmp_path / "task.toml").write_text("preload = ['json']")
    assert preload_of(tmp_path) == ["json"]
    (tmp_path / "pytest.ini").write_text(
        dedent("""\
            [pytest]
            solution_preload = email calendar
        """)
    )
    assert preload_of(tmp_path) == ["email", "calendar"]
