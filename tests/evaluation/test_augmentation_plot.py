"""The plot of distorted training images."""

import io
import json
import math

import numpy as np
import pytest
from matplotlib.image import imread

from scratchnet.evaluation.augmentation_plot import plot_augmentation


def draw(folder, shape, n=12, style="default", moments=(), **settings):
    """Draw the plot for `n` random images, standardised with `moments`, and return its path."""
    X = np.random.default_rng(0).random((math.prod(shape), n), np.float32)
    moments = dict(moments)
    if moments:
        X = (X - moments["mean"]) / moments["std"]
    np.save(folder / "X.npy", np.asfortranarray(X))
    (folder / "manifest.json").write_text(json.dumps({"image_shape": shape} | moments))
    picture = folder / "augmentation.png"
    plot_augmentation(folder / "X.npy", folder / "manifest.json", picture, style, settings)
    return picture


def pixels(picture):
    return imread(io.BytesIO(picture.read_bytes()))[..., :3]


@pytest.mark.parametrize(
    ("shape", "n"), [([6, 5], 12), ([6, 5], 3), ([6, 5, 3], 12), ([30, 90], 12)], ids=str
)
def test_images_of_any_shape_and_number_are_drawn_in_grey_or_colour(tmp_path, shape, n):
    found = pixels(draw(tmp_path, shape, n, shift=1))
    height, width, _ = found.shape
    assert 600 <= width <= 2000 and 300 <= height <= 2000
    assert np.array_equal(found[..., 0], found[..., 1]) == (len(shape) == 2)


def test_the_same_images_and_strengths_give_the_same_bytes_and_other_strengths_others(tmp_path):
    once = draw(tmp_path, [6, 5], elastic=5.0).read_bytes()
    assert draw(tmp_path, [6, 5], elastic=5.0).read_bytes() == once
    assert draw(tmp_path, [6, 5], elastic=9.0).read_bytes() != once
    assert draw(tmp_path, [6, 5], elastic=5.0, style="dark_background").read_bytes() != once


def test_standardised_images_are_drawn_as_they_were(tmp_path):
    settings = {"shift": 1, "crop_padding": 1, "brightness": 0.3, "cutout": 2}
    expected = pixels(draw(tmp_path, [6, 5], **settings))
    found = pixels(draw(tmp_path, [6, 5], moments={"mean": 0.4, "std": 0.2}, **settings))
    np.testing.assert_allclose(found, expected, atol=0.005)  # one step of 8 bits
