"""Opens files until there is no descriptor left."""


def attack():
    hoard = []
    while len(hoard) < 5000:
        hoard.append(open("/dev/null"))
