"""The loss and its gradient.

Labels Y (k, b) are one-hot: Y[c, i] is 1 if sample i is of class c, else 0. The loss is the mean
over the b samples. Only this module divides by b: the gradients of the layers are of that mean.
"""

import numpy as np


def categorical_crossentropy(P, Y):
    """Return the mean over samples of -sum(Y log P), and dL/dP (k, b): the textbook form.

    P (k, b) are probabilities, the output of `Softmax`. The loss is infinite if the probability of
    a true class is 0; `softmax_crossentropy` avoids that.
    """
    b = P.shape[1]
    with np.errstate(divide="ignore"):
        loss = -(Y * np.log(P, where=Y > 0, out=np.zeros_like(P))).sum() / b
        dP = -np.divide(Y, P, where=Y > 0, out=np.zeros_like(P)) / b
    return float(loss), dP


def softmax_crossentropy(Z, Y, class_weights=None, label_smoothing=0.0):
    """Return the mean loss for logits Z (k, b), and dL/dZ (k, b): softmax and cross-entropy in one.

    For a sample of class c the loss is -log softmax(z)[c] = logsumexp(z) - z[c], and the gradient
    is softmax(z) - y (CS231n, Softmax classifier). This is the same function as the textbook pair,
    without the logarithm of a rounded probability.

    With `class_weights` (k,), loss and gradient of each sample are multiplied by the weight of its
    class. The mean is still that over b samples, as with `class_weight` in Keras.

    With `label_smoothing` s, 1 becomes 1 - s + s / k in the labels, and 0 becomes s / k (Szegedy et
    al. 2016): the loss is lowest for probabilities that are not quite certain.
    """
    b = Z.shape[1]
    w = None if class_weights is None else class_weights @ Y  # (b,): the weight of each sample
    if label_smoothing:
        Y = (1 - label_smoothing) * Y + label_smoothing / len(Y)
    Z = np.array(Z, order="C")  # the sums over classes are then twice as fast
    Z -= Z.max(axis=0)
    E = np.exp(Z)
    sums = E.sum(axis=0)
    E /= sums
    E -= Y
    if w is None:
        loss = (np.log(sums).sum() - np.vdot(Y, Z)) / b
    else:
        loss = (np.vdot(w, np.log(sums)) - np.vdot(w * Y, Z)) / b
        E *= w
    E /= b
    return float(loss), E


def balanced_class_weights(Y):
    """Return the weights (k,) with which each class of the labels Y (k, n) counts the same.

    They are n / (k * count), as with class_weight="balanced" in scikit-learn: their mean over the
    samples is 1.
    """
    k, n = Y.shape
    return n / (k * Y.sum(axis=1, dtype=np.float64))


def add_l2_gradient(network, l2):
    """Add to `grads` the gradient of l2 * the sum of all squared weights: 2 * l2 * weight.

    Biases are not penalised. Keras: kernel_regularizer=L2(l2); CS231n has l2 / 2 in its place.
    """
    for name, W, dW in network.parameters():
        if name.endswith(".W"):
            dW[:, :-1] += 2 * l2 * W[:, :-1]
