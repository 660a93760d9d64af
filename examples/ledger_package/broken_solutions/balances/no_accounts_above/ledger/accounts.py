from collections import Counter

from .errors import LedgerError
from .lines import parse_line


def balances(lines):
    found = Counter()
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        try:
            _, account, cents = parse_line(line)
        except LedgerError as error:
            raise LedgerError(f"{number}: {error}") from None
        found[account] += cents
    return dict(found)
