"""The shapes of images in a network, (height, width, channels), and how many numbers it has."""

from itertools import pairwise
from math import prod


def pad_widths(kernel, padding):
    """Return the rows of zeros above and below an image; the columns beside it are as many.

    "valid" adds none. "same" adds kernel - 1 in all, so that the output has the size of the input;
    of an odd number, the larger part is below, as in Keras.
    """
    total = kernel - 1 if padding == "same" else 0
    return total // 2, total - total // 2


def convolved_shape(shape, filters, kernel, padding):
    """Return the output shape of a convolution over images of `shape`."""
    height, width, _ = shape
    shrinkage = kernel - 1 - sum(pad_widths(kernel, padding))
    return height - shrinkage, width - shrinkage, filters


def pooled_shape(shape, pool):
    """Return the output shape of max pooling; rows and columns that fill no window are left out."""
    height, width, channels = shape
    return height // pool, width // pool, channels


def block_shapes(image_shape, convolutions):
    """Return the input shape of each convolution block, and last the output shape of all.

    `image_shape` is (height, width), or (height, width, 3) in colour. `convolutions` has a dict for
    each block: filters, kernel, padding and pool. Raises ValueError if a kernel or a pooling window
    is larger than the images that reach it.
    """
    shapes = [(*image_shape, 1)[:3]]
    for i, block in enumerate(convolutions):
        shape, kernel, pool = shapes[-1], block["kernel"], block["pool"]
        _check_fit(f"[{i}].kernel", kernel, shape)
        shape = convolved_shape(shape, block["filters"], kernel, block["padding"])
        _check_fit(f"[{i}].pool", pool, shape)
        shapes.append(pooled_shape(shape, pool))
    return shapes


def count_weights(image_shape, convolutions, hidden, n_classes):
    """Return how many weights a network has, biases included; arguments as in `block_shapes`."""
    *inputs, output = block_shapes(image_shape, convolutions)
    filters = (
        block["filters"] * (block["kernel"] ** 2 * channels + 1)
        for block, (_, _, channels) in zip(convolutions, inputs)
    )
    widths = [prod(output), *hidden, n_classes]
    return sum(filters) + sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths))


def count_convolved(image_shape, convolutions):
    """Return how many outputs the convolutions of a network have for an image, at most."""
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
