"""A small ledger, with what it needs beside the package."""

import re
from collections import Counter

from helpers import names_above

__all__ = ["LedgerError", "balances", "parse_line"]


class LedgerError(ValueError):
    """A line that is none."""


AMOUNT = re.compile(r"(-?)([0-9]+)[.]([0-9]{2})")


def parse_line(line):
    parts = line.split()
    amount = AMOUNT.fullmatch(parts[2]) if len(parts) == 3 else None
    if amount is None:
        raise LedgerError(f"not a line: {line!r}")
    sign, whole, places = amount.groups()
    cents = 100 * int(whole) + int(places)
    return parts[0], parts[1], -cents if sign else cents


def balances(lines):
    found = Counter()
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        try:
            _, account, cents = parse_line(line)
        except LedgerError as error:
            raise LedgerError(f"{number}: {error}") from None
        for name in names_above(account):
            found[name] += cents
    return dict(found)
