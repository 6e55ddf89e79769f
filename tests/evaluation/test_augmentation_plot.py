"""The plot of distorted training images."""

import io
import json
import math

import numpy as np
import pytest
from matplotlib.image import imread

from scratchnet.evaluation.augmentation_plot import plot_augmentation


def draw(folder, shape, n=12, style="default", **strengths):
    """Draw the plot for `n` random images, and return its path."""
    X = np.random.default_rng(0).random((math.prod(shape), n), np.float32)
    np.save(folder / "X.npy", np.asfortranarray(X))
    (folder / "manifest.json").write_text(json.dumps({"image_shape": shape}))
    picture = folder / "augmentation.png"
    plot_augmentation(folder / "X.npy", folder / "manifest.json", picture, style, strengths)
    return picture


def pixels(picture):
    return imread(io.BytesIO(picture.read_bytes()))[..., :3]


@pytest.mark.parametrize("shape", [[6, 5], [6, 5, 3], [30, 90]], ids=str)
@pytest.mark.parametrize("n", [12, 3])
def test_images_of_any_shape_and_number_are_drawn(tmp_path, shape, n):
    height, width, _ = pixels(draw(tmp_path, shape, n, shift=1)).shape
    assert 600 <= width <= 2000 and 300 <= height <= 2000


def test_colours_are_drawn_as_such(tmp_path):
    for shape, is_grey in (([6, 5], True), ([6, 5, 3], False)):
        found = pixels(draw(tmp_path, shape, shift=1))
        assert np.array_equal(found[..., 0], found[..., 1]) == is_grey


def test_the_same_images_and_strengths_give_the_same_bytes_and_other_strengths_others(tmp_path):
    once = draw(tmp_path, [6, 5], elastic=5.0).read_bytes()
    assert draw(tmp_path, [6, 5], elastic=5.0).read_bytes() == once
    assert draw(tmp_path, [6, 5], elastic=9.0).read_bytes() != once
    assert draw(tmp_path, [6, 5], elastic=5.0, style="dark_background").read_bytes() != once
