"""Grows the target for as long as the test reads it."""

import threading


def convert(source, target):
    def grow():
        while True:
            try:
                with open(target, "a") as file:
                    file.write("{}\n" * 100_000)
            except OSError:
                pass

    threading.Thread(target=grow, daemon=True).start()
    return 3
