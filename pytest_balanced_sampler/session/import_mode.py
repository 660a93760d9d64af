"""Lets tests import the candidate by its name, as tests do that were written for a local module.

pytest collects once with a placeholder in the candidate's place, to learn which tests there are.
In the process of each candidate it collects again, with the candidate's proxy in `sys.modules`:
test modules and their helpers are imported anew.
"""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Iterable, Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.util import spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from ..errors import HarnessError, NeedsCandidate
from ..judge.solution_module import SolutionModule, submodule

_MAX_OPERATIONS = 100_000
"""A test module that loops until a placeholder says something must not loop for ever."""

_OWN_PACKAGE = __name__.partition(".")[0]

_RESULT_IS_PLACEHOLDER = (
    "add sub mul matmul truediv floordiv mod pow and or xor lshift rshift radd rsub rmul rmatmul "
    "rtruediv rfloordiv rmod rpow rand ror rxor neg pos abs invert getitem lt le gt ge"
).split()

TestFunction = tuple[Path, str]
"""A test function by its file and, within it, its classes and its name; without parameters."""


class _PlaceholderType(type):
    """The type of `Placeholder`: whatever is done to it gives `Placeholder` again."""

    operations = 0
    refusal: BaseException | None = None

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls._again()

    def __call__(cls, *_: object, **__: object) -> Any:
        return cls._again()

    def __iter__(cls) -> Iterator[Any]:
        cls._again()
        return iter(())

    def __len__(cls) -> int:
        cls._again()
        return 0

    def __bool__(cls) -> bool:
        cls._again()
        return False

    def __eq__(cls, other: object) -> bool:
        cls._again()
        return cls is other

    __hash__ = type.__hash__

    def _again(cls) -> Any:
        if _PlaceholderType.refusal is not None:
            raise _PlaceholderType.refusal
        _PlaceholderType.operations += 1
        if _PlaceholderType.operations > _MAX_OPERATIONS:
            raise RuntimeError("the tests need the candidate itself to be collected")
        return Placeholder


for _name in _RESULT_IS_PLACEHOLDER:
    setattr(_PlaceholderType, f"__{_name}__", lambda cls, *_: cls._again())


class Placeholder(metaclass=_PlaceholderType):
    """Stands for everything that test modules take from a candidate while there is none."""

    __test__ = False


class _Submodules(Loader, MetaPathFinder):
    """Imports the modules within the candidate's package: the placeholder, or the candidate's."""

    def __init__(self, module: str, placeholder: types.ModuleType) -> None:
        self._prefix = f"{module}."
        self._placeholder = placeholder
        self._solution: SolutionModule | None = None
        self._entry = ""

    def use(self, solution: SolutionModule, entry: str) -> None:
        """Have the candidate's modules, below `entry` there, be imported from now on."""
        self.forget()
        self._solution, self._entry = solution, entry

    def forget(self) -> None:
        """Have all of them be imported anew."""
        for name in [name for name in sys.modules if name.startswith(self._prefix)]:
            del sys.modules[name]

    def find_spec(
        self, name: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Tell Python that such a module is imported here."""
        del path, target
        return spec_from_loader(name, self) if name.startswith(self._prefix) else None

    def exec_module(self, module: types.ModuleType) -> None:
        """Put in the module's place what is imported."""
        name = module.__name__
        solution = self._solution
        if solution is None:
            sys.modules[name] = self._placeholder
        else:
            own_name = f"{self._entry}.{name.removeprefix(self._prefix)}"
            sys.modules[name] = submodule(solution, own_name)  # type: ignore[assignment]


class ImportMode:
    """One session's way to have `module` imported as the candidate.

    From the start the placeholder is imported, by conftest files too.
    """

    def __init__(self, module: str, config: pytest.Config) -> None:
        self.module = module
        self._config = config
        self._imported_before = set(sys.modules)
        self._module_before = sys.modules.get(module)
        self._placeholder = types.ModuleType(module)
        self._placeholder.__getattr__ = _placeholder_of  # type: ignore[method-assign]
        self._placeholder.__path__ = []
        self._functions: set[TestFunction] = set()
        self._parents: dict[Path, pytest.Collector] = {}
        _PlaceholderType.operations = 0
        _PlaceholderType.refusal = None
        sys.modules[module] = self._placeholder
        self._submodules = _Submodules(module, self._placeholder)
        sys.meta_path.insert(0, self._submodules)
        config.add_cleanup(self._end)

    @property
    def files(self) -> set[Path]:
        """The files of tests."""
        return set(self._parents)

    def note(self, collector: pytest.Collector) -> None:
        """Note a file of tests."""
        if isinstance(collector, pytest.File) and collector.parent is not None:
            self._parents[collector.path] = collector.parent

    def note_tests(self, items: Iterable[pytest.Item]) -> None:
        """Note which test functions there are without a candidate."""
        self._functions.update(map(function_of, items))

    def use(self, solution: SolutionModule | None, entry: str | None) -> None:
        """Have the candidate be imported from now on, or the placeholder, in a forked process.

        What was imported before, and lies among the tests, is forgotten. pytest keeps conftest
        files and plugins: those that use the candidate are executed again in their place.
        """
        if solution is not None:
            # It must not be compared with another one, which would pass.
            _PlaceholderType.refusal = HarnessError(
                "this was imported before there was a candidate, and is still used"
            )
            sys.modules[self.module] = solution  # type: ignore[assignment]
            self._submodules.use(solution, entry or self.module)
        imported = self._imported_among_tests()
        plugins = set(map(id, self._config.pluginmanager.get_plugins()))
        kept = {name: module for name, module in imported.items() if id(module) in plugins}
        stale = imported.keys() - kept.keys()
        for name in stale:
            _forget(name)
        # A conftest file imports from plugins, and from conftest files above it.
        for name in sorted(kept, key=lambda name: name.rpartition(".")[2] == "conftest"):
            module = kept[name]
            if any(self._comes_from(value, stale) for value in vars(module).values()):
                stale.add(name)
                assert module.__spec__ is not None
                assert module.__spec__.loader is not None
                module.__spec__.loader.exec_module(module)

    def collect(self, session: pytest.Session) -> list[pytest.Item]:
        """The tests with the candidate that is in use."""
        items: list[pytest.Item] = []
        for path, parent in self._parents.items():
            for files in parent.ihook.pytest_collect_file(file_path=path, parent=parent):
                for file in files if isinstance(files, list) else [files]:
                    items += session.genitems(file)
        if any("::" in argument for argument in self._config.args):
            items = [item for item in items if function_of(item) in self._functions]
        self._config.hook.pytest_collection_modifyitems(
            session=session, config=self._config, items=items
        )
        return items

    def refuse_placeholder(self) -> None:
        """Have a test that runs without a candidate end where it asks for one."""
        _PlaceholderType.refusal = NeedsCandidate("this test asks for the candidate")

    def missing_in(self, items: Iterable[pytest.Item]) -> set[TestFunction]:
        """The test functions that there are without a candidate only."""
        return self._functions - set(map(function_of, items))

    def _imported_among_tests(self) -> dict[str, types.ModuleType]:
        """What was imported since there is a placeholder, and lies among the tests."""
        folders = {path.parent for path in self._parents} | {self._config.rootpath}
        own = (self.module, _OWN_PACKAGE)
        return {
            name: module
            for name, module in list(sys.modules.items())
            if name not in self._imported_before
            and name.partition(".")[0] not in own
            and (place := _place_of(module))
            and "site-packages" not in place
            and any(Path(place).is_relative_to(folder) for folder in folders)
        }

    def _comes_from(self, value: object, modules: set[str]) -> bool:
        """Whether a global of a module is the placeholder's, or one of these modules'."""
        if value is Placeholder or value is self._placeholder:
            return True
        attribute = "__name__" if isinstance(value, types.ModuleType) else "__module__"
        return getattr(value, attribute, None) in modules

    def _end(self) -> None:
        """Leave the process to its next session as it was before this one."""
        for name in self._imported_among_tests():
            _forget(name)
        self._submodules.forget()
        sys.meta_path.remove(self._submodules)
        sys.modules.pop(self.module, None)
        if self._module_before is not None:
            sys.modules[self.module] = self._module_before


IMPORT_MODE = pytest.StashKey[ImportMode]()
"""Where a session has its import mode, if its tests import the candidate."""


def function_of(item: pytest.Item) -> TestFunction:
    """The function of a test."""
    in_file = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return item.path, "::".join([*in_file, getattr(item, "originalname", item.name)])


def _place_of(module: types.ModuleType) -> str | None:
    """The file of a module, or the folder of a package that has none."""
    return getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)


def _forget(name: str) -> None:
    """Have a module be imported anew. Its package, which may stay, would still give the old one."""
    module = sys.modules.pop(name)
    package, _, last = name.rpartition(".")
    if package in sys.modules and vars(sys.modules[package]).get(last) is module:
        delattr(sys.modules[package], last)


def _placeholder_of(name: str) -> Any:
    if name == "__all__":
        return []
    if name.startswith("__"):
        raise AttributeError(name)
    return Placeholder
