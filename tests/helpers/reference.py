"""The same mathematics the slow way, to compare the library with.

Everything is float64 and goes sample by sample, as a textbook writes it: the bias is a row of ones
that is really there, a derivative is a Jacobian that is really built. Arrays are features x
samples.
"""

import numpy as np


def with_ones(X):
    """X (n, b) with a last row of ones (n + 1, b): the bias trick."""
    return np.vstack([X, np.ones(X.shape[1])])


def dense(W, X):
    return W @ with_ones(X)


def dense_backward(W, X, dY):
    """dW as a sum of one outer product for each sample, and dX."""
    dW = np.zeros_like(W)
    dX = []
    for x, dy in zip(with_ones(X).T, dY.T):
        dW += np.outer(dy, x)
        dX.append((W.T @ dy)[:-1])  # nobody can change the row of ones
    return dW, np.column_stack(dX)


def relu(X):
    return np.maximum(X, 0)


def relu_backward(X, dY):
    return np.column_stack([np.diag((x > 0).astype(float)) @ dy for x, dy in zip(X.T, dY.T)])


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


def crossentropy(P, Y):
    return np.mean([-np.sum(y * np.log(p)) for p, y in zip(P.T, Y.T)])


def crossentropy_backward(P, Y):
    return np.column_stack([-y / p for p, y in zip(P.T, Y.T)]) / P.shape[1]


def central_difference(function, A, dY=1.0, step=1e-6):
    """dA for L = sum(dY * function()), where `function` reads A: moves each element both ways.

    The difference is taken before the sum, so what an element has no part in cancels exactly.
    """
    dA = np.empty_like(A)
    for i in np.ndindex(A.shape):
        value = A[i]
        A[i] = value + step
        above = function()
        A[i] = value - step
        below = function()
        A[i] = value
        dA[i] = np.sum(dY * (above - below)) / (2 * step)
    return dA


def relative_error(A, B):
    """The largest |a - b| / max(|a|, |b|) of two arrays (CS231n); two zeros agree."""
    assert A.shape == B.shape
    larger = np.maximum(abs(A), abs(B))
    return np.max(abs(A - B) / np.where(larger > 0, larger, 1))


def one_hot(labels, k):
    """Labels (b) as a matrix Y (k, b)."""
    return np.eye(k)[:, labels]


def conv2d(W, X, shape, kernel, padding):
    """The output for X (n, b), images of `shape`, place by place, and its shape."""
    images = padded(X, shape, kernel, padding)
    rows, columns = (side - kernel + 1 for side in images.shape[:2])
    Y = np.zeros((rows, columns, len(W), X.shape[1]))
    for i, j in np.ndindex(rows, columns):
        for b in range(X.shape[1]):
            window = images[i : i + kernel, j : j + kernel, :, b]
            Y[i, j, :, b] = W @ [*window.ravel(), 1]
    return Y.reshape(-1, X.shape[1]), (rows, columns, len(W))


def conv2d_backward(W, X, dY, shape, kernel, padding):
    """dW as a sum of an outer product for each place of each sample, and dX."""
    images = padded(X, shape, kernel, padding)
    rows, columns = (side - kernel + 1 for side in images.shape[:2])
    dW, d_images = np.zeros_like(W), np.zeros_like(images)
    dY = dY.reshape(rows, columns, len(W), -1)
    for i, j in np.ndindex(rows, columns):
        for b in range(X.shape[1]):
            place = np.s_[i : i + kernel, j : j + kernel, :, b]
            dW += np.outer(dY[i, j, :, b], [*images[place].ravel(), 1])
            d_images[place] += (W.T @ dY[i, j, :, b])[:-1].reshape(kernel, kernel, -1)
    before = (images.shape[0] - shape[0]) // 2
    dX = d_images[before : before + shape[0], before : before + shape[1]]
    return dW, dX.reshape(X.shape)


def padded(X, shape, kernel, padding):
    """X (n, b) as images (height, width, channels, b), with the zeros around them."""
    images = X.reshape(*shape, -1)
    if padding == "same":
        zeros = (kernel - 1) // 2, kernel // 2
        images = np.pad(images, (zeros, zeros, (0, 0), (0, 0)))
    return images


def max_pool(X, shape, pool):
    """The largest value of each window of each sample."""
    images = X.reshape(*shape, -1)
    rows, columns = shape[0] // pool, shape[1] // pool
    Y = np.zeros((rows, columns, *images.shape[2:]))
    for i, j, c, b in np.ndindex(Y.shape):
        Y[i, j, c, b] = max(images[i * pool : (i + 1) * pool, j * pool : (j + 1) * pool, c, b].flat)
    return Y.reshape(-1, X.shape[1])


def max_pool_backward(X, dY, shape, pool):
    """dX: each gradient goes to the first maximum of its window."""
    images = X.reshape(*shape, -1)
    dX = np.zeros_like(images)
    dY = dY.reshape(shape[0] // pool, shape[1] // pool, *images.shape[2:])
    for i, j, c, b in np.ndindex(dY.shape):
        window = images[i * pool : (i + 1) * pool, j * pool : (j + 1) * pool, c, b]
        m, n = np.unravel_index(window.argmax(), window.shape)
        dX[i * pool + m, j * pool + n, c, b] += dY[i, j, c, b]
    return dX.reshape(X.shape)
