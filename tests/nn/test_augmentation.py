"""Distortions do what they say, and depend on nothing but their generator."""

import math

import numpy as np
import pytest

from scratchnet.nn.augmentation import (
    augment,
    augment_batches,
    distort,
    elastic_field,
    interpolate,
)

ALL = {"shift": 2, "rotation": 20, "scale": 0.2, "shear": 10, "elastic": 8, "elastic_sigma": 2}
SHAPES = [(6, 5), (7, 9), (6, 5, 3), (1, 1), (1, 4), (4, 1, 3)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def random_images(shape, b=7):
    X = np.random.default_rng(0).random((math.prod(shape), b), np.float32)
    return np.asfortranarray(X)


def seeded(seed=3):
    return np.random.default_rng(seed)


def blob(height=41, width=41, b=500, spread=(3, 3)):
    """Images (n, b) of a bright Gaussian in the centre."""
    y, x = np.mgrid[:height, :width]
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    image = np.exp(-((y / spread[0]) ** 2 + (x / spread[1]) ** 2) / 2)
    return np.repeat(image.reshape(-1, 1), b, axis=1).astype(np.float32)


def moments(X, height=41, width=41):
    """The centre of mass (2, b) of images (n, b), and the moments about it (2, 2, b)."""
    places = np.indices((height, width)).reshape(2, -1) - np.array([[height - 1], [width - 1]]) / 2
    mass = X.sum(axis=0)
    centre = places @ X / mass
    away = places[:, :, np.newaxis] - centre[:, np.newaxis]
    return centre, np.einsum("inb,jnb,nb->ijb", away, away, X) / mass


# The image [[0, 1, 4], [9, 16, 25], [36, 49, 64]] / 64, distorted with the seed 3.
DISTORTED = {
    "shift": (1, [0.1264, 0.2223, 0.3289, 0.5079, 0.6975, 0.8853, 0.5897, 0.7970, 1.0]),
    "rotation": (40, [0.0111, 0.0877, 0.2953, 0.0732, 0.25, 0.6926, 0.2632, 0.5790, 0.8337]),
    "scale": (0.5, [0.0354, 0.0699, 0.1333, 0.1489, 0.25, 0.3799, 0.4786, 0.6462, 0.8428]),
    "shear": (40, [0.0060, 0.0337, 0.0625, 0.1406, 0.25, 0.3906, 0.5625, 0.6874, 0.9098]),
    "elastic": (8, [0.0007, 0.0179, 0.0625, 0.1242, 0.2225, 0.3471, 0.5071, 0.6998, 0.9176]),
}


@pytest.mark.parametrize("name", DISTORTED)
def test_a_seed_gives_the_same_image_for_ever(name):
    strength, expected = DISTORTED[name]
    X = (np.arange(9, dtype=np.float32) ** 2 / 64).reshape(9, 1)
    np.testing.assert_allclose(
        distort(X, (3, 3), seeded(), **{name: strength})[:, 0], expected, atol=6e-5
    )


# Each distortion alone.


@each_shape
def test_without_strengths_images_stay_as_they_are(shape):
    X = random_images(shape)
    np.testing.assert_allclose(distort(X, shape, seeded()), X, rtol=0, atol=1e-6)


def test_images_are_shifted_by_up_to_shift_pixels_in_both_directions():
    centre, around = moments(distort(blob(), (41, 41), seeded(), shift=3))
    assert abs(centre).max() <= 3.01
    assert centre.min(axis=1) == pytest.approx([-3, -3], abs=0.1)
    assert centre.max(axis=1) == pytest.approx([3, 3], abs=0.1)
    assert abs(np.corrcoef(centre)[0, 1]) < 0.15
    np.testing.assert_allclose(around, 9 * np.eye(2)[..., np.newaxis] * np.ones(500), atol=0.5)


def test_images_are_turned_by_up_to_rotation_degrees_about_their_centre():
    long = blob(spread=(2, 6))
    centre, around = moments(distort(long, (41, 41), seeded(), rotation=30))
    assert abs(centre).max() < 0.1
    angles = np.degrees(np.arctan2(2 * around[0, 1], around[1, 1] - around[0, 0]) / 2)
    assert (angles.min(), angles.max()) == pytest.approx((-30, 30), abs=1)
    assert abs(angles.mean()) < 3


def test_images_are_scaled_by_up_to_scale_in_each_direction():
    centre, around = moments(distort(blob(), (41, 41), seeded(), scale=0.2))
    assert abs(centre).max() < 0.1
    height, width = np.sqrt(around[[0, 1], [0, 1]]) / 3
    for factors in (height, width):
        assert (factors.min(), factors.max()) == pytest.approx((0.8, 1.2), abs=0.02)
    assert abs(np.corrcoef(height, width)[0, 1]) < 0.15


def test_images_are_sheared_by_up_to_shear_degrees():
    centre, around = moments(distort(blob(), (41, 41), seeded(), shear=20))
    assert abs(centre).max() < 0.1
    angles = np.degrees(np.arctan(around[0, 1] / around[0, 0]))
    assert (angles.min(), angles.max()) == pytest.approx((-20, 20), abs=1)
    np.testing.assert_allclose(around[0, 0], 9, atol=0.3)  # rows move along themselves


@pytest.mark.parametrize(("alpha", "sigma"), [(34, 4), (37, 5.5), (8, 2)])
def test_an_elastic_field_is_smoothed_noise(alpha, sigma):
    field = elastic_field((20, 60, 50), alpha, sigma, seeded())
    inner = field[:, 20:-20, 20:-20]
    # Uniform numbers have the variance 1/3; a Gaussian leaves 1 / (4 pi sigma**2) of it.
    assert inner.std() == pytest.approx(alpha / sigma / math.sqrt(12 * math.pi), rel=0.15)
    assert field.dtype == np.float32
    noise = 2 * seeded().random((20, 60, 50), np.float32) - 1
    y, x = np.mgrid[:60, :50]
    for i, j, k in [(0, 30, 25), (3, 0, 0), (19, 59, 10)]:
        weights = np.exp(-((y - j) ** 2 + (x - k) ** 2) / (2 * sigma**2))
        expected = alpha * (weights * noise[i]).sum() / (2 * math.pi * sigma**2)
        assert field[i, j, k] == pytest.approx(expected, abs=1e-4 * alpha)


@each_shape
def test_interpolation_is_linear_between_pixels_and_constant_beyond_the_edges(shape):
    height, width, channels = (*shape, 1)[:3]
    rng = np.random.default_rng(0)
    images = rng.random((2, height, width, channels), np.float32)
    rows = rng.uniform(-2, height + 1, (2, height, width)).astype(np.float32)
    columns = rng.uniform(-2, width + 1, (2, height, width)).astype(np.float32)
    rows[0, 0, 0], columns[0, 0, 0] = height - 1, width - 1
    found = interpolate(images, rows, columns)
    for i, j, k in np.ndindex(rows.shape):
        y, x = min(max(rows[i, j, k], 0), height - 1), min(max(columns[i, j, k], 0), width - 1)
        expected = sum(
            max(0, 1 - abs(y - p)) * max(0, 1 - abs(x - q)) * images[i, p, q]
            for p, q in np.ndindex(height, width)
        )
        np.testing.assert_allclose(found[i, j, k], expected, atol=1e-5)


# All together.


@each_shape
def test_distorted_images_are_float32_sample_contiguous_and_within_the_old_range(shape):
    X = random_images(shape)
    before = X.copy()
    found = distort(X, shape, seeded(), **ALL)
    assert (found.shape, found.dtype) == (X.shape, np.float32)
    assert found.flags.f_contiguous
    assert X.min() - 1e-6 <= found.min() and found.max() <= X.max() + 1e-6
    assert np.array_equal(X, before)


def test_the_colours_of_a_pixel_move_together():
    grey = random_images((9, 8))
    colours = np.repeat(grey, 3, axis=0)
    found = distort(colours, (9, 8, 3), seeded(), **ALL).reshape(72, 3, -1)
    for channel in range(3):
        np.testing.assert_allclose(
            found[:, channel], distort(grey, (9, 8), seeded(), **ALL), atol=1e-6
        )


def test_each_image_and_each_batch_is_distorted_in_its_own_way():
    X, Y = np.repeat(random_images((9, 8), 1), 4, axis=1), np.eye(4)
    (one, labels), (other, _) = augment_batches([(X, Y), (X, Y)], (9, 8), seeded(), shift=2)
    images = np.concatenate([one, other], axis=1).T
    assert len(np.unique(images, axis=0)) == 8
    assert labels is Y


# Flips, crops, brightness and cutout.

CHANGES = {"horizontal_flip": True, "crop_padding": 2, "brightness": 0.4, "cutout": 3}
each_change = pytest.mark.parametrize("name", CHANGES)
# The image [[0, 1, 4], [9, 16, 25], [36, 49, 64]] / 64, changed with the seed 3.
CHANGED = {
    "horizontal_flip": [4, 1, 0, 25, 16, 9, 64, 49, 36],
    "crop_padding": [0, 0, 36, 0, 0, 0, 0, 0, 0],
    "brightness": [0, 0.67, 2.67, 6.02, 10.7, 16.71, 24.07, 32.76, 42.79],
    "cutout": [0, 1, 4, 0, 0, 25, 0, 0, 64],
}


@each_change
def test_a_seed_gives_the_same_change_for_ever(name):
    X = (np.arange(9, dtype=np.float32) ** 2 / 64).reshape(9, 1)
    found = augment(X, (3, 3), seeded(), **{name: CHANGES[name]})
    np.testing.assert_allclose(64 * found[:, 0], CHANGED[name], atol=0.01)


def test_about_half_of_the_images_are_mirrored_left_to_right():
    X = random_images((4, 5, 3), 1000)
    mirrored = X.T.reshape(-1, 4, 5, 3)[:, :, ::-1].reshape(1000, -1).T
    found = augment(X, (4, 5, 3), seeded(), horizontal_flip=True)
    is_mirrored = (found == mirrored).all(axis=0)
    assert ((found == X).all(axis=0) != is_mirrored).all()
    assert 400 < is_mirrored.sum() < 600


def test_each_crop_of_the_padded_image_has_the_same_probability():
    X = random_images((4, 5), 1) + 1
    padded = np.pad(X.reshape(4, 5), 2, constant_values=-3)
    crops = [padded[i : i + 4, j : j + 5].ravel() for i in range(5) for j in range(5)]
    found = augment(np.repeat(X, 5000, axis=1), (4, 5), seeded(), (-3, 5), crop_padding=2)
    counts = [(crop == found.T).all(axis=1).sum() for crop in crops]
    assert sum(counts) == 5000 and min(counts) > 120  # 200, and six standard deviations are 83


def test_brightness_is_multiplied_by_a_factor_and_at_most_white():
    X = np.repeat(np.array([[0.0], [0.5], [0.9]], np.float32), 2000, axis=1)
    black, middle, bright = augment(X, (1, 3), seeded(), brightness=0.4)
    factors = middle / 0.5
    assert (factors.min(), factors.max()) == pytest.approx((0.6, 1.4), abs=0.01)
    assert factors.mean() == pytest.approx(1, abs=0.03)
    assert (black == 0).all()
    np.testing.assert_allclose(bright, np.minimum(0.9 * factors, 1), rtol=1e-6)


@pytest.mark.parametrize("side", [1, 2, 3, 20])
def test_a_black_square_lies_around_each_pixel_with_the_same_probability(side):
    height, width = 4, 5
    X = np.ones((height * width, 4000), np.float32)
    found = augment(X, (height, width), seeded(), cutout=side).T.reshape(-1, height, width) == 0
    y, x = np.indices((height, width))
    expected = set()
    for i, j in np.ndindex(height, width):
        top, left = i - side // 2, j - side // 2
        square = (top <= y) & (y < top + side) & (left <= x) & (x < left + side)
        expected.add(square.tobytes())
    counts = {square: 0 for square in expected}
    for square in found:
        counts[square.tobytes()] += 1  # and no others
    assert min(counts.values()) > 100  # of 200, or more where squares look the same


@each_shape
@pytest.mark.parametrize("names", [*([name] for name in CHANGES), [*CHANGES]], ids=str)
def test_standardised_images_become_the_same_pictures(shape, names):
    X, changes = random_images(shape), ALL | {name: CHANGES[name] for name in names}
    before, (mean, std) = X.copy(), (0.3, 0.2)
    expected = augment(X, shape, seeded(), **changes)
    Z = (X - np.float32(mean)) / np.float32(std)
    found = augment(Z, shape, seeded(), (-mean / std, (1 - mean) / std), **changes)
    np.testing.assert_allclose(std * found + mean, expected, atol=1e-6)
    for images in (expected, found):
        assert (images.shape, images.dtype) == (X.shape, np.float32)
        assert images.flags.f_contiguous
    assert np.array_equal(X, before)


def test_what_is_off_draws_no_random_numbers():
    X, old, new = random_images((6, 5)), seeded(), seeded()
    off = {"horizontal_flip": False, "crop_padding": 0, "brightness": 0.0, "cutout": 0}
    found = augment(X, (6, 5), new, **ALL, **off)
    assert np.array_equal(found, distort(X, (6, 5), old, **ALL))
    assert new.bit_generator.state == old.bit_generator.state
    assert np.array_equal(augment(X, (6, 5), None), X)
