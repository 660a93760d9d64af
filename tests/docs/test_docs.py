"""The documentation, run: every block of it, in order, in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.conftest import GENEROUS_SECONDS, ROOT
from tests.messages_api import MessagesApi, text, tool
from tests.reports import grade, write_report

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "grading_tests/README.md"]
DOCUMENTS += sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))
WRITE_A_TASK = "docs/write-a-task.md"
REFERENCE = ROOT / "reference_solutions" / "pool_based.py"
CACHE = ROOT / "examples" / "ttl_cache" / "reference_solutions" / "ordered_dict.py"
OF_THE_CACHE = ("docs/rollouts.md", "docs/scale.md", "docs/statistics.md")
"""Their commands grade for a task that needs no PyTorch: a session takes a tenth of the time."""

NOT_RUN = {
    "make lint": "CI runs it",
    "make docs": "CI runs it",
    "make grade": "README.md has a line of it, which is run",
    "make test": "it runs this test",
    "make test-unit": "these tests run beside it",
    "make fuzz": "half an hour: test_fuzz.py sends fewer frames",
    "make small-model": "installs a model, and takes minutes",
    "make verify": "takes minutes: test_verify_grader.py runs the script on less",
    ".venv/bin/python scripts/verify_grader.py": "the same",
    ".venv/bin/python scripts/verify_grader.py path/to/task": "run for the task of write-a-task.md",
    ".venv/bin/python scripts/verify_grader.py --independence": "minutes, for the whole machine",
    ".venv/bin/python scripts/verify_grader.py --memoriser": "minutes, as the ones around it",
    ".venv/bin/python scripts/compare_graders.py grading_tests reference_solutions "
    "broken_solutions": "minutes, and runs hacks unconfined: see test_compare_graders.py",
    ".venv/bin/python scripts/compare_graders.py path/to/tasks --samples samples.jsonl": "the same",
    ".venv/bin/python scripts/verify_grader.py --search": "minutes, as the one above",
    ".venv/bin/python scripts/verify_grader.py path/to/task --all --openenv report.json "
    "--sarif findings.sarif": "minutes: test_verify_grader.py has such a run",
    ".venv/bin/python scripts/benchmark.py --out benchmark": "minutes: see test_benchmark.py",
    ".venv/bin/python scripts/benchmark.py --mix --out benchmark": "the same",
    ".venv/bin/python scripts/calibrate.py --out runs/calibration --prices 1 5 1.25 0.1": (
        "needs a model of known pass rate: test_calibrate.py has one"
    ),
    ".venv/bin/python scripts/rollout.py --api chat --base-url http://localhost:8000/v1 "
    "--model NAME --temperature 0.8 --top-p 0.95 --seed 1 --extra-body '{\"top_k\": 20}'": (
        "needs a server: test_chat_rollout.py has one"
    ),
    ".venv/bin/pip install '.[ray]'": "the tests' own environment has it",
    ".venv/bin/python scripts/grade_on_ray.py candidates/ --task grading_tests --out graded "
    "--address auto": ("needs a cluster: test_grade_on_ray.py has one"),
    "inspect eval pytest_balanced_sampler/graded_task -T task=grading_tests --epochs 10": (
        "needs a model: test_adapters.py has one"
    ),
    "python integrations/trl/train_grpo.py --steps 3": "test_adapters.py runs it",
    "pip install -e . -e integrations/verifiers": "the tests' own environment has it",
    "vf-eval balanced-sampler -r 10 "
    "--env.agent.runtime.type subprocess --no-push --model NAME --client.base-url URL": "the same",
    "docker build -t pytest-balanced-sampler .": "no container engine",
    "harbor run -p harbor/balanced-sampler -a AGENT -m MODEL": "the same",
    "harbor job resume -p jobs/NAME -f RewardFileNotFoundError": "the same",
    "docker compose run --rm test-grader": "no container engine",
    "docker compose run --rm task --runs 10": "the same",
    'docker compose run --rm --entrypoint pytest -v "$PWD/candidates:/candidates:ro" task '
    "--solution=/candidates": "the same",
    ".venv/bin/python scripts/regrade.py runs/NAME --task path/to/changed/tests": (
        "test_regrade.py has such a run"
    ),
    ".venv/bin/python scripts/inspect_log.py runs/NAME --out logs/NAME.eval": (
        "test_inspect_log.py has such a run"
    ),
    "inspect view --log-dir logs": "it serves until it is stopped",
    ".venv/bin/pip install coverage": "changes the environment",
    ".venv/bin/coverage run -m pytest tests -n 2 --dist loadscope": "it runs this test",
    ".venv/bin/coverage combine": "needs the line before",
    ".venv/bin/coverage report --show-missing": "the same",
    "pip install pre-commit": "changes the environment",
    "pre-commit install": "changes the repository",
}


RUN_ONCE = {
    ".venv/bin/pytest --solution=candidates/ -n 2 --json-report",
    ".venv/bin/python scripts/rollout.py --runs 10",
}
"""Lines of several documents that take long, and do the same in each: the first one's is run."""


@dataclass
class Block:
    """A fenced block: `sh`, `sh status 1`, `text`, `text output`, `python`, `python sketch` (which
    is only compiled), or a language and the file to write."""

    language: str
    rest: str
    text: str
    line: int


def blocks_of(document):
    for token in MarkdownIt().parse((ROOT / document).read_text()):
        if token.type in ("fence", "code_block"):
            language, _, rest = token.info.partition(" ")
            yield Block(language, rest, token.content, token.map[0] + 1)


def run_blocks(document, folder, environment):
    """Write the files, run the commands and scripts, look for the output, as a reader would."""
    output = ""
    for block in blocks_of(document):
        where = f"{document}:{block.line}"
        match block.language, block.rest:
            case "sh", _:
                script = "\n".join(line for line in commands_in(block) if is_run(line, document))
                status, output = run(["bash", "-euc", f"{script}\npwd"], folder, environment)
                assert status == int(block.rest.removeprefix("status ") or 0), f"{where}\n{output}"
                if status == 0:
                    folder = Path(output.splitlines()[-1])
            case "python", "sketch":
                compile(block.text, where, "exec")
            case "python", "":
                status, output = run([sys.executable, "-c", block.text], folder, environment)
                assert status == 0, f"{where}\n{output}"
            case "python" | "toml" | "markdown", name if name:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(block.text)
            case "text", "output":
                for line in block.text.splitlines():
                    assert line.strip() in output, f"{where}: {line}\n{output}"
            case language, rest:
                assert (language, rest) == ("text", ""), f"{where}: what is this block?"


def is_run(line, document):
    """Whether this document's test runs it."""
    if line in RUN_ONCE:
        return document == next(each for each in DOCUMENTS if line in lines_of(each))
    return line not in NOT_RUN


def lines_of(document):
    return [line for block in blocks_of(document) for line in commands_in(block)]


def commands_in(block):
    """Its lines, without comments; what goes on in the next line is one."""
    lines = re.sub(r" *\\\n *", " ", block.text).splitlines()
    return [line.split("  #")[0].rstrip() for line in lines]


def run(command, folder, environment):
    finished = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )
    return finished.returncode, finished.stdout


def checkout(folder):
    """A copy of the project, without what was made in it, by us or by a reader of README.md."""
    made = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs")
    by_a_reader = {"candidates", "candidate.py", "graded", "benchmark", "report.html"}

    def ignore(place, names):
        return made(place, names) | (by_a_reader if Path(place) == ROOT else set())

    return shutil.copytree(ROOT, folder, ignore=ignore)


def pose_as_installed(environment):
    """Put our environment where make looks for one, so that make has nothing left to install."""
    environment.mkdir()
    stamps = ("grades", "rollouts", "tests")
    for entry in Path(sys.prefix).iterdir():
        if entry.name not in stamps:
            (environment / entry.name).symlink_to(entry)
    for stamp in stamps:
        (environment / stamp).touch()


@pytest.fixture
def candidate(request):
    """A file that passes the tests of the task that the document speaks of."""
    document = request.node.callspec.params["document"] if hasattr(request.node, "callspec") else ""
    return CACHE if document in OF_THE_CACHE else REFERENCE


@pytest.fixture
def model(candidate):
    """A Messages API on loopback: one rollout in ten writes a file, so few are to be graded."""
    reference = tool("write_file", path="solution.py", content=candidate.read_text())
    done = [text("Done.")]
    with MessagesApi([[[reference], done], *[[done]] * 9]) as api:
        yield {"ANTHROPIC_BASE_URL": api.url}


@pytest.mark.parametrize("document", sorted(set(DOCUMENTS) - {WRITE_A_TASK}))
def test_blocks_of_a_document(document, tmp_path, candidate, model):
    """In a checkout with an environment, and with the files that the document speaks of."""
    project = checkout(tmp_path / "project")
    pose_as_installed(project / ".venv")
    for name in ("candidate.py", "candidates/one.py", "runs/1/s.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(candidate, project / name)
    write_report(project / "report.json", [grade("a.py"), grade("b.py", "failed", "balance")])
    environment = model | {
        "ANTHROPIC_API_KEY": "none",
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
    }
    if document == "docs/statistics.md":
        rollouts = ["scripts/rollout.py", "--runs", "2", "--out", "runs/a"]
        rollouts += ["--task", "examples/ttl_cache"]
        assert run([sys.executable, *rollouts], project, environment)[0] == 0
        shutil.copytree(project / "runs/a", project / "runs/b")
    run_blocks(document, project, environment)


def test_write_a_task(tmp_path, model):
    """From an empty folder, in a new environment, which gets no PyTorch by it."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(tmp_path)]
    if subprocess.run([*command, "msgpack"], capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no package index")
    checkout(tmp_path / "grader")
    # Most of what pip installs is never imported.
    run_blocks(WRITE_A_TASK, tmp_path, model | {"PIP_COMPILE": "0"})
    environment = tmp_path / "merging" / ".venv" / "lib"
    assert list(environment.glob("*/site-packages/pytest_balanced_sampler"))
    assert not list(environment.glob("*/site-packages/torch"))


def test_what_is_not_run_is_still_there():
    """No line is left out that no document has."""
    lines = {line for document in DOCUMENTS for line in lines_of(document)}
    assert (NOT_RUN.keys() | RUN_ONCE) - lines == set()


TOKENIZER = """
class Tokenizer:
    def __init__(self, vocabulary): self.vocabulary = vocabulary
    def encode(self, text):
        if not self.vocabulary: raise ValueError("no vocabulary")
"""


@pytest.mark.parametrize(
    ("source", "outcome"),
    [(TOKENIZER, "passed"), (TOKENIZER.replace("ValueError", "KeyError"), "failed")],
)
def test_the_readmes_test_grades(grade_source, source, outcome):
    """The first test that a reader sees."""
    (block,) = [block for block in blocks_of("README.md") if block.rest == "test_tokenizer.py"]
    assert grade_source(source, block.text).grade["outcome"] == outcome
