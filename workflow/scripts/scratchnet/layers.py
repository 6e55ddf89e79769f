"""The layers: each is a function of a batch, and knows its own derivative.

Arrays are features x samples: a batch has shape (n, b), and each of its b columns is one sample.
dY is short for dL/dY, the gradient of the loss with respect to Y; it has the shape of Y.
"""

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
    def forward(self, X):
        """X (n_in, b) -> Y (n_out, b). Keeps what `backward` will need."""

    @abstractmethod
    def backward(self, dY, need_dX=True):
        """dY (n_out, b) -> dX (n_in, b), for the X of the last `forward`; fills `grads`.

        With `need_dX=False` the layer may return None: nobody learns from the pixels' gradient,
        and for the first layer it would cost as much as the forward product.
        """


class Dense(Layer):
    """Y = W [X; 1]: every output is a weighted sum of all inputs, plus a bias.

    W has shape (n_out, n_in + 1). Its last column is the bias, as if X had a last row of ones
    (the "bias trick" of CS231n, Linear classification). The row of ones is never built: the last
    column is added instead, which is the same sum.

    The initial weights are 0.01 x standard normal, the initial biases 0.01.
    """

    def __init__(self, n_in, n_out, rng, dtype=np.float32):
        super().__init__()
        W = np.full((n_out, n_in + 1), 0.01, dtype)
        W[:, :-1] *= rng.standard_normal((n_out, n_in))
        self.params["W"] = W
        self.grads["W"] = np.zeros_like(W)

    def forward(self, X):
        W = self.params["W"]
        self.X = X
        # Sample-contiguous like X: a third faster than into C order when n_out is small.
        Y = np.matmul(W[:, :-1], X, order="F")
        Y += W[:, -1:]
        return Y

    def backward(self, dY, need_dX=True):
        dW = self.grads["W"]
        np.matmul(dY, self.X.T, out=dW[:, :-1])
        np.sum(dY, axis=1, out=dW[:, -1])
        if need_dX:
            return np.matmul(self.params["W"][:, :-1].T, dY, order="F")


class ReLU(Layer):
    """Y = max(X, 0), element by element; its slope at 0 is taken to be 0."""

    def forward(self, X):
        self.positive = X > 0
        return X * self.positive

    def backward(self, dY, need_dX=True):
        return dY * self.positive


class Softmax(Layer):
    """P = exp(Z) / sum(exp(Z)): each column of logits becomes probabilities that add up to 1.

    For reading beside a textbook and for predicting. Training uses `losses.softmax_crossentropy`,
    which takes the logits themselves.
    """

    def forward(self, Z):
        self.P = softmax(Z)
        return self.P

    def backward(self, dP, need_dX=True):
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
