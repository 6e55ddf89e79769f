"""The names of the classes: chosen in config.yaml, or those of the dataset."""

from scratchnet.errors import DataError
from scratchnet.files import read_json


def resolve_class_names(configured, dataset_names):
    """Return the names `configured` in config.yaml or, if that is None, `dataset_names`.

    Raises DataError if the two differ in length.
    """
    if configured and len(configured) != len(dataset_names):
        raise DataError(
            f"config.yaml names {len(configured)} classes, but the dataset has "
            f"{len(dataset_names)}: " + ", ".join(dataset_names)
        )
    return configured or dataset_names


def read_class_names(metrics):
    """Return the names of the classes from the file `metrics` (metrics.json), in output order."""
    return [row["class"] for row in read_json(metrics)["per_class"]]
