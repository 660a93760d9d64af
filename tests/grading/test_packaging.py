"""What is built of the project: a wheel of the package, and a source archive of everything."""

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from textwrap import dedent

import pytest

from tests.conftest import GENEROUS_SECONDS, ROOT
from tests.docs.test_docs import checkout


def build(project, out, hook):
    """Call the build backend as a front end does, without an environment of its own."""
    code = f"from setuptools import build_meta; print(build_meta.{hook}({str(out)!r}))"
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=True,
    )
    return out / finished.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """A wheel that is built from the source archive, and that archive, unpacked."""
    folder = tmp_path_factory.mktemp("archives")
    source = build(checkout(folder / "project"), folder, "build_sdist")
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / source.name.removesuffix(".tar.gz")
    return build(unpacked, folder, "build_wheel"), unpacked


def test_wheel(archives):
    """It has every file of the package, and nothing else but its metadata."""
    with zipfile.ZipFile(archives[0]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = ROOT / "pytest_balanced_sampler"
    files = (path for path in package.rglob("*") if path.is_file())
    wanted = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
    assert names == wanted
    assert "pytest_balanced_sampler/py.typed" in names


def test_source_archive(archives, tmp_path):
    """It has all that a checkout has: tasks, solutions, scripts, tests, documentation."""
    wanted = {path.relative_to(tmp_path / "p") for path in checkout(tmp_path / "p").rglob("*")}
    assert wanted - {path.relative_to(archives[1]) for path in archives[1].rglob("*")} == set()


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14", "3.15"])
def test_archives_grade_in_a_new_environment(archives, tmp_path, version):
    """With nothing but the wheel, on each Python that is here; with the source archive, on this."""
    python = f"python{version}"
    if not works(python, "-c", "import ensurepip"):
        pytest.skip(f"{python} is not here")
    # Our pip installs there: one in the environment would take seconds to install.
    assert works(python, "-m", "venv", "--without-pip", tmp_path)
    pip = [sys.executable, "-m", "pip", "--python", tmp_path / "bin" / "python", "install"]
    pip += ["--constraint", ROOT / "constraints.txt"]
    if not works(*pip, "msgpack"):
        pytest.skip("pip reaches no package index")
    task = archives[1] / "examples" / "ttl_cache"
    pytest_here = [tmp_path / "bin" / "pytest", task, f"--rootdir={task}"]
    is_this = version == f"{sys.version_info.major}.{sys.version_info.minor}"
    source = archives[1].with_name(f"{archives[1].name}.tar.gz")
    again = ["--force-reinstall", "--no-deps", source]
    for given in ([archives[0]], again) if is_this else ([archives[0]],):
        assert works(*pip, *given)
        assert works(*pytest_here, f"--solution={task / 'reference_solutions'}")
        assert not works(*pytest_here, f"--solution={task / 'broken_solutions' / 'errors'}")


COMMANDS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.mark.parametrize("name", COMMANDS)
def test_console_command(name):
    """Each command of the wheel starts."""
    finished = run_command(name, "", "--help")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("usage: ")


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [
        (f"solution-rollout --task={ROOT}/examples/ttl_cache", "anthropic", "rollout"),
        (f"solution-rollout --task={ROOT}/examples/ttl_cache --api=chat", "openai", "chat"),
        ("solution-pass-rate --help", "rich", "report"),
        ("solution-grade-on-ray --help", "ray", "ray"),
    ],
)
def test_console_command_without_its_extra(command, package, extra):
    """It says what to install, with the exit status of a usage error."""
    name, *arguments = command.split(" ")
    finished = run_command(name, f"import sys; sys.modules[{package!r}] = None", *arguments)
    assert finished.returncode == 4
    assert f"run: pip install 'pytest-balanced-sampler[{extra}]'" in finished.stderr
    assert finished.stderr.count("\n") == 1


def run_command(name, first, *arguments):
    """Run a console command as its script does, after another line of Python."""
    module, _, function = COMMANDS[name].partition(":")
    code = f"{first}\nfrom {module} import {function}\n{function}()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=GENEROUS_SECONDS, check=False
    )


def works(*command):
    try:
        finished = subprocess.run(
            list(map(str, command)), capture_output=True, timeout=GENEROUS_SECONDS, check=False
        )
    except FileNotFoundError:
        return False
    return finished.returncode == 0


def test_the_plugin_loads_little():
    """Pytest imports the plugin in every session: it loads the standard library and pytest only."""
    code = dedent("""\
        import sys, pytest
        before = set(sys.modules)
        import pytest_balanced_sampler.plugin
        for name in sorted(set(sys.modules) - before):
            if name.partition(".")[0] not in sys.stdlib_module_names:
                print(name)
    """)
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == ["pytest_balanced_sampler", "pytest_balanced_sampler.plugin"]
