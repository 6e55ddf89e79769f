"""The initial weights of a network, and their layout in other libraries."""

import math

from scratchnet.nn import network
from scratchnet.nn.shapes import block_shapes
from scratchnet.random_streams import random_stream

IMAGE_SHAPE = (28, 28)


def initial_weights(widths, convolutions, seed):
    """Return the W of each layer, the same for every contender."""
    rng = random_stream(seed, "weights")
    n_in = math.prod(block_shapes(IMAGE_SHAPE, convolutions)[-1])
    filters = network.initial_filters(IMAGE_SHAPE, convolutions, "glorot_uniform", rng)
    return filters + network.initial_weights(n_in, 10, widths, "glorot_uniform", rng)


def as_channels_last(weights, convolutions):
    """Return (weights, bias) of each layer, in the layout of TensorFlow and Keras."""
    layers = []
    for i, W in enumerate(weights):
        V, bias = W[:, :-1], W[:, -1].copy()
        if i < len(convolutions):
            k = convolutions[i]["kernel"]
            layers.append((V.reshape(len(V), k, k, -1).transpose(1, 2, 3, 0).copy(), bias))
        else:
            layers.append((V.T.copy(), bias))
    return layers
