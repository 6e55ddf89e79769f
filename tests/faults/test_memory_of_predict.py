"""Whatever a file holds, `snakemake predict` takes at most 1.2 GB to read it."""

import numpy as np
import pytest
from PIL import Image

from samples import npy, npy_header, npz, peak_of_process, zipped
from scratchnet.data.image_reader import MAX_PIXELS

LIMIT = 1200  # MB
SIDE = int(MAX_PIXELS**0.5)

READ = """
import sys, scratchnet.predict.predictions
from scratchnet.errors import DataError
from scratchnet.data.image_reader import read_image
from scratchnet.predict.image_input import read_arrays
path = sys.argv[1]
try:
    read_arrays(path, 0, 255) if path.endswith((".npy", ".npz")) else read_image(path, 280)
    answer = "read"
except DataError as error:
    answer = str(error)
assert sys.argv[2] in answer, answer
"""
TURNED = Image.Exif()
TURNED[0x0112] = 6  # by a quarter
PICTURES = {
    "1 bit": ("1", "png", {}),
    "grey": ("L", "png", {}),
    "grey with a transparent shade": ("L", "png", {"transparency": 0}),
    "grey with alpha": ("LA", "png", {}),
    "16 bits": ("I;16", "png", {}),
    "palette": ("P", "png", {}),
    "palette with a transparent colour": ("P", "png", {"transparency": 0}),
    "colour": ("RGB", "png", {}),
    "colour with alpha": ("RGBA", "png", {}),
    "turned": ("RGBA", "png", {"exif": TURNED}),
    "JPEG": ("CMYK", "jpeg", {}),
    "progressive JPEG": ("RGB", "jpeg", {"progressive": True, "subsampling": 0}),
    "WebP": ("RGB", "webp", {}),
    "GIF": ("P", "gif", {}),
    "BMP": ("RGB", "bmp", {}),
}


def save(path, side, mode, ending, options):
    """Write a picture of one colour with `side` x `side` pixels."""
    image = Image.new(mode, (side, side))
    if mode == "P":
        image.putpalette([255, 255, 255, 0, 0, 0])
    image.save(path, ending, **options)


@pytest.mark.parametrize("kind", PICTURES)
def test_the_largest_picture_of_any_kind_is_read_within_the_limit(tmp_path, kind):
    save(tmp_path / "a.png", SIDE, *PICTURES[kind])
    assert peak_of_process(READ, tmp_path / "a.png", "read") < LIMIT


@pytest.mark.parametrize("kind", PICTURES)
def test_a_larger_picture_is_refused_before_it_is_decoded(tmp_path, kind):
    side = 13_300  # Pillow itself refuses 13,378
    save(tmp_path / "a.png", side, *PICTURES[kind])
    answer = "read" if kind == "JPEG" else f"cannot be read as an image: {side**2} pixels, and at"
    assert peak_of_process(READ, tmp_path / "a.png", answer) < 250


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", np.longdouble])
def test_the_largest_arrays_are_read_within_the_limit(tmp_path, dtype):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros((MAX_PIXELS // 784, 28, 28), dtype))
    assert peak_of_process(READ, path, "read") < LIMIT


LARGE = {
    "many images": npz({"x_test": np.zeros((MAX_PIXELS // 784 + 1, 28, 28), np.uint8)}),
    "a large image": npy(np.zeros((1, 2001, 2000), np.uint8)),
    "a header": zipped({"a.npy": npy_header((10**6, 10**3, 10**3)) + bytes(100)}),
    "long texts": zipped({"a.npy": npy_header((10**6, 7, 7), "<U10000") + bytes(100)}),
}


@pytest.mark.parametrize("kind", LARGE)
def test_larger_arrays_are_refused_before_they_are_unpacked(tmp_path, kind):
    path = tmp_path / ("a.npy" if kind == "a large image" else "a.npz")
    path.write_bytes(LARGE[kind])
    answer = "pixels must be numbers" if kind == "long texts" else "pixels, and at most"
    assert peak_of_process(READ, path, answer) < 150
