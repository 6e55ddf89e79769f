"""Losses: both forms are the same function, and the fused form is stable for all logits."""

import numpy as np
import pytest

import reference
from reference import central_difference, one_hot, relative_error
from scratchnet.nn.layers import Dense, Softmax, softmax
from scratchnet.nn.losses import categorical_crossentropy, softmax_crossentropy

# NumPy warnings, such as for the logarithm of 0, fail a test.
pytestmark = pytest.mark.filterwarnings("error")

EXACT = {"rtol": 1e-12, "atol": 1e-12}

SHAPES = [(2, 1), (1, 4), (3, 8), (10, 6)]  # k, b


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


@pytest.mark.parametrize("shape", SHAPES)
def test_textbook_loss_is_the_mean_over_the_samples(shape):
    Z, Y = random_logits(*shape)
    P = softmax(Z)
    np.testing.assert_allclose(
        categorical_crossentropy(P, Y)[0], reference.crossentropy(P, Y), **EXACT
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_textbook_gradient_is_computed_for_each_sample(shape):
    Z, Y = random_logits(*shape)
    P = softmax(Z)
    np.testing.assert_allclose(
        categorical_crossentropy(P, Y)[1], reference.crossentropy_backward(P, Y), **EXACT
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_textbook_gradient_agrees_with_finite_differences(shape):
    Z, Y = random_logits(*shape)
    P = softmax(Z)
    numeric = central_difference(lambda: categorical_crossentropy(P, Y)[0], P)
    assert relative_error(categorical_crossentropy(P, Y)[1], numeric) < 1e-6


@pytest.mark.parametrize("shape", SHAPES)
def test_fused_loss_equals_the_textbook_loss(shape):
    Z, Y = random_logits(*shape)
    np.testing.assert_allclose(softmax_crossentropy(Z, Y)[0], textbook(Z, Y)[0], **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_fused_gradient_equals_the_textbook_gradient(shape):
    Z, Y = random_logits(*shape)
    np.testing.assert_allclose(softmax_crossentropy(Z, Y)[1], textbook(Z, Y)[1], **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_fused_gradient_agrees_with_finite_differences(shape):
    Z, Y = random_logits(*shape)
    numeric = central_difference(lambda: softmax_crossentropy(Z, Y)[0], Z)
    assert relative_error(softmax_crossentropy(Z, Y)[1], numeric) < 1e-6


def test_textbook_loss_is_infinite_if_a_true_class_has_probability_zero():
    P = softmax(np.array([[1000.0], [0.0]]))
    assert categorical_crossentropy(P, np.array([[0.0], [1.0]]))[0] == np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fused_loss_is_finite_where_the_textbook_loss_is_not(dtype):
    Z, Y = np.array([[1000], [0]], dtype), np.array([[0], [1]], dtype)
    assert softmax_crossentropy(Z, Y)[0] == 1000


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fused_gradient_is_finite_where_the_textbook_gradient_is_not(dtype):
    Z, Y = np.array([[1000], [0]], dtype), np.array([[0], [1]], dtype)
    assert np.array_equal(softmax_crossentropy(Z, Y)[1], [[1], [-1]])


@both_forms
def test_huge_logits_of_one_sample_do_not_affect_another(crossentropy):
    Z, Y = np.array([[1000.0, -1000.0], [0.0, -1000.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])
    loss, dZ = crossentropy(Z, Y)
    np.testing.assert_allclose(loss, np.log(2) / 2, **EXACT)
    np.testing.assert_allclose(dZ, [[0, -0.25], [0, 0.25]], **EXACT)


@both_forms
def test_a_certain_and_correct_prediction_has_loss_zero(crossentropy):
    loss, dZ = crossentropy(np.array([[1000.0], [0.0]]), np.array([[1.0], [0.0]]))
    assert loss == 0
    assert np.all(dZ == 0)


@both_forms
@pytest.mark.parametrize("k", [2, 3, 10])
def test_the_loss_of_equal_logits_is_the_logarithm_of_the_number_of_classes(crossentropy, k):
    loss, _ = crossentropy(np.zeros((k, 5)), one_hot(np.arange(5) % k, k))
    np.testing.assert_allclose(loss, -np.log(1 / k), **EXACT)


@both_forms
def test_repeating_a_batch_does_not_change_the_loss(crossentropy):
    Z, Y = random_logits(3, 8)
    once, _ = crossentropy(Z, Y)
    twice, _ = crossentropy(np.hstack([Z, Z]), np.hstack([Y, Y]))
    np.testing.assert_allclose(twice, once, **EXACT)


@both_forms
def test_repeating_a_batch_halves_the_gradient_of_each_sample(crossentropy):
    Z, Y = random_logits(3, 8)
    _, once = crossentropy(Z, Y)
    _, twice = crossentropy(np.hstack([Z, Z]), np.hstack([Y, Y]))
    np.testing.assert_allclose(twice, np.hstack([once, once]) / 2, **EXACT)


@both_forms
def test_repeating_a_batch_does_not_change_the_weight_gradient(crossentropy):
    rng = np.random.default_rng(0)
    layer = Dense(rng.standard_normal((3, 6)))
    X = rng.standard_normal((5, 8))
    _, Y = random_logits(3, 8)

    def gradient(X, Y):
        layer.backward(crossentropy(layer.forward(X), Y)[1])
        return layer.grads["W"].copy()

    np.testing.assert_allclose(
        gradient(np.hstack([X, X]), np.hstack([Y, Y])), gradient(X, Y), **EXACT
    )


@both_forms
def test_batches_are_weighted_by_their_numbers_of_samples(crossentropy):
    Z, Y = random_logits(3, 8)
    whole_loss, whole_dZ = crossentropy(Z, Y)
    long_loss, long_dZ = crossentropy(Z[:, :6], Y[:, :6])
    short_loss, short_dZ = crossentropy(Z[:, 6:], Y[:, 6:])
    np.testing.assert_allclose((6 * long_loss + 2 * short_loss) / 8, whole_loss, **EXACT)
    np.testing.assert_allclose(np.hstack([6 * long_dZ, 2 * short_dZ]) / 8, whole_dZ, **EXACT)


@both_forms
@pytest.mark.parametrize("order_Z", "CF")
@pytest.mark.parametrize("order_Y", "CF")
def test_the_memory_order_does_not_change_the_values(crossentropy, order_Z, order_Y):
    Z, Y = random_logits(3, 8)
    expected_loss, expected_dZ = crossentropy(Z, Y)
    loss, dZ = crossentropy(np.array(Z, order=order_Z), np.array(Y, order=order_Y))
    np.testing.assert_allclose(loss, expected_loss, **EXACT)
    np.testing.assert_allclose(dZ, expected_dZ, **EXACT)


@both_forms
def test_a_loss_does_not_change_its_arguments(crossentropy):
    Z, Y = random_logits(3, 8)
    Z_before, Y_before = Z.copy(), Y.copy()
    crossentropy(Z, Y)
    assert np.array_equal(Z, Z_before)
    assert np.array_equal(Y, Y_before)


@both_forms
def test_the_loss_of_float32_arrays_is_a_python_float(crossentropy):
    Z, Y = random_logits(3, 8)
    loss, dZ = crossentropy(Z.astype(np.float32), Y.astype(np.float32))
    assert type(loss) is float
    assert dZ.dtype == np.float32


def test_labels_between_0_and_1_are_weights():
    Z, Y = np.array([[1.0], [0.0]]), np.array([[0.7], [0.3]])
    textbook, _ = categorical_crossentropy(softmax(Z), Y)
    fused, _ = softmax_crossentropy(Z, Y)
    by_hand = -(0.7 * np.log(np.e / (np.e + 1)) + 0.3 * np.log(1 / (np.e + 1)))
    assert textbook == pytest.approx(by_hand, rel=1e-12)
    assert fused == pytest.approx(by_hand, rel=1e-12)
