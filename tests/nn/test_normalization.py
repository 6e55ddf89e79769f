"""Normalisation agrees with its formula, finite differences and Keras."""

import numpy as np
import pytest

from reference import central_difference, relative_error
from scratchnet.interop.keras_model import import_keras
from scratchnet.nn.convolution import AvgPool2D, Conv2D, MaxPool2D
from scratchnet.nn.layers import Dense, Tanh
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.network import build_network, initial_weights, with_normalization
from scratchnet.nn.normalization import (
    EPSILON,
    MOMENTUM,
    BatchNormalization,
    LayerNormalization,
    initial_normalization,
    make_normalization,
)
from scratchnet.nn.optimizers import SGD

CASES = {"dense": (1, 5, 4), "images": (6, 3, 4), "one sample": (6, 3, 1)}  # places, channels, b
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
each_kind = pytest.mark.parametrize("kind", ["batch", "layer"])
each_order = pytest.mark.parametrize("order", "CF")


def random_layer(kind, case, order="C"):
    """Return a layer with random arrays, and an X and a dY for it."""
    places, channels, b = case
    rng = np.random.default_rng(0)
    arrays = [array + rng.random(channels) for array in initial_normalization(kind, channels)]
    X, dY = rng.standard_normal((2, places * channels, b))
    return make_normalization(arrays), np.array(3 * X + 1, order=order), np.array(dY, order=order)


def training():
    return np.random.default_rng(0)


@each_kind
@each_case
def test_forward_computes_the_formula(kind, case):
    layer, X, _ = random_layer(kind, case)
    channels = case[1]
    Y = np.empty_like(X)
    for i, j in np.ndindex(X.shape):
        # The same channel in all images, or all units of the same image.
        values = X[i % channels :: channels] if kind == "batch" else X[:, j]
        n = (X[i, j] - values.mean()) / np.sqrt(values.var() + EPSILON)
        Y[i, j] = layer.params["gamma"][i % channels] * n + layer.params["beta"][i % channels]
    np.testing.assert_allclose(layer.forward(X, training()), Y, rtol=1e-10, atol=1e-12)


@each_kind
@each_order
@pytest.mark.parametrize("rng", [training, lambda: None], ids=["training", "predictions"])
@pytest.mark.parametrize("case", [CASES["dense"], CASES["images"]], ids=["dense", "images"])
def test_gradients_agree_with_finite_differences(case, rng, order, kind):
    layer, X, dY = random_layer(kind, case, order)

    def forward():
        return layer.forward(X, rng())

    forward()
    dX = layer.backward(dY)
    gradients = {name: gradient.copy() for name, gradient in layer.grads.items()}
    assert relative_error(dX, central_difference(forward, X, dY)) < 1e-5
    for name, array in layer.params.items():
        assert relative_error(gradients[name], central_difference(forward, array, dY)) < 1e-6


@each_kind
@each_case
def test_layers_agree_with_keras(kind, case):
    keras = import_keras()
    layer, X, _ = random_layer(kind, case)
    _, channels, b = case
    options = {"epsilon": EPSILON, "axis": -1, "dtype": "float64"}
    if kind == "batch":
        theirs = keras.layers.BatchNormalization(momentum=MOMENTUM, **options)
    else:
        theirs = keras.layers.GroupNormalization(groups=1, **options)
    images = X.T.reshape(b, -1, 1, channels)
    theirs.build(images.shape)
    theirs.set_weights([*(layer.params | layer.state).values()])
    for rng in (training(), None, training()):
        expected = theirs(images, training=rng is not None)
        np.testing.assert_allclose(layer.forward(X, rng), expected.numpy().reshape(b, -1).T, 1e-9)
    arrays = (layer.params | layer.state).values()
    for array, other in zip(arrays, theirs.get_weights(), strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-12)


def test_predictions_use_running_averages_which_only_training_changes():
    layer, X, _ = random_layer("batch", CASES["images"])
    before = {name: array.copy() for name, array in layer.state.items()}
    alone = [layer.forward(X[:, [i]]) for i in range(X.shape[1])]
    np.testing.assert_allclose(layer.forward(X), np.hstack(alone), rtol=1e-12)
    assert all(np.array_equal(layer.state[name], before[name]) for name in before)
    layer.forward(X, training())
    of_batch = X.reshape(CASES["images"])
    for name, moment in (("mean", of_batch.mean((0, 2))), ("variance", of_batch.var((0, 2)))):
        expected = MOMENTUM * before[name] + (1 - MOMENTUM) * moment
        np.testing.assert_allclose(layer.state[name], expected, rtol=1e-12)


@each_kind
def test_layers_keep_float32(kind):
    layer = make_normalization(initial_normalization(kind, 3))
    X = random_layer(kind, CASES["images"])[1].astype(np.float32)
    Y = layer.forward(X, training())
    assert Y.dtype == layer.backward(Y).dtype == np.float32
    assert all(array.dtype == np.float32 for array in (layer.params | layer.state).values())


@each_kind
def test_units_that_are_constant_are_not_divided_by_zero(kind):
    layer = make_normalization(initial_normalization(kind, 3))
    X = np.ones((6, 4), np.float32)
    assert not layer.forward(X, training()).any()
    assert np.isfinite(layer.backward(X)).all()


@pytest.mark.parametrize(
    ("kind", "normalization"), [("batch", BatchNormalization), ("layer", LayerNormalization)]
)
def test_it_stands_before_the_activations_of_blocks_and_hidden_layers(kind, normalization):
    block = {"filters": 2, "kernel": 2, "padding": "same", "pool": 2}
    blocks = [block, block | {"pooling": "average"}]
    shapes = [(2, 5), (2, 9), (3, 3), (4, 4)]
    weights = with_normalization([np.ones(shape) for shape in shapes], kind)
    network = build_network(weights, (4, 4), blocks, "tanh")
    expected = [
        Conv2D,
        normalization,
        MaxPool2D,
        Tanh,
        Conv2D,
        normalization,
        Tanh,
        AvgPool2D,
        Dense,
        normalization,
        Tanh,
        Dense,
    ]
    assert [type(layer) for layer in network.layers] == expected
    saved = network.weights()
    assert [*saved][:3] == ["0.W", "1.gamma", "1.beta"]
    assert "7.W" not in [*saved][:-1] and [*saved][-1] == "6.W"


def test_deep_sigmoid_networks_learn_with_batch_normalization():
    """Without it, the same training leaves the loss at ln 2."""

    rng = np.random.default_rng(0)
    X = rng.standard_normal((10, 200))
    Y = np.eye(2)[(X[:3].sum(axis=0) > 0).astype(int)].T
    losses = {}
    for kind in (None, "batch"):
        weights = initial_weights(10, 2, [20] * 5, "glorot_uniform", np.random.default_rng(1))
        weights = with_normalization([W.astype(float) for W in weights], kind)
        network, optimizer = build_network(weights, (10, 1), [], "sigmoid"), SGD(0.1)
        for _ in range(200):
            losses[kind], dZ = softmax_crossentropy(network.forward(X, rng), Y)
            network.backward(dZ)
            optimizer.step(network)
    assert losses[None] > 0.65 > 0.2 > losses["batch"]
