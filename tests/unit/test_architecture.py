"""The rules of docs/architecture.md, checked in every import statement of the package.

"Also through others" is how a rule reads: what a module imports, that imports in turn, and so on.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "pytest_balanced_sampler"
NAME = PACKAGE.name
DATA = ("verify/generic_hacks/",)
"""Folders of Python files that stand for what a model writes: nothing imports them."""

FOLDERS = (
    *("wire", "worker", "judge", "session", "grader"),
    *("results", "rollouts", "verify", "adapters", "commands"),
)
"""From the bottom to the top: a folder imports none that comes after it."""

GROUND = {
    *("errors", "grade", "task", "prompt", "text", "files", "command_line", "disk_use"),
    "platforms",
}
FOREIGN = "session/foreign.py"
MAX_LINES = 300


@dataclass(frozen=True)
class Import:
    """An import statement: where it is, and the module of the package or the outside package."""

    file: str
    line: int
    imported: str
    is_own: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.imported}"


@cache
def files() -> dict[str, Path]:
    """The Python files of the package, by module name within it: `wire.values`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if not place.as_posix().startswith(DATA):
            found[".".join(place.with_suffix("").parts).removesuffix(".__init__")] = path
    return found


@cache
def imports(module: str) -> list[Import]:
    """Every import in a module, at any depth of a function, relative or absolute."""
    path = files()[module]
    package = [NAME, *path.relative_to(PACKAGE).parts[:-1]]
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                deeper = f"{source}.{alias.name}".removeprefix(f"{NAME}.")
                names.append(f"{NAME}.{deeper}" if deeper in files() else source)
        for name in dict.fromkeys(names):
            is_own = name.partition(".")[0] == NAME
            imported = name.removeprefix(f"{NAME}.") if is_own else name.partition(".")[0]
            file = str(path.relative_to(ROOT))
            found.append(Import(file, node.lineno, imported, is_own))  # type: ignore[attr-defined]
    return found


@cache
def reached(module: str) -> dict[Import, str]:
    """What a module imports, itself and through others, with the way that leads there."""
    found: dict[Import, str] = {}
    seen, waiting = {module}, [(module, "")]
    while waiting:
        name, way = waiting.pop(0)
        for item in imports(name):
            found[item] = f"{way}{item}"
            if item.is_own and item.imported in files() and item.imported not in seen:
                seen.add(item.imported)
                waiting.append((item.imported, f"{way}{item}, and "))
    return found


def folder_of(module: str) -> str:
    return module.partition(".")[0]


def modules_in(*folders: str) -> list[str]:
    return [module for module in files() if folder_of(module) in folders]


def breaches(modules: list[str], is_allowed: Callable[[Import], bool]) -> list[str]:
    """The ways from these modules to an import that is not allowed."""
    assert modules
    return [
        way for module in modules for item, way in reached(module).items() if not is_allowed(item)
    ]


def only(*own: str, never: tuple[str, ...] = ()) -> Callable[[Import], bool]:
    """Allows these folders and modules of the package, and all outside packages but some."""
    return lambda item: (
        folder_of(item.imported) in own if item.is_own else item.imported not in never
    )


def never(*own: str) -> Callable[[Import], bool]:
    return lambda item: not (item.is_own and folder_of(item.imported) in own)


def importers_of(*outside: str) -> dict[str, list[str]]:
    """The files with an import of one of these outside packages, and the imports."""
    found = defaultdict(list)
    for module, path in files().items():
        for item in imports(module):
            if not item.is_own and item.imported in outside:
                found[path.relative_to(PACKAGE).as_posix()].append(str(item))
    return found


def test_imports_are_found():
    """At the top, in a function, of a module and of a name in it, directly and through others."""
    found = {(item.imported, item.is_own) for item in imports("plugin")}
    assert {("pytest", False), ("session.register", True), ("judge.solution_module", True)} <= found
    assert "wire.values" in {item.imported for item in reached("judge.proxy") if item.is_own}


def test_1_the_untrusted_side_is_imported_by_itself_only():
    """`worker/` runs beside hostile code; it is started with -m and imported nowhere else."""
    others = [module for module in files() if folder_of(module) != "worker"]
    assert breaches(others, never("worker")) == []


def test_2_worker():
    """The untrusted side imports `wire/`, `files`, `disk_use` and its own."""
    assert breaches(modules_in("worker"), only("wire", "files", "disk_use", "worker")) == []


def test_3_wire():
    """What both sides share imports nothing of the package."""
    assert breaches(modules_in("wire"), only("wire")) == []


def test_4_judge():
    """The trusted side of a worker imports `wire/`, plain helpers and its own, and never pytest."""
    allowed = only(
        "wire", "errors", "text", "files", "disk_use", "judge", never=("pytest", "_pytest")
    )
    assert breaches(modules_in("judge"), allowed) == []


def test_5_session():
    """What pytest loads needs nothing of what is built on top of it."""
    above = FOLDERS[FOLDERS.index("session") + 1 :]
    assert breaches(modules_in("session"), never(*above)) == []


def test_6_results():
    """Rates and pages come from JSON: no pytest, no worker, no model."""
    forbidden = ("pytest", "_pytest", "msgpack", "anthropic", "openai")
    allowed = only("grade", "task", "text", "files", "results", never=forbidden)
    assert breaches(modules_in("results"), allowed) == []


@pytest.mark.parametrize("folder", ["commands", "adapters"])
def test_7_nothing_imports(folder):
    """Commands and adapters are for users: no other folder imports them."""
    others = [module for module in files() if folder_of(module) != folder]
    assert breaches(others, never(folder)) == []


@pytest.mark.parametrize(
    ("sdk", "file"), [("anthropic", "anthropic_model"), ("openai", "chat_model")]
)
def test_8_models(sdk, file):
    """One file knows each SDK."""
    found = importers_of(sdk)
    found.pop(f"rollouts/{file}.py")
    assert not found


def test_8_xdist():
    """One file knows pytest-xdist and what it runs on."""
    found = importers_of("xdist", "execnet")
    found.pop("session/with_xdist.py")
    assert not found


def test_8_private_modules_of_pytest():
    """One file imports `_pytest`."""
    found = importers_of("_pytest")
    found.pop(FOREIGN)
    assert not found


def test_8_private_attributes_of_pytest():
    """Where objects of pytest and its plugins are handled, two files read private attributes."""
    assert (PACKAGE / FOREIGN).exists()
    found = []
    for module in [*modules_in("session", "grader"), "plugin", "prompt"]:
        path = files()[module]
        if path in (PACKAGE / FOREIGN, PACKAGE / "session/with_xdist.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and re.match("_(?!_)", node.attr):
                owner = ast.unparse(node.value)
                if owner not in ("self", "cls", "os"):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {owner}.{node.attr}")
    assert found == []


def test_9_torch_and_numpy():
    """They are named where values cross, where they are seeded, and where tests are read."""
    named = {
        path.relative_to(PACKAGE).as_posix()
        for path in files().values()
        if re.search(r"\b(torch|numpy)\b", path.read_text())
    }
    assert named == {f"wire/{name}.py" for name in ("array_kinds", "arrays", "global_states")} | {
        "worker/preloading.py",
        "verify/traps.py",
    }


def test_9_what_tests_patch():
    """Beside tests, which may patch these modules, copies of them are used."""
    for folder, names in {"judge": {"os", "time"}, "session": {"time"}}.items():
        found = [
            str(one)
            for module in files()
            if module.startswith(f"{folder}.") and module != "judge.unpatched"
            for one in imports(module)
            if not one.is_own and one.imported in names
        ]
        assert found == [], f"{found}: import it from judge/unpatched.py"


def lines_about_the_first_task() -> Iterator[str]:
    words = r"BalancedBatchSampler|DataLoader|(?<!pytest_)balanced_sampler|\bgrading_tests\b"
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(words, line):
                    yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def test_11_no_word_of_the_first_task():
    """The package is for any task."""
    assert list(lines_about_the_first_task()) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_12_folders_have_an_order(folder):
    """A folder imports none that comes after it, so they form no circle."""
    above = FOLDERS[FOLDERS.index(folder) + 1 :]
    assert breaches(modules_in(folder), never(*above)) == []


def test_12_plain_helpers():
    """The modules on the ground floor import no folder."""
    assert breaches(sorted(GROUND), only(*GROUND)) == []


def test_every_folder_has_a_place():
    """No folder is left out of the order, and no module stands beside the folders unnamed."""
    tops = {folder_of(module) for module in files()}
    assert tops == {*FOLDERS, *GROUND, "__init__", "plugin", "authoring"}


def test_modules_are_short():
    """A module can be read in one sitting."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files().values()
        if (lines := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert long == {}


def test_every_module_is_described():
    """docs/architecture.md names each module by its path in the package, and none that is gone."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    described = set(re.findall(r"`((?:\w+/)?\w+\.py)`", text))
    modules = {path.relative_to(PACKAGE).as_posix() for path in files().values()}
    modules = {name for name in modules if not name.endswith("/__init__.py")}
    assert (modules - described, described - modules) == (set(), set())
