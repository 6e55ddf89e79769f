"""The names of the classes, and how many of them are shown."""

from scratchnet.files import read_json

MAX_CLASSES = 100  # up to which all classes are drawn, and all pairs of them are listed


def read_class_names(metrics):
    """Return the names of the classes from the file `metrics` (metrics.json), in output order."""
    return [row["class"] for row in read_json(metrics)["per_class"]]
