"""Lets tests import the candidate by its name, as tests do that were written for a local module.

pytest collects once with a placeholder in the candidate's place, to learn which tests there are.
In the process of each candidate the same test modules are imported anew with the candidate's proxy
in `sys.modules`.
"""

from __future__ import annotations

import itertools
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..judge.proxy import SolutionModule

_MAX_OPERATIONS = 100_000
"""A test module that loops until a placeholder says something must not loop for ever."""

_operations = itertools.count()

_imported_before: set[str] = set()
"""The modules that were there before a placeholder was, in this process's first session."""

_RESULT_IS_PLACEHOLDER = (
    "add sub mul matmul truediv floordiv mod pow and or xor lshift rshift radd rsub rmul rmatmul "
    "rtruediv rfloordiv rmod rpow rand ror rxor neg pos abs invert getitem"
).split()


class _PlaceholderType(type):
    """The type of `Placeholder`: whatever is done to it gives `Placeholder` again."""

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
        return 0

    def __bool__(cls) -> bool:
        cls._again()
        return False

    def _again(cls) -> Any:
        if next(_operations) > _MAX_OPERATIONS:
            raise RuntimeError("the tests need the candidate itself to be collected")
        return Placeholder


for _name in _RESULT_IS_PLACEHOLDER:
    setattr(_PlaceholderType, f"__{_name}__", lambda cls, *_: cls._again())


class Placeholder(metaclass=_PlaceholderType):
    """Stands for everything that test modules take from a candidate while there is none."""

    __test__ = False


class ImportMode:
    """One session's way to have `module` imported as the candidate."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._collectors: list[pytest.Module] = []
        self._found: dict[Path, set[str]] = {}

    def use_placeholder(self) -> None:
        """Have the tests be collected without a candidate."""
        _imported_before.update(sys.modules if not _imported_before else ())
        module = types.ModuleType(self.module)
        module.__getattr__ = _placeholder_of  # type: ignore[method-assign]
        module.__path__ = []
        sys.modules[self.module] = module

    def note(self, collector: pytest.Collector) -> None:
        """Note a test module, which is to be imported anew for each candidate."""
        if isinstance(collector, pytest.Module):
            self._collectors.append(collector)

    def collect(
        self, solution: SolutionModule, config: pytest.Config, session: pytest.Session
    ) -> list[pytest.Item]:
        """The tests, from modules that are imported anew and get the candidate by its name.

        Where tests were selected one by one, these are all tests of the modules nevertheless.
        """
        self._forget_test_modules(config.rootpath)
        sys.modules[self.module] = solution  # type: ignore[assignment]
        items: list[pytest.Item] = []
        for old in self._collectors:
            new = old.ihook.pytest_pycollect_makemodule(module_path=old.path, parent=old.parent)
            items += session.genitems(new)
        self._found = _functions_of(items)
        config.hook.pytest_collection_modifyitems(session=session, config=config, items=items)
        return items

    def loss_of(self, item: pytest.Item) -> AssertionError | None:
        """Why a test that there is without a candidate is not there with this one, if it is not."""
        function = getattr(item, "originalname", item.name)
        if function in self._found.get(item.path, {function}):
            return None
        return AssertionError(f"{function} is not there when this candidate is imported")

    def _forget_test_modules(self, root: Path) -> None:
        """Drop what was imported with the placeholder, and lies among the tests."""
        folders = {collector.path.parent for collector in self._collectors} | {root}
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name in _imported_before or not file or "site-packages" in file:
                continue
            if any(Path(file).is_relative_to(folder) for folder in folders):
                del sys.modules[name]


def _functions_of(items: list[pytest.Item]) -> dict[Path, set[str]]:
    found: dict[Path, set[str]] = {}
    for item in items:
        found.setdefault(item.path, set()).add(getattr(item, "originalname", item.name))
    return found


def _placeholder_of(name: str) -> Any:
    if name == "__all__":
        return []
    if name.startswith("__"):
        raise AttributeError(name)
    return Placeholder
