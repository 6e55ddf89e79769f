"""Data parallelism: several threads train one network."""

import copy

import numpy as np

from scratchnet.nn.network import Network


class DataParallel:
    """A network that computes each batch in parts, one for each of its replicas.

    A replica has the parameters of `network`, and its own gradients and states. The gradient of a
    batch is the sum of those of its parts, in their order, and a running average is the mean of
    theirs. So the number of replicas changes the rounding, the random numbers and what is one batch
    for batch normalisation, but the number of threads of `executor` changes nothing. NumPy lets
    other threads run while it computes. PyTorch's module of this name does the same on several
    GPUs.
    """

    def __init__(self, network, replicas, executor):
        self.replicas = [network, *(replicate(network) for _ in range(replicas - 1))]
        self.executor = executor

    def forward(self, X, rng=None):
        """Return the logits (k, b) of X (n_in, b), as `Network.forward`."""
        parts = self._split(X)
        rngs = rng.spawn(len(parts)) if rng else [None] * len(parts)
        Z = np.hstack([*self.executor.map(Network.forward, self.replicas, parts, rngs)])
        if rng:
            self._average_states(len(parts))
        return Z

    def backward(self, dY):
        """Fill the `grads` of every layer of the network, as `Network.backward`."""
        parts = self._split(dY)
        [*self.executor.map(Network.backward, self.replicas, parts)]
        first, *others = self.replicas[: len(parts)]
        for other in others:
            for (_, _, total), (_, _, gradient) in zip(first.parameters(), other.parameters()):
                total += gradient

    def parameters(self):
        """Yield those of the network."""
        return self.replicas[0].parameters()

    def _average_states(self, n):
        """Give all replicas the mean state of the first n, which had a part of the batch."""
        for copies in zip(*(replica.layers for replica in self.replicas)):
            for name in copies[0].state:
                mean = sum(layer.state[name] for layer in copies[:n]) / n
                for layer in copies:
                    layer.state[name][...] = mean

    def _split(self, X):
        """Return the columns of X in parts of as equal a size as can be; none is empty."""
        return np.array_split(X, min(len(self.replicas), X.shape[1]), axis=1)


def replicate(network):
    """Return a network with the same parameters, and its own gradients and states.

    A layer keeps what `backward` needs in attributes that `forward` sets: the copy has its own.
    """
    layers = [copy.copy(layer) for layer in network.layers]
    for layer in layers:
        layer.grads = {name: np.zeros_like(dW) for name, dW in layer.grads.items()}
        layer.state = {name: array.copy() for name, array in layer.state.items()}
    return Network(layers)
