"""From raw images to the arrays that the network reads.

The arrays are features x samples, float32, in Fortran order: the pixels of one image lie together
in memory and in the file, which is also the order of the raw images. They are written and read as
memory maps, a slice at a time, so the memory in use does not grow with the dataset.
"""

import hashlib
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from scratchnet.errors import DataError
from scratchnet.files import read_json, whole, write_json
from scratchnet.idx import open_images_and_labels
from scratchnet.streams import random_stream

SLICE = 5_000  # samples
SPLITS = ("train", "validation", "test")


def prepare(raw, classes, validation_fraction, outputs):
    """Flatten, normalise and one-hot encode a dataset; write its arrays and their manifest.

    `raw` maps train_images, train_labels, test_images, test_labels and source to paths. `outputs`
    maps X_train, Y_train, X_validation, Y_validation, X_test, Y_test and manifest to paths.
    X has shape (pixels, n), Y has shape (classes, n). Pixels are scaled to 0..1 by the smallest and
    largest of the training images. Raises DataError where the raw files are bad.
    """
    train = open_images_and_labels(raw["train_images"], raw["train_labels"], len(classes))
    test = open_images_and_labels(raw["test_images"], raw["test_labels"], len(classes))
    if train[0].shape[1:] != test[0].shape[1:]:
        raise DataError(
            f"{raw['train_images']} has images of {train[0].shape[1:]} pixels, "
            f"but {raw['test_images']} of {test[0].shape[1:]}"
        )
    in_train, in_validation = split_validation(len(train[1]), validation_fraction)
    samples = {
        "train": (*train, in_train),
        "validation": (*train, in_validation),
        "test": (*test, np.arange(len(test[1]))),
    }
    source = read_json(raw["source"])
    minimum, maximum = pixel_range(train[0], in_train)
    if minimum == maximum:
        raise DataError(
            f"{raw['train_images']}: all pixels are {minimum}, so nothing can be learned"
        )
    with ExitStack() as stack:
        temporary = {
            name: stack.enter_context(whole(path))
            for name, path in outputs.items()
            if name != "manifest"
        }
        arrays = {}
        for split in SPLITS:
            images, labels, indices = samples[split]
            X, Y = f"X_{split}", f"Y_{split}"
            arrays[X] = write_pixels(temporary[X], images, indices, minimum, maximum)
            arrays[Y] = write_one_hot(temporary[Y], labels[indices], len(classes))
    manifest = {
        **source,
        "classes": list(classes),
        "image_shape": list(train[0].shape[1:]),
        "minimum": minimum,
        "maximum": maximum,
        "arrays": arrays,
    }
    write_json(outputs["manifest"], manifest)


def split_validation(n, fraction):
    """Indices of the training and of the validation samples, each in ascending order.

    The split has a random stream of its own and does not move with the training seed.
    """
    order = random_stream(0, "validation").permutation(n)
    n_validation = round(n * fraction)
    return np.sort(order[n_validation:]), np.sort(order[:n_validation])


def pixel_range(images, indices):
    """The smallest and the largest pixel of the images (n, height, width) at `indices`."""
    slices = [images[indices[i : i + SLICE]] for i in range(0, len(indices), SLICE)]
    return int(min(s.min() for s in slices)), int(max(s.max() for s in slices))


def write_pixels(path, images, indices, minimum, maximum):
    """Write images (n, height, width) at `indices` as a float32 .npy of shape (pixels, n), scaled.

    Column i is image i, row by row: the images' transpose(1, 2, 0) flattened to (pixels, n).
    """
    pixels = images.transpose(1, 2, 0).reshape(-1, len(images))
    X = _create(path, (len(pixels), len(indices)))
    for start in range(0, len(indices), SLICE):
        part = indices[start : start + SLICE]
        columns = X[:, start : start + SLICE]
        np.subtract(pixels.T[part].T, minimum, out=columns, dtype=np.float32)
        columns /= maximum - minimum
    return _describe(path, X)


def write_one_hot(path, labels, n_classes):
    """Write labels (n,) as a float32 .npy of shape (n_classes, n): a 1 in the row of its class."""
    Y = _create(path, (n_classes, len(labels)))
    Y[labels, np.arange(len(labels))] = 1
    return _describe(path, Y)


def _create(path, shape):
    return np.lib.format.open_memmap(path, "w+", np.float32, shape, fortran_order=True)


def _describe(path, array):
    array.flush()
    with Path(path).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": sha256}
