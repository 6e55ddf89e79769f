"""From raw images to the arrays that the network reads.

The arrays are features x samples, float32, in Fortran order: the pixels of one image lie together
in memory and in the file, which is also the order of the raw images. They are written a slice at a
time and read as memory maps, so what a stage allocates does not grow with the dataset.
"""

import hashlib
import io
import itertools
import math
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from scratchnet.data.raw_splits import open_raw_splits
from scratchnet.errors import DataError
from scratchnet.files import atomic_write, read_json, write_json
from scratchnet.random_streams import random_stream

SLICE = 5_000  # samples


def preprocess(raw, test_fraction, validation_fraction, outputs):
    """Flatten, normalise and one-hot encode a dataset; write its arrays and their manifest.

    `raw` maps roles to paths, as `raw.open_raw_splits` has them, and may map "source" to the note of a
    download. `outputs` maps X_train, Y_train, X_validation, Y_validation, X_test, Y_test and
    manifest to paths. X has shape (pixels, n), Y has shape (classes, n). The classes are the labels
    that occur, in ascending order. Pixels are scaled to 0..1 by the smallest and largest of the
    training images. Raises DataError where the raw files are bad.
    """
    folder = Path(outputs["manifest"]).parent
    folder.mkdir(parents=True, exist_ok=True)
    source = read_json(raw["source"]) if "source" in raw else {}
    names = source.pop("classes", [])
    with ExitStack() as stack:
        temporary = stack.enter_context(TemporaryDirectory(prefix=".raw-", dir=folder))
        halves = open_raw_splits(raw, temporary)
        samples = assign_samples(halves, test_fraction, validation_fraction)
        minimum, maximum = pixel_range(*samples["train"])
        labels = np.unique(np.concatenate([half.labels for half in halves.values()]))
        if len(labels) < 2:
            raise DataError(f"{halves['train'].name}: all images have the label {labels[0]}")
        arrays, paths = {}, {}
        for name, (half, indices) in samples.items():
            X, Y = f"X_{name}", f"Y_{name}"
            for array in (X, Y):
                paths[array] = stack.enter_context(atomic_write(outputs[array]))
            arrays[X] = write_pixels(paths[X], half, indices, minimum, maximum)
            classes = np.searchsorted(labels, half.labels[indices].astype(labels.dtype))
            arrays[Y] = write_one_hot(paths[Y], classes, len(labels))
    manifest = {
        **source,
        "labels": labels.tolist(),
        "classes": names if len(names) == len(labels) else labels.astype(str).tolist(),
        "image_shape": list(halves["train"].images.shape[1:]),
        "minimum": minimum,
        "maximum": maximum,
        "arrays": arrays,
    }
    write_json(outputs["manifest"], manifest)


def assign_samples(halves, test_fraction, validation_fraction):
    """Which samples are for what: {"train", "validation", "test": (Half, ascending indices)}.

    Where there is no test half, a share `test_fraction` of the training half is set aside, at least
    one sample. Both splits have random streams of their own and do not move with the training seed.
    """
    train = halves["train"]
    rest = np.arange(len(train.labels))
    if "test" in halves:
        test = (halves["test"], np.arange(len(halves["test"].labels)))
    else:
        chosen, rest = hold_out(rest, max(1, round(len(rest) * test_fraction)), "test")
        test = (train, chosen)
    validation, rest = hold_out(rest, round(len(rest) * validation_fraction), "validation")
    if not len(rest):
        raise DataError(f"{train.name}: {len(train.labels)} images are too few to set some aside")
    return {"train": (train, rest), "validation": (train, validation), "test": test}


def hold_out(indices, n, purpose):
    """`n` of the `indices`, and the others, each in ascending order."""
    order = random_stream(0, purpose).permutation(len(indices))
    return indices[np.sort(order[:n])], indices[np.sort(order[n:])]


def pixel_range(half, indices):
    """The smallest and the largest pixel of the images of a Half at `indices`.

    Raises DataError when they are the same: there is nothing to learn then.
    """
    minima, maxima = zip(*((P.min().item(), P.max().item()) for P in _slices(half, indices)))
    minimum, maximum = min(minima), max(maxima)
    if minimum == maximum:
        raise DataError(f"{half.name}: all pixels are {minimum}, so nothing can be learned")
    return minimum, maximum


def write_pixels(path, half, indices, minimum, maximum):
    """Write the images of a Half at `indices` as a float32 .npy of shape (pixels, n), scaled.

    Column i is image i, row by row: grey images' transpose(1, 2, 0) flattened to (pixels, n).
    """

    def scaled(P):
        if P.dtype.itemsize <= 2:
            X = np.subtract(P, minimum, dtype=np.float32)
            X /= maximum - minimum
            return X
        # More digits than float32 has.
        return ((P.astype(np.float64) - minimum) / (maximum - minimum)).astype(np.float32)

    shape = (math.prod(half.images.shape[1:]), len(indices))
    return _write(path, shape, map(scaled, _slices(half, indices)))


def _slices(half, indices):
    """Yield the pixels (pixels, n) of the images of a Half at `indices`, some images at a time.

    Raises DataError where a pixel is not a finite number.
    """
    for start in range(0, len(indices), SLICE):
        part = indices[start : start + SLICE]
        P = half.images[part].reshape(len(part), -1).T
        if P.dtype.kind == "f" and not np.isfinite(P).all():
            bad = part[~np.isfinite(P).all(axis=0)][0]
            raise DataError(f"{half.name}: image {bad} has pixels that are not finite numbers")
        yield P


def write_one_hot(path, classes, n_classes):
    """Write `classes` (n,), from 0 on, as a float32 .npy (n_classes, n): a 1 in the row of each."""
    one_hot = np.eye(n_classes, dtype=np.float32)
    slices = (one_hot[:, classes[i : i + SLICE]] for i in range(0, len(classes), SLICE))
    return _write(path, (n_classes, len(classes)), slices)


def _write(path, shape, slices):
    """Write float32 `slices`, columns side by side, as a .npy of `shape` in Fortran order.

    Returns what the manifest says of it.
    """
    header = io.BytesIO()
    described = {"descr": "<f4", "fortran_order": True, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    sha256 = hashlib.sha256()
    # Not as a memory map: where the disk is full, that would end the process without a word.
    with Path(path).open("wb") as file:
        for part in itertools.chain([header.getvalue()], (X.tobytes("F") for X in slices)):
            file.write(part)
            sha256.update(part)
    return {"shape": list(shape), "dtype": "float32", "sha256": sha256.hexdigest()}
