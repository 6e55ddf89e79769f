"""What a network reacts to: on networks whose answers can be worked out by hand."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from reference import central_difference, one_hot
from scratchnet.evaluation import explanation, explanation_plots
from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.network import build_mlp, build_network

SHAPE = (6, 5)


def linear(pixel):
    """A network of two classes: 1 if `pixel` is above a half, whatever the others are."""
    W = np.zeros((2, 31), np.float32)
    W[1, pixel], W[1, -1] = 10, -5
    return build_mlp([W], None)


def test_gradients_agree_with_finite_differences():
    rng = np.random.default_rng(0)
    block = {"filters": 3, "kernel": 3, "pool": 2, "padding": "same"}
    weights = [rng.standard_normal(shape) for shape in ((3, 10), (4, 19), (3, 5))]
    network = build_network(weights, SHAPE, [block], "tanh")
    X, Y = rng.standard_normal((30, 4)), one_hot(rng.integers(3, size=4), 3)
    found = explanation.input_gradients(network, X, Y)
    numeric = central_difference(lambda: softmax_crossentropy(network.forward(X), Y)[0] * 4, X)
    np.testing.assert_allclose(found, numeric, rtol=1e-5, atol=1e-7)


def test_saliency_is_the_largest_change_over_the_channels():
    gradient = np.array([1.0, -3, 2, 0, 0.5, -0.25])
    assert explanation.saliency(gradient, (1, 2, 3)).tolist() == [[3, 0.5]]


def test_an_attack_moves_each_pixel_by_epsilon_within_the_limits():
    X = np.array([[-1.0, 1], [0, 0.9]], np.float32)
    found = explanation.attack(X, np.array([[1, 1], [-2, 0]], np.float32), 0.1, (-1, 1))
    np.testing.assert_allclose(found, [[-0.8, 1], [-0.2, 0.9]], rtol=1e-6)
    assert found.dtype == np.float32


def test_pixels_beyond_the_limits_stay_where_they_are_without_an_attack():
    X = np.array([[-0.5, 1.5, 0.5]], np.float32)
    assert np.array_equal(explanation.attack(X, np.ones_like(X), 0.0, (0, 1)), X)
    found = explanation.attack(X, np.array([[-1, 1, 1]], np.float32), 0.1, (0, 1))
    np.testing.assert_allclose(found, [[-0.5, 1.5, 0.6]], rtol=1e-6)


def test_the_accuracy_falls_once_attacks_reach_the_images():
    """The pixel that decides is 0.12 or 0.25 from the half."""
    X = np.full((30, 4), 0.2, np.float32)
    X[7] = [0.38, 0.62, 0.25, 0.75]
    rows = explanation.attack_all(linear(7), X, one_hot([0, 1, 0, 1], 2), (0.0, 1.0))
    accuracies = {row["epsilon"]: row["accuracy"] for row in rows}
    assert accuracies == {0: 1, 0.02: 1, 0.05: 1, 0.1: 1, 0.15: 0.5, 0.2: 0.5, 0.3: 0}


def test_covering_the_pixel_that_decides_hides_the_class():
    x = np.zeros(30, np.float32)
    x[7] = 1  # at row 1, column 2
    found = explanation.occlusion_map(linear(7), x, 1, SHAPE)
    assert found.shape == SHAPE
    assert np.unravel_index(found.argmin(), SHAPE) == (1, 2)
    assert found.min() < 0.02 < 0.98 < found.max()


@pytest.mark.parametrize("units", [1, 2, 5])
def test_points_are_principal_components_of_what_reaches_the_last_layer(units):
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((units, 31))
    network = build_mlp([hidden, np.ones((2, units + 1))], "tanh")
    X, labels = rng.standard_normal((30, 50)), rng.integers(2, size=50)
    found = explanation.project(network, X, labels, ["a", "b"])
    A = np.tanh(hidden[:, :-1] @ X + hidden[:, -1:])
    singular = np.linalg.svd(A - A.mean(axis=1, keepdims=True))[1]
    shares = [*(singular**2 / sum(singular**2)), 0][:2]
    assert found["explained"] == pytest.approx(shares, abs=1e-9)
    assert np.linalg.norm(found["x"]) == pytest.approx(singular[0], rel=1e-3)
    assert found["of"] == "what reaches the last layer"
    assert found["class"] == ["ab"[label] for label in labels]


def test_one_image_is_a_point():
    X = np.ones((30, 1), np.float32)
    found = explanation.project(linear(7), X, np.zeros(1, int), "ab")
    assert (found["x"], found["y"], found["explained"]) == ([0], [0], [0, 0])


def test_without_hidden_layers_the_points_are_of_the_pixels():
    X = np.random.default_rng(0).standard_normal((30, 50))
    assert explanation.project(linear(7), X, np.zeros(50, int), "ab")["of"] == "the pixels"


@pytest.fixture(scope="module", params=[SHAPE, (4, 3, 3)], ids=["grey", "colour"])
def explained(request, tmp_path_factory):
    """The file of a random network of three classes, one of them without test images."""
    folder, rng = tmp_path_factory.mktemp("explained"), np.random.default_rng(0)
    n_in = int(np.prod(request.param))
    X = rng.random((n_in, 40), np.float32)
    np.save(folder / "X.npy", np.asfortranarray(X))
    np.save(folder / "Y.npy", one_hot(rng.integers(2, size=40), 3).astype(np.float32))
    network = TrainedNetwork(
        [rng.standard_normal((3, n_in + 1)).astype(np.float32)],
        {"image_shape": request.param},
        {"per_class": [{"class": name} for name in ("ant", "$bee$", "cow")]},
        (),
        None,
    )
    explanation.explain(network, folder / "X.npy", folder / "Y.npy", folder / "explanation.json")
    return folder / "explanation.json"


def test_each_class_with_test_images_is_explained(explained):
    found = json.loads(explained.read_text())
    assert [image["class"] for image in found["images"]] == ["ant", "$bee$"]
    for image in found["images"]:
        assert np.shape(image["saliency"]) == np.shape(image["occlusion"])
        assert np.shape(image["pixels"]) == np.shape(image["attacked"])
        assert np.abs(np.subtract(image["pixels"], image["attacked"])).max() < 0.11


@pytest.mark.parametrize(
    ("plot", "words"),
    [
        (explanation_plots.plot_saliency, ["ant", "$bee$", "saliency", "covered"]),
        (explanation_plots.plot_attacks, ["Accuracy on test images after an attack", "accuracy"]),
        (explanation_plots.plot_hidden_units, ["40 test images by the pixels", "ant", "$bee$"]),
    ],
    ids=["saliency", "attacks", "hidden units"],
)
def test_plots_say_what_they_show(plot, words, explained, tmp_path, monkeypatch):
    texts, save = [], Figure.savefig

    def keep_texts(figure, *args, **options):
        texts.extend(text.get_text() for text in figure.findobj(Text))
        save(figure, *args, **options)

    monkeypatch.setattr(Figure, "savefig", keep_texts)
    plot(explained, tmp_path / "picture.png", "default")
    assert {*words} <= {*texts}
    assert imread(tmp_path / "picture.png").std() > 0.01
