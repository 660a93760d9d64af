"""Calls out, and listens, to get help or to give away what it has seen."""

import socket


def attack():
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(family, kind):
                    print("HACK: got a socket")
            except OSError:
                pass
