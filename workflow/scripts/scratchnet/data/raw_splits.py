"""Raw images and labels as arrays, from IDX, .npz or image files, checked before use."""

import gzip
import logging
import math
import os
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scratchnet.data.idx import open_idx, read_shape
from scratchnet.data.image_arrays import (
    check_images,
    compose_on_white,
    find_splits,
    find_white,
    read_npy_header,
)
from scratchnet.data.image_folder import find_samples, read_labels
from scratchnet.data.labels import LABEL_KINDS, check_labels
from scratchnet.errors import DataError, shorten_list, show_name

log = logging.getLogger(__name__)

SPLITS = ("train", "test")
MAX_NAMED = 10  # arrays of an archive in an error message


@dataclass(frozen=True)
class RawSplit:
    """The training or the test split of a dataset.

    `images` (n, height, width) or (n, height, width, 3) are memory-mapped; `labels` (n,) are
    integers or text. `name` says where the images come from; `damaged` are the image files that
    were left out.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    damaged: Sequence[str] = ()


def open_raw_splits(
    files: dict[str, str | Path], folder: str | Path, image: dict | None = None
) -> dict[str, RawSplit]:
    """Return the splits of a dataset: {"train": RawSplit} and, if there is one, "test".

    `files` is {"npz": path} with the arrays of `find_splits`, {"folder": path} with image files, or
    maps train_images, train_labels, test_images and test_labels to IDX files, plain or .gz.
    Compressed files are unpacked into `folder`, which must exist as long as the arrays are in use.
    `image` says how image files are read: their size, mode and skip_damaged.
    Raises DataError, which names the file, if its content is not valid.
    """
    if "folder" in files:
        return _read_image_folder(str(files["folder"]), folder, **(image or {}))
    if "npz" in files:
        arrays, prefix = _open_npz(Path(files["npz"]), folder), f"{show_name(files['npz'])}: "
        names = find_splits([*arrays])
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
        split: _make_split(arrays, x, y, prefix, Path(folder, f"opaque {split}"))
        for split, (x, y) in names.items()
    }
    if "test" in splits:
        _check_that_splits_match(splits["train"], splits["test"])
    return splits


def _read_image_folder(path, folder, size=None, mode=None, skip_damaged=False):
    """Return the splits in a folder of image files, which are decoded into `folder`.

    They are resized to `size`, (height, width), or must have one. `mode` is colour, grey or None:
    colour if an image is coloured. Damaged files raise DataError, which names them, or they are
    skipped. Pixels have 16 bits if those of an image do.
    """
    # These take a while to import, and are not needed otherwise.
    from scratchnet.data.image_reader import read_kind, read_pixels
    from scratchnet.progress import progress

    samples = find_samples(path).samples
    paths = [os.path.join(path, sample.file) for sample in samples]
    is_coloured, white = map(max, zip(*map(read_kind, paths)))
    in_colour = is_coloured if mode is None else mode == "colour"
    read, shape, damaged = [], None, {}
    decoded = Path(folder) / "images"
    with decoded.open("wb") as file:
        for sample, each in zip(samples, progress("reading images", iterable=paths)):
            try:
                pixels = read_pixels(each, size, in_colour, white)
            except DataError as error:
                damaged[sample.file] = str(error)
                continue
            if shape not in (None, pixels.shape):
                first = os.path.join(path, read[0].file)
                raise DataError(
                    f"{show_name(first)} has {_format_size(shape[:2])} pixels, but "
                    f"{show_name(each)} has {_format_size(pixels.shape[:2])}: set their size in "
                    "config.yaml, e.g. image: {size: [28, 28]}"
                )
            shape = pixels.shape
            file.write(pixels.tobytes())
            read.append(sample)
    if damaged and not (skip_damaged and read):
        lines = shorten_list([*damaged.values()], MAX_NAMED)
        raise DataError(
            "\n  ".join([f"{len(damaged)} of {len(samples)} images are damaged:", *lines])
            + "\nRepair or delete them, or leave them out with image: {skip_damaged: true}"
        )
    for message in damaged.values():
        log.warning("left out: %s", message)
    images = np.memmap(decoded, np.min_scalar_type(white), "r", shape=(len(read), *shape))
    labels = check_labels(read_labels(sample.label for sample in read), show_name(path))
    n = sum(sample.split == "train" for sample in read)
    splits = {
        "train": RawSplit(f"{show_name(path)}: train", images[:n], labels[:n], [*damaged]),
        "test": RawSplit(f"{show_name(path)}: test", images[n:], labels[n:]),
    }
    return {name: split for name, split in splits.items() if len(split.labels)}


def _check_that_splits_match(train, test):
    """Raise DataError if two RawSplits differ in the size of images, or in the kind of labels."""
    if train.images.shape[1:] != test.images.shape[1:]:
        raise DataError(
            f"{train.name} has images of {_format_size(train.images.shape[1:])} pixels, "
            f"but {test.name} of {_format_size(test.images.shape[1:])}; give them the same size"
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


def _make_split(arrays, x, y, prefix, opaque):
    """Return the RawSplit with the images `x` and the labels `y` of `arrays`, both checked.

    Of images with transparency, opaque ones are written to the file `opaque`.
    """
    for name in (x, y):
        if name not in arrays:
            names = shorten_list([show_name(other) for other in sorted(arrays)], MAX_NAMED)
            others = ", ".join(names) or "an empty archive"
            raise DataError(f"{prefix}there is no {name}, only {others}")
    images = check_images(arrays[x], f"{prefix}{x}")
    if images.shape[3:] == (4,):
        white = find_white(images)
        with opaque.open("wb") as file:
            for image in images:
                file.write(compose_on_white(image, white).tobytes())
        images = np.memmap(opaque, images.dtype, "r", shape=(*images.shape[:3], 3))
    labels = check_labels(np.asarray(arrays[y]), f"{prefix}{y}")
    if len(images) != len(labels):
        raise DataError(f"{prefix}{x} has {len(images)} images, but {y} has {len(labels)} labels")
    return RawSplit(f"{prefix}{x}", images, labels)


def _format_size(shape):
    return " x ".join(map(str, shape))
