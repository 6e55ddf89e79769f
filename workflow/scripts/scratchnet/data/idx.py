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


def read_shape(file, ndims, name):
    """The shape that the header of an open IDX file states; the file is then at its data.

    Raises DataError, calling the file `name`, when the header is not IDX's, of another number of
    dimensions than those in `ndims`, or without any data.
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


def open_idx(path, ndims, name=None):
    """The array in an IDX file of one of `ndims` dimensions: uint8, memory-mapped, read-only.

    Raises DataError, calling the file `name` (or its path), when `read_shape` does, or when the
    header promises another number of bytes than there are.
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
