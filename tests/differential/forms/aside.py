"""A helper beside the scripts, in the forms of code in which an edit can be missed."""

import sys
from pathlib import Path

from aside_kinds import KINDS
from aside_names import *  # noqa: F403

try:
    from aside_fast import speed
except ImportError:
    from aside_slow import speed


class Ways:
    def short(self):
        from aside_fast import unit as unit

        return unit()

    def long(self):
        from aside_slow import unit

        return unit()


def late():
    return "late"


def describe():
    """What the files of this folder say, as one line."""
    name = "late"
    if len(KINDS) > 1:
        from aside_slow import unit
    else:
        from aside_fast import unit
    scale = Path(__file__).parent / "scales" / "normal.txt"
    found = [speed(), unit(), Ways().short(), Ways().long(), shared()]  # noqa: F405
    found += [kind.__name__ for kind in KINDS]
    return " ".join([*found, getattr(sys.modules[__name__], name)(), scale.read_text().strip()])
