"""Find the files with the images to predict."""

import os
from pathlib import Path

from scratchnet.errors import ConfigError, show_name

# Of the formats that image_input.py reads.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".webp", ".gif", ".bmp")
ARRAY_SUFFIXES = (".npy", ".npz")


def find_image_files(images: str | list[str]) -> list[Path]:
    """Return the paths of the files in `images`: a folder, a file, or a list of either, as text.

    A folder stands for all image files below it, in alphabetical order. An .npy or .npz file
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


def describe_left_out(images: str | list[str]) -> str:
    """Return what `find_image_files` leaves out in the folders in `images`, in words, or ""."""
    names = [images] if isinstance(images, str) else images
    folders = [path for path in (Path(os.path.expanduser(name)) for name in names) if path.is_dir()]
    below = [
        file
        for folder in folders
        for file in folder.rglob("*")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    files = [file for file in below if file.is_file()]
    left_out = [file for file in files if file.suffix.lower() not in IMAGE_SUFFIXES]
    kinds = sorted({show_name(file.suffix) or "without a suffix" for file in left_out})
    links = sum(file.is_symlink() and file.is_dir() for file in below)
    parts = [f"{len(left_out)} of {len(files)} files ({', '.join(kinds)})"] if left_out else []
    parts += [f"{links} linked {'folder' if links == 1 else 'folders'}"] if links else []
    return " and ".join(parts)


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
            kinds = ", ".join(IMAGE_SUFFIXES)
            raise ConfigError(f"there are no images ({kinds}) in {show_name(path)}")
        return files
    if not path.is_file():
        raise ConfigError(f"there is no file or folder {show_name(path)}")
    if path.suffix.lower() not in IMAGE_SUFFIXES + ARRAY_SUFFIXES:
        raise ConfigError(
            f"{show_name(path)} does not have the name of an image, .npy or .npz file: "
            + ", ".join(IMAGE_SUFFIXES + ARRAY_SUFFIXES)
        )
    return [path]
