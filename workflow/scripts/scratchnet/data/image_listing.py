"""Find image files, and tell them by their names."""

import os
from collections.abc import Iterable

from scratchnet.errors import show_name

# The formats that are read, and their suffixes. For others, Pillow may start other programs.
FORMATS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
}
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
NOT_LISTED = ("__MACOSX", "Thumbs.db", "desktop.ini")  # what systems put beside images


def find_suffix(path: str | os.PathLike) -> str:
    """Return the suffix of a path in lower case."""
    return os.path.splitext(path)[1].lower()


def is_image(path: str | os.PathLike) -> bool:
    """Return whether a file is an image, judging by its suffix."""
    return find_suffix(path) in SUFFIXES


def list_files(folder: str | os.PathLike, above: frozenset = frozenset()) -> Iterable[str]:
    """Yield the paths of the files below a folder, in alphabetical order, without hidden ones.

    Links are followed, but none to a folder that it is in itself. `above` identifies the folders
    that `folder` is in.
    """
    known = os.stat(folder)
    here = known.st_dev, known.st_ino
    if here in above:
        return
    with os.scandir(folder) as entries:
        entries = sorted(entries, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith(".") or entry.name in NOT_LISTED:
            continue
        is_link = entry.is_symlink()
        if os.path.isdir(entry.path) if is_link else entry.is_dir():
            yield from list_files(entry.path, above | {here})
        elif os.path.isfile(entry.path) if is_link else entry.is_file():
            yield entry.path


def describe_files(paths: list[str], n: int) -> str:
    """Return how many of `n` files the `paths` are, and their suffixes, in words; "" of none."""
    kinds = sorted({show_name(find_suffix(path)) or "without a suffix" for path in paths})
    return f"{len(paths)} of {n} files ({', '.join(kinds)})" if kinds else ""
