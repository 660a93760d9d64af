"""The candidate's file: stored, imported, or run as a script."""

from __future__ import annotations

import importlib.util
import linecache
import sys
import types
from pathlib import Path

from .objects import text_of_traceback


class LoadFailed(Exception):
    """Carries, as its cause, what the candidate's file raised when it was imported."""


def store(name: str, source: bytes) -> str:
    """Write the source into a file of its own; give the name of the module that it is to be.

    A request of its own, before the candidate's first line: what goes wrong is not its doing.
    """
    if name in sys.modules or name in sys.stdlib_module_names or not name.isidentifier():
        name = "solution"
    Path(f"{name}.py").write_bytes(source)
    return name


def load(name: str, source: bytes) -> types.ModuleType:
    """Import what was stored as a real module: in `sys.modules` before it runs.

    Dataclasses with postponed annotations, pickling and `inspect.getsource` rely on that.
    """
    path = Path.cwd() / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(source, path.name, "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        raise LoadFailed from error
    return module


def run(source: str) -> int:
    """Run a script in the working directory, as `python script.py` would; give its exit status."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    sys.path.insert(0, str(Path.cwd()))
    linecache.cache["<run_python>"] = (len(source), None, source.splitlines(keepends=True), "")
    try:
        exec(compile(source, "<run_python>", "exec", dont_inherit=True), main.__dict__)
    except SystemExit as error:
        if isinstance(error.code, str):
            sys.stderr.write(f"{error.code}\n")
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        sys.stderr.write(text_of_traceback(error))
        return 1
    return 0
