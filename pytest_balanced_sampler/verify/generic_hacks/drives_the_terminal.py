"""Prints, raises and names things with escape sequences that repaint the screen."""


def attack():
    print("\x1b[2J\x1b[H\x1b[32m7 passed\x1b[0m")
    name = "\x1b]0;passed\x07\x1b[1A\x1b[2K<script>alert(1)</script>\ud800"
    raise type(name, (ValueError,), {})(name)
