"""Layers: each computes a function of a batch, and its gradient.

Arrays are features x samples: a batch has shape (n, b), and each of its b columns is one sample.
dY stands for dL/dY, the gradient of the loss with respect to Y, which has the shape of Y.
"""

import math
from abc import ABC, abstractmethod

import numpy as np


class Layer(ABC):
    """A function from X (n_in, b) to Y (n_out, b).

    `params` has the trainable arrays by name. `grads` has the same keys and shapes; `backward`
    fills it in place. `state` has arrays that training changes without a gradient.
    """

    def __init__(self):
        self.params = {}
        self.grads = {}
        self.state = {}

    @abstractmethod
    def forward(self, X, rng=None):
        """Return Y (n_out, b) for X (n_in, b), and keep what `backward` needs.

        During training, `rng` is the random generator of layers that are random. Without it, as for
        predictions, nothing is random and no `state` changes.
        """

    @abstractmethod
    def backward(self, dY):
        """Return dX (n_in, b) for dY (n_out, b) and the X of the last `forward`; fill `grads`."""

    def fill_grads(self, dY):
        """Fill `grads`, as `backward` does: for the first layer, whose dX nobody uses."""
        self.backward(dY)


class Dense(Layer):
    """Y = W[:, :-1] @ X + W[:, -1:]: every output is a weighted sum of all inputs, plus a bias.

    W has shape (n_out, n_in + 1). Its last column is the bias, as if X had a last row of ones (the
    "bias trick" of CS231n, Linear classification). The row of ones is implied, not stored. The
    gradients are dW[:, :-1] = dY @ X.T, dW[:, -1] = the sum of dY over the samples, and
    dX = W[:, :-1].T @ dY. They are computed in forms that are faster.
    """

    def __init__(self, W):
        super().__init__()
        self.params["W"] = W
        self.grads["W"] = np.zeros_like(W)

    def forward(self, X, rng=None):
        W = self.params["W"]
        self.X = X
        # Sample-contiguous like X: a third faster than C order when n_out is small.
        Y = np.empty((len(W), X.shape[1]), X.dtype, order="F")
        multiply(W[:, :-1], X, out=Y)
        Y += W[:, -1:]
        return Y

    def backward(self, dY):
        self.fill_grads(dY)
        # In the memory order of X: mixing orders would be slow in the layers before.
        return np.matmul(self.params["W"][:, :-1].T, dY, out=np.empty_like(self.X))

    def fill_grads(self, dY):
        dW = self.grads["W"]
        multiply(dY, self.X.T, out=dW[:, :-1])
        np.sum(dY, axis=1, out=dW[:, -1])


def multiply(A, B, out):
    """Compute out = A @ B, for A (m, k) and B (k, n), in slices of columns where that is faster.

    Above a million multiplications, OpenBLAS first copies its operands into blocks. With the few
    outputs of a last layer, the copy takes as long as the product.
    """
    n, limit = B.shape[1], 1_000_000 // A.size
    width = math.ceil(n / math.ceil(n / limit)) if limit >= 64 else n  # narrower: no faster
    for i in range(0, n, width):
        np.matmul(A, B[:, i : i + width], out=out[:, i : i + width])


class ReLU(Layer):
    """Y = max(X, 0), element-wise. The derivative at 0 is taken to be 0."""

    def forward(self, X, rng=None):
        self.positive = X > 0
        return X * self.positive

    def backward(self, dY):
        return dY * self.positive


class Sigmoid(Layer):
    """Y = 1 / (1 + exp(-X)), element-wise, between 0 and 1."""

    def forward(self, X, rng=None):
        # The same function in a form in which exp cannot overflow.
        self.Y = (1 + np.tanh(X / 2)) / 2
        return self.Y

    def backward(self, dY):
        return dY * self.Y * (1 - self.Y)


class Tanh(Layer):
    """Y = tanh(X), element-wise, between -1 and 1."""

    def forward(self, X, rng=None):
        self.Y = np.tanh(X)
        return self.Y

    def backward(self, dY):
        return dY * (1 - self.Y**2)


class Dropout(Layer):
    """Y = X * M, with a random mask M: a fraction `rate` of it is 0, the rest 1 / (1 - rate).

    The expected value of Y is X, so for predictions Y = X ("inverted dropout", CS231n, Neural
    Networks Part 2; Srivastava et al. 2014).
    """

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, X, rng=None):
        if rng is None:
            self.mask = 1
            return X
        # In the memory order of X: multiplying arrays of different orders is several times slower.
        uniform = rng.random(dtype=np.float32, out=np.empty_like(X, np.float32))
        self.mask = (uniform >= self.rate) * X.dtype.type(1 / (1 - self.rate))
        return X * self.mask

    def backward(self, dY):
        return dY * self.mask


class Softmax(Layer):
    """P = exp(Z) / sum(exp(Z)): each column of logits becomes probabilities that sum to 1.

    This is the textbook form. Training uses `losses.softmax_crossentropy`, which takes logits.
    """

    def forward(self, Z, rng=None):
        self.P = softmax(Z)
        return self.P

    def backward(self, dP):
        # The Jacobian of a column is diag(p) - p p^T; this is its product with dp.
        P = self.P
        return P * (dP - (P * dP).sum(axis=0))


def softmax(Z):
    """Return the probabilities (k, b) of logits Z (k, b).

    Subtracting the largest logit of each column leaves P unchanged and keeps exp from overflowing.
    """
    E = np.exp(Z - Z.max(axis=0))
    return E / E.sum(axis=0)


ACTIVATIONS = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
