"""Image files and array files of any kind: the pixels that are read from them."""

import io
import re
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

import samples
from scratchnet.data import image_reader
from scratchnet.errors import DataError
from scratchnet.predict.image_input import read_arrays

GREY = np.arange(0, 240, 12, np.uint8).reshape(4, 5)
RGB = np.stack([GREY, GREY[::-1], 255 - GREY], axis=2)
GREYS = np.stack([GREY] * 3, axis=2)


def read_image(path, longest):
    return image_reader.read_image(path, longest)[0]


def save(path, image, kind=None, **options):
    """Write pixels, or a Pillow image, to `path`; return `path`."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(path, kind, **options)
    return path


# ---- PNG files.


def test_a_grey_png_is_read_exactly(tmp_path):
    shades = np.arange(256, dtype=np.uint8).reshape(16, 16)
    expected = (shades.astype(np.float64) / 255).astype(np.float32)  # as in preprocessing
    image = read_image(save(tmp_path / "a.png", shades), 28)
    np.testing.assert_array_equal(image, expected, strict=True)


def with_palette(transparency=None):
    """Return an image with a palette of red, green and blue, one of which may be transparent."""
    image = Image.new("P", (2, 2))
    image.putdata([0, 1, 2, 0])
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    return image, {} if transparency is None else {"transparency": transparency}


def with_alpha(pixels, alpha=255):
    """Return `pixels`, grey or in colour, with an alpha channel."""
    layers = pixels if pixels.ndim == 3 else pixels[..., None]
    return np.dstack([layers, np.full(pixels.shape[:2], alpha, np.uint8)])


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RED, GREEN, BLUE, WHITE = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]
KINDS = {
    "1": (GREY > 100, {}, (GREY > 100) * 255),
    "L": (GREY, {}, GREY),
    "L with a transparent shade": (GREY, {"transparency": 240}, GREYS),
    "LA": (with_alpha(GREY), {}, GREYS),
    "P": (*with_palette(), [[RED, GREEN], [BLUE, RED]]),
    "P with a transparent colour": (*with_palette(2), [[RED, GREEN], [WHITE, RED]]),
    "RGB": (RGB, {}, RGB),
    "RGB with a transparent colour": (RGB, {"transparency": (1, 2, 3)}, RGB),
    "RGBA": (with_alpha(RGB), {}, RGB),
    "I;16": (GREY.astype(np.uint16) * 257, {}, GREY),
    "RGB with a colour profile, which is ignored": (RGB, {"icc_profile": PROFILE}, RGB),
}


@pytest.mark.parametrize(("pixels", "options", "expected"), KINDS.values(), ids=KINDS)
@pytest.mark.filterwarnings("error")
def test_a_png_of_any_mode_is_read(tmp_path, request, pixels, options, expected):
    path = save(tmp_path / "a.png", pixels, **options)
    with Image.open(path) as image:
        assert image.mode == request.node.callspec.id.split()[0]
    image = read_image(path, 28)
    assert image.dtype == np.float32
    assert image.shape == np.shape(expected)
    np.testing.assert_allclose(image * 255, expected, rtol=0, atol=1e-4)


def test_16_bit_pixels_keep_their_precision(tmp_path):
    values = np.array([[0, 1, 1000], [1001, 65534, 65535]], np.uint16)
    image = read_image(save(tmp_path / "a.png", values), 28)
    np.testing.assert_allclose(image, values / 65535, rtol=1e-6)
    assert len(np.unique(image)) == 6


# The colour of the ink, its opacity, and how it looks on its paper, which is light or dark.
INKS = {
    "black": ((30, 30, 30), 255, (30, 30, 30), 255),
    "blue": ((0, 0, 160), 255, (0, 0, 160), 255),
    "white": ((230, 230, 230), 255, (230, 230, 230), 0),
    "yellow": ((255, 255, 0), 255, (255, 255, 0), 0),
    "half of black": ((0, 0, 0), 128, (127, 127, 127), 255),
    "half of white": ((200, 200, 200), 128, (100, 100, 100), 0),
}


@pytest.mark.parametrize(("ink", "alpha", "seen", "paper"), INKS.values(), ids=INKS)
def test_transparent_paper_is_white_under_dark_ink_and_black_under_light_ink(
    tmp_path, ink, alpha, seen, paper
):
    pixels = np.full((4, 5, 4), 120, np.uint8)  # an invisible colour
    pixels[..., 3] = 0
    pixels[1:3, 2] = [*ink, alpha]
    expected = np.full((4, 5, 3), paper)
    expected[1:3, 2] = seen
    image = read_image(save(tmp_path / "a.png", pixels), 28)
    np.testing.assert_allclose(image * 255, expected, rtol=0, atol=1e-4)


def test_a_fully_transparent_image_is_white_and_shrunk_before_it_is_made_opaque(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((500, 500, 4), np.uint8))
    np.testing.assert_array_equal(read_image(path, 28), np.ones((28, 28, 3)))
    assert samples.peak_memory(lambda: read_image(path, 28)) < 1_000_000


# ---- JPEG files.

# The format and the mode of an image of one colour, the colour, and what is read.
FLAT = [
    ("JPEG", "L", 100, 100),
    ("JPEG", "RGB", (200, 30, 60), (200, 30, 60)),
    ("JPEG", "CMYK", (0, 255, 255, 0), (255, 0, 0)),
    *((kind, "L", 51, 51 if kind == "BMP" else (51,) * 3) for kind in ("WEBP", "BMP")),
    ("GIF", "L", 51, (51,) * 3),
]


@pytest.mark.parametrize(("kind", "mode", "colour", "seen"), FLAT)
def test_a_jpeg_of_any_mode_and_what_browsers_save_as_png_are_read(
    tmp_path, kind, mode, colour, seen
):
    image = read_image(save(tmp_path / "a.png", Image.new(mode, (16, 24), colour), kind), 28)
    assert image.shape == (24, 16, *np.shape(seen))
    np.testing.assert_allclose(image * 255, np.broadcast_to(seen, image.shape), atol=5)


def test_the_first_picture_of_a_multi_picture_jpeg_is_read(tmp_path):
    first, second = Image.new("L", (16, 24), 100), Image.new("L", (16, 24), 200)
    path = save(tmp_path / "a.jpg", first, "MPO", save_all=True, append_images=[second])
    np.testing.assert_allclose(read_image(path, 28), np.full((24, 16), 100 / 255), atol=0.02)


BLOCKS = np.kron([[0, 255, 0], [255, 255, 100]], np.ones((8, 8))).astype(np.uint8)
# The pixels in the file, for each EXIF orientation, of an image that is displayed as BLOCKS.
STORED = {
    1: BLOCKS,
    2: BLOCKS[:, ::-1],
    3: BLOCKS[::-1, ::-1],
    4: BLOCKS[::-1],
    5: BLOCKS.T,
    6: np.rot90(BLOCKS),
    7: BLOCKS[::-1, ::-1].T,
    8: np.rot90(BLOCKS, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_image_is_turned_upright(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a", np.ascontiguousarray(STORED[orientation]), kind, exif=exif)
    np.testing.assert_allclose(read_image(path, 28) * 255, BLOCKS, rtol=0, atol=6)


# ---- The size of images.

SIZES = {
    (100, 50): (20, 10),
    (50, 100): (10, 20),
    (400, 400): (20, 20),
    (20, 20): (20, 20),
    (5, 9): (5, 9),
    (1, 1): (1, 1),
    (1, 500): (1, 20),
    (500, 2): (20, 1),
}


@pytest.mark.parametrize(("shape", "expected"), SIZES.items(), ids=str)
@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "L"),
        ("JPEG", "RGB"),
        ("PNG", "L"),
        ("PNG", "RGB"),
        ("PNG", "1"),
        ("PNG", "I;16"),
        ("PNG", "RGBA"),
    ],
)
def test_a_large_image_is_shrunk_and_a_small_one_is_not_enlarged(
    tmp_path, shape, expected, kind, mode
):
    path = save(tmp_path / "a", Image.new(mode, shape[::-1]), kind)
    assert read_image(path, 20).shape[:2] == expected


def test_a_pixel_of_a_shrunk_image_is_the_mean_of_its_pixels(tmp_path):
    pixels = np.array([[0, 10, 200, 200], [20, 30, 200, 200]], np.uint8)
    image = read_image(save(tmp_path / "a.png", pixels), 2)
    np.testing.assert_allclose(image * 255, [[15, 200]], rtol=0, atol=1e-4)


# ---- Files that are not images.


def png(width, height, data=b""):
    """Return the bytes of a grey PNG whose header claims this size, with this `data`."""
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0),
        b"IDAT": zlib.compress(data),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks.items()
    )


def encoded(kind):
    """Return the bytes of a noisy image of 100 x 100 in this format."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    save(buffer, noise, kind)
    return buffer.getvalue()


FAULTY = {
    "empty": b"",
    "text": b"seven",
    "a JPEG cut in half": encoded("JPEG")[: len(encoded("JPEG")) // 2],
    "a PNG cut in half": encoded("PNG")[: len(encoded("PNG")) // 2],
    "the first bytes of a PNG": png(4, 5)[:8],
    "the header of a PNG": png(4, 5)[:33],
    "a PNG without pixels": png(4, 5),
    "a PNG with a wrong checksum": samples.flipped(png(4, 5, bytes(24)), 20),
    "a PNG of no size": png(0, 5),
    "a PNG that claims 10^8 pixels": png(10_000, 10_000),
    "a PNG that claims 10^12 pixels": png(1 << 20, 1 << 20),
    "a PNG that claims 10^18 pixels": png(2**31 - 1, 2**31 - 1),
    "an array": samples.npy(GREY),
}


@pytest.mark.parametrize("content", FAULTY.values(), ids=FAULTY)
@pytest.mark.parametrize("how", ["default", "error"])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_file_that_is_not_an_image_is_refused_with_its_name(tmp_path, content, how):
    path = tmp_path / "a (1).png"
    path.write_bytes(content)
    with warnings.catch_warnings():
        if how == "error":
            warnings.simplefilter("error")
        with pytest.raises(DataError, match=f"^{re.escape(str(path))} cannot be read as an image:"):
            read_image(str(path), 28)


def test_no_other_program_is_started_to_read_an_image(tmp_path):
    """Pillow would start Ghostscript for PostScript, whatever the file is called."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded("EPS"))
    with pytest.raises(DataError, match="cannot identify"):
        read_image(path, 28)


def test_a_large_image_that_is_not_a_bomb_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12)
    path = save(tmp_path / "a.png", GREY)
    with pytest.warns(Image.DecompressionBombWarning):
        assert read_image(path, 28).shape == (4, 5)


@pytest.mark.parametrize("name", ["nowhere.png", "a folder.png"])
def test_a_missing_file_is_refused_with_its_name(tmp_path, name):
    (tmp_path / "a folder.png").mkdir()
    with pytest.raises(DataError, match=f"{name} cannot be read as an image: "):
        read_image(tmp_path / name, 28)


# ---- Array files.

IMAGES = np.random.default_rng(3).integers(0, 256, (3, 4, 5), np.uint8)


@pytest.fixture
def read(tmp_path):
    """A function that writes bytes to an array file, and reads it."""

    def run(content, ending=".npy", minimum=0, maximum=255):
        path = tmp_path / f"mine{ending}"
        path.write_bytes(content)
        return read_arrays(path, minimum, maximum)

    return run


CONTAINERS = {".npy": samples.npy, ".npz": lambda array: samples.npz({"a": array})}


each_container = pytest.mark.parametrize("ending", CONTAINERS)


@each_container
@pytest.mark.parametrize(
    "shape", [(3, 4, 5), (1, 4, 5), (3, 4, 5, 3), (60, 1, 1), (1, 1, 1, 3), (3, 4, 5, 1)], ids=str
)
def test_arrays_may_be_grey_or_in_colour(read, ending, shape):
    array = np.resize(IMAGES, shape)
    expected = (array / 255).astype(np.float32)
    expected = expected[..., 0] if shape[3:] == (1,) else expected
    found = read(CONTAINERS[ending](array), ending)
    np.testing.assert_array_equal(found, expected, strict=True)


@each_container
def test_channels_may_come_first_and_transparent_pixels_are_white(read, ending):
    array = np.zeros((3, 4, 5, 6), np.uint8)
    array[:, 3, 1:], array[:, :3, 1] = 255, 102
    expected = np.zeros((3, 5, 6, 3), np.float32)
    expected[:, 0], expected[:, 1] = 1, np.float32(0.4)
    np.testing.assert_array_equal(read(CONTAINERS[ending](array), ending), expected, strict=True)


# data/test_raw_splits.py has more of both.
REFUSED = {
    "flat": (np.zeros((3, 20)), r"has the shape \(3, 20\); images must have \(n, height, width\)"),
    "five colours": (np.zeros((3, 5, 5, 5)), r"has the shape \(3, 5, 5, 5\); images must have"),
    "none": (np.zeros((0, 4, 5)), r"has the shape \(0, 4, 5\): it is empty"),
    "text": (np.zeros((3, 4, 5), "U1"), "has elements of type <U1; pixels must be numbers"),
    "fields": (np.zeros((3, 4, 5), [("r", "u1"), ("g", "u1")]), "has elements of type .*; pixels"),
}


@each_container
@pytest.mark.parametrize(("array", "words"), REFUSED.values(), ids=REFUSED)
def test_other_shapes_and_types_are_refused_with_the_name_of_the_file(read, ending, array, words):
    with pytest.raises(DataError, match=rf"mine{ending} {words}"):
        read(CONTAINERS[ending](array), ending)


@pytest.mark.parametrize(
    "dtype", [bool, "u1", "i1", ">i2", "u2", "i4", "u8", "f2", ">f4", "f8", np.longdouble], ids=str
)
def test_pixels_may_be_numbers_of_any_type(read, dtype):
    array = (IMAGES % 2 if dtype is bool else IMAGES // 2).astype(dtype)
    maximum = 1 if dtype is bool else 200
    found = read(samples.npy(array), maximum=maximum)
    expected = (array.astype(float) / maximum).astype(np.float32)
    np.testing.assert_array_equal(found, expected, strict=True)


def test_arrays_are_scaled_like_the_training_images_and_not_clipped(read):
    found = read(samples.npy(np.array([[[10, 60, 110]], [[0, 160, 260]]])), minimum=10, maximum=110)
    np.testing.assert_allclose(found, [[[0, 0.5, 1]], [[-0.1, 1.5, 2.5]]], rtol=1e-6)


# The range of the training pixels, and that of images on another scale.
OTHER_SCALES = {
    "8 bits as 0 to 1": (0, 255, np.float32([0, 1])),
    "8 bits as -1 to 1": (0, 255, np.float32([-1, 1])),
    "8 bits, centred": (0, 255, np.int8([-128, 127])),
    "slightly more than a quarter of the range below": (0, 255, np.float32([-64, 255])),
    "8 bits as 16": (0, 255, np.uint16([0, 65535])),
    "slightly more than four times the range": (0, 255, np.uint16([0, 1021])),
    "slightly less than a tenth of the range": (0, 255, np.uint8([0, 25])),
    "8 bits as booleans": (0, 255, np.array([False, True])),
    "8 bits without black, as 0 to 1": (60, 200, np.float32([60 / 255, 200 / 255])),
    "0 to 1 as 8 bits": (0.0, 1.0, np.uint8([0, 255])),
    "0 to 1, standardised": (0.0, 1.0, np.float32([-0.42, 2.82])),
    "-1 to 1 as 8 bits": (-1.0, 1.0, np.uint8([0, 255])),
    "-1 to 1 as 8 bits with a sign": (-1.0, 1.0, np.int8([-128, 1])),
}


@pytest.mark.parametrize(("minimum", "maximum", "pixels"), OTHER_SCALES.values(), ids=OTHER_SCALES)
def test_pixels_on_another_scale_than_the_training_images_are_refused(
    read, minimum, maximum, pixels
):
    low, high = (f"{float(pixel):g}" for pixel in pixels)
    message = (
        rf"mine\.npy has pixels from {low} to {high}, but the network was trained on pixels from "
        rf"{minimum:g} to {maximum:g}: rescale them to that range$"
    )
    with pytest.raises(DataError, match=message):
        read(samples.npy(np.resize(pixels, (3, 4, 5))), minimum=minimum, maximum=maximum)


SAME_SCALES = {
    "a larger range": (10, 200, np.uint8([0, 255])),
    "four times the range": (0, 255, np.uint16([0, 1020])),
    "a tenth of the range": (0, 255, np.uint8([0, 26])),
    "darker images": (60, 200, np.uint8([0, 90])),
    "a black image": (0, 255, np.uint8([0, 0])),
    "8 bits as floats": (0, 255, np.float64([0, 255])),
    "a quarter of the range below": (0, 255, np.float32([-63, 270])),
}


@pytest.mark.parametrize(("minimum", "maximum", "pixels"), SAME_SCALES.values(), ids=SAME_SCALES)
def test_pixels_on_the_scale_of_the_training_images_are_read(read, minimum, maximum, pixels):
    array = np.resize(pixels, (3, 4, 5))
    found = read(samples.npy(array), minimum=minimum, maximum=maximum)
    np.testing.assert_allclose(found, (array.astype(float) - minimum) / (maximum - minimum), 1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1e39])
@pytest.mark.parametrize("shape", [(4, 2, 2), (4, 2, 2, 3), (4, 2, 2, 1)])
@pytest.mark.filterwarnings("error")
def test_a_pixel_that_is_not_finite_is_refused_with_the_number_of_its_image(read, value, shape):
    array = np.zeros(shape)
    array[2, 1, 0] = array[3] = value
    with pytest.raises(DataError, match=r"mine\.npy: image 2 has pixels that are not finite"):
        read(samples.npy(array), maximum=1)


@pytest.mark.parametrize("name", ["x_test", "images"])
def test_among_several_arrays_the_images_are_found_by_name(read, name):
    others = {"x_train": IMAGES[:1], "y_test": np.arange(3), "note": np.array("by hand")}
    found = read(samples.npz(others | {name: IMAGES}), ".npz")
    np.testing.assert_array_equal(found, read(samples.npy(IMAGES)))


UNCLEAR = {
    "none": ({}, r"\(none\)"),
    "two": ({"a": IMAGES, "b": IMAGES}, "a, b"),
    "both names": ({"x_test": IMAGES, "images": IMAGES, "c": IMAGES}, "x_test, images"),
    "training images and labels": ({"x_train": IMAGES, "y_train": np.ones(3)}, "x_train, y_train"),
}


@pytest.mark.parametrize(("arrays", "names"), UNCLEAR.values(), ids=UNCLEAR)
def test_if_the_images_are_ambiguous_the_arrays_are_listed(read, arrays, names):
    message = rf"mine\.npz has the arrays {names}: the one with the images must be the only one, or"
    with pytest.raises(DataError, match=message):
        read(samples.npz(arrays), ".npz")


@pytest.mark.parametrize("content", [b"", b"about"])
def test_a_member_of_an_npz_that_is_not_an_array_is_refused(read, content):
    with pytest.raises(DataError, match=r"mine\.npz has a file called README that is not an array"):
        read(samples.zipped({"README": content}), ".npz")


MANY = np.random.default_rng(4).integers(0, 256, (60, 6, 5), np.uint8)
DAMAGED = {
    "empty": (b"", ".npy"),
    "an empty .npz": (b"", ".npz"),
    "text": (b"seven", ".npy"),
    "a .npy cut by a byte": (samples.npy(MANY)[:-1], ".npy"),
    "a .npy cut to its first bytes": (samples.npy(MANY)[:20], ".npy"),
    "a .npz cut by a byte": (samples.npz({"a": MANY})[:-1], ".npz"),
    "a .npz with a bit flipped": (samples.flipped(samples.npz({"a": MANY}), 900), ".npz"),
    "terabytes": (samples.npy_header((1 << 20, 1 << 10, 1 << 10)) + bytes(99), ".npy"),
    "terabytes in a .npz": (
        samples.zipped({"a.npy": samples.npy_header((1 << 20, 1 << 10, 1 << 10)) + bytes(99)}),
        ".npz",
    ),
}


@pytest.mark.parametrize(("content", "ending"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_array_file_is_refused_with_its_name(read, content, ending):
    with pytest.raises(DataError, match=rf"mine{ending} cannot be read: "):
        read(content, ending)


TRAPS = {
    "an array of objects": (lambda trap: samples.npy_header((3,), "|O") + trap, ".npy"),
    "a pickle": (lambda trap: trap, ".npy"),
    "a pickle as .npz": (lambda trap: trap, ".npz"),
    "an array of objects in a .npz": (
        lambda trap: samples.zipped({"a.npy": samples.npy_header((3,), "|O") + trap}),
        ".npz",
    ),
    "a pickle in a .npz": (lambda trap: samples.zipped({"x_test.pkl": trap}), ".npz"),
    "a pickle called an array": (lambda trap: samples.zipped({"x_test.npy": trap}), ".npz"),
}


@pytest.mark.parametrize(("content", "ending"), TRAPS.values(), ids=TRAPS)
def test_no_array_file_is_unpickled(read, tmp_path, content, ending):
    trace = tmp_path / "unpickled"
    with pytest.raises(DataError, match=rf"mine{ending} "):
        read(content(samples.pickle_that_makes(trace)), ending)
    assert not trace.exists()


def test_objects_beside_the_images_are_not_unpickled(read, tmp_path):
    trace = tmp_path / "unpickled"
    objects = samples.npy_header((3,), "|O") + samples.pickle_that_makes(trace)
    content = samples.zipped({"note.npy": objects, "x_test.npy": samples.npy(IMAGES)})
    np.testing.assert_array_equal(read(content, ".npz"), read(samples.npy(IMAGES)))
    assert not trace.exists()


# ---- Files that would take too much memory (tests/faults measures it).


@pytest.mark.parametrize("side", [7072, 13_300])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_that_is_too_large_is_refused_before_it_is_decoded(tmp_path, side):
    path = tmp_path / "a.png"
    path.write_bytes(png(side, side, bytes(1000)))
    with pytest.raises(DataError, match=f"{side**2} pixels, and at most 50000000 are possible"):
        read_image(path, 28)


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ((63_776, 28, 28), "50000384 pixels, and at most 50000000"),
        ((1, 2001, 2000), "4002000 pixels, and at most 4000000"),
        ((5, 2000, 2000, 3), "60000000 pixels, and at most 50000000"),
    ],
    ids=str,
)
def test_arrays_that_are_too_large_are_refused_before_they_are_unpacked(read, shape, problem):
    with pytest.raises(DataError, match=rf"mine\.npz cannot be read: {problem}"):
        read(samples.zipped({"a.npy": samples.npy_header(shape)}), ".npz")
