import json
import re
from pathlib import Path


def value_of(text):
    if not text:
        return None
    return int(text) if re.fullmatch("-?[0-9]+", text) else text


def convert(source, target):
    with open(source, encoding="utf-8", newline="") as file:
        rows = (line.rstrip("\r\n").split(",") for line in file)
        names = next(rows)
        objects = []
        for row in rows:
            if len(row) != len(names):
                raise ValueError(f"a row of {len(row)} values for {len(names)} names")
            objects.append(dict(zip(names, map(value_of, row))))
    lines = (json.dumps(found) + "\n" for found in objects)
    Path(target).write_text("".join(lines), encoding="utf-8")
    return len(objects)
