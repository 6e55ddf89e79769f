"""A network is a list of layers that are applied one after another."""

import itertools

import numpy as np

from scratchnet.nn.convolution import AvgPool2D, Conv2D, MaxPool2D
from scratchnet.nn.initializers import INITIALIZERS
from scratchnet.nn.layers import ACTIVATIONS, Dense, Dropout, softmax
from scratchnet.nn.normalization import initial_normalization, make_normalization
from scratchnet.nn.shapes import block_shapes, pool_window


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

    def input_gradient(self, dY):
        """Return dL/dX (n_in, b) for dY (k, b): how each pixel changes the loss."""
        for layer in reversed(self.layers):
            dY = layer.backward(dY)
        return dY

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
        """Return a copy of each array of `params` and `state`, {name: array}."""
        layers = [layer for layer in self.layers if layer.params]
        return {
            f"{i}.{name}": array.copy()
            for i, layer in enumerate(layers)
            for name, array in (layer.params | layer.state).items()
        }


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


def with_normalization(weights, kind):
    """Return `weights`, a list of matrices W, with the initial arrays of normalisation added.

    They come after each W but the last. The `kind` is "batch" or "layer", or None for none.
    """
    *inner, last = weights
    if not kind:
        return weights
    return [
        *(array for W in inner for array in (W, *initial_normalization(kind, len(W), W.dtype))),
        last,
    ]


def split_by_layer(weights):
    """Return a list for each matrix W in `weights`: W, and the arrays of its normalisation."""
    groups = []
    for array in weights:
        if array.ndim == 2:
            groups.append([])
        groups[-1].append(array)
    return groups


def build_mlp(weights, activation, dropout=0.0):
    """Return a network of `Dense` layers with the `weights` of each.

    These are its matrix and, if it has normalisation, the arrays of that. Each layer but the last
    is followed by normalisation, an activation and, if the rate `dropout` is not 0, `Dropout`.
    """
    layers = []
    *hidden, (last,) = split_by_layer(weights)
    for W, *arrays in hidden:
        layers += [Dense(W), *_normalize(arrays), ACTIVATIONS[activation]()]
        layers += [Dropout(dropout)] if dropout else []
    return Network([*layers, Dense(last)])


def build_network(weights, image_shape, convolutions, activation, dropout=0.0):
    """Return a network of convolution blocks, followed by the `Dense` layers of `build_mlp`.

    `weights` has those of all `Conv2D` and then of all `Dense` layers, as in `build_mlp`.
    `convolutions` has a dict for each block, see `block_shapes`. In a block, a convolution is
    followed by normalisation, an activation and pooling. If the activation is increasing, max
    pooling comes first, which gives the same numbers in less time. The outputs of the last block
    are dropped at the rate `dropout`, too.
    """
    groups, layers = split_by_layer(weights), []
    for (W, *arrays), shape, block in zip(
        groups, block_shapes(image_shape, convolutions), convolutions
    ):
        convolution = Conv2D(W, shape, block["padding"], block.get("stride", 1))
        nonlinearity, pooling = ACTIVATIONS[activation](), _pool(block, convolution.output_shape)
        layers += [convolution, *_normalize(arrays)]
        if nonlinearity.increasing and block.get("pooling", "max") == "max":
            layers += [*pooling, nonlinearity]
        else:
            layers += [nonlinearity, *pooling]
    if convolutions and dropout:
        layers.append(Dropout(dropout))
    dense = itertools.chain.from_iterable(groups[len(convolutions) :])
    return Network(layers + build_mlp(dense, activation, dropout).layers)


def _normalize(arrays):
    return [make_normalization(arrays)] if arrays else []


def _pool(block, shape):
    window = pool_window(block, shape)
    kind = MaxPool2D if block.get("pooling", "max") == "max" else AvgPool2D
    return [] if window == (1, 1) else [kind(window, shape)]
