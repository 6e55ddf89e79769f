"""Classes that register themselves, in their order."""

KINDS = []


class Kind:
    def __init_subclass__(cls):
        KINDS.append(cls)


class First(Kind):
    pass


class Second(Kind):
    pass
