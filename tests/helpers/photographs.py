"""Test images as photographs of a sheet of paper: for tests and for `make pictures`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image


def photograph(image, rng):
    """A test image on paper: somewhere on it, in uneven light, with noise, as a JPEG has it."""
    height, width, side = 900, 1200, int(rng.integers(200, 600))
    drawn = np.asarray(Image.fromarray(image).resize((side, side), Image.BICUBIC)) / 255
    ink = np.zeros((height, width))
    y, x = rng.integers(50, height - side - 50), rng.integers(50, width - side - 50)
    ink[y : y + side, x : x + side] = drawn
    down, right = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    light = 0.75 + 0.15 * right - 0.2 * down - 0.15 * ((right - 0.5) ** 2 + (down - 0.5) ** 2)
    pixels = light * (1 - rng.uniform(0.3, 0.8) * ink) + rng.normal(0, 0.04, ink.shape)
    return Image.fromarray((255 * pixels).clip(0, 255).astype(np.uint8))


def main(X_test, folder, count=20):
    """Write photographs of the first test images into `folder`."""
    rng = np.random.default_rng(0)
    images = np.rint(np.load(X_test, mmap_mode="r")[:, :count].T.reshape(-1, 28, 28) * 255)
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images.astype(np.uint8)):
        photograph(image, rng).save(folder / f"photo-{i:02}.jpg", quality=75)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
