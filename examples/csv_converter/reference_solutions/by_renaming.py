"""Row by row into a file that takes the name of the target at the end."""

import csv
import json
import os
import re


def value_of(text):
    if not text:
        return None
    return int(text) if re.fullmatch("-?[0-9]+", text) else text


def convert(source, target):
    part = f"{os.fspath(target)}.part"
    count = 0
    try:
        with open(source, encoding="utf-8", newline="") as file, open(part, "w") as out:
            rows = csv.reader(file)
            names = next(rows)
            for count, row in enumerate(rows, 1):
                if len(row) != len(names):
                    raise ValueError(f"a row of {len(row)} values for {len(names)} names")
                out.write(json.dumps(dict(zip(names, map(value_of, row)))) + "\n")
    except ValueError:
        os.unlink(part)
        raise
    os.replace(part, target)
    return count
