"""Images for plots: which are shown, and small copies of large ones."""

import numpy as np

MAX_SIDE = 64  # pixels
MAX_PICTURED_CLASSES = 10  # with an image


def first_of_each_class(labels):
    """Return the first MAX_PICTURED_CLASSES classes in `labels` (n,), and where each is first."""
    classes, first = np.unique(labels, return_index=True)
    return classes[:MAX_PICTURED_CLASSES], first[:MAX_PICTURED_CLASSES]


def shrink_image(image):
    """Return `image` (height, width) or (height, width, 3) with at most MAX_SIDE pixels a side.

    Square blocks of pixels become their means; those at the right and at the lower edge may have
    fewer pixels. An image that is small enough is returned as it is.
    """
    block = -(-max(image.shape[:2]) // MAX_SIDE)
    if block == 1:
        return image
    for axis in (0, 1):
        starts = np.arange(0, image.shape[axis], block)
        n_pixels = np.diff(starts, append=image.shape[axis])
        sums = np.add.reduceat(image, starts, axis=axis, dtype=float)
        image = sums / np.expand_dims(n_pixels, [i for i in range(image.ndim) if i != axis])
    return image
