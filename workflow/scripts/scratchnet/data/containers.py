"""Unpacking the containers in which datasets are published, within bounds.

Arrays in NumPy's format and tables of pixels become IDX files.
"""

import gzip
import math
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from scratchnet.data.idx import encode_idx
from scratchnet.data.image_arrays import read_npy_header
from scratchnet.errors import DataError, show_name

CSV_BYTES = 4  # for a pixel: up to three digits and a comma


def unpack(path: Path, max_size: int):
    """Yield the content of each file in the archive `path`, or of `path` itself.

    Nothing is written to disk, and files larger than `max_size` bytes are not read into memory.
    Raises DataError if the archive is damaged.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    try:
        if magic.startswith(b"\x1f\x8b"):
            with _BoundedGzip(path, max_size) as file:
                if tarfile.is_tarfile(file):
                    with tarfile.open(fileobj=file) as archive:
                        for member in archive:
                            if member.isfile() and member.size <= max_size:
                                yield archive.extractfile(member).read()
                else:
                    yield file.read(max_size + 1)
        elif magic.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    with archive.open(member) as file:
                        if member.filename.endswith(".npy"):
                            yield _convert_npy_to_idx(file, max_size)
                        elif member.filename.endswith(".csv"):
                            yield from _convert_csv_to_idx(file, member.file_size, max_size)
                        else:
                            yield file.read(max_size + 1)
        elif path.stat().st_size <= max_size:
            yield path.read_bytes()
    except Exception as error:  # decoders raise any exception for invalid bytes
        raise DataError(f"{show_name(path.name)} is damaged: {show_name(error)}") from error


class _BoundedGzip(gzip.GzipFile):
    """A .gz file that refuses to read more than the size of one file at once.

    The headers of a tar archive may claim any size, and tarfile would read as much.
    """

    def __init__(self, path, max_size):
        super().__init__(path)
        self._max_read = max_size + tarfile.RECORDSIZE

    def read(self, size=-1):
        if not 0 <= size <= self._max_read:
            raise ValueError(f"a header in it claims {size} bytes")
        return super().read(size)


def _convert_npy_to_idx(file, max_size):
    """Return the open .npy `file` as an IDX file; b"" if its array is too large or not uint8."""
    shape, fortran_order, dtype = read_npy_header(file)
    size = math.prod(shape)
    if dtype != np.uint8 or not 0 <= size <= max_size:
        return b""
    array = np.frombuffer(file.read(size), np.uint8)
    return encode_idx(array.reshape(shape, order="F" if fortran_order else "C"))


def _convert_csv_to_idx(file, size, max_size):
    """Yield the images and the labels in an open .csv `file` of `size` bytes, each as an IDX file.

    The header is label,1x1,1x2,... to HEIGHTxWIDTH; each further line has a label and its pixels, 0
    to 255. Yields nothing for a file that is too large, or has something else.
    """
    header = file.readline(max_size).decode().rstrip().split(",")
    height, separator, width = header[-1].partition("x")
    if header[0] != "label" or not separator or size > CSV_BYTES * max_size:
        return
    table = np.loadtxt(file, np.uint8, delimiter=",", ndmin=2)
    yield encode_idx(table[:, 1:].reshape(-1, int(height), int(width)))
    yield encode_idx(table[:, 0])
