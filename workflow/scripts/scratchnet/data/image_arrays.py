"""Which arrays are images."""

from scratchnet.errors import DataError


def check_images(images, name):
    """Return `images`, an array called `name`, without a last axis of length 1.

    Raises DataError unless they are numbers of shape (n, height, width) or (n, height, width, 3).
    """
    shape = images.shape
    if images.ndim == 4 and shape[3] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or (images.ndim == 4 and shape[3] != 3):
        raise DataError(
            f"{name} has the shape {shape}; images have (n, height, width), "
            "or (n, height, width, 3) in colour"
        )
    if images.dtype.kind not in "buif":
        raise DataError(f"{name} has elements of type {images.dtype}; pixels are numbers")
    if images.size == 0:
        raise DataError(f"{name} has the shape {shape}: it is empty")
    return images
