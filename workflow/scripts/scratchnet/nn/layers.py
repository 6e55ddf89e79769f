"""The layers: each is a function of a batch, and knows its own derivative.

Arrays are features x samples: a batch has shape (n, b), and each of its b columns is one sample.
dY is short for dL/dY, the gradient of the loss with respect to Y; it has the shape of Y.
"""

import math
from abc import ABC, abstractmethod

import numpy as np


class Layer(ABC):
    """A function of X (n_in, b) with values Y (n_out, b).

    `params` holds its trainable arrays by name; `grads` has the same keys and shapes, and
    `backward` fills it in place.
    """

    def __init__(self):
        self.params = {}
        self.grads = {}

    @abstractmethod
    def forward(self, X, rng=None):
        """X (n_in, b) -> Y (n_out, b). Keeps what `backward` will need.

        `rng` is where a layer that is random in training takes its numbers from. To predict, leave
        it out: then nothing is random.
        """

    @abstractmethod
    def backward(self, dY, needs_input_grad=True):
        """dY (n_out, b) -> dX (n_in, b), for the X of the last `forward`; fills `grads`.

        With `needs_input_grad=False` the layer may return None: nothing uses the gradient of the
        pixels, and in the first layer it would cost as much as the forward product.
        """


class Dense(Layer):
    """Y = W [X; 1]: every output is a weighted sum of all inputs, plus a bias.

    W has shape (n_out, n_in + 1). Its last column is the bias, as if X had a last row of ones
    (the "bias trick" of CS231n, Linear classification). The row of ones is never built: the last
    column is added instead, which is the same sum.
    """

    def __init__(self, W):
        super().__init__()
        self.params["W"] = W
        self.grads["W"] = np.zeros_like(W)

    def forward(self, X, rng=None):
        W = self.params["W"]
        self.X = X
        # Sample-contiguous like X: a third faster than into C order when n_out is small.
        Y = np.empty((len(W), X.shape[1]), X.dtype, order="F")
        multiply(W[:, :-1], X, out=Y)
        Y += W[:, -1:]
        return Y

    def backward(self, dY, needs_input_grad=True):
        dW = self.grads["W"]
        multiply(dY, self.X.T, out=dW[:, :-1])
        np.sum(dY, axis=1, out=dW[:, -1])
        if needs_input_grad:
            return np.matmul(self.params["W"][:, :-1].T, dY, order="F")


def multiply(A, B, out):
    """out = A @ B, for A (m, k) and B (k, n), in pieces of B's columns where that is faster.

    OpenBLAS takes matrices as they lie up to a million multiplications; beyond that it copies them
    into blocks first. With the few outputs of a last layer, that takes as long as the product.
    """
    n, most = B.shape[1], 1_000_000 // A.size
    width = math.ceil(n / math.ceil(n / most)) if most >= 64 else n  # narrower ones gain nothing
    for i in range(0, n, width):
        np.matmul(A, B[:, i : i + width], out=out[:, i : i + width])


class ReLU(Layer):
    """Y = max(X, 0), element by element; its slope at 0 is taken to be 0."""

    def forward(self, X, rng=None):
        self.positive = X > 0
        return X * self.positive

    def backward(self, dY, needs_input_grad=True):
        return dY * self.positive


class Sigmoid(Layer):
    """Y = 1 / (1 + exp(-X)), element by element, from 0 to 1."""

    def forward(self, X, rng=None):
        # The same function, written so that no exp can overflow.
        self.Y = (1 + np.tanh(X / 2)) / 2
        return self.Y

    def backward(self, dY, needs_input_grad=True):
        return dY * self.Y * (1 - self.Y)


class Tanh(Layer):
    """Y = tanh(X), element by element, from -1 to 1."""

    def forward(self, X, rng=None):
        self.Y = np.tanh(X)
        return self.Y

    def backward(self, dY, needs_input_grad=True):
        return dY * (1 - self.Y**2)


class Dropout(Layer):
    """Y = X * M: in training a random share `rate` of the mask M is 0, the rest is 1 / (1 - rate).

    So the mean of Y is X, and nothing remains to be done when predicting: then Y = X ("inverted
    dropout" of CS231n, Neural Networks Part 2; Srivastava et al. 2014).
    """

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, X, rng=None):
        if rng is None:
            self.mask = 1
            return X
        # Sample-contiguous like X: a product of arrays of two orders is several times slower.
        uniform = rng.random(X.T.shape, np.float32).T
        self.mask = (uniform >= self.rate) * X.dtype.type(1 / (1 - self.rate))
        return X * self.mask

    def backward(self, dY, needs_input_grad=True):
        return dY * self.mask


class Softmax(Layer):
    """P = exp(Z) / sum(exp(Z)): each column of logits becomes probabilities that add up to 1.

    For reading beside a textbook and for predicting. Training uses `losses.softmax_crossentropy`,
    which takes the logits themselves.
    """

    def forward(self, Z, rng=None):
        self.P = softmax(Z)
        return self.P

    def backward(self, dP, needs_input_grad=True):
        # A column's Jacobian is diag(p) - p p^T; this is its product with dp, without building it.
        P = self.P
        return P * (dP - (P * dP).sum(axis=0))


def softmax(Z):
    """Logits Z (k, b) -> probabilities (k, b).

    The largest logit of a column is subtracted first: this changes no quotient, and exp cannot
    overflow.
    """
    E = np.exp(Z - Z.max(axis=0))
    return E / E.sum(axis=0)
