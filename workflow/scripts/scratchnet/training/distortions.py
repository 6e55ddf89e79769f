"""The settings of a run, turned into the arguments of `nn.augmentation.distort`."""

SECTION = "augmentation."


def augmentation_strengths(settings):
    """Return the strength of each distortion by name; without augmentation, {}."""
    return {
        key.removeprefix(SECTION): value
        for key, value in settings.items()
        if key.startswith(SECTION)
    }
