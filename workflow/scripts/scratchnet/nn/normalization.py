"""Normalisation: the outputs of a layer, shifted and scaled to mean 0 and variance 1.

Deep networks then train from poor initial weights, and with larger steps.
"""

from abc import abstractmethod

import numpy as np

from scratchnet.nn.layers import Layer

EPSILON = 1e-5  # keeps a variance of 0 from being divided by
MOMENTUM = 0.9  # share of a running average that is kept in a step


class Normalization(Layer):
    """Y = gamma * N + beta, with N = (X - mean) / std and std = sqrt(variance + EPSILON).

    The features of X (n, b) belong to channels, with `gamma` and `beta` of shape (channels,): after
    a convolution these are its filters, at each place of the image, and after a `Dense` layer the
    features themselves, at one place. So X is seen as an array (places, channels, b). Mean and
    variance are those over the places and one more `axis`.
    """

    axis = None  # 0, the channels, or 1, the samples
    is_fixed = False  # whether mean and std are constants, not those of X

    def __init__(self, gamma, beta):
        super().__init__()
        self.params |= {"gamma": gamma, "beta": beta}
        self.grads |= {"gamma": np.zeros_like(gamma), "beta": np.zeros_like(beta)}

    def forward(self, X, rng=None):
        self.N, self.std = self.normalize(self.by_channel(X), rng)
        Y = self.N * self.params["gamma"][:, np.newaxis]
        Y += self.params["beta"][:, np.newaxis]
        return Y.reshape(X.shape)

    @abstractmethod
    def normalize(self, X, rng):
        """Return N and std for X (places, channels, b)."""

    def standardize(self, X):
        """Return N, std, mean and variance of X (places, channels, b)."""
        mean = self.mean(X.mean(axis=0))
        N = X - mean
        variance = self.mean(np.square(N).mean(axis=0))
        std = np.sqrt(variance + EPSILON)
        N /= std
        return N, std, mean, variance

    def mean(self, means):
        """Return the mean of `means` (channels, b), those over the places, along `axis`."""
        return means.mean(axis=self.axis, keepdims=True)

    def by_channel(self, X):
        """Return X (n, b) as an array (places, channels, b)."""
        return X.reshape(-1, len(self.params["gamma"]), X.shape[1])

    def backward(self, dY):
        """Each X also changes its mean and its std. With dN = gamma * dY,

        dX = (dN - mean(dN) - N * mean(N * dN)) / std.
        """
        shape, dY, gamma = dY.shape, self.by_channel(dY), self.params["gamma"][:, np.newaxis]
        sums, sums_along_N = dY.sum(axis=0), (self.N * dY).sum(axis=0)
        self.grads["beta"][...] = sums.sum(axis=1)
        self.grads["gamma"][...] = sums_along_N.sum(axis=1)
        dX = dY * (gamma / self.std)
        if not self.is_fixed:
            dX -= self.N * (self.mean(gamma * sums_along_N) / len(dY) / self.std)
            dX -= self.mean(gamma * sums) / len(dY) / self.std
        return dX.reshape(shape)


class BatchNormalization(Normalization):
    """Each channel has mean 0 and variance 1 over a batch (Ioffe and Szegedy 2015).

    Predictions do not depend on other images of a batch: they use running averages of the means and
    the variances of the batches of training, `state["mean"]` and `state["variance"]`.
    """

    axis = 1

    def __init__(self, gamma, beta, mean, variance):
        super().__init__(gamma, beta)
        self.state |= {"mean": mean, "variance": variance}

    def normalize(self, X, rng):
        self.is_fixed = rng is None
        if self.is_fixed:
            mean, variance = (array[:, np.newaxis] for array in self.state.values())
            std = np.sqrt(variance + EPSILON)
            return (X - mean) / std, std
        N, std, *moments = self.standardize(X)
        for average, of_batch in zip(self.state.values(), moments):
            average *= MOMENTUM
            average += (1 - MOMENTUM) * of_batch.reshape(-1)
        return N, std


class LayerNormalization(Normalization):
    """All outputs of a layer for one sample have mean 0 and variance 1 (Ba, Kiros and Hinton 2016).

    Training and predictions are the same. Keras: GroupNormalization with groups=1.
    """

    axis = 0

    def normalize(self, X, rng):
        return self.standardize(X)[:2]


def initial_normalization(kind, channels, dtype=np.float32):
    """Return the initial arrays of a layer of the `kind` "batch" or "layer": Y is N at first."""
    gamma, beta = np.ones(channels, dtype), np.zeros(channels, dtype)
    return [gamma, beta] if kind == "layer" else [gamma, beta, beta.copy(), gamma.copy()]


def make_normalization(arrays):
    """Return the layer with `arrays` like those of `initial_normalization`."""
    return (LayerNormalization if len(arrays) == 2 else BatchNormalization)(*arrays)
