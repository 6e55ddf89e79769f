"""Losses: both forms are the same function, and the fused form is stable for all logits."""

import numpy as np
import pytest

import reference
from reference import central_difference, one_hot, relative_error
from scratchnet.nn.layers import Softmax, softmax
from scratchnet.nn.losses import (
    add_l2_gradient,
    categorical_crossentropy,
    softmax_crossentropy,
)
from scratchnet.nn.network import build_network, initial_filters, initial_weights

# NumPy warnings, such as for the logarithm of 0, fail a test.
pytestmark = pytest.mark.filterwarnings("error")

EXACT = {"rtol": 1e-12, "atol": 1e-12}

each_shape = pytest.mark.parametrize("shape", [(2, 1), (1, 4), (3, 8), (10, 6)], ids=str)  # k, b


def random_logits(k, b):
    """Return logits Z (k, b), none of them with a probability near 0, and labels Y (k, b)."""
    rng = np.random.default_rng([k, b])
    return 0.5 * rng.standard_normal((k, b)), one_hot(rng.integers(k, size=b), k)


def textbook(Z, Y):
    """Return the loss computed from probabilities, and dL/dZ computed by the Softmax layer."""
    layer = Softmax()
    loss, dP = categorical_crossentropy(layer.forward(Z), Y)
    return loss, layer.backward(dP)


both_forms = pytest.mark.parametrize("crossentropy", [textbook, softmax_crossentropy])


@each_shape
def test_textbook_loss_is_the_mean_over_the_samples_and_its_gradient_is_of_that_mean(shape):
    Z, Y = random_logits(*shape)
    P = softmax(Z)
    loss, dP = categorical_crossentropy(P, Y)
    np.testing.assert_allclose(loss, reference.crossentropy(P, Y), **EXACT)
    numeric = central_difference(lambda: categorical_crossentropy(P, Y)[0], P)
    assert relative_error(dP, numeric) < 1e-6


@each_shape
def test_fused_loss_and_gradient_equal_those_of_the_textbook(shape):
    Z, Y = random_logits(*shape)
    for ours, theirs in zip(softmax_crossentropy(Z, Y), textbook(Z, Y), strict=True):
        np.testing.assert_allclose(ours, theirs, **EXACT)


def test_textbook_loss_is_infinite_if_a_true_class_has_probability_zero():
    P = softmax(np.array([[1000.0], [0.0]]))
    assert categorical_crossentropy(P, np.array([[0.0], [1.0]]))[0] == np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fused_form_is_finite_where_the_textbook_form_is_not(dtype):
    Z, Y = np.array([[1000], [0]], dtype), np.array([[0], [1]], dtype)
    loss, dZ = softmax_crossentropy(Z, Y)
    assert loss == 1000
    assert np.array_equal(dZ, [[1], [-1]])


@both_forms
def test_huge_logits_of_one_sample_do_not_affect_another(crossentropy):
    Z, Y = np.array([[1000.0, -1000.0], [0.0, -1000.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    loss, dZ = crossentropy(Z, Y)
    np.testing.assert_allclose(loss, np.log(2) / 2, **EXACT)
    np.testing.assert_allclose(dZ, [[0, -0.25], [0, 0.25]], **EXACT)


@both_forms
@pytest.mark.parametrize("order_Z", "CF")
@pytest.mark.parametrize("order_Y", "CF")
def test_the_memory_order_does_not_matter_and_the_arguments_stay(crossentropy, order_Z, order_Y):
    Z, Y = random_logits(3, 8)
    expected_loss, expected_dZ = crossentropy(Z.copy(), Y.copy())
    given_Z, given_Y = np.array(Z, order=order_Z), np.array(Y, order=order_Y)
    loss, dZ = crossentropy(given_Z, given_Y)
    np.testing.assert_allclose(loss, expected_loss, **EXACT)
    np.testing.assert_allclose(dZ, expected_dZ, **EXACT)
    assert np.array_equal(given_Z, Z) and np.array_equal(given_Y, Y)


@both_forms
def test_the_loss_of_float32_arrays_is_a_python_float(crossentropy):
    Z, Y = random_logits(3, 8)
    loss, dZ = crossentropy(Z.astype(np.float32), Y.astype(np.float32))
    assert type(loss) is float
    assert dZ.dtype == np.float32


@both_forms
def test_labels_between_0_and_1_are_weights(crossentropy):
    loss, _ = crossentropy(np.array([[1.0], [0.0]]), np.array([[0.7], [0.3]]))
    by_hand = -(0.7 * np.log(np.e / (np.e + 1)) + 0.3 * np.log(1 / (np.e + 1)))
    assert loss == pytest.approx(by_hand, rel=1e-12)


@each_shape
def test_label_smoothing_is_the_loss_for_labels_that_are_spread_over_the_classes(shape):
    (k, _), (Z, Y) = shape, random_logits(*shape)
    spread = np.where(Y == 1, 0.7 + 0.3 / k, 0.3 / k)
    smoothed = softmax_crossentropy(Z, Y, label_smoothing=0.3)
    for ours, theirs in zip(smoothed, textbook(Z, spread), strict=True):
        np.testing.assert_allclose(ours, theirs, **EXACT)


def test_with_label_smoothing_a_sample_has_the_weight_of_its_own_class():
    Z, Y = random_logits(3, 8)
    weights = np.array([0.25, 3.0, 1.5])
    losses = [softmax_crossentropy(Z[:, [i]], Y[:, [i]], None, 0.3)[0] for i in range(8)]
    expected = np.dot(weights[Y.argmax(axis=0)], losses) / 8
    loss, dZ = softmax_crossentropy(Z, Y, weights, 0.3)
    np.testing.assert_allclose(loss, expected, **EXACT)
    numeric = central_difference(lambda: softmax_crossentropy(Z, Y, weights, 0.3)[0], Z)
    assert relative_error(dZ, numeric) < 1e-6


def test_the_l2_gradient_is_that_of_the_squared_weights_without_the_biases():
    rng = np.random.default_rng(0)
    block = {"filters": 2, "kernel": 2, "pool": 2, "padding": "valid"}
    weights = [
        *initial_filters((3, 3), [block], "glorot_uniform", rng, np.float64),
        *initial_weights(2, 3, [4], "glorot_uniform", rng, np.float64),
    ]
    for W in weights:
        W[:, -1] = 0.3
    network = build_network(weights, (3, 3), [block], "tanh")
    X, Y = rng.standard_normal((9, 5)), one_hot(rng.integers(3, size=5), 3)

    def loss():
        penalty = sum((W[:, :-1] ** 2).sum() for W in weights)
        return softmax_crossentropy(network.forward(X), Y)[0] + 0.1 * penalty

    network.backward(softmax_crossentropy(network.forward(X), Y)[1])
    add_l2_gradient(network, 0.1)
    for _, W, dW in network.parameters():
        assert relative_error(dW, central_difference(loss, W)) < 1e-6
