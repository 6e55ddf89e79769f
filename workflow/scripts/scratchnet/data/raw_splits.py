"""Raw images and labels as arrays, from IDX files or an .npz file, checked before use."""

import gzip
import math
import shutil
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scratchnet.data.idx import open_idx, read_shape
from scratchnet.data.image_arrays import check_images, read_npy_header
from scratchnet.errors import CONTROL_CHARACTERS, DataError, shorten_list, show_name

SPLITS = ("train", "test")
MAX_LABEL_LENGTH = 1_000  # characters
MAX_NAMED = 10  # arrays of an archive in an error message
LABEL_KINDS = {"b": "booleans", "i": "integers", "u": "integers", "U": "text"}  # by dtype.kind


@dataclass(frozen=True)
class RawSplit:
    """The training or the test split of a dataset.

    `images` (n, height, width) or (n, height, width, 3) are memory-mapped; `labels` (n,) are
    integers or text. `name` says where the images come from.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray


def open_raw_splits(files: dict[str, str | Path], folder: str | Path) -> dict[str, RawSplit]:
    """Return the splits of a dataset: {"train": RawSplit} and, if there is one, "test".

    `files` is {"npz": path} with the arrays x_train, y_train, x_test and y_test, or maps
    train_images, train_labels, test_images and test_labels to IDX files, plain or .gz. Compressed
    files are unpacked into `folder`, which must exist as long as the arrays are in use. Raises
    DataError, which names the file, if its content is not valid.
    """
    if "npz" in files:
        arrays, prefix = _open_npz(Path(files["npz"]), folder), f"{show_name(files['npz'])}: "
        names = {split: (f"x_{split}", f"y_{split}") for split in SPLITS}
    else:
        arrays, prefix = {}, ""
        names = {
            split: (show_name(files[f"{split}_images"]), show_name(files[f"{split}_labels"]))
            for split in SPLITS
            if f"{split}_images" in files
        }
        for split, of_split in names.items():
            for name, kind, ndims in zip(of_split, ("images", "labels"), ((3, 4), (1,))):
                path = files[f"{split}_{kind}"]
                arrays[name] = open_idx(_unpack_gz(path, ndims, folder), ndims, name)
    splits = {
        split: _make_split(arrays, x, y, prefix)
        for split, (x, y) in names.items()
        if split == "train" or x in arrays or y in arrays
    }
    if "test" in splits:
        _check_that_splits_match(splits["train"], splits["test"])
    return splits


def _check_that_splits_match(train, test):
    """Raise DataError if two RawSplits differ in the size of images, or in the kind of labels."""
    if train.images.shape[1:] != test.images.shape[1:]:
        raise DataError(
            f"{train.name} has images of {_format_size(train.images)} pixels, "
            f"but {test.name} of {_format_size(test.images)}; give them the same size"
        )
    kinds = [LABEL_KINDS[split.labels.dtype.kind] for split in (train, test)]
    if kinds[0] != kinds[1]:
        raise DataError(
            f"{train.name} has {kinds[0]} as labels, but {test.name} has {kinds[1]}; "
            "use one kind of labels for both"
        )


def _unpack_gz(path, ndims, folder):
    """Return `path`, or, if it is a .gz file, the path of its content, unpacked into `folder`.

    At most one byte more than the header promises is unpacked: enough to notice that there is more.
    """
    with open(path, "rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return path
    target = Path(folder) / Path(path).name.removesuffix(".gz")
    try:
        with gzip.open(path) as packed, target.open("wb") as file:
            left = math.prod(read_shape(packed, ndims, show_name(path))) + packed.tell() + 1
            _check_disk_space(left, folder, path)
            packed.seek(0)
            while left and (part := packed.read(min(left, 1 << 16))):
                left -= file.write(part)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{show_name(path)} is damaged: {error}") from error
    return target


def _open_npz(path, folder):
    """Return the arrays in an .npz file by name, memory-mapped from copies in `folder`."""
    arrays, prefix = {}, ""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_disk_space(sum(member.file_size for member in members), folder, path)
            for i, member in enumerate(members):
                name = member.filename.removesuffix(".npy")
                prefix = f"{show_name(name)}: "
                target = Path(folder) / f"{i}.npy"
                with archive.open(member) as packed, target.open("wb") as file:
                    shutil.copyfileobj(packed, file)
                _check_that_no_objects(target, f"{show_name(path)}: {show_name(name)}")
                arrays[name] = np.lib.format.open_memmap(target, mode="r")
    except DataError:
        raise
    except Exception as error:  # decoders raise any exception for invalid bytes
        raise DataError(f"{show_name(path)} cannot be read: {prefix}{show_name(error)}") from error
    return arrays


def _check_that_no_objects(path, name):
    """Raise DataError, which calls the array `name`, if a .npy file has Python objects."""
    with path.open("rb") as file:
        *_, dtype = read_npy_header(file)
    if dtype.hasobject:
        raise DataError(
            f"{name} has Python objects as elements, as columns of pandas do; save text with "
            ".astype(str), and numbers with .astype(int)"
        )


def _check_disk_space(size, folder, path):
    """Raise DataError if `size` bytes, unpacked from `path`, do not fit on the disk of `folder`."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise DataError(
            f"{show_name(path)} unpacks to {size} bytes, but the disk has room for {free}"
        )


def _make_split(arrays, x, y, prefix):
    """Return the RawSplit with the images `x` and the labels `y` of `arrays`, both checked."""
    for name in (x, y):
        if name not in arrays:
            names = shorten_list([show_name(other) for other in sorted(arrays)], MAX_NAMED)
            others = ", ".join(names) or "an empty archive"
            raise DataError(f"{prefix}there is no {name}, only {others}")
    images = check_images(arrays[x], f"{prefix}{x}")
    labels = _check_labels(np.asarray(arrays[y]), f"{prefix}{y}")
    if len(images) != len(labels):
        raise DataError(f"{prefix}{x} has {len(images)} images, but {y} has {len(labels)} labels")
    return RawSplit(f"{prefix}{x}", images, labels)


def _check_labels(labels, name):
    """Return `labels` with shape (n,), integers or text.

    A column (n, 1) is flattened. Floats that are integers, and unsigned integers of 64 bits, become
    int64: NumPy would convert a mixture of both signs to floats. Raises DataError, which calls the
    array `name`, if it has another shape or type.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(
            f"{name} has the shape {labels.shape}; labels must have (n,), one for each image"
        )
    if labels.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            integers = labels.astype(np.int64)
        exact = np.array_equal(labels, integers) and abs(integers).max() < 2**53
        labels = integers if exact else labels
    if labels.dtype.kind not in LABEL_KINDS:
        advice = ": save them with .astype(str)" if labels.dtype.kind == "S" else ""
        raise DataError(
            f"{name} has elements of type {labels.dtype}; labels must be integers or text{advice}"
        )
    if labels.dtype.newbyteorder("=") == np.uint64:
        if (largest := labels.max(initial=0)) >= 2**63:
            raise DataError(f"{name} has the label {largest}; labels must be below 2**63, or text")
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "U":
        _check_text(labels, name)
    return labels


def _check_text(labels, name):
    """Raise DataError, which calls the array `name`, if text `labels` (n,) cannot name classes."""
    length = labels.dtype.itemsize // 4
    if length > MAX_LABEL_LENGTH:
        raise DataError(
            f"{name} has labels of up to {length} characters; "
            f"they must have at most {MAX_LABEL_LENGTH}"
        )
    codes = np.ascontiguousarray(labels).view(f"{labels.dtype.byteorder}u4")
    if codes.max(initial=0) > sys.maxunicode:  # NumPy cannot even compare it
        raise DataError(f"{name} has text that is not Unicode")
    for label in np.unique(labels):
        if CONTROL_CHARACTERS.search(label):
            raise DataError(
                f"{name} has the label {show_name(label)}; labels must not have control characters"
            )


def _format_size(images):
    return " x ".join(map(str, images.shape[1:]))
