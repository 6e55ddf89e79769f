"""A network is a list of layers that are applied one after another."""

import itertools

import numpy as np

from scratchnet.nn.convolution import Conv2D, MaxPool2D
from scratchnet.nn.initializers import INITIALIZERS
from scratchnet.nn.layers import ACTIVATIONS, Dense, Dropout, softmax
from scratchnet.nn.shapes import block_shapes


class Network:
    """Layers in order, from pixels to logits, with the `forward` and `backward` of a layer."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, X, rng=None):
        """Return the logits (k, b) of X (n_in, b). `rng` is for training only."""
        for layer in self.layers:
            X = layer.forward(X, rng)
        return X

    def backward(self, dY):
        """Fill the `grads` of every layer, given dY (k, b): dL/dY for the logits Y."""
        first, *rest = self.layers
        for layer in reversed(rest):
            dY = layer.backward(dY)
        first.fill_grads(dY)

    def probabilities(self, X):
        """Return the probability (k, b) of each class for X (n_in, b)."""
        return softmax(self.forward(X))

    def parameters(self):
        """Yield (name, parameter, gradient) for each trainable array, e.g. ("0.W", W, dW).

        The number counts the layers that have parameters, from the pixels to the logits.
        """
        for i, layer in enumerate(layer for layer in self.layers if layer.params):
            for name, parameter in layer.params.items():
                yield f"{i}.{name}", parameter, layer.grads[name]

    def weights(self):
        """Return a copy of each parameter, {name: array}."""
        return {name: parameter.copy() for name, parameter, _ in self.parameters()}


def initial_weights(n_in, n_out, hidden, initializer, rng, dtype=np.float32):
    """Return the initial W of each `Dense` layer of a network with the widths `hidden`.

    With `hidden=[]` there is a single layer: softmax regression, the "0-layer" network.
    """
    return [
        INITIALIZERS[initializer](a, b, rng).astype(dtype)
        for a, b in itertools.pairwise([n_in, *hidden, n_out])
    ]


def initial_filters(image_shape, convolutions, initializer, rng, dtype=np.float32):
    """Return the initial W of each `Conv2D` layer; the arguments are those of `block_shapes`."""
    weights = []
    for shape, block in zip(block_shapes(image_shape, convolutions), convolutions):
        places = block["kernel"] ** 2
        W = INITIALIZERS[initializer](places * shape[2], block["filters"], rng, places)
        weights.append(W.astype(dtype))
    return weights


def build_mlp(weights, activation, dropout=0.0):
    """Return a network of `Dense` layers with the matrices `weights`.

    Each but the last is followed by an activation and, if the rate `dropout` is not 0, `Dropout`.
    """
    first, *rest = weights
    layers = [Dense(first)]
    for W in rest:
        layers.append(ACTIVATIONS[activation]())
        if dropout:
            layers.append(Dropout(dropout))
        layers.append(Dense(W))
    return Network(layers)


def build_network(weights, image_shape, convolutions, activation, dropout=0.0):
    """Return a network of convolution blocks, followed by the `Dense` layers of `build_mlp`.

    `weights` has the matrices of all `Conv2D` and then of all `Dense` layers. `convolutions` has
    the filters, kernel, padding and pool of each block. In a block, a convolution is followed by an
    activation and max pooling. If the activation is increasing, pooling comes first, which gives
    the same numbers in less time. The outputs of the last block are dropped at the rate `dropout`,
    too.
    """
    weights, layers = [*weights], []
    for W, shape, block in zip(weights, block_shapes(image_shape, convolutions), convolutions):
        layers.append(Conv2D(W, shape, block["padding"]))
        step = [ACTIVATIONS[activation]()]
        if block["pool"] > 1:
            step.append(MaxPool2D(block["pool"], layers[-1].output_shape))
        layers += reversed(step) if step[0].increasing else step
    if convolutions and dropout:
        layers.append(Dropout(dropout))
    layers += build_mlp(weights[len(convolutions) :], activation, dropout).layers
    return Network(layers)
