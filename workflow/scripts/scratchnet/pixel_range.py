"""The scale of the pixels in the arrays: 0 to 1, or standardised."""

import numpy as np


def find_moments(manifest):
    """Return the mean and the standard deviation by which pixels from 0 to 1 were standardised.

    They are 0 and 1 if the arrays that `manifest` describes are not standardised.
    """
    return manifest.get("mean", 0), manifest.get("std", 1)


def find_pixel_range(manifest):
    """Return the values of black and white in the arrays that `manifest` describes.

    They are 0 and 1, the smallest and the largest training pixel, unless the pixels are
    standardised.
    """
    mean, std = find_moments(manifest)
    return -mean / std, (1 - mean) / std


def find_scaling(manifest):
    """Return what was subtracted from the raw pixels, and what they were then divided by."""
    mean, std = find_moments(manifest)
    span = manifest["maximum"] - manifest["minimum"]
    return manifest["minimum"] + mean * span, std * span


def scale_pixels(pixels, offset, divisor):
    """Return raw `pixels` as the network reads them: (pixels - offset) / divisor, float32."""
    if pixels.dtype.itemsize <= 2:
        X = np.subtract(pixels, offset, dtype=np.float32)
        X /= divisor
        return X
    # These pixels may have more digits than float32.
    return ((pixels.astype(np.float64) - offset) / divisor).astype(np.float32)


def standardize(pixels, pixel_range):
    """Return `pixels`, 0 to 1, on the scale on which black and white are `pixel_range`."""
    black, white = pixel_range
    return black + pixels * (white - black)


def restore_pixels(X, pixel_range):
    """Return X as pixels from 0 to 1, for pictures: the reverse of `standardize`."""
    black, white = pixel_range
    return (X - black) / (white - black)
