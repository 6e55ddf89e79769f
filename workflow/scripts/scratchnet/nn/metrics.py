"""How well a network does on a set of samples."""

import numpy as np

SLICE = 1_000  # samples


def logits(network, X):
    """The logits Z (k, n) of a network for X (n_in, n), which may be a memory map."""
    X = np.asarray(X)
    slices = [network.forward(X[:, i : i + SLICE]) for i in range(0, X.shape[1], SLICE)]
    return np.concatenate(slices, axis=1)


def accuracy(Z, Y):
    """The share of samples for which the largest of Z (k, n) is at the 1 of Y (k, n)."""
    return int(np.count_nonzero(Z.argmax(axis=0) == Y.argmax(axis=0))) / Z.shape[1]


def best_epoch(history):
    """The epoch, from 1 on, with the lowest validation loss; the first of those that are equal."""
    return 1 + int(np.argmin(history["val_loss"]))
