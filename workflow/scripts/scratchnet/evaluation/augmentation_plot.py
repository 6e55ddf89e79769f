"""The plot of training images and their random distortions."""

import numpy as np

from scratchnet.evaluation.figures import image_grid, save_figure, show_frame
from scratchnet.files import read_json
from scratchnet.nn.augmentation import distort
from scratchnet.random_streams import random_stream

N_IMAGES, N_DISTORTIONS = 10, 5


def plot_augmentation(X_train, manifest, picture, style, strengths):
    """Plot the first training images in a row, and below them random distortions of each.

    `X_train` is the path of an array (pixels, n), and `manifest` that of its manifest. `strengths`
    are the settings of the augmentation by name, as for `distort`.
    """
    shape = read_json(manifest)["image_shape"]
    X = np.asarray(np.load(X_train, mmap_mode="r")[:, :N_IMAGES])
    rng = random_stream(0, "augmentation")
    rows = [X, *(distort(X, shape, rng, **strengths) for _ in range(N_DISTORTIONS))]
    with save_figure(picture, style, figsize=(10, 1.05 * len(rows) + 0.5)) as figure:
        grid = image_grid(figure, len(rows), X.shape[1])
        for axes_of_row, images in zip(grid, rows):
            for axes, pixels in zip(axes_of_row, images.T):
                show_frame(axes)
                axes.imshow(pixels.reshape(shape).clip(0, 1), cmap="gray", vmin=0, vmax=1)
        figure.suptitle("Training images (first row), and random distortions of each")
