"""Candidates composed of defects and conditions, and an oracle that knows which of them are wrong.

A task's `search.py` has `shells()`, which gives names and sources to be put behind a reference, and
`violation(module, source)`, which says how a candidate breaks the task's rules ("" if it does not)
without use of the tests. Where the tests say otherwise, they are wrong, or the oracle is.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType

from .specimens import FAILED, PASSED, Specimen

SEARCH = "search.py"
_REFERENCES_PER_SHELL = 2


@dataclass(frozen=True)
class Composed:
    """A candidate: which defect under which condition, and the oracle's word on it, "" if right."""

    name: str
    violation: str


def compose(task: Path, references: list[Path], folder: Path) -> dict[Specimen, Composed]:
    """Write the candidates to a folder, and have the oracle judge them in processes of its own.

    Each shell is put around two references, in turn.
    """
    written = {}
    for number, (name, source) in enumerate(_search_of(task).shells()):
        for place in range(number, number + min(_REFERENCES_PER_SHELL, len(references))):
            reference = references[place % len(references)]
            path = folder / f"{reference.stem}_{number}.py"
            path.write_text(reference.read_text() + source)
            written[path] = f"{reference.name}: {name}"
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        violations = pool.map(partial(_judge, task), written, chunksize=8)
        judged = zip(written.items(), violations, strict=True)
        return dict(_specimens(judged))


def _specimens(
    judged: Iterator[tuple[tuple[Path, str], str]],
) -> Iterator[tuple[Specimen, Composed]]:
    for (path, name), violation in judged:
        yield Specimen(path, FAILED if violation else PASSED), Composed(name, violation)


def _judge(task: Path, path: Path) -> str:
    module = ModuleType(path.stem)
    sys.modules[path.stem] = module
    source = path.read_text()
    try:
        exec(compile(source, str(path), "exec"), vars(module))
        violation: str = _search_of(task).violation(module, source)
    finally:
        del sys.modules[path.stem]
    return violation


@cache
def _search_of(task: Path) -> ModuleType:
    sys.path.insert(0, str(task.resolve()))
    return importlib.import_module(Path(SEARCH).stem)
