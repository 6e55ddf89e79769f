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


def encode_idx(array: np.ndarray) -> bytes:
    """Return a uint8 array as the bytes of an IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    return header + array.tobytes()


def read_shape(file, ndims, name):
    """Return the shape in the header of an open IDX file; the next read returns its data.

    Raises DataError, which calls the file `name`, if the header is not valid, if the number of
    dimensions is not one of `ndims`, or if there is no data.
    """
    magic = file.read(4)
    known = [struct.pack(">HBB", 0, UNSIGNED_BYTE, ndim) for ndim in ndims]
    ndim = ndims[known.index(magic)] if magic in known else 0
    lengths = file.read(4 * ndim)
    if not ndim or len(lengths) < 4 * ndim:
        raise DataError(
            f"{name}: not an IDX file of unsigned bytes in {' or '.join(map(str, ndims))} "
            f"dimensions (it begins with {magic.hex(' ') or 'nothing'}, "
            f"not {' or '.join(each.hex(' ') for each in known)})"
        )
    shape = struct.unpack(f">{ndim}I", lengths)
    if math.prod(shape) == 0:
        raise DataError(f"{name}: its header says {' x '.join(map(str, shape))}: there is no data")
    return shape


def open_idx(path: str | Path, ndims: tuple[int, ...], name: object = None) -> np.memmap:
    """Return the array in an IDX file as a read-only memory map of uint8.

    Raises DataError, which calls the file `name` (or its path), if the header is not valid, if the
    number of dimensions is not one of `ndims`, or if the size of the file does not match the
    header.
    """
    path = Path(path)
    name = name or path
    with path.open("rb") as file:
        shape = read_shape(file, ndims, name)
        header = file.tell()
    size, expected_size = path.stat().st_size, header + math.prod(shape)
    if size != expected_size:
        raise DataError(
            f"{name}: its header promises {' x '.join(map(str, shape))} values, "
            f"which makes {expected_size} bytes, but the file has {size}"
        )
    return np.memmap(path, np.uint8, "r", offset=header, shape=shape)
