"""The names of the classes: chosen in config.yaml, or those of the dataset."""

from scratchnet.errors import DataError, shorten_list

MAX_CLASSES = 100  # up to which all classes are drawn, and all pairs of them are listed
MAX_NAMED = 20  # classes in an error message


def resolve_class_names(configured, dataset_names):
    """Return the names `configured` in config.yaml or, if that is None, `dataset_names`.

    Raises DataError if the two differ in length.
    """
    if configured and len(configured) != len(dataset_names):
        raise DataError(
            f"config.yaml names {len(configured)} classes, but the dataset has "
            f"{len(dataset_names)}: " + ", ".join(shorten_list(dataset_names, MAX_NAMED))
        )
    return configured or dataset_names
