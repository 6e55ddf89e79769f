"""Distortions do what they say, and depend on nothing but their generator."""

import math

import numpy as np
import pytest

from scratchnet.nn.augmentation import augment_batches, distort, elastic_field, interpolate

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
