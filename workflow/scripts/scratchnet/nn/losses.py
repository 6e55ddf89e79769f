"""The loss, and its gradient.

Labels Y (k, b) are one-hot: Y[c, i] is 1 where sample i is of class c, and 0 elsewhere. A loss is a
mean over the b samples. The division by b happens here and nowhere else, so the gradients that
the layers pass on are already those of the mean.
"""

import numpy as np


def categorical_crossentropy(P, Y):
    """The textbook form: mean over samples of -sum(Y log P), and dL/dP (k, b).

    P (k, b) are probabilities, the output of `Softmax`. Where a true class has probability 0 the
    loss is infinite, as the mathematics says; `softmax_crossentropy` does not get there.
    """
    b = P.shape[1]
    with np.errstate(divide="ignore"):
        loss = -(Y * np.log(P, where=Y > 0, out=np.zeros_like(P))).sum() / b
        dP = -np.divide(Y, P, where=Y > 0, out=np.zeros_like(P)) / b
    return float(loss), dP


def softmax_crossentropy(Z, Y):
    """Softmax and crossentropy in one, from logits Z (k, b): the mean loss, and dL/dZ (k, b).

    For a sample of class c the loss is -log softmax(z)[c] = logsumexp(z) - z[c], and the
    Jacobians of the two steps collapse into softmax(z) - y (CS231n, Softmax classifier). It is
    the same function as the textbook pair, but no logarithm of a rounded-off probability is taken.
    """
    b = Z.shape[1]
    Z = np.array(Z, order="C")  # sums over classes are then sums of rows, twice as fast
    Z -= Z.max(axis=0)
    E = np.exp(Z)
    sums = E.sum(axis=0)
    loss = (np.log(sums).sum() - np.vdot(Y, Z)) / b
    E /= sums
    E -= Y
    E /= b
    return float(loss), E
