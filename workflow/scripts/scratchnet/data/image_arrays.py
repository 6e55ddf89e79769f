"""Image arrays: the header of their file, and their check, for datasets and images to predict."""

import numpy as np

from scratchnet.errors import DataError


def check_images(images: np.ndarray, name: object) -> np.ndarray:
    """Return `images` with shape (n, height, width), or (n, height, width, 3) for colour.

    A last axis of length 1 is dropped. Raises DataError, which calls the array `name`, if it has
    another shape, is empty, or does not contain numbers.
    """
    shape = images.shape
    if images.ndim == 4 and shape[3] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or (images.ndim == 4 and shape[3] != 3):
        raise DataError(
            f"{name} has the shape {shape}; images must have (n, height, width), "
            "or (n, height, width, 3) for colour"
        )
    if images.dtype.kind not in "buif":
        raise DataError(f"{name} has elements of type {images.dtype}; pixels must be numbers")
    if images.size == 0:
        raise DataError(f"{name} has the shape {shape}: it is empty")
    return images


def read_npy_header(file):
    """Return (shape, whether in Fortran order, dtype) from the header of an open .npy file.

    The next read returns the data. Raises ValueError or KeyError if there is no valid header.
    """
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[np.lib.format.read_magic(file)]
    return read_header(file)
