"""The settings of a run, turned into the arguments of `nn.augmentation.augment`."""

SECTION = "augmentation."


def select_augmentation(settings):
    """Return the settings of the augmentation by name; without it, {}."""
    return {
        key.removeprefix(SECTION): value
        for key, value in settings.items()
        if key.startswith(SECTION)
    }
