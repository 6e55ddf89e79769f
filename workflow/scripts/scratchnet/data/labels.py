"""Labels of images: which arrays are labels."""

import sys

import numpy as np

from scratchnet.errors import CONTROL_CHARACTERS, DataError, show_name

LABEL_KINDS = {"b": "booleans", "i": "integers", "u": "integers", "U": "text"}  # by dtype.kind
MAX_LABEL_LENGTH = 1_000  # characters


def check_labels(labels: np.ndarray, name: str) -> np.ndarray:
    """Return `labels` with shape (n,), integers or text.

    A column (n, 1) is flattened, and one-hot labels (n, classes) are numbered. Floats that are
    integers, and unsigned integers of 64 bits, become int64: NumPy would convert a mixture of both
    signs to floats. Raises DataError, which calls the array `name`, if it has another shape or
    type.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    elif _is_one_hot(labels):
        labels = labels.argmax(axis=1)
    if labels.ndim != 1:
        raise DataError(
            f"{name} has the shape {labels.shape}; labels must have (n,), one for each image, or "
            "be one-hot"
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


def _is_one_hot(labels):
    """Return whether each row of `labels` has a single 1, and is 0 otherwise."""
    if labels.ndim != 2 or labels.dtype.kind not in "buif":
        return False
    is_one = labels == 1
    return bool((is_one | (labels == 0)).all() and (is_one.sum(axis=1) == 1).all())


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
