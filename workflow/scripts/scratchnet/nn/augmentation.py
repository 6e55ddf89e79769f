"""Augmentation: training images that are changed anew, at random, each time they are used."""

import math

import numpy as np


def augment_batches(batches, image_shape, rng, pixel_range=(0, 1), **settings):
    """Yield the batches X (n_in, b), Y (k, b) with the images in X changed by `augment`."""
    for X, Y in batches:
        yield augment(X, image_shape, rng, pixel_range, **settings), Y


def augment(
    X,
    image_shape,
    rng,
    pixel_range=(0, 1),
    horizontal_flip=False,
    crop_padding=0,
    brightness=0,
    cutout=0,
    **strengths,
):
    """Return the images X (n_in, b), each of the given `image_shape`, changed at random.

    They are distorted by `distort`, which takes the `strengths`, then mirrored, cropped, made
    brighter or darker, and cut out. Only what is asked for draws random numbers. `pixel_range` has
    the values of black and white in X: with standardised pixels, the pictures are the same.
    """
    if strengths:
        X = distort(X, image_shape, rng, **strengths)
    images = X.T.reshape(-1, *(*image_shape, 1)[:3])
    if horizontal_flip:
        images = flip(images, rng)
    if crop_padding:
        images = crop(images, crop_padding, pixel_range[0], rng)
    if brightness:
        images = change_brightness(images, brightness, pixel_range, rng)
    if cutout:
        images = cut_out(images, cutout, pixel_range[0], rng)
    return images.reshape(len(images), -1).T


def distort(X, image_shape, rng, shift=0, rotation=0, scale=0, shear=0, elastic=0, elastic_sigma=4):
    """Return the images X (n_in, b), each of the given `image_shape`, distorted at random.

    Each image is moved by up to `shift` pixels in both directions, turned by up to `rotation`
    degrees and sheared by up to `shear` degrees, both about its centre, and its height and its
    width become larger or smaller by up to the fraction `scale`: all uniformly distributed.
    `elastic` is the alpha of an elastic distortion and `elastic_sigma` its sigma in pixels, see
    `elastic_field`. Beyond its edges, an image continues with the pixels there.
    """
    height, width, channels = (*image_shape, 1)[:3]
    b = X.shape[1]
    strengths = [math.radians(rotation), math.radians(shear), scale, scale, shift, shift]
    draws = np.array(strengths).reshape(6, 1, 1, 1) * rng.uniform(-1, 1, (6, b, 1, 1))
    turn, skew, stretch_y, stretch_x, move_y, move_x = draws.astype(np.float32)
    # Where the value of each pixel is read from: the inverse of what happens to the image.
    y = np.arange(height, dtype=np.float32)[:, np.newaxis] - (height - 1) / 2
    x = np.arange(width, dtype=np.float32) - (width - 1) / 2
    y, x = (y - move_y) / (1 + stretch_y), (x - move_x) / (1 + stretch_x)
    x = x + np.tan(skew) * y
    y, x = np.cos(turn) * y - np.sin(turn) * x, np.sin(turn) * y + np.cos(turn) * x
    rows, columns = y + (height - 1) / 2, x + (width - 1) / 2
    if elastic:
        rows += elastic_field((b, height, width), elastic, elastic_sigma, rng)
        columns += elastic_field((b, height, width), elastic, elastic_sigma, rng)
    images = X.T.reshape(b, height, width, channels)
    return interpolate(images, rows, columns).reshape(b, -1).T


def elastic_field(shape, alpha, sigma, rng):
    """Return smooth random displacements (b, height, width), in pixels (Simard et al. 2003).

    They are uniform random numbers between -1 and 1, smoothed by a Gaussian with the standard
    deviation `sigma`, times `alpha`.
    """
    *_, height, width = shape
    field = 2 * rng.random(shape, np.float32) - 1
    return alpha * (gaussian(height, sigma) @ (field @ gaussian(width, sigma)))


def gaussian(n, sigma):
    """Return the matrix (n, n) that smooths a column of n numbers by a Gaussian."""
    distances = np.subtract.outer(np.arange(n), np.arange(n))
    weights = np.exp(-(distances**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
    return weights.astype(np.float32)


def interpolate(images, rows, columns):
    """Return the values of `images` (b, height, width, channels) at `rows` and `columns`.

    These have the shape (b, height, width). Between pixels, values are interpolated linearly;
    beyond the edges, the nearest pixel counts.
    """
    b, height, width, channels = images.shape
    rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    top, left = np.floor(rows), np.floor(columns)
    np.minimum(top, max(height - 2, 0), out=top)  # the pixels below and beside are in the image
    np.minimum(left, max(width - 2, 0), out=left)
    down, right = (rows - top)[..., np.newaxis], (columns - left)[..., np.newaxis]
    first = np.arange(0, b * height * width, height * width).reshape(b, 1, 1)
    places = first + (top * width + left).astype(np.intp)
    below, beside = width * (height > 1), int(width > 1)  # how many pixels further these are
    pixels = images.reshape(-1, channels)
    a, c = pixels.take(places, axis=0), pixels[below:].take(places, axis=0)
    upper = a + right * (pixels[beside:].take(places, axis=0) - a)
    lower = c + right * (pixels[below + beside :].take(places, axis=0) - c)
    return upper + down * (lower - upper)


def flip(images, rng):
    """Return `images` (b, height, width, channels), each mirrored left to right or not.

    Both have the probability 1/2 (Krizhevsky et al. 2012).
    """
    is_mirrored = rng.random((len(images), 1, 1, 1)) < 0.5
    return np.where(is_mirrored, images[:, :, ::-1], images)


def crop(images, padding, fill, rng):
    """Return a random part of each of `images` (b, height, width, channels), of the same size.

    Before, each gets `padding` pixels of the value `fill` on all sides (He et al. 2016, section
    4.2). So it moves by up to `padding` whole pixels in both directions.
    """
    b, height, width, _ = images.shape
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    images = np.pad(images, sides, constant_values=fill)
    top, left = rng.integers(2 * padding + 1, size=(2, b, 1, 1))
    rows, columns = top + np.arange(height)[:, np.newaxis], left + np.arange(width)
    return images[np.arange(b).reshape(b, 1, 1), rows, columns]


def change_brightness(images, strength, pixel_range, rng):
    """Return `images` (b, height, width, channels), each with its brightness times a factor.

    The factor is between 1 - `strength` and 1 + `strength`, as in torchvision's `ColorJitter`. What
    would be brighter than white becomes white. `pixel_range` has the values of black and white.
    """
    black, white = pixel_range
    factors = rng.uniform(1 - strength, 1 + strength, (len(images), 1, 1, 1))
    return np.minimum(black + factors.astype(images.dtype) * (images - black), white)


def cut_out(images, side, fill, rng):
    """Return `images` (b, height, width, channels) with a square of each filled with `fill`.

    The centre of the square is a pixel of the image, so a part of it may lie outside (DeVries and
    Taylor 2017).
    """
    b, height, width, _ = images.shape
    top, left = (rng.integers(n, size=(b, 1, 1, 1)) - side // 2 for n in (height, width))
    rows = np.arange(height).reshape(-1, 1, 1) - top
    columns = np.arange(width).reshape(-1, 1) - left
    is_inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
    return np.where(is_inside, images.dtype.type(fill), images)
