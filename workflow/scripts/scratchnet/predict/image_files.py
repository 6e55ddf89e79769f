"""Find the files with the images to predict."""

import os
from pathlib import Path

from scratchnet.data.image_listing import (
    SUFFIXES,
    describe_files,
    find_suffix,
    is_image,
    list_files,
)
from scratchnet.errors import ConfigError, show_name

ARRAY_SUFFIXES = (".npy", ".npz")


def find_image_files(images: str | list[str]) -> list[Path]:
    """Return the paths of the files in `images`: a folder, a file, or a list of either, as text.

    A folder stands for all image files below it, in alphabetical order. An .npy or .npz file
    must be the only one. Duplicates are removed. Raises ConfigError if there are no images.
    """
    found = list(dict.fromkeys(file for path in _paths(images) for file in _list_images(path)))
    if not found:
        raise ConfigError("the list is empty")
    if len(found) > 1 and any(is_array(path) for path in found):
        raise ConfigError("an .npy or .npz file must be the only one")
    return found


def is_array(path: str | Path) -> bool:
    """Return whether a file contains arrays, judging by its suffix."""
    return find_suffix(path) in ARRAY_SUFFIXES


def describe_left_out(images: str | list[str]) -> str:
    """Return what `find_image_files` leaves out in the folders in `images`, in words, or ""."""
    files = [file for path in _paths(images) if path.is_dir() for file in list_files(path)]
    return describe_files([file for file in files if not is_image(file)], len(files))


def _paths(images):
    # Path.expanduser would fail for a name such as ~1.png, if there is no user 1.png.
    names = [images] if isinstance(images, str) else images
    return [Path(os.path.expanduser(name)) for name in names]


def _list_images(path: Path) -> list[Path]:
    if path.is_dir():
        files = [Path(file) for file in list_files(path) if is_image(file)]
        if not files:
            kinds = ", ".join(SUFFIXES)
            raise ConfigError(f"there are no images ({kinds}) in {show_name(path)}")
        return files
    if not path.is_file():
        raise ConfigError(f"there is no file or folder {show_name(path)}")
    if not (is_image(path) or is_array(path)):
        raise ConfigError(
            f"{show_name(path)} does not have the name of an image, .npy or .npz file: "
            + ", ".join(SUFFIXES + ARRAY_SUFFIXES)
        )
    return [path]
