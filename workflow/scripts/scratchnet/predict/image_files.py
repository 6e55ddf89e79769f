"""Find the files with the images to predict."""

import os
from pathlib import Path

from scratchnet.errors import ConfigError, show_name

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
ARRAY_SUFFIXES = (".npy", ".npz")


def find_image_files(images: str | list[str]) -> list[Path]:
    """Return the paths of the files in `images`: a folder, a file, or a list of either, as text.

    A folder stands for all PNG and JPEG files below it, in alphabetical order. An .npy or .npz file
    must be the only one. Duplicates are removed. Raises ConfigError if there are no images.
    """
    names = [images] if isinstance(images, str) else images
    # Path.expanduser would fail for a name such as ~1.png, if there is no user 1.png.
    paths = [Path(os.path.expanduser(name)) for name in names]
    found = list(dict.fromkeys(file for path in paths for file in _list_files(path)))
    if not found:
        raise ConfigError("the list is empty")
    if len(found) > 1 and any(is_array(path) for path in found):
        raise ConfigError("an .npy or .npz file must be the only one")
    return found


def is_array(path: str | Path) -> bool:
    """Return whether a file contains arrays, judging by its suffix."""
    return Path(path).suffix.lower() in ARRAY_SUFFIXES


def _list_files(path: Path) -> list[Path]:
    if path.is_dir():
        below = (file.relative_to(path) for file in path.rglob("*"))
        files = sorted(
            path / file
            for file in below
            if file.suffix.lower() in IMAGE_SUFFIXES
            and not any(part.startswith(".") for part in file.parts)
            and (path / file).is_file()
        )
        if not files:
            raise ConfigError(f"there are no PNG or JPEG files in {show_name(path)}")
        return files
    if not path.is_file():
        raise ConfigError(f"there is no file or folder {show_name(path)}")
    if path.suffix.lower() not in IMAGE_SUFFIXES + ARRAY_SUFFIXES:
        raise ConfigError(
            f"{show_name(path)} does not have the name of a PNG, JPEG, .npy or .npz file"
        )
    return [path]
