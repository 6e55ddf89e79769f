"""One of two modules with the same names."""


def speed():
    return "fast"


def unit():
    return "fast unit"
