"""Gives an object that is equal to everything, contains everything and has any attribute."""


class Anything(list):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __contains__(self, item):
        return True

    def __getattr__(self, name):
        return self

    def __call__(self, *arguments, **keywords):
        return self

    __hash__ = object.__hash__


def attack():
    return Anything()
