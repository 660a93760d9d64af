"""Imports the preloaded modules in the warm process, and seeds their generators."""

from __future__ import annotations

import importlib
import random
import sys
import types
from contextlib import suppress
from typing import Any

_LAZY_IMPORT: Any = getattr(types, "LazyImportType", None)
"""None before Python 3.15."""


def preload(names: list[str]) -> dict[str, str]:
    """Import the modules, seed the global generators, and return the versions.

    Raises `ImportError`.
    """
    modules = {name: importlib.import_module(name) for name in names}
    _finish_lazy_imports()
    # A candidate's random numbers are the same in every session.
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    return {name: str(getattr(module, "__version__", "")) for name, module in modules.items()}


def _finish_lazy_imports() -> None:
    """Carry out the lazy imports of the libraries: each worker would repeat them after the fork.

    Those of the standard library are left: it has many, and most are never used.
    """
    seen: set[str] = set()
    while _LAZY_IMPORT is not None and (new := sys.modules.keys() - seen):
        seen |= new
        for module in (sys.modules[name] for name in new if _is_of_a_library(name)):
            for name, value in list(vars(module).items()):
                if type(value) is _LAZY_IMPORT:
                    # It may be an optional dependency.
                    with suppress(Exception):
                        getattr(module, name)


def _is_of_a_library(name: str) -> bool:
    return name.partition(".")[0] not in {*sys.stdlib_module_names, "__main__"}
