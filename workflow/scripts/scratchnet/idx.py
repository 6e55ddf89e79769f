"""The IDX format of the MNIST family: a big-endian header, then unsigned bytes.

The header is two zero bytes, the element type (0x08: unsigned byte), the number of dimensions,
and a 32-bit length for each dimension.
"""

import math
import struct
from pathlib import Path

import numpy as np

from scratchnet.errors import DataError

UNSIGNED_BYTE = 0x08


def encode_idx(array):
    """A uint8 array as the bytes of an IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    return header + array.tobytes()


def open_idx(path, ndim):
    """The array in an IDX file of `ndim` dimensions: uint8, memory-mapped, read-only.

    Raises DataError, naming the file, when the header is not IDX's, is of other dimensions, or
    promises another number of bytes than there are.
    """
    path = Path(path)
    header_size = 4 + 4 * ndim
    with path.open("rb") as file:
        header = file.read(header_size)
    expected_magic = struct.pack(">HBB", 0, UNSIGNED_BYTE, ndim)
    if header[:4] != expected_magic or len(header) < header_size:
        raise DataError(
            f"{path}: not an IDX file of unsigned bytes in {ndim} dimensions "
            f"(it begins with {header[:4].hex(' ') or 'nothing'}, not {expected_magic.hex(' ')})"
        )
    shape = struct.unpack(f">{ndim}I", header[4:])
    size, expected_size = path.stat().st_size, header_size + math.prod(shape)
    if size != expected_size:
        raise DataError(
            f"{path}: its header promises {' x '.join(map(str, shape))} values, "
            f"which makes {expected_size} bytes, but the file has {size}"
        )
    if math.prod(shape) == 0:
        raise DataError(f"{path}: its header says {' x '.join(map(str, shape))}: there is no data")
    return np.memmap(path, np.uint8, "r", offset=header_size, shape=shape)


def open_images_and_labels(images_path, labels_path, n_classes):
    """The images (n, height, width) and labels (n,) of one half of a dataset, checked.

    Raises DataError when either file is bad, their counts differ, or a label is not a class.
    """
    images = open_idx(images_path, ndim=3)
    labels = open_idx(labels_path, ndim=1)
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} has {len(images)} images, but {labels_path} has {len(labels)} labels"
        )
    if labels.max() >= n_classes:
        raise DataError(
            f"{labels_path}: label {labels.max()} at position {labels.argmax()} "
            f"is not one of the classes 0 to {n_classes - 1}"
        )
    return images, labels
