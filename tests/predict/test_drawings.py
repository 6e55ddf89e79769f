"""Drawings and photographs are converted to images like those that a network was trained on."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from browser import NEEDED, chromium, complaints, visit
from demo_page import make_page
from scratchnet.data.image_reader import read_image
from scratchnet.predict.drawings import (
    extract_ink,
    is_dark_on_light,
    measure_drawing_style,
    normalise_drawing,
    remove_specks,
)
from scratchnet.predict.image_input import to_network_input

# ---- Images of the dataset's size.

# Nearly MNIST's. With a centre of 14.5, a symmetric box of 20 could be rounded either way.
MNIST = {"background": 0, "size": 20 / 28, "centre": [14.3, 14.2]}
ON_WHITE = MNIST | {"background": 1}


def ell(side, size, corner, stroke):
    """Return the ink of an L, `size` by 3/4 `size`, at `corner` (y, x) of square paper."""
    ink = np.zeros((side, side), np.float32)
    y, x = corner
    ink[y : y + size, x : x + stroke] = 1
    ink[y + size - stroke : y + size, x : x + size * 3 // 4] = 1
    return ink


SMALL_ELL = ell(28, 20, (4, 6), 3) * np.linspace(0.6, 1, 28, dtype=np.float32)


@pytest.mark.parametrize("dataset_background", [0, 1])
@pytest.mark.parametrize("image_background", [0, 1])
@pytest.mark.parametrize("given", [None, 0, 1])
def test_an_image_of_the_right_size_is_inverted_if_its_background_differs(
    dataset_background, image_background, given
):
    image = abs(image_background - SMALL_ELL)
    found = to_network_input(image, [28, 28], MNIST | {"background": dataset_background}, given)
    used = image_background if given is None else given
    expected = image if used == dataset_background else 1 - image
    np.testing.assert_array_equal(found, expected, strict=True)


@pytest.mark.parametrize("paper", [0.0, 0.2, 0.8, 1.0])
@pytest.mark.parametrize("noise", [0, 0.02])
def test_an_empty_image_of_the_right_size_gets_the_background_of_the_dataset(paper, noise):
    image = np.full((28, 28), paper) + np.random.default_rng(0).normal(0, noise, (28, 28))
    found = to_network_input(image.clip(0, 1).astype(np.float32), [28, 28], MNIST)
    assert found.max() < 0.3
    assert to_network_input(image.clip(0, 1).astype(np.float32), [28, 28], ON_WHITE).min() > 0.7


@pytest.mark.parametrize("background", [None, 0])
def test_a_coloured_image_is_converted_to_its_brightness(background):
    image = np.zeros((28, 28, 3), np.float32)
    image[10, 10], image[10, 11], image[10, 12], image[10, 13] = [*np.eye(3), np.ones(3)]
    found = to_network_input(image, [28, 28], MNIST, background)
    np.testing.assert_allclose(found[10, 9:15], [0, 0.299, 0.587, 0.114, 1, 0], atol=1e-6)
    assert found.sum() == pytest.approx(2)


# ---- Datasets in colour.

PHOTO = np.random.default_rng(5).random((6, 8, 3), np.float32)


@pytest.mark.parametrize("background", [None, 0, 1])
@pytest.mark.parametrize("drawing", [MNIST, ON_WHITE])
def test_a_coloured_image_of_the_right_size_is_not_changed(background, drawing):
    image = 1.4 * PHOTO - 0.2  # test images may exceed the range of the training images
    found = to_network_input(image, [6, 8, 3], drawing, background)
    np.testing.assert_array_equal(found, image, strict=True)


def test_a_grey_image_is_repeated_for_each_colour():
    grey = PHOTO[..., 0]
    found = to_network_input(grey, [6, 8, 3], MNIST)
    np.testing.assert_array_equal(found, np.stack([grey] * 3, axis=2), strict=True)


@pytest.mark.parametrize("factor", [2, 10])
def test_a_larger_image_is_resized(factor):
    large = np.kron(PHOTO, np.ones((factor, factor, 1), np.float32))
    found = to_network_input(large, [6, 8, 3], MNIST)
    assert found.shape == (6, 8, 3)
    # Bilinear: neighbouring pixels contribute a little.
    assert np.corrcoef(found.ravel(), PHOTO.ravel())[0, 1] > 0.9
    assert found.mean() == pytest.approx(PHOTO.mean(), abs=0.02)
    assert found.min() >= 0 and found.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (60, 80), (1, 500), (500, 1)], ids=str)
@pytest.mark.parametrize("colour", [0.25, [0.25, 0.5, 0.75]])
def test_a_uniform_image_keeps_its_colour_at_any_size(shape, colour):
    image = np.broadcast_to(np.float32(colour), (*shape, *np.shape(colour)))
    found = to_network_input(image, [6, 8, 3], MNIST)
    np.testing.assert_allclose(found, np.broadcast_to(np.float32(colour), (6, 8, 3)), rtol=1e-6)


# ---- Images of any other size are drawings: cropped, scaled and centred.


def expected(ink, drawing=MNIST, shape=(28, 28)):
    return normalise_drawing(np.asarray(ink, float), drawing, *shape)


PLACES = {
    "small": ell(280, 40, (10, 230), 4),
    "in a corner": ell(280, 80, (12, 12), 8),
    "in another corner": ell(280, 80, (188, 200), 8),
    "in the middle": ell(280, 120, (90, 90), 12),
    "large": ell(280, 240, (20, 40), 24),
    "on more paper": ell(500, 160, (300, 30), 16),
}
MIDDLE = PLACES["in the middle"]


def photographed(ink, background):
    """Return a photograph of a drawing: uneven light, dark corners, noise, and weak contrast."""
    height, width = ink.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    paper = (0.8 if background else 0.4) + 0.1 * x - 0.05 * y - 0.1 * (x**2 + y**2)
    noise = np.random.default_rng(0).normal(0, 0.01, ink.shape)
    return (paper + (-0.45 if background else 0.45) * ink + noise).clip(0, 1)


def drawings():
    """Yield images of inks: (its name, image, ink, tolerance, background)."""
    for paper in (0, 1):
        for name, ink in PLACES.items():
            yield name, abs(paper - ink), MIDDLE, 1e-5, paper  # place and size do not matter
            yield f"{name}, photographed", photographed(ink, paper), ink, 0.1, paper
        for size in (40, 100, 240):
            ink = ell(280, size, (20, 20), 1)
            noise = np.random.default_rng(0).normal(0, 0.01, ink.shape)
            yield f"a thin line of {size}", abs(paper - 0.8 * ink), ink, 0.1, paper
            yield f"a noisy line of {size}", abs(paper - 0.8 * ink) + noise, ink, 0.1, paper
    for paper in (0.46, 0.5, 0.54):
        for strength in (0.12, 0.3, 0.45):
            yield f"{strength} on {paper}", paper + strength * MIDDLE, MIDDLE, 1e-4, 0
            yield f"-{strength} on {paper}", paper - strength * MIDDLE, MIDDLE, 1e-4, 1
    little = ell(280, 25, (100, 100), 1)
    for paper in (0.4, 0.6):
        for pen in (0, 1):
            image = np.where(little, np.float32(pen), np.float32(paper))
            yield f"a little {pen} on {paper}", image, little, 1e-4, 1 - pen
    crossing = np.zeros((280, 280))
    crossing[100:120] = 1  # a line that crosses the border is not paper
    yield "a line across", photographed(crossing, 1), crossing, 0.1, 1
    blue_on_white = 1 - MIDDLE[..., None] * np.array([1, 1, 0], np.float32)
    yield "in colour", blue_on_white, MIDDLE, 1e-5, 1


@pytest.mark.parametrize(
    ("image", "ink", "tolerance", "background"),
    [pytest.param(*values, id=f"{name}-{values[-1]}") for name, *values in drawings()],
)
def test_a_drawing_or_photograph_gives_the_ink_alone(image, ink, tolerance, background):
    """Noise in the ink of a photograph remains."""
    for given in (background, None):
        found = to_network_input(image.astype(np.float32), [28, 28], MNIST, given)
        np.testing.assert_allclose(found, expected(ink), rtol=0, atol=tolerance)
        assert (found[expected(ink) == 0] < 1e-6).all()


@pytest.mark.parametrize("background", [0, 1])
def test_with_a_given_background_only_its_ink_counts(background):
    dark, light = ell(280, 80, (20, 30), 8), ell(280, 100, (150, 120), 9)
    image = (0.5 - 0.4 * dark + 0.3 * light).astype(np.float32)
    found = to_network_input(image, [28, 28], MNIST, background)
    np.testing.assert_allclose(found, expected((light, dark)[background]), rtol=0, atol=1e-4)


def test_a_dataset_on_white_gets_drawings_on_white():
    ink = PLACES["small"]
    found = to_network_input(ink, [28, 28], ON_WHITE)
    np.testing.assert_allclose(found, 1 - expected(ink, ON_WHITE), rtol=0, atol=1e-5)


@pytest.mark.parametrize("background", [0, 1])
def test_a_large_photograph_in_a_file_gives_nearly_the_same_as_the_drawing(tmp_path, background):
    ink = np.kron(PLACES["in a corner"], np.ones((4, 4)))[:900]
    image = (photographed(ink, background) * 255).round().astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "a", "JPEG")
    found = to_network_input(read_image(tmp_path / "a", 280)[0], [28, 28], MNIST)
    np.testing.assert_allclose(found, expected(ink), rtol=0, atol=0.1)


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (8, 7)], ids=str)
def test_images_need_not_be_square(shape):
    drawing = {"background": 0, "size": 0.5, "centre": [shape[1] / 2, shape[0] / 2]}
    found = to_network_input(PLACES["small"], list(shape), drawing)
    assert found.shape == shape
    rows, columns = (np.ptp(np.flatnonzero(found.sum(axis) > 1e-6)) + 1 for axis in (1, 0))
    # The L is 4 to 3, and as large as fits into half of the image.
    scale = min(shape[0] / 4, shape[1] / 3) / 2
    assert (rows, columns) == (np.ceil(4 * scale), np.ceil(3 * scale))


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
def test_empty_paper_has_no_ink(paper, shape, background):
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    noise = np.random.default_rng(0).normal(size=shape)
    image = paper(y, x, noise).clip(0, 1).astype(np.float32)
    assert not to_network_input(image, [28, 28], MNIST, background).any()
    assert (to_network_input(image, [28, 28], ON_WHITE, background) == 1).all()


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
def test_any_image_is_converted_to_the_shape_and_range_dataset_background(make, shape):
    grey = np.asarray(make(shape), np.float32)
    for image in (grey, np.stack([grey] * 3, axis=2)):
        for trained in ([28, 28], [8, 7], [2, 2], [6, 5, 3]):
            for drawing in (MNIST, ON_WHITE, {"background": 0, "size": 1.0, "centre": [0.0, 9.0]}):
                for background in (None, 0, 1):
                    found = to_network_input(image, trained, drawing, background)
                    assert found.shape == tuple(trained)
                    assert (found.min() >= -1e-6, found.max() <= 1 + 1e-6) == (True, True)


# ---- Ink, and normalised drawings, worked out by hand.


def test_ink_is_what_differs_from_the_paper():
    image = np.full((20, 20), 0.8)
    image[5, 5:9] = 0.2
    image[6, 5:9] = 0.5
    expected = np.zeros((20, 20))
    expected[5, 5:9], expected[6, 5:9] = 1, 0.5  # half as different from the paper
    np.testing.assert_allclose(extract_ink(image), expected, atol=1e-9)
    np.testing.assert_allclose(extract_ink(1 - image), expected, atol=1e-9)


def test_the_darkest_ink_does_not_set_the_scale():
    image = np.full((20, 20), 0.8)
    image[5, 3:17], image[6, 5] = 0.2, 0
    assert sorted(extract_ink(image)[5:7, 3:17].ravel()) == pytest.approx([0] * 13 + [1] * 15)


DRAWN = np.zeros((40, 40))
DRAWN[10:30, 18:21] = 1  # 60 dots of ink


def with_ink(*place):
    ink = DRAWN.copy()
    ink[place] = 1
    return ink


# The last is two specks: without the first, an empty row lies between the second and the drawing.
@pytest.mark.parametrize(
    "place", [(2, 2), (2, 19), (20, 2), (37, 38), (8, 30), ([30, 31], [5, 19])], ids=str
)
def test_a_speck_of_dust_is_removed(place):
    """Above, beside, or in a corner."""
    assert (remove_specks(with_ink(*place)) == DRAWN).all()


KEPT = {
    "the dot of an i": with_ink(slice(4, 6), 19),
    "a foot": with_ink(slice(33, 36), 19),
    "nothing": np.zeros((3, 4)),
    "all": np.ones((3, 4)),
    "a line": np.eye(30),
}


@pytest.mark.parametrize("ink", KEPT.values(), ids=KEPT)
def test_what_is_no_dust_is_kept(ink):
    assert (remove_specks(ink) == ink).all()


def test_the_given_background_decides_what_is_ink():
    image = np.full((20, 20), 0.5)
    image[5, 5], image[12, 12] = 0.1, 0.8
    for background, place in ((1, (5, 5)), (0, (12, 12)), (None, (5, 5))):
        ink = extract_ink(image, background)
        assert [*zip(*np.nonzero(ink > 1e-9))] == [place]


@pytest.mark.parametrize(
    ("lowest", "highest", "paper", "is_light"),
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
def test_paper_is_light_if_the_largest_difference_is_darker(lowest, highest, paper, is_light):
    difference = np.zeros((10, 10))
    difference[2, 2:6], difference[7, 2:6] = lowest, highest
    assert is_dark_on_light(difference, paper) == is_light


# Ink, where it is in 9 x 7 pixels, and what becomes of it: 2 x 2 pixels in the centre of 4 x 4.
IN_A_BOX = {
    "of that size": ((slice(6, 8), slice(1, 3)), [[0.5, 1], [1, 0.5]], [[0.5, 1], [1, 0.5]]),
    "a single dot, enlarged": ((0, 6), 0.25, [[0.25] * 2] * 2),
}


@pytest.mark.parametrize(("place", "values", "expected"), IN_A_BOX.values(), ids=IN_A_BOX)
def test_a_drawing_is_scaled_to_its_box(place, values, expected):
    ink, image = np.zeros((9, 7)), np.zeros((4, 4))
    ink[place], image[1:3, 1:3] = values, expected
    drawing = {"background": 0, "size": 0.5, "centre": [2, 2]}
    np.testing.assert_allclose(normalise_drawing(ink, drawing, 4, 4), image)


def test_ink_is_not_brighter_than_white():
    drawing = {"background": 0, "size": 1.0, "centre": [2, 2]}
    assert (normalise_drawing(np.full((9, 9), 1.5), drawing, 4, 4) == 1).all()


def test_ink_is_shared_among_the_pixels_it_overlaps():
    """3 ink pixels become as long as 2 image pixels: the middle one overlaps both."""
    ink = np.array([[1, 0.6, 1]])
    drawing = {"background": 0, "size": 1.0, "centre": [1, 0.5]}
    share = (2 / 3) ** 2  # the area of an ink pixel in image pixels
    expected = [[share * 1.3, share * 1.3]]
    np.testing.assert_allclose(normalise_drawing(ink, drawing, 1, 2), expected)


def test_the_box_is_placed_at_the_whole_pixel_nearest_to_the_centre_of_mass():
    ink = np.zeros((30, 30))
    ink[:, 0], ink[:, 1:20] = 1, 0.01  # most of the mass is on the left
    drawing = {"background": 0, "size": 20 / 28, "centre": [14, 14]}
    image = normalise_drawing(ink, drawing, 28, 28)
    mean = (0.5 + 0.01 * sum(x + 0.5 for x in range(1, 20))) / 1.19
    first = round(14 - mean * 20 / 30)
    assert np.flatnonzero(image.sum(axis=0) > 0.01)[0] == first
    assert np.flatnonzero(image.sum(axis=1) > 0.01)[[0, -1]].tolist() == [4, 23]


@pytest.mark.parametrize(("centre", "first"), [(0, 0), (1.4, 0), (5.1, 3), (8, 4), (9, 4)])
def test_the_box_stays_within_the_image(centre, first):
    """A square half as large as the 8 x 8 pixels, for any centre."""
    drawing = {"background": 0, "size": 0.5, "centre": [centre, 4]}
    expected = np.zeros((8, 8))
    expected[2:6, first : first + 4] = 1
    np.testing.assert_allclose(
        normalise_drawing(np.ones((20, 20)), drawing, 8, 8), expected, atol=1e-9
    )


def test_an_enlarged_test_image_is_restored():
    """As in MNIST: in a box of 20 x 20, on whole pixels."""
    image = np.zeros((28, 28))
    image[4:24, 7:20] = np.random.default_rng(0).random((20, 13))
    drawing = measure_drawing_style(image[None])
    np.testing.assert_allclose(
        normalise_drawing(np.kron(image, np.ones((10, 10))), drawing, 28, 28), image, atol=1e-9
    )


# ---- The demo page does the same in JavaScript.


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def scribble(paper, box, seed):
    """Return ink of random strength in a `box` (top, left, height, width) of `paper` (h, w)."""
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
    "fills tall paper": scribble((120, 50), (0, 0, 120, 50), 4),
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
    "off centre": ((28, 28), 0.6, [3.3, 27.1]),
    "wide": ((8, 13), 0.7, [6.1, 4.2]),
    "tall": ((25, 9), 0.93, [4.45, 11.6]),
    "larger than the drawing": ((64, 96), 0.9, [40, 30]),
}


@NEEDED
@pytest.mark.parametrize(("shape", "size", "centre"), PAGES.values(), ids=PAGES)
def test_the_page_and_normalise_drawing_agree(driver, tmp_path, shape, size, centre):
    drawing = {"background": 0, "size": size, "centre": centre}
    page, _, _ = make_page(tmp_path, shape=shape)
    text = page.read_text()
    (found,) = re.findall(r'"drawing": ({.*?})', text)
    page.write_text(text.replace(found, json.dumps(drawing)))
    visit(driver, page)
    script = """return arguments[0].map(
      ([ink, width]) => Array.from(normaliseDrawing(Float64Array.from(ink), width)))"""
    inks = [[ink.ravel().tolist(), ink.shape[1]] for ink in SCRIBBLES.values()]
    for name, image in zip(SCRIBBLES, driver.execute_script(script, inks)):
        here = normalise_drawing(SCRIBBLES[name], drawing, *shape).ravel()
        np.testing.assert_allclose(image, here, rtol=0, atol=1e-9, err_msg=name)
    assert complaints(driver) == []
