"""Prints without end, to fill the memory of the process that keeps the output."""


def attack():
    for _ in range(200):
        print("flood " * 5000)
