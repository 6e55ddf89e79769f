"""The demo page in a real browser: it accepts drawings, and agrees with NumPy."""

import json
import re

import numpy as np
import pytest

from browser import NEEDED, PHONE, chromium, complaints, drag, visit
from demo_page import CLASSES, SEVEN, ZERO, make_page, predictions
from scratchnet.errors import ConfigError
from scratchnet.nn.layers import softmax
from scratchnet.nn.metrics import logits
from scratchnet.predict import demo
from scratchnet.predict.drawings import measure_drawing_style


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


BLOCK = {"filters": 4, "kernel": 3, "pool": 1, "padding": "valid"}
LENET_5 = {
    "shape": (28, 28),
    "convolutions": [
        {"filters": 6, "kernel": 5, "pool": 2, "padding": "same"},
        {"filters": 16, "kernel": 5, "pool": 2, "padding": "valid"},
    ],
    "hidden": (120, 84),
    "activation": "relu",
}
NETWORKS = {
    "softmax": {},
    "relu": {"hidden": (20,), "activation": "relu"},
    "leaky_relu": {"hidden": (20,), "activation": "leaky_relu"},
    "elu": {"hidden": (20,), "activation": "elu"},
    "gelu": {"hidden": (20, 11), "activation": "gelu"},
    "sigmoid": {"hidden": (20, 11), "activation": "sigmoid"},
    "tanh": {"hidden": (20, 11, 12), "activation": "tanh"},
    "convolutions": {
        "convolutions": [BLOCK | {"kernel": 2, "padding": "same"}, BLOCK | {"pool": 2}],
        "hidden": (9,),
        "activation": "relu",
    },
    "strides, average pooling and batch normalisation": {
        "convolutions": [
            BLOCK | {"stride": 2, "padding": "same"},
            BLOCK | {"kernel": 1, "pool": 2, "pooling": "average"},
        ],
        "hidden": (9,),
        "activation": "tanh",
        "normalization": "batch",
    },
    "global average pooling and layer normalisation": {
        "convolutions": [BLOCK | {"pooling": "global_average"}],
        "hidden": (9,),
        "activation": "sigmoid",
        "normalization": "layer",
    },
    "a convolution in colour": {
        "shape": (6, 5, 3),
        "convolutions": [BLOCK],
        "activation": "tanh",
    },
    "a convolution with gelu": {"convolutions": [BLOCK | {"pool": 2}], "activation": "gelu"},
    "in colour": {"shape": (4, 5, 3)},
    "of 62 classes": {"classes": [f"class {i}" for i in range(62)]},
    "of names that could end the script element": {"classes": ["</script>", "<b>", "'\"\\", "ü"]},
    "on a light background": {"background": 1},
    "standardised": {"convolutions": [BLOCK | {"padding": "same"}], "activation": "relu"}
    | {"mean": 0.4, "std": 0.3},
}


@NEEDED
@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_the_page_computes_what_numpy_computes_at_once_and_can_be_cleared(
    driver, tmp_path, options
):
    page, network, X = make_page(tmp_path, **options)
    visit(driver, page)
    expected = softmax(logits(network, X))
    pixels = X * options.get("std", 1) + options.get("mean", 0)
    np.testing.assert_allclose(predictions(driver, pixels), expected, rtol=0, atol=1e-5)
    assert text(driver, "answer") == "Draw something."
    assert [bar["name"] for bar in bars(driver)] == options.get("classes", CLASSES)
    drag(driver, "paper", SEVEN)
    shown = bars(driver)
    assert sum(bar["percent"] for bar in shown) == pytest.approx(100, abs=4)  # each is rounded
    best = max(shown, key=lambda bar: bar["width"])
    assert best["first"]
    assert text(driver, "answer").startswith(f"The network says {best['name']} (")
    click(driver, "clear")
    assert text(driver, "answer") == "Draw something."
    assert {bar["width"] for bar in bars(driver)} == {0}
    assert complaints(driver) == []


@NEEDED
def test_lenet_5_follows_the_pen(driver, tmp_path):
    """In under 30 ms a frame: from the drawing to the answer, in the best of twenty."""
    page, network, X = make_page(tmp_path, **LENET_5)
    visit(driver, page)
    expected = softmax(logits(network, X[:, :50]))
    np.testing.assert_allclose(predictions(driver, X[:, :50]), expected, rtol=0, atol=1e-5)
    drag(driver, "paper", SEVEN)
    times = driver.execute_script(
        """return Array.from({length: 20}, () => {
          const start = performance.now();
          classifyDrawing();
          return performance.now() - start;
        })"""
    )
    assert min(times) < 30
    assert complaints(driver) == []


@NEEDED
def test_of_many_classes_the_most_probable_are_shown(driver, tmp_path):
    classes = [f"class {i}" for i in range(1_800)]
    page, _, _ = make_page(tmp_path, classes=classes)
    visit(driver, page)
    assert text(driver, "which") == "The 100 most probable of 1,800 classes"
    assert not driver.find_element("id", "explanation").is_displayed()
    click(driver, "surprise")
    shown = bars(driver)
    assert len({bar["name"] for bar in shown}) == 100
    assert [bar["width"] for bar in shown] == sorted((b["width"] for b in shown), reverse=True)
    assert [bar["first"] for bar in shown] == [True] + [False] * 99
    assert text(driver, "answer").startswith(f"The network says {shown[0]['name']} (")
    assert complaints(driver) == []


def test_a_network_that_is_too_large_for_a_browser_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "MAX_SIZE", 3_000_000)
    message = "the demo page would have 5 MB, because .* more than 3 are too many for a browser"
    with pytest.raises(ConfigError, match=message):
        make_page(tmp_path, hidden=(1000,), activation="relu", shape=(40, 25))
    assert not (tmp_path / "demo.html").exists()


@pytest.mark.parametrize(("shape", "n"), [((28, 28), 100), ((224, 224, 3), 13)])
def test_the_page_has_fewer_test_images_if_they_are_large(tmp_path, shape, n):
    page, _, _ = make_page(tmp_path, shape=shape, n=100)
    labels = re.search(r'"labels": (\[[^]]*\])', page.read_text())[1]
    assert len(json.loads(labels)) == n


def text(driver, name):
    return driver.execute_script("return document.getElementById(arguments[0]).innerText", name)


def click(driver, name):
    driver.find_element("id", name).click()


def bars(driver):
    """Return the bars of the page: the name, percentage, and width in pixels of each."""
    return driver.execute_script(
        """return [...document.querySelectorAll("#bars li")].map((bar) => ({
          name: bar.querySelectorAll("span")[0].textContent,
          percent: parseFloat(bar.querySelectorAll("span")[1].textContent || "0"),
          width: bar.querySelector("i").getBoundingClientRect().width,
          first: bar.classList.contains("first"),
        }))"""
    )


@NEEDED
@pytest.mark.parametrize("moments", [{}, {"mean": 0.4, "std": 0.3}], ids=["0 to 1", "standardised"])
def test_a_surprise_is_a_test_image_with_its_label_and_prediction(driver, tmp_path, moments):
    page, network, X = make_page(tmp_path, **moments)
    visit(driver, page)
    expected = softmax(logits(network, X))
    for _ in range(5):
        click(driver, "surprise")
        answer = text(driver, "answer")
        assert "It is a test image of 0" in answer or "It is a test image of 1" in answer
        shown = np.array([bar["percent"] for bar in bars(driver)])
        distance = np.abs(100 * expected - shown[:, None]).max(axis=0).min()
        assert distance < 2  # of 100; the test images on the page have 256 shades
        right = answer.endswith("right.")
        assert right == (answer.split()[3] == answer.split(" of ")[1][0])
    drag(driver, "paper", SEVEN)  # starts with an empty sheet
    after_a_surprise = text(driver, "answer")
    assert "test image" not in after_a_surprise
    click(driver, "clear")
    drag(driver, "paper", SEVEN)
    assert text(driver, "answer") == after_a_surprise
    assert complaints(driver) == []


@NEEDED
def test_the_evidence_is_shown_only_without_hidden_layers(driver, tmp_path):
    for hidden, expected in (((), 10), ((6,), 0)):
        page, _, _ = make_page(tmp_path, hidden=hidden, activation="relu")
        visit(driver, page)
        assert driver.find_element("id", "explanation").is_displayed() == bool(expected)
        assert len(driver.find_elements("css selector", "#evidence canvas")) == expected


@NEEDED
def test_the_evidence_is_each_pixel_times_its_weight(driver, tmp_path):
    page, network, X = make_page(tmp_path)
    visit(driver, page)
    driver.execute_script("show(Float64Array.from(arguments[0]))", X[:, 0].tolist())
    colours = driver.execute_script(
        """return [...document.querySelectorAll("#evidence canvas")].map((canvas) =>
          [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data])"""
    )
    (W,) = network.weights().values()
    expected = W[:, :-1] * X[:, 0]
    rgba = np.array(colours).reshape(10, -1, 4).astype(float)
    strength = (rgba[:, :, 0] - rgba[:, :, 2]) / 255  # red counts for the class, blue against it
    np.testing.assert_allclose(strength, expected / np.abs(expected).max(), atol=0.01)


@NEEDED
def test_the_page_fits_a_phone_and_accepts_touch(tmp_path):
    (tmp_path / "profile").mkdir()
    page, _, _ = make_page(tmp_path)
    with chromium(tmp_path / "profile", mobile=True) as driver:
        visit(driver, page)
        assert driver.execute_script("return innerWidth") == PHONE["width"]
        assert (
            driver.execute_script("return document.documentElement.scrollWidth") <= PHONE["width"]
        )
        answer = driver.find_element("id", "answer").rect
        assert answer["y"] + answer["height"] <= PHONE["height"]
        drag(driver, "paper", ZERO, pointer="touch")
        assert text(driver, "answer").startswith("The network says ")
        assert driver.execute_script("return scrollY") == 0
        assert complaints(driver) == []


@NEEDED
def test_the_page_cannot_send_requests(driver, tmp_path):
    page, _, _ = make_page(tmp_path)
    visit(driver, page)
    asked = """
    const done = arguments[0];
    fetch("http://127.0.0.1:9/").then(() => done("sent"), (error) => done(String(error)));
    """
    assert "sent" not in driver.execute_async_script(asked)
    assert any("Content Security Policy" in found for found in complaints(driver))


# ---- The drawing style of a dataset.


def test_the_style_of_images_like_mnists_is_white_in_a_box_of_20_pixels():
    images = np.zeros((5, 28, 28))
    images[:, 4:24, 8:21] = 0.9
    for same, background in ((images, 0), (1 - images, 1), (np.stack([images] * 3, axis=3), 0)):
        found = measure_drawing_style(same)
        assert (found["background"], found["size"]) == (background, 20 / 28)
        assert found["centre"] == pytest.approx([14.5, 14])


def test_the_size_is_the_longer_side_and_the_centre_that_of_mass():
    images = np.zeros((3, 10, 20))
    images[:, 4:6, 2:18] = 1
    assert measure_drawing_style(images) == {"background": 0, "size": 0.8, "centre": [10, 5]}
    images = np.zeros((1, 4, 8))
    images[0, 1, 2], images[0, 1, 6] = 0.9, 0.3
    assert measure_drawing_style(images)["centre"] == pytest.approx([2.5 * 0.75 + 6.5 * 0.25, 1.5])


def test_empty_images_have_a_default_style():
    expected = {"background": 0, "size": 1.0, "centre": [3, 2]}
    assert measure_drawing_style(np.zeros((3, 4, 6))) == expected
