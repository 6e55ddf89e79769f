"""Layers: each computes what the slow mathematics does, forwards and backwards."""

import numpy as np
import pytest

import reference
from reference import central_difference, one_hot, relative_error
from scratchnet.layers import Dense, ReLU, Softmax, softmax
from scratchnet.losses import softmax_crossentropy
from scratchnet.network import Network
from scratchnet.optimizers import SGD

# A warning of NumPy (an overflow, say) fails a test.
pytestmark = pytest.mark.filterwarnings("error")

EXACT = {"rtol": 1e-12, "atol": 1e-12}

DENSE_SHAPES = [(1, 1, 1), (5, 3, 1), (4, 1, 6), (7, 5, 3), (3, 8, 20)]  # n_in, n_out, b
SHAPES = [(1, 1), (10, 1), (1, 4), (3, 8), (10, 6)]  # n, b

LAYERS = {
    "Dense": lambda n, dtype=np.float64: Dense(n, 4, np.random.default_rng(0), dtype),
    "ReLU": lambda n, dtype=np.float64: ReLU(),
    "Softmax": lambda n, dtype=np.float64: Softmax(),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())


# The seeds: differences cannot tell six digits of a gradient that is zero but for a hair, and
# here no gradient is.


def random_dense(n_in, n_out, b):
    """A Dense layer whose weights and biases are all of size 1, and an X and a dY for it."""
    rng = np.random.default_rng([n_in, n_out, b])
    layer = Dense(n_in, n_out, rng, np.float64)
    layer.params["W"][...] = rng.standard_normal((n_out, n_in + 1))
    return layer, rng.standard_normal((n_in, b)), rng.standard_normal((n_out, b))


def random_pair(n, b):
    """X and dY for a layer which keeps the shape."""
    rng = np.random.default_rng([b, n])
    return rng.standard_normal((n, b)), rng.standard_normal((n, b))


# Dense


@pytest.mark.parametrize("shape", DENSE_SHAPES)
def test_dense_forward_is_the_matrix_times_x_with_ones(shape):
    layer, X, _ = random_dense(*shape)
    np.testing.assert_allclose(layer.forward(X), reference.dense(layer.params["W"], X), **EXACT)


@pytest.mark.parametrize("shape", DENSE_SHAPES)
def test_dense_weight_gradient_is_a_sum_of_outer_products(shape):
    layer, X, dY = random_dense(*shape)
    layer.forward(X)
    layer.backward(dY)
    dW, _ = reference.dense_backward(layer.params["W"], X, dY)
    np.testing.assert_allclose(layer.grads["W"], dW, **EXACT)


@pytest.mark.parametrize("shape", DENSE_SHAPES)
def test_dense_input_gradient_is_that_of_each_sample(shape):
    layer, X, dY = random_dense(*shape)
    layer.forward(X)
    _, dX = reference.dense_backward(layer.params["W"], X, dY)
    np.testing.assert_allclose(layer.backward(dY), dX, **EXACT)


@pytest.mark.parametrize("columns", [np.s_[:, :-1], np.s_[:, -1:]], ids=["weights", "bias"])
@pytest.mark.parametrize("shape", DENSE_SHAPES)
def test_dense_parameter_gradient_agrees_with_differences(shape, columns):
    layer, X, dY = random_dense(*shape)
    layer.forward(X)
    layer.backward(dY)
    numeric = central_difference(lambda: layer.forward(X), layer.params["W"][columns], dY)
    assert relative_error(layer.grads["W"][columns], numeric) < 1e-6


@pytest.mark.parametrize("shape", DENSE_SHAPES)
def test_dense_input_gradient_agrees_with_differences(shape):
    layer, X, dY = random_dense(*shape)
    layer.forward(X)
    dX = layer.backward(dY)
    assert relative_error(dX, central_difference(lambda: layer.forward(X), X, dY)) < 1e-6


def test_dense_fills_the_same_gradient_when_nobody_needs_dX():
    layer, X, dY = random_dense(7, 5, 3)
    layer.forward(X)
    layer.backward(dY)
    expected = layer.grads["W"].copy()
    layer.grads["W"][...] = np.nan
    layer.backward(dY, need_dX=False)
    assert np.array_equal(layer.grads["W"], expected)


def test_dense_gradient_does_not_add_up_over_calls():
    layer, X, dY = random_dense(7, 5, 3)
    layer.forward(X)
    layer.backward(dY)
    once = layer.grads["W"].copy()
    layer.backward(dY)
    assert np.array_equal(layer.grads["W"], once)


def test_dense_fills_its_gradient_in_place():
    layer, X, dY = random_dense(7, 5, 3)
    before = layer.grads["W"]
    layer.forward(X)
    layer.backward(dY)
    assert layer.grads["W"] is before


def test_dense_keeps_the_samples_contiguous():
    layer, X, dY = random_dense(7, 5, 3)
    assert layer.forward(X).flags.f_contiguous
    assert layer.backward(dY).flags.f_contiguous


def test_initial_weights_have_the_spread_of_a_hundredth_normal():
    weights = Dense(300, 200, np.random.default_rng(0)).params["W"][:, :-1] / 0.01
    # Six standard errors of each moment of 60,000 draws; a uniform distribution has 1.8 for 3.
    assert abs(weights.mean()) < 6 * np.sqrt(1 / weights.size)
    assert abs((weights**2).mean() - 1) < 6 * np.sqrt(2 / weights.size)
    assert abs((weights**4).mean() - 3) < 6 * np.sqrt(96 / weights.size)


def test_initial_biases_are_a_hundredth():
    assert np.all(Dense(300, 200, np.random.default_rng(0)).params["W"][:, -1] == np.float32(0.01))


def test_initial_weights_come_from_the_given_generator():
    first, again, other = (
        Dense(3, 2, np.random.default_rng(seed)).params["W"] for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.any(first[:, :-1] == other[:, :-1])


# ReLU


@pytest.mark.parametrize("shape", SHAPES)
def test_relu_forward_keeps_the_positive_part(shape):
    X, _ = random_pair(*shape)
    np.testing.assert_allclose(ReLU().forward(X), reference.relu(X), **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_relu_backward_is_the_jacobian_of_each_sample(shape):
    X, dY = random_pair(*shape)
    layer = ReLU()
    layer.forward(X)
    np.testing.assert_allclose(layer.backward(dY), reference.relu_backward(X, dY), **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_relu_backward_agrees_with_differences(shape):
    X, dY = random_pair(*shape)
    layer = ReLU()
    layer.forward(X)
    dX = layer.backward(dY)
    assert relative_error(dX, central_difference(lambda: layer.forward(X), X, dY)) < 1e-6


def test_relu_slope_at_zero_is_zero():
    layer = ReLU()
    layer.forward(np.zeros((2, 3)))
    assert np.all(layer.backward(np.ones((2, 3))) == 0)


# Softmax


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_forward_is_the_exponentials_over_their_sum(shape):
    Z, _ = random_pair(*shape)
    np.testing.assert_allclose(Softmax().forward(Z), reference.softmax(Z), **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_backward_is_the_jacobian_of_each_sample(shape):
    Z, dP = random_pair(*shape)
    layer = Softmax()
    layer.forward(Z)
    np.testing.assert_allclose(layer.backward(dP), reference.softmax_backward(Z, dP), **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_backward_agrees_with_differences(shape):
    Z, dP = random_pair(*shape)
    layer = Softmax()
    layer.forward(Z)
    dZ = layer.backward(dP)
    assert relative_error(dZ, central_difference(lambda: layer.forward(Z), Z, dP)) < 1e-6


@pytest.mark.parametrize("shape", [(3, 8), (10, 6), (5, 5)])
def test_softmax_backward_sums_over_classes_not_samples(shape):
    # The notebook's "efficient" form sums along the samples, and so mixes them. The shapes fit:
    # only the numbers tell.
    Z, dA = random_pair(*shape)
    layer = Softmax()
    A = layer.forward(Z)
    wrong = A * (dA - (A * dA).sum(axis=1, keepdims=True))
    right = reference.softmax_backward(Z, dA)
    assert np.linalg.norm(wrong - right) > 0.1 * np.linalg.norm(right)
    assert np.linalg.norm(layer.backward(dA) - right) < 1e-12 * np.linalg.norm(right)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_columns_of_huge_logits_add_up_to_one(dtype):
    Z = np.array([[1e4, -1e4, 0, 1e4], [-1e4, -1e4, 1, 1e4], [0, -1e4, 2, 1e4]], dtype)
    np.testing.assert_allclose(softmax(Z).sum(axis=0), 1, rtol=1e-6)


def test_softmax_does_not_change_when_logits_move_together():
    Z, _ = random_pair(10, 6)
    np.testing.assert_allclose(softmax(Z + 1e4), softmax(Z), rtol=1e-10)


# All of them


@each_layer
def test_forward_and_backward_leave_their_arguments_alone(make):
    layer = make(5)
    X, _ = random_pair(5, 3)
    X_before = X.copy()
    Y = layer.forward(X)
    dY = np.random.default_rng(1).standard_normal(Y.shape)
    dY_before = dY.copy()
    layer.backward(dY)
    assert np.array_equal(X, X_before)
    assert np.array_equal(dY, dY_before)


@each_layer
def test_single_precision_stays_single(make):
    layer = make(5, np.float32)
    Y = layer.forward(random_pair(5, 3)[0].astype(np.float32))
    assert Y.dtype == np.float32
    assert layer.backward(Y).dtype == np.float32


@each_layer
def test_backward_belongs_to_the_last_forward(make):
    X, _ = random_pair(5, 3)
    fresh, used = make(5), make(5)
    used.forward(-X[:, :2])
    assert np.array_equal(used.forward(X), fresh.forward(X))
    dY = np.ones_like(fresh.forward(X))
    assert np.array_equal(used.backward(dY), fresh.backward(dY))


@pytest.mark.parametrize("columns", [np.s_[:, :-1], np.s_[:, -1:]], ids=["weights", "bias"])
@pytest.mark.parametrize("index", [0, 2], ids=["hidden", "output"])
@pytest.mark.parametrize("steps", [0, 5])
def test_gradients_agree_with_differences_as_training_goes_on(steps, index, columns):
    hidden, X, _ = random_dense(6, 5, 8)
    output, _, _ = random_dense(5, 3, 8)
    Y = one_hot([0, 1, 2, 0, 1, 2, 0, 1], 3)
    network = Network([hidden, ReLU(), output])
    optimizer = SGD(0.05, momentum=0.5)

    def loss():
        return softmax_crossentropy(network.forward(X), Y)[0]

    for _ in range(steps):
        network.backward(softmax_crossentropy(network.forward(X), Y)[1])
        optimizer.step(network)
    network.backward(softmax_crossentropy(network.forward(X), Y)[1])
    layer = network.layers[index]
    numeric = central_difference(loss, layer.params["W"][columns])
    assert relative_error(layer.grads["W"][columns], numeric) < 1e-6
