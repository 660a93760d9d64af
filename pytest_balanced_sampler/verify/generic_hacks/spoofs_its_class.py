"""Gives an object that claims to be of whatever class is asked for."""


class Meta(type):
    def __instancecheck__(cls, instance):
        return True

    def __subclasscheck__(cls, subclass):
        return True

    def __eq__(cls, other):
        return True

    __hash__ = type.__hash__


class Spoof(metaclass=Meta):
    __class__ = list

    def __eq__(self, other):
        return True


def attack():
    return Spoof()
