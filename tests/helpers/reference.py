"""The same mathematics the slow way, to compare the library with.

Everything is float64 and goes sample by sample, as a textbook writes it: the bias is a row of ones
that is really there, a derivative is a Jacobian that is really built. Arrays are features x
samples.
"""

import numpy as np

from check_gradients import STEP, central_differences, relative_errors


def with_ones(X):
    """X (n, b) with a last row of ones (n + 1, b): the bias trick."""
    return np.vstack([X, np.ones(X.shape[1])])


def dense(W, X):
    return W @ with_ones(X)


def softmax(Z):
    return np.column_stack([np.exp(z) / np.exp(z).sum() for z in Z.T])


def softmax_backward(Z, dP):
    """One Jacobian for each sample: dp_i/dz_j = p_i (i == j) - p_i p_j."""
    dZ = []
    for p, dp in zip(softmax(Z).T, dP.T):
        jacobian = np.diag(p) - np.outer(p, p)
        dZ.append(jacobian.T @ dp)
    return np.column_stack(dZ)


def notebook_softmax_backward(A, dA):
    """The notebook's "efficient" form for probabilities A, which is wrong: A is outside the sum."""
    return A * (dA - A * dA.sum(axis=0))


def gelu(X):
    """The tanh form, with the gain as a power of e."""
    U = np.sqrt(2 / np.pi) * (X + 0.044715 * X**3)
    return X / (1 + np.exp(-2 * U))


def crossentropy(P, Y):
    return np.mean([-np.sum(y * np.log(p)) for p, y in zip(P.T, Y.T)])


def central_difference(function, A, dY=1.0, step=STEP):
    """dA for L = sum(dY * function()), where `function` reads A."""
    return central_differences(function, A, dY, step)[0]


def relative_error(A, B):
    """The largest relative error of two arrays."""
    assert A.shape == B.shape
    return relative_errors(A, B).max()


def one_hot(labels, k):
    """Labels (b) as a matrix Y (k, b)."""
    return np.eye(k)[:, labels]
