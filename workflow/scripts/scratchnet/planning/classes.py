"""The names of classes in config.yaml, compared with the classes of the dataset."""

from functools import cache

from scratchnet.data.registry import DATASETS
from scratchnet.data.user_data import read_classes
from scratchnet.errors import escape, shorten_list

MAX_NAMED = 20  # classes in a message


def find_miscounted_classes(run):
    """Yield that `classes` of `run` has fewer or more names than the dataset has classes.

    `run` is as in `resolve_runs`, with the "files" of own data.
    """
    if not run["classes"]:
        return
    files = run["files"]
    found = _read_classes(*files.items()) if files else DATASETS[run["dataset"]].classes
    if found and len(found) != len(run["classes"]):
        names = ", ".join(shorten_list([escape(name) for name in found], MAX_NAMED))
        yield f"classes: {len(run['classes'])} names, but the dataset has {len(found)}: {names}"


@cache
def _read_classes(*files):
    return read_classes(dict(files))
