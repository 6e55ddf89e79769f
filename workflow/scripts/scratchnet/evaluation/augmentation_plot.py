"""The plot of training images and what augmentation makes of them."""

import numpy as np

from scratchnet.evaluation.figures import image_grid, save_figure, show_frame, show_image
from scratchnet.files import read_json
from scratchnet.nn.augmentation import augment
from scratchnet.pixel_range import find_pixel_range, find_scaling, restore_pixels, scale_pixels
from scratchnet.random_streams import random_stream

N_IMAGES, N_VARIANTS = 10, 5


def plot_augmentation(X_train, manifest, picture, style, settings):
    """Plot the first training images in a row, and below them random variants of each.

    `X_train` is the path of an array (pixels, n), and `manifest` that of its manifest. `settings`
    are those of the augmentation by name, as for `augment`.
    """
    manifest = read_json(manifest)
    shape, pixel_range = manifest["image_shape"], find_pixel_range(manifest)
    X = np.asarray(np.load(X_train, mmap_mode="r")[:, :N_IMAGES])
    if X.dtype == np.uint8:
        X = scale_pixels(X, *find_scaling(manifest))
    rng = random_stream(0, "augmentation")
    variants = (augment(X, shape, rng, pixel_range, **settings) for _ in range(N_VARIANTS))
    rows = [restore_pixels(images, pixel_range) for images in (X, *variants)]
    with save_figure(picture, style, figsize=(10, 1.05 * len(rows) + 0.5)) as figure:
        grid = image_grid(figure, len(rows), X.shape[1])
        for axes_of_row, images in zip(grid, rows):
            for axes, pixels in zip(axes_of_row, images.T):
                show_frame(axes)
                show_image(axes, pixels.reshape(shape))
        figure.suptitle("Training images (first row), and random changes of each")
