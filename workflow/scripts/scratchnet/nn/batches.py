"""An epoch as a sequence of batches: every sample once, in a new random order."""

import numpy as np


def generate_batch_indices(n, batch_size, rng):
    """Yield the indices of each batch of one epoch: slices of a permutation of range(n)."""
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


def generate_batches(X, Y, batch_size, rng):
    """Yield the batches X (n_in, b), Y (k, b) of one epoch over X (n_in, n) and Y (k, n).

    The last batch is smaller if `batch_size` does not divide n. Each batch overwrites the one
    before. X and Y should be sample-contiguous (Fortran order): a column is then contiguous in
    memory, and gathering random columns is over ten times faster.
    """
    samples_X, samples_Y = np.asarray(X).T, np.asarray(Y).T
    n = X.shape[1]
    buffer_X = np.empty((min(batch_size, n), X.shape[0]), X.dtype)
    buffer_Y = np.empty((min(batch_size, n), Y.shape[0]), Y.dtype)
    for indices in generate_batch_indices(n, batch_size, rng):
        batch_X, batch_Y = buffer_X[: len(indices)], buffer_Y[: len(indices)]
        # Read one pixel of each image first: memory then fetches all images at once.
        _ = samples_X[indices, 0]
        # Only mode="clip" writes into `out` without a copy; no index is out of range.
        np.take(samples_X, indices, axis=0, out=batch_X, mode="clip")
        np.take(samples_Y, indices, axis=0, out=batch_Y, mode="clip")
        yield batch_X.T, batch_Y.T
