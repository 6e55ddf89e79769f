"""One of two modules with the same names."""


def speed():
    return "slow"


def unit():
    return "slow unit"
