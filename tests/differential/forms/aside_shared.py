"""What aside_names gives on."""

SHARED = "shared"


def shared():
    return SHARED
