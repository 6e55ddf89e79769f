"""Preprocessing: from raw images and labels to the arrays that the network reads.

The arrays are features x samples, float32, in Fortran order: the pixels of an image are contiguous
in memory and in the file, as in the raw images. Arrays are written in chunks and read as memory
maps, so the number of pixels in memory does not grow with the dataset.
"""

import hashlib
import io
import itertools
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from scratchnet.data.raw_splits import open_raw_splits
from scratchnet.data.user_data import check_hash, hash_contents
from scratchnet.errors import DataError, shorten_list, show_name
from scratchnet.files import atomic_write, temporary_folder, write_json
from scratchnet.pixel_range import scale_pixels
from scratchnet.random_streams import random_stream

PURPOSES = {"test": "testing", "validation": "validation"}  # of held out images, in a message
MAX_NAMED = 10  # labels in a message
CHUNK_SIZE = 5_000  # samples
MAX_SCALE_RATIO = 10  # between the largest pixels of training and test images
MAX_SIZE = 1_000_000_000  # bytes of training images as float32; beyond, those of one byte stay so
CHUNK_VALUES = 4_000_000  # at most, in these samples together: pixels, or one-hot labels


def preprocess(
    raw: dict[str, str | Path],
    content: str | None,
    test_fraction: float,
    validation_fraction: float,
    outputs: dict[str, str | Path],
    class_names: Sequence[str] = (),
    standardize: bool = False,
    image: Mapping | None = None,
):
    """Flatten, scale and one-hot encode a dataset; write the arrays and their manifest.

    `raw` maps roles to paths, as for `open_raw_splits`. Of the user's own files, `content` is the
    hash, from `hash_contents`, and `image` says how image files are read (`open_raw_splits`); those
    of a download have `class_names`. `outputs` maps X_train, Y_train, X_validation, Y_validation,
    X_test, Y_test and manifest to paths. X has shape
    (pixels, n), Y has shape (classes, n). The classes are the labels that occur, in ascending
    order. Pixels are scaled so that those of the training images span 0 to 1 or, to `standardize`
    them, have the mean 0 and the standard deviation 1, over all pixels and colours. Raises
    DataError if the raw files are not valid, or if the user's have changed since they were planned.
    """
    folder = Path(outputs["manifest"]).parent
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        temporary = stack.enter_context(temporary_folder(".raw", folder))
        splits = open_raw_splits(raw, temporary, image)
        labels = find_labels(splits)
        samples = assign_samples(splits, test_fraction, validation_fraction)
        minimum, maximum = find_training_range(samples)
        offset, span = minimum, maximum - minimum
        moments = {}
        if standardize:
            mean, std = measure_pixels(*samples["train"], minimum, span)
            offset, span = minimum + mean * span, std * span
            moments = {"mean": mean, "std": std}
        paths = {
            f"{kind}_{name}": stack.enter_context(atomic_write(outputs[f"{kind}_{name}"]))
            for name in samples
            for kind in "XY"
        }
        arrays = _write_arrays(samples, labels, offset, span, paths)
        if content:  # only now, so that it holds for what was read
            files = {role: Path(path) for role, path in raw.items()}
            check_hash(" and ".join(map(show_name, files.values())), content, hash_contents(files))
    manifest = {
        "labels": labels.tolist(),
        "classes": class_names if len(class_names) == len(labels) else labels.astype(str).tolist(),
        "image_shape": list(splits["train"].images.shape[1:]),
        "minimum": minimum,
        "maximum": maximum,
        **moments,
        "arrays": arrays,
    }
    if "folder" in raw:
        white = np.iinfo(splits["train"].images.dtype).max
        manifest["image_files"] = {"white": white, "damaged": splits["train"].damaged}
    write_json(outputs["manifest"], manifest)


def find_labels(splits):
    """Return the different labels of `splits`, {name: RawSplit}, in ascending order.

    Raises DataError if there is only one, if they are no classes (more than half as many as there
    are images), or if a label occurs in the test split alone.
    """
    all_labels = np.concatenate([split.labels for split in splits.values()])
    labels, name = np.unique(all_labels), splits["train"].name
    if len(labels) < 2:
        raise DataError(f"{name}: all images have the label {labels[0]}")
    if len(labels) > len(all_labels) / 2:
        raise DataError(
            f"{name}: {len(all_labels)} images have {len(labels)} different labels, which cannot "
            "be classes; a class needs at least two images on average"
        )
    if "test" in splits:
        _check_test_labels(splits["train"], splits["test"])
    return labels


def _check_test_labels(train, test):
    """Raise DataError if a label of the RawSplit `test` does not occur in `train`."""
    known = np.unique(train.labels)
    unknown, counts = np.unique(
        test.labels[np.isin(test.labels, known, invert=True)], return_counts=True
    )
    if len(unknown):
        found = [f"{show_name(label)} ({n} images)" for label, n in zip(unknown, counts)]
        raise DataError(
            f"{test.name} has labels that no training image has: "
            f"{', '.join(shorten_list(found, MAX_NAMED))}. The training images have "
            f"{', '.join(shorten_list([*map(show_name, known)], MAX_NAMED))}. "
            "Give both the same labels: they may be counted from 0 in one and from 1 in the other"
        )


def assign_samples(splits, test_fraction, validation_fraction):
    """Return {"train", "validation", "test": (RawSplit, ascending indices)}.

    If there is no test split, a fraction `test_fraction` of the training split is held out. Then
    a fraction `validation_fraction` of what is left is. Both are drawn from their own random
    streams, so they do not depend on the training seed. Raises DataError if a fraction above 0
    leaves a part without images.
    """
    train = splits["train"]
    rest = np.arange(len(train.labels))
    if "test" in splits:
        test = (splits["test"], np.arange(len(splits["test"].labels)))
    else:
        chosen, rest = hold_out(train, rest, test_fraction, "test")
        test = (train, chosen)
    validation = rest[:0]
    if validation_fraction:
        validation, rest = hold_out(train, rest, validation_fraction, "validation")
    return {"train": (train, rest), "validation": (train, validation), "test": test}


def hold_out(split, indices, fraction, purpose):
    """Return randomly chosen `indices` of a RawSplit, and the others, both in ascending order.

    The choice is stratified: each class has its share of it, as `share_out` says.
    """
    _, classes, counts = np.unique(split.labels[indices], return_inverse=True, return_counts=True)
    shares = share_out(counts, round(len(indices) * fraction))
    if not shares.any():
        raise DataError(
            f"{split.name}: {len(split.labels)} images are too few to set some aside for "
            f"{PURPOSES[purpose]}: no class has two left"
        )
    order = random_stream(0, purpose).permutation(len(indices))
    order = order[np.argsort(classes[order], kind="stable")]  # class by class
    position = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    is_chosen = position < np.repeat(shares, counts)
    return indices[np.sort(order[is_chosen])], indices[np.sort(order[~is_chosen])]


def share_out(counts, n):
    """Return how many of `n` images each class gives, if it has so many as `counts` says.

    Each class gives its share, rounded down, and those with the largest remainders one more, so
    that there are n. But a class of two images or more gives at least one and keeps at least one,
    and a class of one image keeps it.
    """
    exact = n * counts / counts.sum()
    shares = np.maximum(np.floor(exact), counts > 1).astype(int)
    n_missing = max(n - shares.sum(), 0)
    shares[np.argsort(shares - exact, kind="stable")[:n_missing]] += 1
    return np.minimum(shares, counts - 1)


def find_training_range(samples):
    """Return the smallest and the largest training pixel of `samples` (see `assign_samples`).

    Raises DataError if they are equal, if their difference is not a finite number, or if the images
    of a test split have another scale.
    """
    (train, indices), (test, _) = samples["train"], samples["test"]
    minimum, maximum = _find_pixel_range(train, indices)
    if minimum == maximum:
        raise DataError(f"{train.name}: all pixels are {minimum}, so there is nothing to learn")
    if not math.isfinite(maximum - minimum):
        raise DataError(
            f"{train.name} has pixels from {minimum} to {maximum}, too far apart to be scaled"
        )
    test_range = _find_pixel_range(*samples["test"]) if test is not train else (minimum, maximum)
    if not _may_share_scale((minimum, maximum), test_range):
        raise DataError(
            f"{train.name} has pixels from {minimum} to {maximum}, but {test.name} has pixels "
            f"from {test_range[0]} to {test_range[1]}; give both the same scale"
        )
    return minimum, maximum


def _find_pixel_range(split, indices):
    """Return the smallest and the largest pixel of the images of a RawSplit at `indices`."""
    chunks = _read_chunks(split, indices)
    minima, maxima = zip(*((pixels.min().item(), pixels.max().item()) for pixels in chunks))
    return min(minima), max(maxima)


def measure_pixels(split, indices, minimum, span):
    """Return the mean and the standard deviation of the images of a RawSplit at `indices`.

    They are those of the pixels scaled to 0 to 1: minus `minimum`, divided by `span`. The smallest
    and the largest pixel differ, so the standard deviation is not 0.
    """
    total, squares, n = 0.0, 0.0, 0
    for pixels in _read_chunks(split, indices):
        scaled = np.subtract(pixels, minimum, dtype=np.float64) / span
        total, squares, n = total + scaled.sum(), squares + np.square(scaled).sum(), n + scaled.size
    mean = float(total / n)
    return mean, math.sqrt(squares / n - mean**2)


def _may_share_scale(one, other):
    """Return whether two ranges of pixels, each (minimum, maximum), may have the same scale.

    They do not if the largest absolute values differ by more than MAX_SCALE_RATIO, or if only one
    range is clearly negative: beyond a quarter of the largest pixel of the other. An interpolation
    makes slightly negative pixels. Black images may have any scale.
    """
    small, large = sorted(max(map(abs, pixels)) for pixels in (one, other))
    (lowest, _), (low, high) = sorted([one, other])
    is_negative = low >= 0 and lowest < -high / 4
    return small == 0 or (large <= MAX_SCALE_RATIO * small and not is_negative)


def _write_arrays(samples, labels, offset, divisor, paths):
    """Write X and Y of the `samples` (see `assign_samples`); return their manifest entries."""
    entries = {}
    for name, (split, indices) in samples.items():
        X, Y = f"X_{name}", f"Y_{name}"
        max_size = MAX_SIZE if name == "train" else math.inf
        entries[X] = write_pixels(paths[X], split, indices, offset, divisor, max_size)
        classes = np.searchsorted(labels, split.labels[indices].astype(labels.dtype))
        entries[Y] = write_one_hot(paths[Y], classes, len(labels))
    return entries


def write_pixels(path, split, indices, offset, divisor, max_size=math.inf):
    """Write the images of a RawSplit at `indices` as a .npy of shape (pixels, n); return its entry.

    Column i is image i, row by row: for grey images, transpose(1, 2, 0) reshaped to (pixels, n).
    Pixels are scaled with `offset` and `divisor` (`scale_pixels`). But those of one byte that would
    then take more than `max_size` bytes are written as they are.
    """

    shape = (math.prod(split.images.shape[1:]), len(indices))
    chunks = _read_chunks(split, indices)
    if split.images.dtype in (bool, np.uint8) and 4 * math.prod(shape) > max_size:
        return _write_array(path, shape, chunks, "uint8")
    return _write_array(path, shape, (scale_pixels(pixels, offset, divisor) for pixels in chunks))


def _read_chunks(split, indices):
    """Yield the pixels (pixels, n) of the images of a RawSplit at `indices`, in chunks.

    Booleans become 0 and 1, and floats of more than 64 bits become float64. Raises DataError if a
    pixel is not a finite number.
    """
    for start, stop in _chunk_bounds(len(indices), math.prod(split.images.shape[1:])):
        chunk = indices[start:stop]
        pixels = split.images[chunk].reshape(len(chunk), -1).T
        if pixels.dtype.itemsize > 8:
            with np.errstate(over="ignore"):
                pixels = pixels.astype(np.float64)
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            bad = chunk[~np.isfinite(pixels).all(axis=0)][0]
            raise DataError(f"{split.name}: image {bad} has pixels that are not finite numbers")
        yield pixels.astype(np.uint8) if pixels.dtype == bool else pixels


def _chunk_bounds(n, n_rows):
    """Yield the bounds (start, stop) of chunks of `n` columns of an array with `n_rows` rows."""
    size = min(CHUNK_SIZE, max(1, CHUNK_VALUES // n_rows))
    for start in range(0, n, size):
        yield start, min(start + size, n)


def write_one_hot(path, classes, n_classes):
    """Write `classes` (n,), numbered from 0, one-hot encoded as a float32 .npy (n_classes, n)."""

    def encode(start, stop):
        Y = np.zeros((n_classes, stop - start), dtype=np.float32, order="F")
        Y[classes[start:stop], np.arange(stop - start)] = 1
        return Y

    n = len(classes)
    chunks = (encode(*bounds) for bounds in _chunk_bounds(n, n_classes))
    return _write_array(path, (n_classes, n), chunks)


def _write_array(path, shape, chunks, dtype="float32"):
    """Write `chunks` of columns as one .npy file of `shape` and `dtype`, in Fortran order.

    Return its entry in the manifest.
    """
    header = io.BytesIO()
    fields = {"descr": np.dtype(dtype).str, "fortran_order": True, "shape": shape}
    np.lib.format.write_array_header_1_0(header, fields)
    sha256 = hashlib.sha256()
    # Not as a memory map: on a full disk, that would kill the process without a message.
    with Path(path).open("wb") as file:
        for part in itertools.chain([header.getvalue()], (X.tobytes("F") for X in chunks)):
            file.write(part)
            sha256.update(part)
    return {"shape": list(shape), "dtype": dtype, "sha256": sha256.hexdigest()}
