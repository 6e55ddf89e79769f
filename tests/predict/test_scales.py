"""Image files and arrays with the same pixels are the same to a network, or are refused."""

import numpy as np
import pytest
from PIL import Image

from scratchnet.data.image_reader import read_image
from scratchnet.errors import DataError
from scratchnet.predict.image_files import describe_left_out, find_image_files
from scratchnet.predict.image_input import match_scale, read_arrays

RNG = np.random.default_rng(0)


def save(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


def read(path, minimum, maximum, size=6):
    manifest = {"minimum": minimum, "maximum": maximum, "image_shape": [size, size]}
    return match_scale(path.name, *read_image(path, 100), manifest)


@pytest.mark.parametrize(
    ("dtype", "minimum", "maximum"),
    [(np.uint8, 0, 255), (np.uint8, 50, 200), (np.uint16, 0, 4095), (np.uint16, 0, 65535)],
)
def test_a_png_is_scaled_like_the_array_of_its_pixels(tmp_path, dtype, minimum, maximum):
    pixels = RNG.integers(minimum, maximum, (6, 6), dtype, endpoint=True)
    np.save(tmp_path / "a.npy", pixels[None])
    (expected,) = read_arrays(tmp_path / "a.npy", minimum, maximum)
    found = read(save(tmp_path / "a.png", pixels), minimum, maximum)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "highest", "white"),
    [(np.uint8, 1, 255), (np.uint8, 16, 255), (np.uint16, 255, 65535), (np.uint16, 4095, 65535)],
)
@pytest.mark.parametrize("size", [6, 40])
def test_an_image_that_does_not_use_the_range_of_its_file_is_refused(
    tmp_path, dtype, highest, white, size
):
    """It would be read as a black sheet: a mask, digits from 0 to 16, 12 bits of 16."""
    pixels = RNG.integers(0, highest, (size, size), dtype, endpoint=True)
    pixels[0, 0], pixels[0, 1] = 0, highest
    path, range_of_training = save(tmp_path / "a.png", pixels), (0, 65535)
    with pytest.raises(DataError, match=f"a.png has pixels from 0 to {highest}, .* 0 to {white}"):
        read(path, *range_of_training)


def test_a_black_image_and_one_of_another_size_keep_their_scale(tmp_path):
    assert read(save(tmp_path / "a.png", np.zeros((6, 6), np.uint8)), 0, 255).max() == 0
    drawing = np.full((9, 9), 255, np.uint8)
    drawing[4, 2:7] = 51
    found = read(save(tmp_path / "b.png", drawing), 100, 140)
    assert (found.min(), found.max()) == (np.float32(0.2), 1)


def test_of_a_folder_it_is_said_what_is_left_out(tmp_path):
    (tmp_path / "x" / ".hidden").mkdir(parents=True)
    names = ["a.png", "b.webp", "c.JPE", "d.bmp", "e.tif", "f.txt", "README", ".hidden/g.tif"]
    for name in names:
        (tmp_path / "x" / name).touch()
    (tmp_path / "x" / "linked").symlink_to(tmp_path)
    assert len(find_image_files(str(tmp_path / "x"))) == 4
    left_out = "3 of 7 files (.tif, .txt, without a suffix)"
    assert describe_left_out([str(tmp_path / "x")]) == left_out
    assert describe_left_out(str(tmp_path / "x/a.png")) == ""
