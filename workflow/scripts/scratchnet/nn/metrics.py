"""How well a network classifies a set of samples."""

import numpy as np

PREDICTION_BATCH = 1_000  # samples


def logits(network, X):
    """Return the logits Z (k, n) of a network for X (n_in, n), which may be a memory map."""
    X = np.asarray(X)
    starts = range(0, X.shape[1], PREDICTION_BATCH)
    slices = [network.forward(X[:, i : i + PREDICTION_BATCH]) for i in starts]
    return np.concatenate(slices, axis=1)


def accuracy(Z, Y):
    """Return the fraction of samples whose predicted class matches the label; Z, Y are (k, n)."""
    return int(np.count_nonzero(Z.argmax(axis=0) == Y.argmax(axis=0))) / Z.shape[1]


def best_epoch(history):
    """Return the first epoch, counted from 1, with the lowest validation loss in `history`."""
    return 1 + int(np.argmin(history["val_loss"]))
