"""docs/architecture.md, checked: every module is in it, and arrows between modules run one way."""

import ast
import re
from graphlib import TopologicalSorter

from tests.conftest import ROOT

PACKAGE = ROOT / "pytest_balanced_sampler"
UNTRUSTED = {"warm", "worker", "confine"}


def imports():
    """What each module imports of the package, wherever it does so."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if path.stem == "__init__":
            continue
        own = found[path.stem] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                own |= {node.module} if node.module else {name.name for name in node.names}
    return found


def test_arrows_run_one_way():
    """There is an order in which no module imports a later one, and the tests find real imports."""
    order = list(TopologicalSorter(imports()).static_order())
    assert order.index("wire") < order.index("remote_worker") < order.index("grading_session")


def test_the_trusted_side_imports_nothing_of_the_untrusted():
    """Only the untrusted side's own modules do."""
    importers = {name for name, imported in imports().items() if imported & UNTRUSTED}
    assert importers <= UNTRUSTED, importers
    assert "warm" in importers


def test_every_module_is_described():
    """None is missing in the table, and none is there that is gone."""
    table = (ROOT / "docs" / "architecture.md").read_text()
    described = set(re.findall(r"`(\w+)`", table.partition("| module |")[2]))
    modules = {path.stem for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert modules - described == set()
