"""Finds the candidates that `--solution` names, and reads them; used by the plugin only."""

from __future__ import annotations

import errno
import glob
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import HarnessError, LoadError, NoSolution
from ..judge.unpatched import os
from ..text import one_line

MAX_SOURCE_BYTES = 2**20


@dataclass(frozen=True)
class Candidate:
    """One file to grade. `name` is for people; `index` is its place among the candidates."""

    path: Path
    name: str
    index: int

    def read(self) -> bytes:
        """The source.

        Raises `NoSolution` when it is empty, `LoadError` when it is no plain file of at most
        `MAX_SOURCE_BYTES`, `HarnessError` when the machine does not let us read it.
        """
        try:
            # A model can make a link to any file that we may read; a named pipe would block.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise LoadError("the candidate is a symbolic link; give the file itself") from None
            raise HarnessError(f"cannot read the candidate: {error.strerror}") from error
        # Not the built-in `open`, which a test may have patched when it first asks the candidate.
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise LoadError("the candidate is not a plain file")
            source = file.read(MAX_SOURCE_BYTES + 1)
        if len(source) > MAX_SOURCE_BYTES:
            raise LoadError(f"the candidate has over {MAX_SOURCE_BYTES:,} bytes")
        if not source.strip():
            raise NoSolution("the candidate's file is empty")
        return source


def find_candidates(patterns: list[str], base: Path) -> list[Candidate]:
    """The candidates that files, folders and globs, relative to `base`, stand for, in that order.

    Raises `FileNotFoundError`, with a sentence for the user, when one stands for nothing.
    """
    paths = [path for pattern in patterns for path in _expand(pattern, base)]
    seen: Counter[str] = Counter()
    candidates = []
    for index, path in enumerate(paths):
        name = one_line(os.path.relpath(path, base) if path.is_relative_to(base) else str(path))
        seen[name] += 1
        shown = name if seen[name] == 1 else f"{name}#{seen[name]}"
        candidates.append(Candidate(path, shown, index))
    return candidates


def _expand(pattern: str, base: Path) -> Iterator[Path]:
    if not pattern:
        raise FileNotFoundError("--solution is empty: name a file, a folder or a glob")
    path = base / Path(pattern).expanduser()
    if path.is_dir():
        files = _files_below(path)
        if not files:
            raise FileNotFoundError(f"--solution={pattern}: there is no *.py file in this folder")
        yield from files
    elif os.path.lexists(path):
        yield Path(os.path.normpath(path))
    elif glob.has_magic(pattern):
        files = []
        for match in map(Path, sorted(glob.glob(str(path), recursive=True))):
            files += _files_below(match) if match.is_dir() else [match]
        if not files:
            raise FileNotFoundError(f"no file matches --solution={pattern}")
        yield from files
    else:
        raise FileNotFoundError(f"--solution={pattern}: there is no such file or folder")


def _files_below(folder: Path) -> list[Path]:
    found = []
    for directory, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        found += [Path(directory, name) for name in files if _is_candidate_name(name)]
    return sorted(found)


def _is_candidate_name(name: str) -> bool:
    return name.endswith(".py") and not name.startswith(".")
