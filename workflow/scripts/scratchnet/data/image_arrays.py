"""Image arrays: which they are, and their check, for datasets and images to predict."""

import math

import numpy as np

from scratchnet.errors import DataError

CHANNELS = (1, 3, 4)  # grey, colour, and colour with transparency


def find_splits(names: list[str]) -> dict[str, tuple[str, str]]:
    """Return {split: (images, labels)} of x_train, y_train, x_test and y_test among `names`.

    Without x_train and y_train, they may be x and y; all may be in upper case. The names of the
    training split are there even if the arrays are not.
    """
    known = {name.lower(): name for name in names}
    is_whole = {"x", "y"} <= known.keys() and {"x_train", "y_train"}.isdisjoint(known)
    pairs = {"train": ("x", "y") if is_whole else ("x_train", "y_train")}
    if {"x_test", "y_test"} & known.keys():
        pairs["test"] = ("x_test", "y_test")
    return {split: (known.get(x, x), known.get(y, y)) for split, (x, y) in pairs.items()}


def check_images(images: np.ndarray, name: object) -> np.ndarray:
    """Return `images` with shape (n, height, width), or for colour (n, height, width, 3 or 4).

    The channels may come before the height. An axis of one channel is dropped. Raises DataError,
    which calls the array `name`, if it has another shape, is empty, or does not contain numbers.
    """
    shape = images.shape
    if images.ndim == 4 and shape[3] not in CHANNELS and shape[1] in CHANNELS:
        images = np.moveaxis(images, 1, 3)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in CHANNELS):
        raise DataError(
            f"{name} has the shape {shape}; images must have (n, height, width), "
            f"or (n, height, width, 3) for colour{_advise(shape)}"
        )
    if images.dtype.kind not in "buif":
        raise DataError(f"{name} has elements of type {images.dtype}; pixels must be numbers")
    if images.size == 0:
        raise DataError(f"{name} has the shape {shape}: it is empty")
    return images


def _advise(shape):
    """Return what to do with a table (n, features), or ""."""
    if len(shape) != 2:
        return ""
    side, n = math.isqrt(shape[1]), shape[1]
    height, width = (side, side) if side**2 == n else ("height", "width")
    return (
        f". This is a table: save pixels with .reshape(-1, {height}, {width}), and other features, "
        f"as images of one row, with .reshape(-1, 1, {n})"
    )


def find_white(images: np.ndarray) -> int:
    """Return the value of white in images with transparency (n, height, width, 4)."""
    if images.dtype in (np.uint8, np.uint16):
        return np.iinfo(images.dtype).max
    return 1 if images[..., 3].max() <= 1 else 255


def compose_on_white(images: np.ndarray, white: int) -> np.ndarray:
    """Return images (..., 4) with transparency as (..., 3): what is transparent is white."""
    colours, alpha = images[..., :3], images[..., 3:] / white
    opaque = colours * alpha + white * (1 - alpha)
    return (opaque if images.dtype.kind == "f" else opaque.round()).astype(images.dtype)


def read_npy_header(file):
    """Return (shape, whether in Fortran order, dtype) from the header of an open .npy file.

    The next read returns the data. Raises ValueError or KeyError if there is no valid header.
    """
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[np.lib.format.read_magic(file)]
    return read_header(file)
