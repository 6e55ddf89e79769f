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
    fills it in place. `state` has arrays that training changes without a gradient. `increasing`
    says of an activation that a larger X never gives a smaller Y.
    """

    increasing = False

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

    increasing = True

    def forward(self, X, rng=None):
        self.positive = X > 0
        return X * self.positive

    def backward(self, dY):
        return dY * self.positive


class LeakyReLU(Layer):
    """Y = X where X > 0, else 0.2 * X, element-wise (Maas et al. 2013).

    Unlike in `ReLU`, the gradient is nowhere 0. The slope is that of `leaky_relu` in Keras; Maas et
    al. and PyTorch have 0.01. The derivative at 0 is taken to be 0.2.
    """

    increasing = True

    def forward(self, X, rng=None):
        self.slope = np.where(X > 0, X.dtype.type(1), X.dtype.type(0.2))
        return X * self.slope

    def backward(self, dY):
        return dY * self.slope


class ELU(Layer):
    """Y = X where X > 0, else exp(X) - 1, element-wise (Clevert et al. 2016, with alpha = 1).

    The derivative is 1 where X > 0, else exp(X) = Y + 1.
    """

    increasing = True

    def forward(self, X, rng=None):
        self.Y = np.maximum(X, 0) + np.expm1(np.minimum(X, 0))
        return self.Y

    def backward(self, dY):
        return dY * (1 + np.minimum(self.Y, 0))


class GELU(Layer):
    """Y = X * (1 + tanh(U)) / 2 with U = sqrt(2 / pi) * (X + 0.044715 * X**3), element-wise.

    This is the form of Hendrycks and Gimpel (2016) for X times the probability that a standard
    normal variable is below X. The exact one differs by up to 0.0005 and needs the error function,
    which NumPy does not have. Keras: gelu with approximate=True. Y falls from 0 to -0.17 at
    X = -0.75, and rises from there.
    """

    def forward(self, X, rng=None):
        self.X = X
        self.T = np.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * X * X * X))
        return X * (1 + self.T) / 2

    def backward(self, dY):
        X, T = self.X, self.T
        dU = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * X * X)
        return dY * (1 + T + X * (1 - T * T) * dU) / 2


class Sigmoid(Layer):
    """Y = 1 / (1 + exp(-X)), element-wise, between 0 and 1."""

    increasing = True

    def forward(self, X, rng=None):
        # The same function in a form in which exp cannot overflow.
        self.Y = (1 + np.tanh(X / 2)) / 2
        return self.Y

    def backward(self, dY):
        return dY * self.Y * (1 - self.Y)


class Tanh(Layer):
    """Y = tanh(X), element-wise, between -1 and 1."""

    increasing = True

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


ACTIVATIONS = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
}
