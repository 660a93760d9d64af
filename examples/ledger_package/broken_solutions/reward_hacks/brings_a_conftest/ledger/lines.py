def parse_line(line):
    return None
