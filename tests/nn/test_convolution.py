"""Convolution and pooling agree with Keras, and networks of them with finite differences."""

import math

import numpy as np
import pytest

from reference import central_difference, one_hot
from scratchnet.interop.keras_model import import_keras, set_precision
from scratchnet.nn.convolution import AvgPool2D, Conv2D, MaxPool2D
from scratchnet.nn.layers import ACTIVATIONS, GELU, Dense, Dropout, ReLU
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.metrics import logits
from scratchnet.nn.network import (
    build_network,
    initial_filters,
    initial_weights,
)
from scratchnet.nn.optimizers import SGD
from scratchnet.nn.shapes import block_shapes

# NumPy warnings, such as for an overflow, fail a test.
pytestmark = pytest.mark.filterwarnings("error")

EXACT = {"rtol": 1e-12, "atol": 1e-12}

# (height, width, channels), kernel, filters, b
CONVOLUTIONS = {
    "one pixel": ((1, 1, 1), 1, 1, 1),
    "a kernel of 1": ((4, 3, 2), 1, 3, 2),
    "grey": ((6, 5, 1), 3, 4, 3),
    "an even kernel": ((5, 6, 1), 2, 3, 2),
    "a large even kernel": ((6, 7, 2), 4, 2, 3),
    "several channels": ((5, 5, 3), 3, 2, 4),
    "as large as the image": ((4, 4, 2), 4, 3, 2),
    "as high as the image": ((3, 6, 1), 3, 2, 2),
}
each_convolution = pytest.mark.parametrize("case", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
each_padding = pytest.mark.parametrize("padding", ["valid", "same"])
# (height, width, channels), window, b
POOLINGS = {
    "a window of one pixel": ((3, 2, 2), (1, 1), 2),
    "even sides": ((4, 6, 2), (2, 2), 3),
    "odd sides": ((5, 7, 1), (2, 2), 3),
    "a window that is not square": ((7, 6, 3), (3, 2), 2),
    "as large as the image": ((4, 4, 1), (4, 4), 2),
}
each_pooling = pytest.mark.parametrize("case", POOLINGS.values(), ids=POOLINGS)
each_order = pytest.mark.parametrize("order", ["C", "F"])


def random_convolution(case, padding, order="C", stride=1):
    """Return a layer with standard normal weights and biases, and an X and a dY for it."""
    shape, kernel, filters, b = case
    rng = np.random.default_rng(0)
    W = rng.standard_normal((filters, kernel**2 * shape[2] + 1))
    layer = Conv2D(W, shape, padding, stride)
    X = rng.standard_normal((math.prod(shape), b))
    dY = rng.standard_normal((math.prod(layer.output_shape), b))
    return layer, np.array(X, order=order), np.array(dY, order=order)


def random_pooling(case, order="C", ties=False):
    shape, window, b = case
    rng = np.random.default_rng(0)
    layer = MaxPool2D(window, shape)
    X = rng.standard_normal((math.prod(shape), b))
    if ties:
        X = rng.integers(-1, 1, X.shape).astype(float)
    dY = rng.standard_normal((math.prod(layer.output_shape), b))
    return layer, np.array(X, order=order), np.array(dY, order=order)


# Conv2D


def test_convolution_weight_gradient_is_the_same_without_the_input_gradient():
    layer, X, dY = random_convolution(CONVOLUTIONS["grey"], "valid")
    before = layer.grads["W"]
    layer.forward(X)
    layer.backward(dY)
    assert layer.grads["W"] is before
    expected = before.copy()
    before[...] = np.nan
    layer.fill_grads(dY)
    assert np.array_equal(layer.grads["W"], expected)


# MaxPool2D


def test_pooling_does_not_hide_numbers_that_are_not_finite():
    layer = MaxPool2D((2, 2), (2, 2, 1))
    for i in range(4):
        X = np.zeros((4, 1))
        X[i] = np.nan
        assert np.isnan(layer.forward(X)).all()


def test_convolution_and_pooling_give_the_samples_contiguous():
    X = np.ones((40, 3), order="F")
    for layer in (Conv2D(np.ones((3, 19)), (5, 4, 2), "same"), MaxPool2D((2, 2), (5, 4, 2))):
        Y = layer.forward(X)
        assert Y.flags.c_contiguous and layer.backward(Y).flags.c_contiguous


# Networks


def block(filters=1, kernel=1, pool=1, padding="valid"):
    return {"filters": filters, "kernel": kernel, "pool": pool, "padding": padding}


BLOCKS = [block(3, 3, 2, "same"), block(2, 2, 1)]


def random_network(activation="tanh", dropout=0.0, hidden=(4,)):
    """Return a network for images (5, 6, 2), and its loss for a fixed batch and fixed masks."""
    rng = np.random.default_rng(0)
    weights = [
        *initial_filters((5, 6, 2), BLOCKS, "glorot_uniform", rng, np.float64),
        *initial_weights(1 * 2 * 2, 3, hidden, "glorot_uniform", rng, np.float64),
    ]
    network = build_network(weights, (5, 6, 2), BLOCKS, activation, dropout)
    X, Y = rng.standard_normal((60, 7)), one_hot(rng.integers(3, size=7), 3)

    def loss_and_gradient():
        return softmax_crossentropy(network.forward(X, np.random.default_rng(3)), Y)

    return network, loss_and_gradient


@pytest.mark.parametrize("dropout", [0, 0.3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("steps", [0, 5])
def test_network_gradients_agree_with_finite_differences(steps, activation, dropout):
    network, loss_and_gradient = random_network(activation, dropout)
    optimizer = SGD(0.05, momentum=0.5)
    for _ in range(steps):
        network.backward(loss_and_gradient()[1])
        optimizer.step(network)
    network.backward(loss_and_gradient()[1])
    for _, W, dW in network.parameters():
        numeric = central_difference(lambda: loss_and_gradient()[0], W, step=1e-5)
        assert np.linalg.norm(dW - numeric) < 1e-6 * np.linalg.norm(numeric)


@pytest.mark.parametrize("hidden", [[], [4]], ids=str)
@pytest.mark.parametrize(
    ("activation", "kind", "steps"),
    [("relu", ReLU, [MaxPool2D, ReLU]), ("gelu", GELU, [GELU, MaxPool2D])],
)
def test_a_block_is_a_convolution_pooling_and_an_activation(hidden, activation, kind, steps):
    """Pooling of one pixel is left out. Dropout comes before each `Dense` layer."""
    network, _ = random_network(activation, 0.5, hidden)
    blocks = [Conv2D, *steps, Conv2D, kind, Dropout]
    dense = [Dense, kind, Dropout, Dense] if hidden else [Dense]
    assert [type(layer) for layer in network.layers] == blocks + dense


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_block_gives_what_pooling_after_the_activation_gives(activation):
    network, _ = random_network(activation)
    X = np.random.default_rng(1).standard_normal((60, 7))
    convolution, *steps = network.layers[:3]
    X = convolution.forward(X)
    pooling = next(layer for layer in steps if isinstance(layer, MaxPool2D))
    expected = pooling.forward(ACTIVATIONS[activation]().forward(X))
    for layer in steps:
        X = layer.forward(X)
    assert np.array_equal(X, expected)


@pytest.mark.parametrize("name", ["he_uniform", "glorot_uniform"])
def test_initial_filters_have_the_limits_of_keras(keras, name):
    rng = np.random.default_rng(0)
    (W,) = initial_filters([28, 28, 3], [block(200, 5)], name, rng)
    theirs = keras.layers.Conv2D(200, 5, kernel_initializer=name)
    theirs.build((None, 28, 28, 3))
    kernel, bias = theirs.get_weights()
    assert (W.shape, W.dtype) == ((200, 5 * 5 * 3 + 1), np.float32)
    assert abs(W[:, :-1]).max() == pytest.approx(abs(kernel).max(), rel=1e-3)
    assert W[:, :-1].std() == pytest.approx(kernel.std(), rel=0.02)
    assert np.array_equal(W[:, -1], bias)


def test_predictions_of_large_images_take_fewer_at_a_time(monkeypatch):
    network, _ = random_network()
    X = np.random.default_rng(0).standard_normal((60, 30))
    expected, sizes = network.forward(X), []
    forward = network.forward
    network.forward = lambda X: sizes.append(X.shape[1]) or forward(X)
    # The largest output of a convolution has 5 x 6 x 3 numbers for each image.
    for limit, size in ((10_000, 30), (90 * 7 + 1, 7), (1, 1)):
        monkeypatch.setattr("scratchnet.nn.metrics.PREDICTION_SIZE", limit)
        sizes.clear()
        np.testing.assert_allclose(logits(network, X), expected, **EXACT)
        assert max(sizes) == size


# Keras


@pytest.fixture(scope="module")
def keras():
    keras = import_keras()
    before = keras.config.floatx()
    set_precision(keras, "float64")
    yield keras
    set_precision(keras, before)


def to_images(X, shape):
    """X (n, b) as Keras has images: (b, height, width, channels)."""
    return X.T.reshape(-1, *shape)


def gradients_of_keras(layer, X, dY, input_shape, output_shape):
    """The output of a Keras layer for X, and the gradients of sum(dY * output)."""
    import tensorflow

    images = tensorflow.constant(to_images(X, input_shape))
    with tensorflow.GradientTape() as tape:
        tape.watch(images)
        Y = layer(images)
        loss = tensorflow.reduce_sum(Y * to_images(dY, output_shape))
    dX, *weights = tape.gradient(loss, [images, *layer.trainable_variables])
    arrays = [array.numpy().reshape(X.shape[1], -1).T for array in (Y, dX)]
    return *arrays, [array.numpy() for array in weights]


@each_convolution
@each_padding
@each_order
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_convolution_agrees_with_keras(keras, case, padding, order, stride):
    (_, _, channels), kernel, filters, _ = case
    ours, X, dY = random_convolution(case, padding, order, stride)
    theirs = keras.layers.Conv2D(filters, kernel, stride, padding, dtype="float64")
    theirs.build((None, *ours.shape))
    W = ours.params["W"]
    theirs.set_weights([W[:, :-1].T.reshape(kernel, kernel, channels, filters), W[:, -1]])
    Y, dX, (d_kernel, d_bias) = gradients_of_keras(theirs, X, dY, ours.shape, ours.output_shape)
    np.testing.assert_allclose(ours.forward(X), Y, **EXACT)
    np.testing.assert_allclose(ours.backward(dY), dX, **EXACT)
    expected = np.column_stack([d_kernel.reshape(-1, filters).T, d_bias])
    np.testing.assert_allclose(ours.grads["W"], expected, **EXACT)


@each_pooling
@each_order
@pytest.mark.parametrize("ties", [False, True])
def test_pooling_agrees_with_keras(keras, case, order, ties):
    """The gradient goes to the first maximum."""
    ours, X, dY = random_pooling(case, order, ties)
    theirs = keras.layers.MaxPooling2D(ours.window, dtype="float64")
    Y, dX, _ = gradients_of_keras(theirs, X, dY, ours.shape, ours.output_shape)
    assert np.array_equal(ours.forward(X), Y)
    assert np.array_equal(ours.backward(dY), dX)


@pytest.mark.parametrize("window", [(1, 1), (2, 2), (3, 2), (5, 6)], ids=str)
@each_order
def test_average_pooling_agrees_with_keras(keras, window, order):
    rng = np.random.default_rng(0)
    ours = AvgPool2D(window, (5, 6, 2))
    X = np.array(rng.standard_normal((60, 3)), order=order)
    dY = rng.standard_normal((math.prod(ours.output_shape), 3))
    theirs = keras.layers.AveragePooling2D(window, dtype="float64")
    Y, dX, _ = gradients_of_keras(theirs, X, dY, ours.shape, ours.output_shape)
    np.testing.assert_allclose(ours.forward(X), Y, **EXACT)
    np.testing.assert_allclose(ours.backward(dY), dX, **EXACT)


# Shapes


def test_strides_and_global_pooling_change_the_shapes():
    simard = [block(5, 5) | {"stride": 2}, block(50, 5) | {"stride": 2}]
    assert block_shapes((29, 29), simard)[1:] == [(13, 13, 5), (5, 5, 50)]
    everywhere = [block(8, 3, padding="same") | {"stride": 2, "pooling": "global_average"}]
    assert block_shapes((9, 7, 3), everywhere) == [(9, 7, 3), (1, 1, 8)]
    assert block_shapes((9, 7, 3), [everywhere[0] | {"pool": 9}])[-1] == (1, 1, 8)


def test_the_shapes_of_lenet_5():
    found = block_shapes((28, 28), [block(6, 5, 2, "same"), block(16, 5, 2)])
    assert found == [(28, 28, 1), (14, 14, 6), (5, 5, 16)]


@pytest.mark.parametrize(
    ("shape", "blocks", "problem"),
    [
        ((6, 5), [block(kernel=6)], "[0].kernel: 6 x 6 is larger than the 6 x 5 pixels"),
        ((6, 5), [block(kernel=6, padding="same")], "[0].kernel: 6 x 6 is larger than the 6 x 5"),
        ((6, 5, 3), [block(), block(kernel=7)], "[1].kernel: 7 x 7 is larger than the 6 x 5"),
        ((6, 5), [block(pool=2), block(kernel=3)], "[1].kernel: 3 x 3 is larger than the 3 x 2"),
        ((6, 5), [block(kernel=3, pool=4)], "[0].pool: 4 x 4 is larger than the 4 x 3 pixels"),
    ],
)
def test_a_window_that_is_larger_than_its_image_is_named(shape, blocks, problem):
    with pytest.raises(ValueError) as error:
        block_shapes(shape, blocks)
    assert str(error.value).startswith(problem)
