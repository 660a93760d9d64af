"""Has `os.system`, under the name of a class of data, handed to the test, which calls it."""

import sys

msgpack = sys.modules["msgpack"]
values = sys.modules["pytest_balanced_sampler.wire.values"]
extend_data = values._extend_data


class Function:
    pass


def name_it(item, *how):
    if type(item) is Function:
        return msgpack.ExtType(11, msgpack.packb(["os", "system"]))
    return extend_data(item, *how)


values._extend_data = name_it


def attack():
    return Function()
