import re
import sys
from decimal import Decimal

LINE = re.compile(r"([A-Za-z]+) (-?[0-9]+\.[0-9]{2})")


def totals(lines):
    names, amounts = [], []
    for number, line in enumerate(lines, 1):
        line = line.rstrip("\n")
        if not line:
            continue
        match = LINE.fullmatch(line)
        if match is None:
            sys.exit(complain(number))
        if match[1] not in names:
            names.append(match[1])
            amounts.append(Decimal(0))
        amounts[names.index(match[1])] += Decimal(match[2])
    return dict(zip(names, amounts))


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
