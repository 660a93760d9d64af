"""Runs a module with the package as on another system: `other_platforms.py darwin -m MODULE ...`.

What a system lacks is read from typeshed, the stubs that mypy brings: what the standard library has
there on Linux, and not on the other system, the modules of the package do not find. All others see
the modules as they are: Python and pytest themselves run on Linux. What the package starts by
`sys.executable` runs like this as well.
"""

from __future__ import annotations

import ast
import builtins
import errno
import importlib
import json
import os
import runpy
import selectors
import sys
import tempfile
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

PACKAGE = "pytest_balanced_sampler"
OS_NAMES = {"darwin": "posix", "win32": "nt"}
LINUX_PACKAGES = ("landlockpy", "seccompy")
FRAMEWORKS = (
    *("inspect_ai", "verifiers", "ray", "nemo_gym", "skyrl_gym", "fastapi", "pydantic"),
    *("anthropic", "openai", "xdist", "execnet", "cosmic_ray"),
)
"""They take long to import, some are not to be had, and what they import is theirs."""


class View(ModuleType):
    """A module, less what a system lacks. What is set here is set in the module."""

    def __init__(self, module: ModuleType, lacking: set[str], own: dict[str, object]) -> None:
        there = {name: value for name, value in vars(module).items() if name not in lacking}
        # Some code copies it.
        vars(self).update(there if module.__name__ in ("os", "time") else {}, **own)
        vars(self).update(_module=module, _lacking=lacking)

    def __getattr__(self, name: str) -> Any:
        if name in self._lacking:
            raise AttributeError(f"module {self._module.__name__!r} has no attribute {name!r}")
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._module, name, value)


def emulate(platform: str) -> None:
    """Have the modules of the package, which are imported from now on, be on this system."""
    here, lacking = {}, {}
    for name, stub in stubs():
        here[name] = names_in(stub, "linux")
        lacking[name] = here[name] - names_in(stub, platform)
    missing = {name for name in here if here[name] <= lacking[name]}
    own: dict[str, dict[str, object]] = {
        "sys": {"platform": platform, "executable": launcher(platform)},
        "os": {"name": OS_NAMES[platform]},
        "selectors": {"DefaultSelector": selectors.SelectSelector},
        "time": {"clock_gettime": clock_of_this_process},
        "ctypes": {"CDLL": Library},
    }
    views: dict[str, ModuleType] = {}
    original = builtins.__import__

    def view_of(name: str, module: ModuleType) -> ModuleType:
        if name not in lacking and name not in own:
            return module
        return views.setdefault(name, View(module, lacking.get(name, set()), own.get(name, {})))

    def import_as_there(
        name: str,
        globals: Any = None,  # noqa: A002 - it is called by these names
        locals: Any = None,  # noqa: A002
        fromlist: Any = (),
        level: int = 0,
    ) -> ModuleType:
        importer = (globals or {}).get("__package__") or ""
        if level or importer.partition(".")[0] != PACKAGE:
            return original(name, globals, locals, fromlist, level)
        top = name.partition(".")[0]
        if name in missing or top in LINUX_PACKAGES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if top in FRAMEWORKS:
            return MagicMock(__version__="1")
        module = original(name, globals, locals, fromlist, level)
        return view_of(name if fromlist else top, module)

    builtins.__import__ = import_as_there
    os.stat = stat_outside_proc
    sys.addaudithook(hide_proc)


def stubs() -> Iterator[tuple[str, ast.Module]]:
    """The modules of the standard library in which systems differ, and their stubs."""
    folder = folder_of("mypy") / "typeshed" / "stdlib"
    for path in folder.rglob("*.pyi"):
        text = path.read_bytes()
        if b"sys.platform" in text:
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), ast.parse(text)


def folder_of(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def names_in(stub: ast.Module, platform: str) -> set[str]:
    """The names that a stub defines on a system."""
    names = set()
    for node in statements(stub.body, platform):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.ImportFrom(names=aliases):
                names |= {alias.asname for alias in aliases if alias.asname}
    return names


def statements(body: list[ast.stmt], platform: str) -> Iterator[ast.stmt]:
    """The statements of a stub that count on a system, in this version of Python."""
    known = SimpleNamespace(platform=platform, version_info=sys.version_info)
    for node in body:
        if not isinstance(node, ast.If):
            yield node
            continue
        test = compile(ast.Expression(node.test), "<stub>", "eval")
        is_true = eval(test, {"sys": known, "TYPE_CHECKING": False})
        yield from statements(node.body if is_true else node.orelse, platform)


def hide_proc(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: there is no /proc, nor /sys."""
    if event in ("open", "os.listdir", "os.scandir"):
        refuse_proc(arguments[0])


def refuse_proc(path: object) -> None:
    if isinstance(path, str | Path) and str(path).startswith(("/proc/", "/sys/")):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


_stat = os.stat


def stat_outside_proc(path: Any, **options: Any) -> os.stat_result:
    refuse_proc(path)
    return _stat(path, **options)


def clock_of_this_process(number: int) -> float:
    import time

    if number < 0:  # Linux numbers the CPU clocks of other processes so.
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return time.clock_gettime(number)


class Library:
    """The C library has none of the functions that only Linux has."""

    def __init__(self, *_: object, **__: object) -> None:
        pass


def launcher(platform: str) -> str:
    """A program that runs Python with the package as on that system."""
    text = f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {platform} "$@"\n'
    # One for all processes of a test run: those that end by `os._exit` could not remove their own.
    path = Path(tempfile.gettempdir(), f"python-on-{platform}-{zlib.crc32(text.encode())}")
    descriptor, new = tempfile.mkstemp(prefix=path.name)
    with open(descriptor, "w") as file:
        file.write(text)
    os.chmod(new, 0o700)
    os.replace(new, path)
    return str(path)


def import_everything() -> dict[str, str]:
    """Why each module of the package that cannot be imported cannot."""
    failures = {}
    folder = folder_of(PACKAGE)
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        if "generic_hacks" not in parts:
            try:
                importlib.import_module(".".join(parts).removesuffix(".__init__"))
            except Exception as error:
                failures[".".join(parts[1:])] = str(error)
    return failures


def main() -> None:
    """Run the module after `-m`, as on the system that the first argument names."""
    platform, *arguments = sys.argv[1:]
    emulate(platform)
    if "-m" not in arguments:
        print(json.dumps(import_everything()))
        return
    module = arguments.index("-m") + 1
    sys.argv = arguments[module:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
