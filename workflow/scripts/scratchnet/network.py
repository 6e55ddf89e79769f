"""A network is a list of layers, applied one after another."""

from scratchnet.layers import Dense, ReLU, softmax

ACTIVATIONS = {"relu": ReLU}


class Network:
    """The layers in order, from pixels to logits. It has the forward and backward of a layer."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, X):
        """X (n_in, b) -> the last layer's output: logits (k, b)."""
        for layer in self.layers:
            X = layer.forward(X)
        return X

    def backward(self, dY):
        """From the gradient of the loss by the output (k, b): fills every layer's `grads`."""
        first, *rest = self.layers
        for layer in reversed(rest):
            dY = layer.backward(dY)
        first.backward(dY, need_dX=False)

    def probabilities(self, X):
        """X (n_in, b) -> the probability of each class (k, b)."""
        return softmax(self.forward(X))

    def parameters(self):
        """Yield (name, parameter, gradient) for each trainable array, e.g. ("0.W", W, dW)."""
        for i, layer in enumerate(self.layers):
            for name, parameter in layer.params.items():
                yield f"{i}.{name}", parameter, layer.grads[name]

    def set_weights(self, weights):
        """Overwrite the parameters with the arrays in `weights`, by the names of `parameters`."""
        for name, parameter, _ in self.parameters():
            parameter[...] = weights[name]


def build(n_in, n_out, hidden, activation, rng):
    """`Dense` layers from n_in over the widths in `hidden` to n_out, with an activation between.

    With `hidden=[]` it is a single `Dense`: softmax regression, the "0-layer" network.
    """
    layers = []
    for width in hidden:
        layers += [Dense(n_in, width, rng), ACTIVATIONS[activation]()]
        n_in = width
    return Network([*layers, Dense(n_in, n_out, rng)])
