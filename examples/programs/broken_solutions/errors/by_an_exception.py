import re
import sys
from collections import defaultdict
from decimal import Decimal

LINE = re.compile(r"([A-Za-z]+) (-?[0-9]+\.[0-9]{2})")


def totals(lines):
    found = defaultdict(Decimal)
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\n")
        if not line:
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise ValueError(number)
        found[match[1]] += Decimal(match[2])
    return found


def complain(number):
    print(f"line {number}: cannot read", file=sys.stderr)
    return 2


def main():
    found = sorted(totals(sys.stdin).items(), key=lambda item: (-item[1], item[0]))
    if "--top" in sys.argv:
        found = found[: int(sys.argv[2])]
    for name, total in found:
        print(f"{name} {total:.2f}")


if __name__ == "__main__":
    main()
