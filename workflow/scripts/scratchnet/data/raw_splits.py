"""Raw images and labels as arrays, from IDX files or a .npz, checked before anything uses them."""

import gzip
import math
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scratchnet.data.idx import open_idx, read_shape
from scratchnet.errors import DataError

HALVES = ("train", "test")


@dataclass(frozen=True)
class Half:
    """The training or the test half of a dataset: images (n, height, width) or (n, height, width,
    3), memory-mapped, and labels (n,), numbers or text. `name` says where the images are from.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray


def open_raw_splits(files, folder):
    """The halves of a dataset, {"train": Half} and, where it has one, "test".

    `files` is {"npz": path} with arrays x_train, y_train, x_test and y_test, or maps train_images,
    train_labels, test_images and test_labels to IDX files, plain or .gz. What is compressed is
    unpacked into `folder`, which has to stay while the arrays are in use. Raises DataError,
    naming the file, when something in it is not as it should be.
    """
    if "npz" in files:
        arrays = _open_npz(Path(files["npz"]), folder)
        names = {half: (f"x_{half}", f"y_{half}") for half in HALVES}
        where = f"{files['npz']}: "
    else:
        arrays, where = {}, ""
        names = {
            half: (str(files[f"{half}_images"]), str(files[f"{half}_labels"]))
            for half in HALVES
            if f"{half}_images" in files
        }
        for images, labels in names.values():
            for path, ndims in ((images, (3, 4)), (labels, (1,))):
                arrays[path] = open_idx(_unpacked(path, ndims, folder), ndims, path)
    halves = {}
    for half, (x, y) in names.items():
        if half == "train" or x in arrays or y in arrays:
            for name in (x, y):
                if name not in arrays:
                    others = ", ".join(sorted(arrays)) or "an empty archive"
                    raise DataError(f"{where}there is no {name}, only {others}")
            halves[half] = _checked(where, x, y, arrays)
    if "test" in halves:
        train, test = halves["train"], halves["test"]
        if train.images.shape[1:] != test.images.shape[1:]:
            raise DataError(
                f"{train.name} has images of {_shape(train.images)} pixels, "
                f"but {test.name} of {_shape(test.images)}"
            )
    return halves


def _unpacked(path, ndims, folder):
    """The path of the IDX file itself, or of what was in it if it is a .gz file.

    No more is unpacked than its header promises, and one byte, which tells that there is more.
    """
    with open(path, "rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return path
    target = Path(folder) / Path(path).name.removesuffix(".gz")
    try:
        with gzip.open(path) as packed, target.open("wb") as file:
            left = math.prod(read_shape(packed, ndims, path)) + packed.tell() + 1
            _check_room(left, folder, path)
            packed.seek(0)
            while left and (part := packed.read(min(left, 1 << 16))):
                left -= file.write(part)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    return target


def _open_npz(path, folder):
    """{name: array} of the arrays in a .npz file, memory-mapped."""
    arrays, where = {}, ""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_room(sum(member.file_size for member in members), folder, path)
            for i, member in enumerate(members):
                name = member.filename.removesuffix(".npy")
                where = f"{name}: "
                target = Path(folder) / f"{i}.npy"
                with archive.open(member) as packed, target.open("wb") as file:
                    shutil.copyfileobj(packed, file)
                arrays[name] = np.lib.format.open_memmap(target, mode="r")
    except DataError:
        raise
    except Exception as error:  # whatever a decoder makes of bytes that are not of its kind
        raise DataError(f"{path} cannot be read: {where}{error}") from error
    return arrays


def _check_room(size, folder, path):
    """Raise DataError where `size` bytes, unpacked from `path`, do not fit on the disk."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(f"{path} unpacks to {size} bytes, but the disk has room for {free}")


def _checked(where, x, y, arrays):
    """The Half of `arrays` with the images called `x` and the labels called `y`."""
    images, labels = arrays[x], np.asarray(arrays[y])
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        raise DataError(
            f"{where}{x} has the shape {arrays[x].shape}; images have (n, height, width), "
            "or (n, height, width, 3) in colour"
        )
    if images.dtype.kind not in "buif":
        raise DataError(f"{where}{x} has elements of type {images.dtype}; pixels are numbers")
    if images.size == 0:
        raise DataError(f"{where}{x} has the shape {arrays[x].shape}: there is nothing in it")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(f"{where}{y} has the shape {labels.shape}; labels have (n,), one an image")
    if labels.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = labels.astype(np.int64)
        labels = whole if np.array_equal(labels, whole) and abs(whole).max() < 2**53 else labels
    if labels.dtype.kind not in "buiU":
        raise DataError(
            f"{where}{y} has elements of type {labels.dtype}; labels are whole numbers or text"
        )
    if len(images) != len(labels):
        raise DataError(f"{where}{x} has {len(images)} images, but {y} has {len(labels)} labels")
    return Half(f"{where}{x}", images, labels)


def _shape(images):
    return " x ".join(map(str, images.shape[1:]))
