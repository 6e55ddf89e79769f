"""A network is a list of layers, applied one after another."""

import itertools

import numpy as np

from scratchnet.nn.initializers import INITIALIZERS
from scratchnet.nn.layers import Dense, Dropout, ReLU, Sigmoid, Tanh, softmax

ACTIVATIONS = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}


class Network:
    """The layers in order, from pixels to logits. It has the forward and backward of a layer."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, X, rng=None):
        """X (n_in, b) -> the last layer's output: logits (k, b). `rng` is for training only."""
        for layer in self.layers:
            X = layer.forward(X, rng)
        return X

    def backward(self, dY):
        """From the gradient of the loss by the output (k, b): fills every layer's `grads`."""
        first, *rest = self.layers
        for layer in reversed(rest):
            dY = layer.backward(dY)
        first.backward(dY, needs_input_grad=False)

    def probabilities(self, X):
        """X (n_in, b) -> the probability of each class (k, b)."""
        return softmax(self.forward(X))

    def parameters(self):
        """Yield (name, parameter, gradient) for each trainable array, e.g. ("0.W", W, dW).

        The number counts the layers that have any, from the pixels up.
        """
        for i, layer in enumerate(layer for layer in self.layers if layer.params):
            for name, parameter in layer.params.items():
                yield f"{i}.{name}", parameter, layer.grads[name]

    def weights(self):
        """The parameters as they are now, {name: copy}."""
        return {name: parameter.copy() for name, parameter, _ in self.parameters()}


def initial_weights(n_in, n_out, hidden, initializer, rng, dtype=np.float32):
    """The first W of each `Dense` layer from n_in over the widths in `hidden` to n_out.

    With `hidden=[]` there is a single one: softmax regression, the "0-layer" network.
    """
    return [
        INITIALIZERS[initializer](a, b, rng).astype(dtype)
        for a, b in itertools.pairwise([n_in, *hidden, n_out])
    ]


def build_mlp(weights, activation, dropout=0.0):
    """`Dense` layers with the matrices `weights`, between each two an activation and `Dropout`."""
    first, *rest = weights
    layers = [Dense(first)]
    for W in rest:
        layers.append(ACTIVATIONS[activation]())
        if dropout:
            layers.append(Dropout(dropout))
        layers.append(Dense(W))
    return Network(layers)
