"""Generates mutants of reference solutions, and reads the list of equivalent ones.

cosmic-ray generates them. Each mutant is a candidate that must fail the task's tests. A mutant that
still obeys every rule of the task is *equivalent*: it is listed in `equivalent_mutants.toml` beside
the references, with a proof.
"""

from __future__ import annotations

import ast
import difflib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

EQUIVALENT_MUTANTS = "equivalent_mutants.toml"
_NEED_ARGUMENTS = {"core/VariableReplacer", "core/VariableInserter"}


@dataclass(frozen=True)
class Change:
    """The difference between a mutant and its reference: the changed lines, without indentation."""

    reference: str
    removed: str
    added: str

    def __str__(self) -> str:
        return f"{self.reference}\n  - {self.removed}\n  + {self.added}"


def mutants_of(reference: Path) -> Iterator[tuple[Change, str]]:
    """The mutants that are valid and different programs, with their source."""
    source = reference.read_text()
    seen = {ast.dump(ast.parse(source))}
    nodes = list(ast_nodes(get_ast(source)))
    for name in operator_names():
        if name in _NEED_ARGUMENTS:
            continue
        operator = get_operator(name)()
        # mutate_code parses the source each time, and most operators find nothing to change in it.
        occurrences = sum(1 for node in nodes for _ in operator.mutation_positions(node))
        for occurrence in range(occurrences):
            mutant = mutate_code(source, operator, occurrence)
            try:
                program = ast.dump(ast.parse(mutant))
            except SyntaxError:
                continue
            if program not in seen:
                seen.add(program)
                yield _change(reference.name, source, mutant), mutant


def equivalent_mutants(references: Path) -> dict[Change, str]:
    """The changes listed as equivalent, each with its proof.

    Raises `ValueError`, with a message for the user, if the list cannot be read.
    """
    path = references / EQUIVALENT_MUTANTS
    if not path.exists():
        return {}
    try:
        listed = tomllib.loads(path.read_text())["mutant"]
        return {Change(m["reference"], m["removed"], m["added"]): m["proof"] for m in listed}
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from None


def _change(reference: str, source: str, mutant: str) -> Change:
    lines = list(difflib.unified_diff(source.splitlines(), mutant.splitlines(), n=0, lineterm=""))[
        2:
    ]
    removed, added = (
        "\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return Change(reference, removed, added)
