"""What a worker can be asked to do: `OPERATIONS`, by name.

Nothing here is relied on for a verdict: the candidate can change every line of it, in its own
process only.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib
import importlib.util
import inspect
import linecache
import math
import operator
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..wire.specials import BINARY, IN_PLACE
from .objects import text_of_traceback


class LoadFailed(Exception):
    """Carries, as its cause, what the candidate's file raised when it was imported."""


class Pull:
    """At most `limit` items of an iterator, to be encoded one by one."""

    def __init__(self, iterator: Iterator[object], limit: int) -> None:
        self.iterator = iterator
        self.limit = limit


def _pull_anew(iterable: Iterable[object], limit: int) -> Pull:
    return Pull(iter(iterable), limit)


def _store(name: str, source: bytes) -> str:
    """Write the source into a file of its own; give the name of the module that it is to be.

    A request of its own, before the candidate's first line: what goes wrong is not its doing.
    """
    if name in sys.modules or name in sys.stdlib_module_names or not name.isidentifier():
        name = "solution"
    Path(f"{name}.py").write_bytes(source)
    return name


def _load(name: str, source: bytes) -> types.ModuleType:
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


def _run(source: str) -> int:
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


def _is_instance(item: object, kind: Any, qualified_name: str = "") -> bool:
    if isinstance(kind, str):
        kind = operator.attrgetter(qualified_name)(importlib.import_module(kind))
    return issubclass(type(item), kind)


def _call(function: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    return function(*args, **kwargs)


def _send(generator: Any, value: object) -> object:
    return generator.send(value)


def _throw(generator: Any, error: BaseException) -> object:
    return generator.throw(error)


def _exit(manager: Any, error: BaseException | None) -> object:
    kind = None if error is None else type(error)
    return type(manager).__exit__(manager, kind, error, None)


def _reversed(item: Any) -> object:
    return reversed(item)


def _signature(function: Callable[..., object]) -> list[object]:
    """Of each parameter the name, the kind, and in lists of at most one its default value and
    annotation; then the annotation of what is returned, so too."""
    signature = inspect.signature(function)
    empty = inspect.Parameter.empty

    def given(value: object) -> list[object]:
        return [] if value is empty else [value]

    parameters = [
        [p.name, int(p.kind), given(p.default), given(p.annotation)]
        for p in signature.parameters.values()
    ]
    return [parameters, given(signature.return_annotation)]


def _code_of(function: Any) -> dict[str, object]:
    names = ("co_name", "co_flags", "co_argcount", "co_posonlyargcount", "co_kwonlyargcount")
    code = function.__code__
    return {name: getattr(code, name) for name in names} | {"co_varnames": code.co_varnames}


def _members(kind: type) -> dict[str, object]:
    return dict(vars(kind))


def _field_names(item: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(item)]


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, f"__{name}__") for name in (*BINARY, *IN_PLACE) if name != "divmod"},
    "divmod": divmod,
    "pow": pow,
    "neg": operator.neg,
    "pos": operator.pos,
    "abs": abs,
    "invert": operator.invert,
    "int": int,
    "float": float,
    "complex": complex,
    "index": operator.index,
    "round": round,
    "trunc": math.trunc,
    "floor": math.floor,
    "ceil": math.ceil,
    "bytes": bytes,
    "format": format,
    "reversed": _reversed,
    "repr": repr,
    "fspath": os.fspath,
    "enter": lambda manager: type(manager).__enter__(manager),
    "exit": _exit,
    "send": _send,
    "throw": _throw,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "issubclass": issubclass,
    "signature": _signature,
    "code": _code_of,
    "field_names": _field_names,
    "members": _members,
    "store": _store,
    "load": _load,
    "run": _run,
    "import": importlib.import_module,
    "is_instance": _is_instance,
    "pull": _pull_anew,
    "pull_on": Pull,
    "call": _call,
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "iter": iter,
    "next": next,
    "len": len,
    "bool": bool,
    "hash": hash,
    "str": str,
    "dir": dir,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    "contains": operator.contains,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
