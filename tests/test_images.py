"""Images of any kind: what is read of a file, and what of that a network gets."""

import io
import json
import re
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

import samples
from browser import NEEDED, chromium, complaints, visit
from scratchnet.drawings import drawing_of, ink_of, is_dark_on_light, normalised, without_dust
from scratchnet.errors import DataError
from scratchnet.images import as_trained, read_arrays, read_image
from scratchnet.preprocessing import prepare
from test_demo import make_page

GREY = np.arange(0, 240, 12, np.uint8).reshape(4, 5)
RGB = np.stack([GREY, GREY[::-1], 255 - GREY], axis=2)
GREYS = np.stack([GREY] * 3, axis=2)


def save(path, image, kind=None, **options):
    """Write pixels, or an image of Pillow's, to `path`, which is returned."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(path, kind, **options)
    return path


# ---- PNG files, of every kind.


def test_a_grey_png_is_read_exactly(tmp_path):
    shades = np.arange(256, dtype=np.uint8).reshape(16, 16)
    expected = (shades.astype(np.float64) / 255).astype(np.float32)  # as preprocessing has them
    image = read_image(save(tmp_path / "a.png", shades), 28)
    np.testing.assert_array_equal(image, expected, strict=True)


def with_palette(transparency=None):
    """An image of the colours red, green and blue by number, of which one may be transparent."""
    image = Image.new("P", (2, 2))
    image.putdata([0, 1, 2, 0])
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    return image, {} if transparency is None else {"transparency": transparency}


def with_alpha(pixels, alpha=255):
    """`pixels`, grey or in colour, with an alpha channel."""
    layers = pixels if pixels.ndim == 3 else pixels[..., None]
    return np.dstack([layers, np.full(pixels.shape[:2], alpha, np.uint8)])


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


def test_16_bits_keep_their_digits(tmp_path):
    values = np.array([[0, 1, 1000], [1001, 65534, 65535]], np.uint16)
    image = read_image(save(tmp_path / "a.png", values), 28)
    np.testing.assert_allclose(image, values / 65535, rtol=1e-6)
    assert len(np.unique(image)) == 6


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((30, 30, 30), 255), ((0, 0, 160), 255), ((230, 230, 230), 0), ((255, 255, 0), 0)],
)
def test_transparent_paper_is_white_below_dark_ink_and_black_below_light(tmp_path, ink, paper):
    pixels = np.full((4, 5, 4), 120, np.uint8)  # a colour that nobody sees
    pixels[..., 3] = 0
    pixels[1:3, 2] = [*ink, 255]
    expected = np.full((4, 5, 3), paper)
    expected[1:3, 2] = ink
    image = read_image(save(tmp_path / "a.png", pixels), 28)
    np.testing.assert_allclose(image * 255, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("grey", "mixed"), [(0, 127), (200, 100)])
def test_ink_that_is_half_transparent_is_mixed_with_the_paper(tmp_path, grey, mixed):
    pixels = np.array([[[grey, 255], [grey, 128]]], np.uint8)
    image = read_image(save(tmp_path / "a.png", pixels), 28)
    np.testing.assert_allclose(image[0, :, 0] * 255, [grey, mixed], rtol=0, atol=1e-4)


def test_an_image_without_anything_on_it_is_white(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((4, 5, 4), np.uint8))
    np.testing.assert_array_equal(read_image(path, 28), np.ones((4, 5, 3)))


def test_a_transparent_image_is_composed_after_it_is_shrunk(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((500, 500, 4), np.uint8))
    assert samples.peak_memory(lambda: read_image(path, 28)) < 1_000_000


# ---- JPEG files.

FLAT = {
    "L": (100, 100 / 255),
    "RGB": ((200, 30, 60), (200 / 255, 30 / 255, 60 / 255)),
    "CMYK": ((0, 255, 255, 0), (1, 0, 0)),
}


@pytest.mark.parametrize("mode", FLAT)
@pytest.mark.parametrize("name", ["a.jpg", "A.JPG", "a.jpeg", "A.JPEG"])
def test_a_jpeg_of_any_mode_is_read(tmp_path, mode, name):
    colour, expected = FLAT[mode]
    image = read_image(save(tmp_path / name, Image.new(mode, (16, 24), colour), "JPEG"), 28)
    assert image.shape == (24, 16, *np.shape(expected))
    np.testing.assert_allclose(image, np.broadcast_to(expected, image.shape), atol=0.02)


def test_of_the_pictures_that_some_phones_put_into_a_jpeg_the_first_is_read(tmp_path):
    first, second = Image.new("L", (16, 24), 100), Image.new("L", (16, 24), 200)
    path = save(tmp_path / "a.jpg", first, "MPO", save_all=True, append_images=[second])
    np.testing.assert_allclose(read_image(path, 28), np.full((24, 16), 100 / 255), atol=0.02)


BLOCKS = np.kron([[0, 255, 0], [255, 255, 100]], np.ones((8, 8))).astype(np.uint8)
# What lies in the file, for each orientation of EXIF, of what is BLOCKS when it is looked at.
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
def test_an_image_is_upright(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "a", np.ascontiguousarray(STORED[orientation]), kind, exif=exif)
    np.testing.assert_allclose(read_image(path, 28) * 255, BLOCKS, rtol=0, atol=6)


def test_a_profile_does_no_harm(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = save(tmp_path / "a.png", RGB, icc_profile=profile)
    np.testing.assert_allclose(read_image(path, 28) * 255, RGB, rtol=0, atol=1e-4)


# ---- How large they are.

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
        *(("JPEG", "L"), ("JPEG", "RGB")),
        *(("PNG", "L"), ("PNG", "RGB"), ("PNG", "1"), ("PNG", "I;16"), ("PNG", "RGBA")),
    ],
)
def test_an_image_is_shrunk_to_the_longest_side_and_never_enlarged(
    tmp_path, shape, expected, kind, mode
):
    path = save(tmp_path / "a", Image.new(mode, shape[::-1]), kind)
    assert read_image(path, 20).shape[:2] == expected


def test_a_pixel_of_a_shrunk_image_is_the_mean_of_its_pixels(tmp_path):
    pixels = np.array([[0, 10, 200, 200], [20, 30, 200, 200]], np.uint8)
    image = read_image(save(tmp_path / "a.png", pixels), 2)
    np.testing.assert_allclose(image * 255, [[15, 200]], rtol=0, atol=1e-4)


# ---- What is no image is refused by name.


def png(width, height, data=b""):
    """The bytes of a grey PNG whose header claims this size, with this `data`."""
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
    """The bytes of a noisy image of 100 x 100, as a file of this kind."""
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
    "PostScript": encoded("EPS"),
    "an array": samples.npy(GREY),
}


@pytest.mark.parametrize("content", FAULTY.values(), ids=FAULTY)
@pytest.mark.parametrize("how", ["default", "error"])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_image_is_refused_by_name(tmp_path, content, how):
    path = tmp_path / "a (1).png"
    path.write_bytes(content)
    with warnings.catch_warnings():
        if how == "error":
            warnings.simplefilter("error")
        with pytest.raises(DataError, match=f"^{re.escape(str(path))} cannot be read as an image:"):
            read_image(str(path), 28)


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(15_000, 15_000, bytes(1000)))
    with pytest.raises(DataError, match="225000000 pixels"):
        read_image(path, 28)


def test_no_other_program_is_started_to_read_an_image(tmp_path):
    """Pillow starts Ghostscript for PostScript, whatever a file is called."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded("EPS"))
    with pytest.raises(DataError, match="cannot identify"):
        read_image(path, 28)


def test_a_large_image_that_is_no_bomb_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12)
    path = save(tmp_path / "a.png", GREY)
    with pytest.warns(Image.DecompressionBombWarning):
        assert read_image(path, 28).shape == (4, 5)


@pytest.mark.parametrize("name", ["nowhere.png", "a folder.png"])
def test_where_there_is_no_file_it_is_refused_by_name(tmp_path, name):
    (tmp_path / "a folder.png").mkdir()
    with pytest.raises(DataError, match=f"{name} cannot be read as an image: "):
        read_image(tmp_path / name, 28)


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "BMP"])
def test_what_browsers_save_under_another_ending_is_read(tmp_path, kind):
    path = save(tmp_path / "a.png", np.full((16, 16), 51, np.uint8), kind)
    np.testing.assert_allclose(read_image(path, 28), 0.2, atol=0.02)


# ---- Files of arrays.

IMAGES = np.random.default_rng(3).integers(0, 256, (3, 4, 5), np.uint8)


@pytest.fixture
def read(tmp_path):
    """A function that writes bytes as a file of arrays, and reads it."""

    def run(content, ending=".npy", minimum=0, maximum=255):
        path = tmp_path / f"mine{ending}"
        path.write_bytes(content)
        return read_arrays(path, minimum, maximum)

    return run


CONTAINERS = {".npy": samples.npy, ".npz": lambda array: samples.npz({"a": array})}


@pytest.mark.parametrize("ending", CONTAINERS)
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 4, 5), (3, 4, 5, 3), (60, 1, 1), (1, 1, 1, 3)])
def test_arrays_are_images_grey_or_in_colour(read, ending, shape):
    array = np.resize(IMAGES, shape)
    expected = (array / 255).astype(np.float32)
    found = read(CONTAINERS[ending](array), ending)
    np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize("ending", CONTAINERS)
def test_a_channel_of_one_is_none(read, ending):
    found = read(CONTAINERS[ending](IMAGES[..., None]), ending)
    np.testing.assert_array_equal(found, read(samples.npy(IMAGES)))


@pytest.mark.parametrize("ending", CONTAINERS)
@pytest.mark.parametrize(
    "shape",
    [
        *((), (3,), (4, 5), (3, 20), (3, 4, 5, 2), (3, 4, 5, 4), (3, 3, 4, 5), (1, 3, 4, 5, 3)),
        *((0, 4, 5), (3, 0, 5), (3, 4, 0), (3, 0, 5, 3), (3, 4, 5, 0)),
    ],
    ids=str,
)
def test_other_shapes_are_refused_with_the_name_of_the_file(read, ending, shape):
    said = rf"mine{ending} has the shape {re.escape(str(shape))}; images have \(n, height, width\)"
    with pytest.raises(DataError, match=said):
        read(CONTAINERS[ending](np.zeros(shape)), ending)


@pytest.mark.parametrize(
    "dtype", [bool, "u1", "i1", ">i2", "u2", "i4", "u8", "f2", ">f4", "f8", np.longdouble], ids=str
)
def test_pixels_may_be_numbers_of_any_type(read, dtype):
    array = (IMAGES % 2 if dtype is bool else IMAGES // 2).astype(dtype)
    found = read(samples.npy(array), maximum=200)
    expected = (array.astype(float) / 200).astype(np.float32)
    np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize(
    "dtype", ["U1", "S1", "c8", "M8[s]", [("r", "u1"), ("g", "u1")]], ids=["U", "S", "c", "M", "V"]
)
@pytest.mark.parametrize("ending", CONTAINERS)
def test_what_is_no_number_is_refused_with_its_type(read, dtype, ending):
    array = np.zeros((3, 4, 5), dtype)
    with pytest.raises(DataError, match=rf"mine{ending} has elements of type .*; pixels are num"):
        read(CONTAINERS[ending](array), ending)


def test_arrays_are_scaled_like_the_training_images_and_not_clipped(read):
    found = read(samples.npy(np.array([[[10, 60, 110]], [[0, 160, 260]]])), minimum=10, maximum=110)
    np.testing.assert_allclose(found, [[[0, 0.5, 1]], [[-0.1, 1.5, 2.5]]], rtol=1e-6)


def test_the_images_of_a_dataset_come_out_as_preprocessing_has_them(tmp_path):
    images = samples.make_arrays()["test_images"]
    (tmp_path / "mine.npz").write_bytes(samples.keras_npz())
    names = [f"{kind}_{part}" for part in ("train", "validation", "test") for kind in "XY"]
    outputs = {name: tmp_path / f"{name}.npy" for name in names} | {"manifest": tmp_path / "m"}
    prepare({"npz": tmp_path / "mine.npz"}, 0, 0, outputs)
    manifest = json.loads(outputs["manifest"].read_text())
    found = read_arrays(tmp_path / "mine.npz", manifest["minimum"], manifest["maximum"])
    np.testing.assert_array_equal(found.reshape(len(images), -1).T, np.load(outputs["X_test"]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1e39])
@pytest.mark.parametrize("shape", [(4, 2, 2), (4, 2, 2, 3), (4, 2, 2, 1)])
@pytest.mark.filterwarnings("error")
def test_what_is_no_finite_number_is_refused_with_the_number_of_its_image(read, value, shape):
    array = np.zeros(shape)
    array[2, 1, 0] = array[3] = value
    with pytest.raises(DataError, match=r"mine\.npy: image 2 has pixels that are not finite"):
        read(samples.npy(array), maximum=1)


@pytest.mark.parametrize("name", ["x_test", "images"])
def test_among_other_arrays_that_of_images_is_known_by_its_name(read, name):
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
def test_where_it_is_unclear_which_one_the_arrays_are_named(read, arrays, names):
    said = rf"mine\.npz has the arrays {names}: the one with the images has to be the only one, or"
    with pytest.raises(DataError, match=said):
        read(samples.npz(arrays), ".npz")


@pytest.mark.parametrize("content", [b"", b"about"])
def test_what_is_no_array_within_an_npz_is_refused(read, content):
    with pytest.raises(DataError, match=r"mine\.npz has no array called README, but another file"):
        read(samples.zipped({"README": content}), ".npz")


MANY = np.random.default_rng(4).integers(0, 256, (60, 6, 5), np.uint8)
DAMAGED = {
    "empty": (b"", ".npy"),
    "an empty .npz": (b"", ".npz"),
    "text": (b"seven", ".npy"),
    "text as .npz": (b"seven", ".npz"),
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
def test_a_damaged_file_is_refused_by_name(read, content, ending):
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
def test_nothing_is_ever_unpickled(read, tmp_path, content, ending):
    trace = tmp_path / "unpickled"
    with pytest.raises(DataError, match=rf"mine{ending} "):
        read(content(samples.pickle_that_makes(trace)), ending)
    assert not trace.exists()


def test_objects_beside_the_images_are_left_alone(read, tmp_path):
    trace = tmp_path / "unpickled"
    objects = samples.npy_header((3,), "|O") + samples.pickle_that_makes(trace)
    content = samples.zipped({"note.npy": objects, "x_test.npy": samples.npy(IMAGES)})
    np.testing.assert_array_equal(read(content, ".npz"), read(samples.npy(IMAGES)))
    assert not trace.exists()


# ---- An image of the dataset's size is taken as it is.

# Nearly MNIST's. With 14.5 a box of 20 with its mass in the middle could go to either side.
MNIST = {"background": 0, "size": 20 / 28, "centre": [14.3, 14.2]}
ON_WHITE = MNIST | {"background": 1}


def ell(side, size, corner, stroke):
    """The ink of an L of `size` by 3/4 of it on paper of `side` x `side`, its corner at (y, x)."""
    ink = np.zeros((side, side), np.float32)
    y, x = corner
    ink[y : y + size, x : x + stroke] = 1
    ink[y + size - stroke : y + size, x : x + size * 3 // 4] = 1
    return ink


SMALL_ELL = ell(28, 20, (4, 6), 3) * np.linspace(0.6, 1, 28, dtype=np.float32)


def test_a_grey_image_of_that_size_is_the_same_to_the_last_bit():
    np.testing.assert_array_equal(as_trained(SMALL_ELL, [28, 28], MNIST), SMALL_ELL, strict=True)


def test_it_is_inverted_where_it_is_dark_on_light():
    found = as_trained(1 - SMALL_ELL, [28, 28], MNIST)
    np.testing.assert_array_equal(found, 1 - (1 - SMALL_ELL), strict=True)


@pytest.mark.parametrize("of_the_dataset", [0, 1])
@pytest.mark.parametrize("of_the_image", [0, 1])
@pytest.mark.parametrize("said", [None, 0, 1])
def test_it_is_inverted_where_its_background_is_not_the_datasets(
    of_the_dataset, of_the_image, said
):
    image = abs(of_the_image - SMALL_ELL)
    found = as_trained(image, [28, 28], MNIST | {"background": of_the_dataset}, said)
    taken_for = of_the_image if said is None else said
    np.testing.assert_array_equal(found, image if taken_for == of_the_dataset else 1 - image)


@pytest.mark.parametrize("paper", [0.0, 0.2, 0.8, 1.0])
@pytest.mark.parametrize("noise", [0, 0.02])
def test_without_anything_on_it_its_paper_becomes_the_datasets(paper, noise):
    image = np.full((28, 28), paper) + np.random.default_rng(0).normal(0, noise, (28, 28))
    found = as_trained(image.clip(0, 1).astype(np.float32), [28, 28], MNIST)
    assert found.max() < 0.3
    assert as_trained(image.clip(0, 1).astype(np.float32), [28, 28], ON_WHITE).min() > 0.7


@pytest.mark.parametrize("background", [None, 0])
def test_a_coloured_image_becomes_its_brightness(background):
    image = np.zeros((28, 28, 3), np.float32)
    image[10, 10], image[10, 11], image[10, 12], image[10, 13] = [*np.eye(3), np.ones(3)]
    found = as_trained(image, [28, 28], MNIST, background)
    np.testing.assert_allclose(found[10, 9:15], [0, 0.299, 0.587, 0.114, 1, 0], atol=1e-6)
    assert found.sum() == pytest.approx(2)


# ---- A dataset in colour.

PHOTO = np.random.default_rng(5).random((6, 8, 3), np.float32)


@pytest.mark.parametrize("background", [None, 0, 1])
@pytest.mark.parametrize("drawing", [MNIST, ON_WHITE])
def test_a_coloured_image_of_that_size_is_the_same_to_the_last_bit(background, drawing):
    image = 1.4 * PHOTO - 0.2  # as test images are that go beyond the training images
    found = as_trained(image, [6, 8, 3], drawing, background)
    np.testing.assert_array_equal(found, image, strict=True)


def test_a_grey_image_has_each_colour_alike():
    grey = PHOTO[..., 0]
    found = as_trained(grey, [6, 8, 3], MNIST)
    np.testing.assert_array_equal(found, np.stack([grey] * 3, axis=2), strict=True)


@pytest.mark.parametrize("factor", [2, 10])
def test_a_larger_one_is_resized(factor):
    large = np.kron(PHOTO, np.ones((factor, factor, 1), np.float32))
    found = as_trained(large, [6, 8, 3], MNIST)
    assert found.shape == (6, 8, 3)
    # Bilinear: a pixel has some of its neighbours, but most of itself.
    assert np.corrcoef(found.ravel(), PHOTO.ravel())[0, 1] > 0.9
    assert found.mean() == pytest.approx(PHOTO.mean(), abs=0.02)
    assert (found.min() >= 0, found.max() <= 1) == (True, True)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 7), (60, 80), (1, 500), (500, 1)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_one_of_a_single_colour_keeps_it_at_any_size(shape, channels):
    colour = np.array([0.25, 0.5, 0.75][: 3 if channels else 1], np.float32)
    image = np.broadcast_to(colour if channels else colour[0], (*shape, *channels))
    found = as_trained(image, [6, 8, 3], MNIST)
    np.testing.assert_allclose(found, np.broadcast_to(colour, (6, 8, 3)), rtol=1e-6)


def test_what_is_left_and_above_stays_there():
    image = np.zeros((60, 80, 3), np.float32)
    image[:30, :40, 0] = image[30:, 40:, 2] = 1
    found = as_trained(image, [6, 8, 3], MNIST)
    assert [found[y, x].round(2).tolist() for y in (1, 4) for x in (1, 6)] == [
        [1, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 1],
    ]


# ---- A drawing of any other size is cut out, scaled and centred.


def expected(ink, drawing=MNIST, shape=(28, 28)):
    return normalised(np.asarray(ink, float), drawing, *shape)


PLACES = {
    "small": ell(280, 40, (10, 230), 4),
    "in a corner": ell(280, 80, (12, 12), 8),
    "in another corner": ell(280, 80, (188, 200), 8),
    "in the middle": ell(280, 120, (90, 90), 12),
    "large": ell(280, 240, (20, 40), 24),
    "on more paper": ell(500, 160, (300, 30), 16),
}


@pytest.mark.parametrize("ink", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("background", [0, 1])
@pytest.mark.parametrize("is_said", [True, False])
def test_a_drawing_is_the_same_wherever_and_however_large_it_is(ink, background, is_said):
    found = as_trained(abs(background - ink), [28, 28], MNIST, background if is_said else None)
    np.testing.assert_allclose(found, expected(PLACES["in the middle"]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("strength", [0.12, -0.12, 0.3, -0.3, 0.45, -0.45])
@pytest.mark.parametrize("paper", [0.46, 0.5, 0.54])
def test_neither_the_paper_nor_the_pen_has_to_be_black_or_white(paper, strength):
    ink = PLACES["in the middle"]
    found = as_trained(np.float32(paper) + np.float32(strength) * ink, [28, 28], MNIST)
    np.testing.assert_allclose(found, expected(ink), rtol=0, atol=1e-4)


@pytest.mark.parametrize("paper", [0.4, 0.6])
@pytest.mark.parametrize("pen", [0, 1])
def test_the_pen_tells_what_the_paper_is_even_where_there_is_little_ink(paper, pen):
    ink = ell(280, 25, (100, 100), 1)
    found = as_trained(np.where(ink, np.float32(pen), np.float32(paper)), [28, 28], MNIST)
    np.testing.assert_allclose(found, expected(ink), rtol=0, atol=1e-4)


@pytest.mark.parametrize("background", [0, 1])
def test_with_a_background_that_is_said_the_rest_is_no_ink(background):
    dark, light = ell(280, 80, (20, 30), 8), ell(280, 100, (150, 120), 9)
    image = (0.5 - 0.4 * dark + 0.3 * light).astype(np.float32)
    found = as_trained(image, [28, 28], MNIST, background)
    np.testing.assert_allclose(found, expected((light, dark)[background]), rtol=0, atol=1e-4)


def test_a_dataset_on_white_gets_it_on_white():
    ink = PLACES["small"]
    found = as_trained(ink, [28, 28], ON_WHITE)
    np.testing.assert_allclose(found, 1 - expected(ink, ON_WHITE), rtol=0, atol=1e-5)


def test_of_a_coloured_drawing_the_brightness_counts():
    ink = PLACES["small"]
    blue_on_white = 1 - ink[..., None] * np.array([1, 1, 0], np.float32)
    found = as_trained(blue_on_white, [28, 28], MNIST)
    np.testing.assert_allclose(found, expected(ink), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (8, 7)], ids=str)
def test_images_need_not_be_square(shape):
    drawing = {"background": 0, "size": 0.5, "centre": [shape[1] / 2, shape[0] / 2]}
    found = as_trained(PLACES["small"], list(shape), drawing)
    assert found.shape == shape
    rows, columns = (np.ptp(np.flatnonzero(found.sum(axis) > 1e-6)) + 1 for axis in (1, 0))
    # 4 to 3, in the half of the image that it just fits.
    scale = min(shape[0] / 4, shape[1] / 3) / 2
    assert (rows, columns) == (np.ceil(4 * scale), np.ceil(3 * scale))


@pytest.mark.parametrize("size", [40, 100, 240])
@pytest.mark.parametrize("background", [0, 1])
@pytest.mark.parametrize("noise", [0, 0.01])
def test_strokes_of_one_pixel_are_not_lost(size, background, noise):
    ink = ell(280, size, (20, 20), 1)
    image = abs(background - 0.8 * ink) + np.random.default_rng(0).normal(0, noise, ink.shape)
    found = as_trained(image.astype(np.float32), [28, 28], MNIST)
    np.testing.assert_allclose(found, expected(ink), rtol=0, atol=0.1)


NOTHING = {
    "white": lambda y, x, noise: np.ones_like(x),
    "black": lambda y, x, noise: np.zeros_like(x),
    "grey": lambda y, x, noise: np.full_like(x, 0.4),
    "noise": lambda y, x, noise: 0.8 + 0.05 * noise,
    "uneven light": lambda y, x, noise: 0.6 + 0.15 * x - 0.1 * y,
    "uneven light and noise": lambda y, x, noise: 0.4 + 0.15 * x - 0.1 * y + 0.03 * noise,
    "dark corners": lambda y, x, noise: 0.8 - 0.1 * x**2 - 0.2 * y**2 + 0.01 * noise,
}


@pytest.mark.parametrize("paper", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("shape", [(280, 280), (210, 280), (40, 50)], ids=str)
@pytest.mark.parametrize("background", [None, 0, 1])
def test_paper_with_nothing_on_it_has_no_ink(paper, shape, background):
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    noise = np.random.default_rng(0).normal(size=shape)
    image = paper(y, x, noise).clip(0, 1).astype(np.float32)
    assert not as_trained(image, [28, 28], MNIST, background).any()
    assert (as_trained(image, [28, 28], ON_WHITE, background) == 1).all()


ODD = {
    "white": np.ones,
    "black": np.zeros,
    "noise": np.random.default_rng(0).random,
    "black and white": lambda shape: np.random.default_rng(1).random(shape) > 0.5,
    "half and half": lambda shape: np.indices(shape)[1] < shape[1] / 2,
    "half above": lambda shape: np.indices(shape)[0] < shape[0] / 2,
    "a chessboard": lambda shape: np.indices(shape).sum(axis=0) % 2,
    "a dot": lambda shape: np.indices(shape).sum(axis=0) == 0,
}
ODD_SHAPES = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (29, 28), (1, 500), (500, 1), (7, 100)]


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
@pytest.mark.parametrize("shape", ODD_SHAPES, ids=str)
@pytest.mark.filterwarnings("error")
def test_any_image_becomes_one_of_the_datasets(make, shape):
    grey = np.asarray(make(shape), np.float32)
    for image in (grey, np.stack([grey] * 3, axis=2)):
        for trained in ([28, 28], [8, 7], [2, 2], [6, 5, 3]):
            for drawing in (MNIST, ON_WHITE, {"background": 0, "size": 1.0, "centre": [0.0, 9.0]}):
                for background in (None, 0, 1):
                    found = as_trained(image, trained, drawing, background)
                    assert found.shape == tuple(trained)
                    assert (found.min() >= -1e-6, found.max() <= 1 + 1e-6) == (True, True)


# ---- Photographs: uneven light, noise, and paper that is neither black nor white.


def photographed(ink, background):
    """A photograph of a drawing: light from the right, dark corners, noise, and weak contrast."""
    height, width = ink.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    paper = (0.8 if background else 0.4) + 0.1 * x - 0.05 * y - 0.1 * (x**2 + y**2)
    noise = np.random.default_rng(0).normal(0, 0.01, ink.shape)
    return (paper + (-0.45 if background else 0.45) * ink + noise).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize("ink", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("background", [0, 1])
@pytest.mark.parametrize("is_said", [True, False])
def test_a_photograph_gives_what_the_drawing_gives(ink, background, is_said):
    """To within a tenth: noise in the ink remains."""
    image = photographed(ink, background)
    found = as_trained(image, [28, 28], MNIST, background if is_said else None)
    np.testing.assert_allclose(found, expected(ink), rtol=0, atol=0.1)
    assert not found[expected(ink) == 0].any()


def test_a_line_across_the_paper_is_no_paper():
    ink = np.zeros((280, 280), np.float32)
    ink[100:120] = 1
    found = as_trained(photographed(ink, 1), [28, 28], MNIST)
    np.testing.assert_allclose(found, expected(ink), rtol=0, atol=0.1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("background", [0, 1])
def test_a_large_photograph_is_read_and_gives_what_the_drawing_gives(tmp_path, kind, background):
    ink = np.kron(PLACES["in a corner"], np.ones((4, 4)))[:900]
    image = (photographed(ink, background) * 255).round().astype(np.uint8)
    found = as_trained(read_image(save(tmp_path / "a", image, kind), 280), [28, 28], MNIST)
    np.testing.assert_allclose(found, expected(ink), rtol=0, atol=0.1)


# ---- Ink and its normal form, worked out by hand.


def test_ink_is_what_differs_from_the_paper():
    image = np.full((20, 20), 0.8)
    image[5, 5:9] = 0.2
    image[6, 5:9] = 0.5
    expected = np.zeros((20, 20))
    expected[5, 5:9], expected[6, 5:9] = 1, 0.5  # half as far from the paper
    np.testing.assert_allclose(ink_of(image), expected, atol=1e-9)
    np.testing.assert_allclose(ink_of(1 - image), expected, atol=1e-9)


def test_ink_that_is_darker_than_most_is_no_more_than_ink():
    image = np.full((20, 20), 0.8)
    image[5, 3:17], image[6, 5] = 0.2, 0
    assert sorted(ink_of(image)[5:7, 3:17].ravel()) == pytest.approx([0] * 13 + [1] * 15)


DRAWN = np.zeros((40, 40))
DRAWN[10:30, 18:21] = 1  # 60 dots of ink


@pytest.mark.parametrize("place", [(2, 2), (2, 19), (20, 2), (37, 38), (8, 30)])
def test_a_speck_of_dust_is_no_part_of_a_drawing(place):
    """Wherever it is: above, beside, or in a corner."""
    ink = DRAWN.copy()
    ink[place] = 1
    assert (without_dust(ink) == DRAWN).all()


@pytest.mark.parametrize("rows", [slice(4, 6), slice(33, 36)], ids=["dot", "foot"])
def test_what_lies_apart_and_is_no_speck_stays(rows):
    """The dot of an i, for example."""
    ink = DRAWN.copy()
    ink[rows, 19] = 1
    assert (without_dust(ink) == ink).all()


@pytest.mark.parametrize(
    "ink", [np.zeros((3, 4)), np.ones((3, 4)), np.eye(30)], ids=["none", "all", "a line"]
)
def test_without_dust_there_is_nothing_to_take_away(ink):
    assert (without_dust(ink) == ink).all()


def test_the_background_that_is_said_decides_what_is_ink():
    image = np.full((20, 20), 0.5)
    image[5, 5], image[12, 12] = 0.1, 0.8
    for background, place in ((1, (5, 5)), (0, (12, 12)), (None, (5, 5))):
        ink = ink_of(image, background)
        assert [*zip(*np.nonzero(ink > 1e-9))] == [place]


@pytest.mark.parametrize(
    ("least", "most", "paper", "is_light"),
    [
        (-0.8, 0.1, 0.2, True),
        (-0.1, 0.8, 0.9, False),
        (-0.5, 0.4, 0.2, True),
        (-0.04, 0.05, 0.9, True),
        (-0.05, 0.04, 0.1, False),
        (0, 0, 1, True),
        (0, 0, 0, False),
    ],
)
def test_paper_is_light_where_what_differs_most_is_darker(least, most, paper, is_light):
    difference = np.zeros((10, 10))
    difference[2, 2:6], difference[7, 2:6] = least, most
    assert is_dark_on_light(difference, paper) == is_light


def test_a_drawing_fills_its_box():
    """2 x 2 dots become 2 x 2 pixels, in the middle."""
    ink = np.zeros((9, 7))
    ink[6:8, 1:3] = [[0.5, 1], [1, 0.5]]
    drawing = {"background": 0, "size": 0.5, "centre": [2, 2]}
    image = np.zeros((4, 4))
    image[1:3, 1:3] = ink[6:8, 1:3]
    np.testing.assert_allclose(normalised(ink, drawing, 4, 4), image)


def test_a_dot_is_enlarged_too():
    ink = np.zeros((9, 7))
    ink[0, 6] = 0.25
    drawing = {"background": 0, "size": 0.5, "centre": [2, 2]}
    image = np.zeros((4, 4))
    image[1:3, 1:3] = 0.25
    np.testing.assert_allclose(normalised(ink, drawing, 4, 4), image)


def test_ink_is_no_brighter_than_white():
    drawing = {"background": 0, "size": 1.0, "centre": [2, 2]}
    assert (normalised(np.full((9, 9), 1.5), drawing, 4, 4) == 1).all()


def test_ink_is_shared_among_the_pixels_below_it():
    """A bar of 3 dots, as long as 2 pixels: the dot in the middle lies on both."""
    ink = np.array([[1, 0.6, 1]])
    drawing = {"background": 0, "size": 1.0, "centre": [1, 0.5]}
    share = (2 / 3) ** 2  # of a dot's area in a pixel's
    expected = [[share * 1.3, share * 1.3]]
    np.testing.assert_allclose(normalised(ink, drawing, 1, 2), expected)


def test_its_box_lies_on_the_whole_pixel_next_to_its_centre_of_mass():
    ink = np.zeros((30, 30))
    ink[:, 0], ink[:, 1:20] = 1, 0.01  # its mass is on the left
    drawing = {"background": 0, "size": 20 / 28, "centre": [14, 14]}
    image = normalised(ink, drawing, 28, 28)
    mean = (0.5 + 0.01 * sum(x + 0.5 for x in range(1, 20))) / 1.19
    first = round(14 - mean * 20 / 30)
    assert np.flatnonzero(image.sum(axis=0) > 0.01)[0] == first
    assert np.flatnonzero(image.sum(axis=1) > 0.01)[[0, -1]].tolist() == [4, 23]


@pytest.mark.parametrize(("centre", "first"), [(0, 0), (1.4, 0), (5.1, 3), (8, 4), (9, 4)])
def test_nothing_of_it_leaves_the_image(centre, first):
    """Wherever the centre of mass is to go: a square in the half of 8 x 8 pixels."""
    drawing = {"background": 0, "size": 0.5, "centre": [centre, 4]}
    expected = np.zeros((8, 8))
    expected[2:6, first : first + 4] = 1
    np.testing.assert_allclose(normalised(np.ones((20, 20)), drawing, 8, 8), expected, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (28, 28)], ids=str)
def test_without_ink_the_image_is_empty(shape):
    assert not normalised(np.zeros(shape), MNIST, 28, 28).any()


def test_test_images_that_are_enlarged_come_back_as_they_were():
    """In the manner of MNIST: in a box of 20 x 20, on whole pixels."""
    image = np.zeros((28, 28))
    image[4:24, 7:20] = np.random.default_rng(0).random((20, 13))
    drawing = drawing_of(image[None])
    np.testing.assert_allclose(
        normalised(np.kron(image, np.ones((10, 10))), drawing, 28, 28), image, atol=1e-9
    )


# ---- The page to draw on does the same in JavaScript.


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def scribble(paper, box, seed):
    """Ink of random strength in a `box` (top, left, height, width) of `paper` (height, width)."""
    rng = np.random.default_rng(seed)
    ink = np.zeros(paper)
    top, left, height, width = box
    ink[top : top + height, left : left + width] = rng.random((height, width)) ** 3
    ink[rng.random(paper) < 0.4] = 0
    return ink


SCRIBBLES = {
    "a square": scribble((90, 90), (10, 20, 60, 60), 1),
    "wide": scribble((90, 90), (50, 5, 30, 80), 2),
    "tall, on wide paper": scribble((60, 110), (0, 70, 60, 35), 3),
    "all of tall paper": scribble((120, 50), (0, 0, 120, 50), 4),
    "a line across": scribble((90, 90), (40, 0, 1, 90), 5),
    "a line down": scribble((90, 90), (0, 89, 90, 1), 6),
    "mass on one side": scribble((90, 90), (9, 9, 70, 70), 7) * np.linspace(0, 1, 90) ** 9,
    "an L": ell(90, 60, (20, 10), 6),
    "more than white": 2 * scribble((90, 90), (10, 10, 70, 70), 8),
    "nothing": np.zeros((30, 20)),
}
PAGES = {
    "MNIST's": ((28, 28), 20 / 28, [14.5, 14.6]),
    "filled": ((28, 28), 1.0, [14.8, 14.7]),
    "off its middle": ((28, 28), 0.6, [3.3, 27.1]),
    "wide": ((8, 13), 0.7, [6.1, 4.2]),
    "tall": ((25, 9), 0.93, [4.45, 11.6]),
    "larger than the drawing": ((64, 96), 0.9, [40, 30]),
}


@NEEDED
@pytest.mark.parametrize(("shape", "size", "centre"), PAGES.values(), ids=PAGES)
def test_the_page_normalises_a_drawing_as_it_is_done_here(driver, tmp_path, shape, size, centre):
    drawing = {"background": 0, "size": size, "centre": centre}
    page, _, _ = make_page(tmp_path, shape=shape)
    text = page.read_text()
    (found,) = re.findall(r'"drawing": ({.*?})', text)
    page.write_text(text.replace(found, json.dumps(drawing)))
    visit(driver, page)
    script = """return arguments[0].map(
      ([ink, width]) => Array.from(normalised(Float64Array.from(ink), width)))"""
    inks = [[ink.ravel().tolist(), ink.shape[1]] for ink in SCRIBBLES.values()]
    for name, image in zip(SCRIBBLES, driver.execute_script(script, inks)):
        here = normalised(SCRIBBLES[name], drawing, *shape).ravel()
        np.testing.assert_allclose(image, here, rtol=0, atol=1e-9, err_msg=name)
    assert complaints(driver) == []
