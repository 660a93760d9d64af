"""A worker is watched whatever the judge does, and so is the judge: one session over a small task.

Each candidate is the reference with some of its functions replaced.
"""

from textwrap import dedent

import pytest

from tests.conftest import run_pytest

REFERENCE = """
import asyncio, concurrent.futures, mmap, multiprocessing.pool, os, shutil, sqlite3, subprocess
import tempfile, threading
import torch
from torch.utils.data import DataLoader

def begin():
    return 0.1  # Seconds in which to look at it.

def fill(items):
    items.append(1)

def link():
    pass

def members():
    return [{1}]

def others():
    return []

async def doubled(x):
    await asyncio.sleep(0)
    return await asyncio.to_thread(lambda: 2 * x)

def honest():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(abs, range(-20, 0))) == list(range(20, 0, -1))
    assert asyncio.run(doubled(2)) == 4
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as file:
        file.write(b"x" * 4096)
        file.flush()
        mmap.mmap(file.fileno(), 4096).close()
        os.makedirs(f"{folder}/a/b")
        with open(f"{folder}/a/b/c", "w") as other:
            other.write("abc")
            other.truncate(1)
        shutil.copytree(f"{folder}/a", f"{folder}/d")
        os.replace(f"{folder}/d/b/c", f"{folder}/a/c")
        os.truncate(f"{folder}/a/c", 0)
        connection = sqlite3.connect(f"{folder}/db")
        connection.execute("create table t (x)")
        connection.commit()
        connection.close()
    points = torch.randn(64, 64, dtype=torch.float64)
    (points @ points).svd()
    torch.nn.functional.conv2d(torch.ones(1, 1, 9, 9), torch.ones(1, 1, 3, 3)).sum().item()
    torch.save(points, "points.pt")
    assert torch.load("points.pt").equal(points)
    return [len(batch) for batch in DataLoader(list(range(10)), batch_size=4, num_workers=0)]

def refusals():
    said = []
    for attempt in (
        lambda: subprocess.run(["true"]),
        lambda: multiprocessing.Process(target=int).start(),
        lambda: os.fork(),
        lambda: multiprocessing.pool.ThreadPool(2),
        lambda: next(iter(DataLoader([1, 2], num_workers=1))),
    ):
        try:
            attempt()
            said.append("nothing")
        except PermissionError as error:
            said.append(error.strerror)
    return said
"""
TESTS = '''
import os, time

def peak(seconds):
    """The most threads and bytes that the worker has meanwhile, while nobody asks it anything."""
    threads = size = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and size < 255 * 2**20:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                folder = os.readlink(f"/proc/{pid}/cwd")
                if os.path.basename(os.path.dirname(folder)).startswith("pytest-solution-"):
                    threads = max(threads, len(os.listdir(f"/proc/{pid}/task")))
                    files = list(os.scandir(folder))
                    size = max(size, sum(file.stat().st_blocks * 512 for file in files))
            except OSError:
                continue
        time.sleep(0.02)
    time.sleep(0.2)
    return threads, size

def test_nested(solution):
    items = []
    solution.fill(items)
    solution.link()
    assert len(repr(items)) < 300

def test_members(solution):
    for members in solution.members():
        assert members == {1}

def test_honest(solution):
    assert solution.honest() == [4, 4, 2]

def test_refusals(solution):
    for said in solution.refusals():
        assert "a candidate" in said and "thread" in said

def test_others(solution):
    assert solution.others() == []

def test_limits(solution):
    threads, size = peak(solution.begin())
    assert threads <= 600, "AUTHOR: too many threads"
    assert size <= 1.2 * 256 * 2**20, "AUTHOR: too much disk"
'''
COLLIDES = """
import sys, numpy as np
msgpack, values = sys.modules["msgpack"], sys.modules["pytest_balanced_sampler.wire.values"]
extend_data = values._extend_data
NUMBERS = [np.complex128(complex(-1000003 * n, n)) for n in range(6_000)]
class Members: pass
def as_set(item, pack, *how):
    if type(item) is Members:
        return msgpack.ExtType(1, pack(NUMBERS))
    return extend_data(item, pack, *how)
values._extend_data = as_set
def members():
    return [Members(), Members()]
"""
CANDIDATES = {
    "keeps_the_rules": ("", "passed", None, ""),
    "repeats_itself": (
        """
KEPT = []
def fill(items):
    KEPT.extend([] for _ in range(40))
    items.extend(KEPT)
def link():
    for one, other in zip(KEPT, KEPT[1:]): one.extend([other, other])
""",
        *("failed", "timeout", "the test's own code, driven by the candidate, did not end in time"),
    ),
    "collides": (COLLIDES, "failed", "crash", "keys with equal hashes"),
    "works_behind_its_answer": (
        """
import _thread, time
def start_threads():
    for _ in range(4000): _thread.start_new_thread(time.sleep, (600,))
def fill_disk():
    for number in range(64):
        with open(f"filler_{number}", "wb") as file: file.write(bytes(2**24))
def begin():
    threading.stack_size(2**15)
    for work in (start_threads, fill_disk): threading.Thread(target=work, daemon=True).start()
    return 20
""",
        *("failed", "crash", "after the last test: the candidate wrote over 256 MiB"),
    ),
    "reads_its_memory": (
        """
import gc, socket, sys
def others():
    found, frame = [], sys._getframe()
    while frame is not None:
        found += list(frame.f_locals.values())
        frame = frame.f_back
    for item in list(found):
        found += list(vars(item).values()) if hasattr(item, "__dict__") else []
    found += gc.get_objects()
    for item in list(found):
        if isinstance(item, dict): found += [*item, *item.values()]
    mine, root = os.getcwd(), os.path.dirname(os.getcwd())
    return [
        item for item in found
        if isinstance(item, str) and root in item and item != root and not item.startswith(mine)
    ] + [str(item) for item in found if isinstance(item, socket.socket) and item.fileno() > 4]
""",
        *("passed", None, ""),
    ),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watched")
    (folder / "test_task.py").write_text(TESTS)
    (folder / "reference.py").write_text(REFERENCE)
    (folder / "task.toml").write_text(
        dedent("""\
            reference = "reference.py"
            preload = ["torch"]
        """)
    )
    (folder / "prompt.md").write_text("A task.\n")
    for name, (source, *_) in CANDIDATES.items():
        (folder / f"{name}.py").write_text(REFERENCE + source)
    options = [f"--solution={name}.py" for name in CANDIDATES]
    report = folder / "report.json"
    return run_pytest(*options, cwd=folder, report_file=report, preloaded=("numpy", "torch"))


@pytest.mark.parametrize("name", CANDIDATES)
def test_candidate(run, name):
    """Each fails for what it does, soon; what keeps the rules passes."""
    _, outcome, mode, said = CANDIDATES[name]
    (grade,) = (grade for grade in run.grades if grade["solution"] == f"{name}.py")
    assert (grade["outcome"], grade["failure_mode"]) == (outcome, mode), run.output
    assert said in f"{grade['message']} {grade['tampering']} {run.output}"
    assert "AUTHOR" not in run.output
