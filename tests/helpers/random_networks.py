"""Random networks for tests."""

import numpy as np

from scratchnet.nn.network import with_normalization


def with_random_normalization(weights, kind, rng):
    """`with_normalization`, with random arrays."""
    weights = with_normalization(weights, kind)
    for array in weights:
        if array.ndim == 1:  # gamma, beta, mean and variance
            array += rng.random(len(array), np.float32)
    return weights
