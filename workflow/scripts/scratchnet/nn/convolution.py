"""Convolution and pooling.

Arrays are features x samples, as for every layer. The features of an image of shape (height, width,
channels) are its pixels row by row, each with its channels, as in Keras. So (n, b) is (height,
width, channels, b) reshaped, and nothing needs to be flattened before a `Dense` layer. The samples
are contiguous here (C order): neighbouring pixels are then whole rows of numbers.
"""

import math

import numpy as np

from scratchnet.nn.layers import Layer
from scratchnet.nn.shapes import convolved_shape, pad_widths, pooled_shape


class Conv2D(Layer):
    """Each filter W[f] is moved over the image, and Y[f] is how well it matches at each place:

        Y[i, j, f] = bias[f] + sum over m, n, c of W[f, m, n, c] * X[s*i + m, s*j + n, c]

    with s = `stride`. This is a cross-correlation, which all neural networks call a convolution
    (CS231n, Convolutional Networks). X has the given `shape` (height, width, channels), and Y has
    `output_shape`. With the padding "same" there are zeros around X, see `pad_widths`; with "valid"
    there are none.

    W has shape (filters, kernel * kernel * channels + 1). As in `Dense`, its last column is the
    bias, and a convolution is a product: of W with each window of X, written as a column.
    """

    def __init__(self, W, shape, padding="valid", stride=1):
        super().__init__()
        self.params["W"] = W
        self.grads["W"] = np.zeros_like(W)
        self.shape = shape
        self.kernel = math.isqrt((W.shape[1] - 1) // shape[2])
        self.stride = stride
        self.padding = padding
        self.pads = [pad_widths(size, self.kernel, stride, padding) for size in shape[:2]]
        self.output_shape = convolved_shape(shape, len(W), self.kernel, stride, padding)

    def forward(self, X, rng=None):
        W = self.params["W"]
        images = as_images(X, self.shape)
        self.windows = gather_windows(images, self.kernel, self.pads, self.stride)
        rows, columns, filters = self.output_shape
        Y = np.empty((rows, columns, filters, X.shape[1]), X.dtype)
        np.matmul(W[:, :-1], self.windows, out=Y.swapaxes(0, 1))
        Y += W[:, -1:]
        return Y.reshape(-1, X.shape[1])

    def backward(self, dY):
        self.fill_grads(dY)
        W, dY = self.params["W"], as_images(dY, self.output_shape)
        # X[s*i + m, s*j + n] has a part in Y[i, j] by W[:, m, n].
        height, width, channels = self.shape
        rows, columns, filters = self.output_shape
        (top, bottom), (left, right) = self.pads
        k, s = self.kernel, self.stride
        dX = np.zeros(
            (top + height + bottom, left + width + right, channels, dY.shape[3]), dY.dtype
        )
        filters_by_place = W[:, :-1].reshape(filters, k, k, channels).transpose(1, 2, 3, 0)
        for m, n in np.ndindex(k, k):
            place = slice(m, m + s * rows, s), slice(n, n + s * columns, s)
            dX[place] += np.matmul(filters_by_place[m, n], dY)
        return dX[top : top + height, left : left + width].reshape(-1, dY.shape[3])

    def fill_grads(self, dY):
        dW, dY = self.grads["W"], as_images(dY, self.output_shape)
        # The outer products of each window with its outputs, summed over the samples by matmul.
        products = np.matmul(self.windows, dY.transpose(1, 0, 3, 2))
        dW[:, :-1] = products.sum(axis=(0, 1)).T
        dY.sum(axis=(0, 1, 3), out=dW[:, -1])


def as_images(X, shape):
    """Return X (n, b) as images (height, width, channels, b) of the given `shape`, in C order."""
    return np.ascontiguousarray(X).reshape(*shape, X.shape[1])


def gather_windows(X, kernel, pads, stride):
    """Return each window of X (height, width, channels, b) as a column.

    The result is a view (columns, rows, kernel * kernel * channels, b): at [j, i] is the window
    whose upper left corner is at row i and column j, times `stride`, of X with `pads` rows and
    columns of zeros. Windows below each other overlap in memory, so each pixel is stored `kernel`
    times, not kernel * kernel times.
    """
    if np.any(pads):
        X = np.pad(X, (*pads, (0, 0), (0, 0)))
    height, width, channels, b = X.shape
    columns = (width - kernel) // stride + 1
    strips = np.empty((columns, height, kernel, channels, b), X.dtype)
    for n in range(kernel):
        strips[:, :, n] = X[:, n : n + stride * columns : stride].swapaxes(0, 1)
    strips, step = strips.reshape(columns, -1, b), kernel * channels
    windows = np.lib.stride_tricks.sliding_window_view(strips, kernel * step, axis=1)
    return windows[:, :: step * stride].swapaxes(2, 3)


class MaxPool2D(Layer):
    """Y[i, j, c] = the maximum of X[h*i : h*i + h, w*j : w*j + w, c], with (h, w) = `window`.

    The gradient goes to the maximum; if there are several, to the first of them, row by row. Rows
    and columns that fill no window are left out. X has the given `shape` (height, width, channels),
    and Y has `output_shape`.
    """

    def __init__(self, window, shape):
        super().__init__()
        self.window = window
        self.shape = shape
        self.output_shape = pooled_shape(shape, window)

    def forward(self, X, rng=None):
        first, *others = windowed(as_images(X, self.shape), self.window)
        Y = first.copy()
        self.larger = []  # for each other place in the window: is it larger than all before it?
        for values in others:
            self.larger.append(values > Y)
            np.maximum(Y, values, out=Y)
        return Y.reshape(-1, X.shape[1])

    def backward(self, dY):
        dX = np.zeros((*self.shape, dY.shape[1]), dY.dtype)
        first, *others = windowed(dX, self.window)
        left = as_images(dY, self.output_shape).copy()
        for gradient, larger in zip(reversed(others), reversed(self.larger)):
            np.multiply(left, larger, out=gradient)
            left *= ~larger
        first[...] = left
        return dX.reshape(-1, dY.shape[1])


class AvgPool2D(Layer):
    """Y[i, j, c] = the mean of X[h*i : h*i + h, w*j : w*j + w, c], with (h, w) = `window`.

    Each pixel of a window has the same share of the gradient. Rows and columns that fill no window
    are left out. With a window of the whole image, this is global average pooling (Lin, Chen and
    Yan 2014). X has the given `shape` (height, width, channels), and Y has `output_shape`.
    """

    def __init__(self, window, shape):
        super().__init__()
        self.window = window
        self.shape = shape
        self.output_shape = pooled_shape(shape, window)

    def forward(self, X, rng=None):
        places = windowed(as_images(X, self.shape), self.window)
        return (sum(places) / X.dtype.type(len(places))).reshape(-1, X.shape[1])

    def backward(self, dY):
        dX = np.zeros((*self.shape, dY.shape[1]), dY.dtype)
        places = windowed(dX, self.window)
        share = as_images(dY, self.output_shape) / dY.dtype.type(len(places))
        for gradient in places:
            gradient[...] = share
        return dX.reshape(-1, dY.shape[1])


def windowed(images, window):
    """Return a view of `images` for each place in a window: the pixels of all windows there."""
    (height, width), (h, w) = images.shape[:2], window
    rows, columns = height // h * h, width // w * w
    return [images[i:rows:h, j:columns:w] for i in range(h) for j in range(w)]
