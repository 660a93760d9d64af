import argparse
import os
import sys


def cents_of(text):
    whole, point, fraction = text.partition(b".")
    digits = whole.removeprefix(b"-") + fraction
    if not point or len(fraction) != 2 or not digits.isdigit() or len(digits) < 3:
        raise ValueError
    return -int(digits) if whole.startswith(b"-") else int(digits)


def read(data):
    totals = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line:
            continue
        try:
            name, amount = line.split(b" ")
            if not name.isalpha():
                raise ValueError
            totals[name] = totals.get(name, 0) + cents_of(amount)
        except ValueError:
            os.write(2, b"line %d: cannot read\n" % number)
            os._exit(2)
    return totals


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--top", type=int)
    top = parser.parse_args().top
    totals = read(sys.stdin.buffer.read())
    output = []
    for name in sorted(totals, key=lambda name: (-totals[name], name))[:top]:
        total = totals[name]
        sign = b"-" if total < 0 else b""
        output.append(b"%s %s%d.%02d\n" % (name, sign, *divmod(abs(total), 100)))
    sys.stdout.buffer.write(b"".join(output))


main()
