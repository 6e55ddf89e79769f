"""Initial weights of a layer, with the names and distributions of Keras.

Each function takes the numbers of inputs and outputs and a random generator. It returns a float64
matrix (n_out, n_in + 1) whose last column is the bias. For a convolution, n_in is the number of
inputs of a filter and n_out the number of filters; an input reaches each of these at up to
`places` places, the pixels of its kernel.
"""

import math

import numpy as np


def random_normal(n_in, n_out, rng, places=1):
    """Return 0.01 x standard normal weights, biases 0.01: the notebook's, for shallow networks."""
    return _with_biases(0.01 * rng.standard_normal((n_out, n_in)), 0.01)


def he_uniform(n_in, n_out, rng, places=1):
    """Return uniform weights of variance 2 / n_in, biases 0, for ReLU variants (He et al. 2015)."""
    limit = math.sqrt(6 / n_in)  # ReLU sets half of its inputs to 0, hence 2 / n_in, not 1 / n_in
    return _with_biases(rng.uniform(-limit, limit, (n_out, n_in)), 0.0)


def glorot_uniform(n_in, n_out, rng, places=1):
    """Return uniform weights of variance 2 / (n_in + places * n_out), biases 0, for sigmoid, tanh
    and softmax (Glorot and Bengio 2010).
    """
    limit = math.sqrt(6 / (n_in + places * n_out))
    return _with_biases(rng.uniform(-limit, limit, (n_out, n_in)), 0.0)


def _with_biases(weights, bias):
    return np.pad(weights, ((0, 0), (0, 1)), constant_values=bias)


INITIALIZERS = {
    "random_normal": random_normal,
    "he_uniform": he_uniform,
    "glorot_uniform": glorot_uniform,
}
