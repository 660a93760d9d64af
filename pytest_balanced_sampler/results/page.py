"""The HTML report: one file to look at, that asks nothing of the network.

Used by `scripts/pass_rate.py` and `rollout_run`. Jinja2 makes the page, with inline SVG for the
charts: the text of a chart stays text, it follows the reader's colours, and a page without a chart
library can forbid itself everything but its own style and its own script, by their hashes. What
came from a candidate reaches the page as escaped text, or as JSON that the script shows as text.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..files import write_whole
from ..grade import Outcome
from ..text import printable, printable_line, printable_name
from .read import Result, Results
from .run_folder import SOLUTION
from .summary import Quantity, Summary
from .tables import too_few_failures
from .transcript import transcript_text
from .verdict import verdict_sentences

_MAX_TEXT = 40_000
_MAX_ALL_TEXTS = 30_000_000
_BINS = 20


def write_page(path: Path, results: Results, summary: Summary) -> None:
    """Write the page. May raise `OSError`."""
    write_whole(path, page_html(results, summary))


def page_html(results: Results, summary: Summary) -> str:
    """The page, as HTML."""
    style, script = _part("report.css"), _part("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            summary=summary,
            verdict=list(verdict_sentences(summary.band)) if summary.band else [],
            too_few_failures=too_few_failures(summary) if summary.failures_missing else "",
            data=_data(results, summary),
            style=style,
            script=script,
            style_hash=_csp_hash(style),
            script_hash=_csp_hash(script),
            histograms={
                name: _histogram(quantity)
                for name, quantity in (("Steps", summary.steps), ("Tokens", summary.tokens))
                if quantity is not None and len(quantity.values) > 1
            },
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, "page_template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: f"{share:.1%}"
    environment.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["one_line"] = printable_line
    environment.filters["short_name"] = printable_name
    return environment


def _part(name: str) -> str:
    return files(__package__).joinpath("page_template", name).read_text()


def _csp_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data(results: Results, summary: Summary) -> dict[str, Any]:
    """What the page's script shows; equal texts are kept once."""
    texts = _Texts()
    tests = list(summary.tests)
    return {
        "tests": tests,
        "outcomes": [name for name in Outcome if summary.outcomes[name]],
        "candidates": [_candidate(result, tests, texts) for result in results.results],
        "texts": texts.kept,
    }


def _candidate(result: Result, tests: list[str], texts: _Texts) -> dict[str, Any]:
    grade, rollout = result.grade, result.rollout
    return {
        "name": printable_name(result.name),
        "outcome": result.outcome,
        "mode": printable_line(result.failure_mode or ""),
        "message": printable(result.message),
        "tests": [grade.tests.get(test, "") if grade is not None else "" for test in tests],
        "seconds": round(grade.duration, 3) if grade is not None else None,
        "steps": rollout.steps if rollout is not None else None,
        "tokens": sum(rollout.usage.values()) if rollout is not None else None,
        "tampering": [printable_line(sign) for sign in grade.tampering] if grade else [],
        "source": texts.keep(_source(result)),
        "transcript": texts.keep(transcript_text(result.origin)),
    }


class _Texts:
    """Long texts by number, equal ones once, up to a limit: a page must stay one that opens."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self._numbers: dict[str, int] = {}
        self._left = _MAX_ALL_TEXTS

    def keep(self, text: str | None) -> int | None:
        """The number of the text; None where there is none, or no more room."""
        if text is None:
            return None
        text = printable(text, _MAX_TEXT)
        if text not in self._numbers:
            if len(text) > self._left:
                return None
            self._left -= len(text)
            self._numbers[text] = len(self.kept)
            self.kept.append(text)
        return self._numbers[text]


def _source(result: Result) -> str | None:
    """The source, if a file is still there that is what was graded."""
    if result.grade is None or result.grade.sha256 is None:
        return None
    path = Path(result.grade.path)
    own = [result.origin / "workspace" / SOLUTION] if result.rollout is not None else []
    for place in (*own, path, result.origin.parent / path):
        try:
            source = place.read_bytes()
        except (OSError, ValueError):  # A path in a damaged report may be none.
            continue
        if hashlib.sha256(source).hexdigest() == result.grade.sha256:
            return source.decode("utf-8", "replace")
    return None


def _histogram(quantity: Quantity) -> list[tuple[int, int, int]]:
    """How many values are from a first to a last number, both included."""
    low, high = quantity.values[0], quantity.values[-1]
    width = -(-(high - low + 1) // _BINS)
    starts = range(low, high + 1, width)
    return [
        (start, start + width - 1, sum(start <= v < start + width for v in quantity.values))
        for start in starts
    ]
