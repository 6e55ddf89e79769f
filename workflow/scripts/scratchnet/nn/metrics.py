"""How well a network classifies a set of samples."""

import math

import numpy as np

from scratchnet.nn.convolution import Conv2D

PREDICTION_BATCH = 1_000  # samples
PREDICTION_SIZE = 10_000_000  # at most, of the outputs of a convolution for these samples


def logits(network, X):
    """Return the logits Z (k, n) of a network for X (n_in, n), which may be a memory map."""
    X = np.asarray(X)
    sizes = [math.prod(each.output_shape) for each in network.layers if isinstance(each, Conv2D)]
    batch = min(PREDICTION_BATCH, max(1, PREDICTION_SIZE // max(sizes, default=1)))
    starts = range(0, X.shape[1], batch)
    return np.concatenate([network.forward(X[:, i : i + batch]) for i in starts], axis=1)


def accuracy(Z, Y):
    """Return the fraction of samples whose predicted class matches the label; Z, Y are (k, n)."""
    return int(np.count_nonzero(Z.argmax(axis=0) == Y.argmax(axis=0))) / Z.shape[1]


def best_epoch(history):
    """Return the first epoch, counted from 1, with the lowest validation loss in `history`."""
    return 1 + int(np.argmin(history["val_loss"]))
