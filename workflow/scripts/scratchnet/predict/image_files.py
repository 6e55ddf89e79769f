"""The files of images that someone wants predictions for."""

import os
from pathlib import Path

from scratchnet.errors import ConfigError

IMAGES = (".png", ".jpg", ".jpeg")
ARRAYS = (".npy", ".npz")


def find_image_files(images):
    """The paths of `images`: a folder, a file, or a list of either, as text.

    Of a folder these are all PNG and JPEG files in it and in its folders, in alphabetical order.
    A .npy or .npz file stands alone. No path is there twice. Raises ConfigError where there is
    nothing.
    """
    names = [images] if isinstance(images, str) else images
    # A name like ~1.png, which is no user's, stays as it is.
    paths = [Path(os.path.expanduser(name)) for name in names]
    found = list(dict.fromkeys(file for path in paths for file in _files(path)))
    if not found:
        raise ConfigError("the list is empty")
    if len(found) > 1 and any(is_array(path) for path in found):
        raise ConfigError("a .npy or .npz file stands alone, without other files beside it")
    return found


def is_array(path):
    """Whether a file is one of arrays, by its name."""
    return Path(path).suffix.lower() in ARRAYS


def _files(path):
    if path.is_dir():
        below = (file.relative_to(path) for file in path.rglob("*"))
        files = sorted(
            path / file
            for file in below
            if file.suffix.lower() in IMAGES
            and not any(part.startswith(".") for part in file.parts)
            and (path / file).is_file()
        )
        if not files:
            raise ConfigError(f"there are no PNG or JPEG files in {path}")
        return files
    if not path.is_file():
        raise ConfigError(f"there is no {path}")
    if path.suffix.lower() not in IMAGES + ARRAYS:
        raise ConfigError(f"{path} is no PNG, JPEG, .npy or .npz file, by its name")
    return [path]
