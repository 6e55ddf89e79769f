"""The shapes of images in a network, (height, width, channels), and how many numbers it has."""

import math
from itertools import pairwise


def pad_widths(size, kernel, stride, padding):
    """Return the zeros before and after `size` rows or columns of an image.

    "valid" adds none. "same" adds as many as size / stride outputs, rounded up, need; of an odd
    number, the larger part comes after, as in Keras.
    """
    total = 0
    if padding == "same":
        total = max(0, (math.ceil(size / stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def convolved_shape(shape, filters, kernel, stride, padding):
    """Return the output shape of a convolution over images of `shape`."""
    rows, columns = (
        (size + sum(pad_widths(size, kernel, stride, padding)) - kernel) // stride + 1
        for size in shape[:2]
    )
    return rows, columns, filters


def pooled_shape(shape, window):
    """Return the output shape of pooling; rows and columns that fill no window are left out."""
    height, width, channels = shape
    return height // window[0], width // window[1], channels


def pool_window(block, shape):
    """Return the (height, width) of the windows in which a block pools images of `shape`."""
    if block.get("pooling") == "global_average":
        return shape[:2]
    return block["pool"], block["pool"]


def block_shapes(image_shape, convolutions):
    """Return the input shape of each convolution block, and last the output shape of all.

    `image_shape` is (height, width), or (height, width, 3) in colour. `convolutions` has a dict for
    each block: filters, kernel, padding and pool, and stride and pooling unless they are 1 and max.
    Raises ValueError if a kernel or a pooling window is larger than the images that reach it.
    """
    shapes = [(*image_shape, 1)[:3]]
    for i, block in enumerate(convolutions):
        shape, kernel = shapes[-1], block["kernel"]
        _check_fit(f"[{i}].kernel", kernel, shape)
        stride = block.get("stride", 1)
        shape = convolved_shape(shape, block["filters"], kernel, stride, block["padding"])
        if block.get("pooling") != "global_average":
            _check_fit(f"[{i}].pool", block["pool"], shape)
        shapes.append(pooled_shape(shape, pool_window(block, shape)))
    return shapes


def count_weights(image_shape, convolutions, hidden, n_classes):
    """Return how many weights a network has, biases included; arguments as in `block_shapes`.

    The few arrays of normalisation are not counted.
    """
    *inputs, output = block_shapes(image_shape, convolutions)
    filters = (
        block["filters"] * (block["kernel"] ** 2 * channels + 1)
        for block, (_, _, channels) in zip(convolutions, inputs)
    )
    widths = [math.prod(output), *hidden, n_classes]
    return sum(filters) + sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))


def count_convolved(image_shape, convolutions):
    """Return how many outputs the convolutions of a network have for an image, at most.

    It is the number with zeros around each image, and without strides.
    """
    inputs = block_shapes(image_shape, convolutions)
    return sum(
        block["filters"] * height * width for block, (height, width, _) in zip(convolutions, inputs)
    )


def _check_fit(name, side, shape):
    if side > min(shape[:2]):
        raise ValueError(
            f"{name}: {side} x {side} is larger than the {shape[0]} x {shape[1]} pixels "
            "that reach it"
        )
