"""Layers: forward and backward agree with slow, explicit implementations."""

import math

import numpy as np
import pytest

import reference
from check_gradients import check_layer
from scratchnet.nn.convolution import Conv2D, MaxPool2D
from scratchnet.nn.layers import (
    ELU,
    GELU,
    Dense,
    Dropout,
    LeakyReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    multiply,
    softmax,
)
from scratchnet.nn.network import ACTIVATIONS, build_mlp

# NumPy warnings, such as for an overflow, fail a test.
pytestmark = pytest.mark.filterwarnings("error")

EXACT = {"rtol": 1e-12, "atol": 1e-12}

# n, b
SHAPES = [(1, 1), (10, 1), (1, 4), (3, 8), (10, 6)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])

LAYERS = {
    "Dense": lambda n, dtype=np.float64: Dense(
        np.linspace(-1, 1, 4 * n + 4, dtype=dtype).reshape(4, -1)
    ),
    "ReLU": lambda n, dtype=np.float64: ReLU(),
    "LeakyReLU": lambda n, dtype=np.float64: LeakyReLU(),
    "ELU": lambda n, dtype=np.float64: ELU(),
    "GELU": lambda n, dtype=np.float64: GELU(),
    "Sigmoid": lambda n, dtype=np.float64: Sigmoid(),
    "Tanh": lambda n, dtype=np.float64: Tanh(),
    "Dropout": lambda n, dtype=np.float64: Dropout(0.4),
    "Softmax": lambda n, dtype=np.float64: Softmax(),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())
IMAGE_LAYERS = {  # for n = 40
    "Conv2D": lambda n, dtype=np.float64: Conv2D(
        np.linspace(-1, 1, 57, dtype=dtype).reshape(3, 19), (5, 4, 2), "same"
    ),
    "MaxPool2D": lambda n, dtype=np.float64: MaxPool2D((2, 2), (5, 4, 2)),
}
every_layer = pytest.mark.parametrize(
    "make", (LAYERS | IMAGE_LAYERS).values(), ids=[*LAYERS, *IMAGE_LAYERS]
)
FORMULAS = {
    "Dense": lambda layer, X: reference.dense(layer.params["W"], X),
    "ReLU": lambda layer, X: np.maximum(X, 0),
    "LeakyReLU": lambda layer, X: np.where(X > 0, X, 0.2 * X),
    "ELU": lambda layer, X: np.where(X > 0, X, np.exp(X) - 1),
    "GELU": lambda layer, X: reference.gelu(X),
    "Sigmoid": lambda layer, X: 1 / (1 + np.exp(-X)),
    "Tanh": lambda layer, X: np.tanh(X),
    "Dropout": lambda layer, X: X,
    "Softmax": lambda layer, X: reference.softmax(X),
}


def seeded():
    return np.random.default_rng(3)


def random_pair(n, b):
    """Return X and dY for a layer whose output has the shape of its input."""
    rng = np.random.default_rng([b, n])
    return rng.standard_normal((n, b)), rng.standard_normal((n, b))


def random_dense():
    """Return a Dense layer that has seen X, that X, and a dY."""
    rng = np.random.default_rng(0)
    layer, X = Dense(rng.standard_normal((5, 8))), rng.standard_normal((7, 3))
    layer.forward(X)
    return layer, X, rng.standard_normal((5, 3))


# All layers


@each_shape
@pytest.mark.parametrize("name", LAYERS)
def test_forward_computes_the_formula(name, shape):
    layer, (X, _) = LAYERS[name](shape[0]), random_pair(*shape)
    np.testing.assert_allclose(layer.forward(X), FORMULAS[name](layer, X), **EXACT)


@each_shape
@each_layer
def test_gradients_agree_with_finite_differences(make, shape):
    compared = dict(check_layer(make(shape[0]), random_pair(*shape)[0]))
    assert all(each.n and not each.n_kinks and not each.wrong for each in compared.values())


@every_layer
@pytest.mark.parametrize("order", "CF")
def test_forward_and_backward_do_not_change_their_arguments(make, order):
    layer, X = make(40), np.array(random_pair(40, 3)[0], order=order)
    X_before = X.copy()
    dY = np.random.default_rng(1).standard_normal(layer.forward(X).shape)
    dY_before = dY.copy()
    layer.backward(dY)
    assert np.array_equal(X, X_before) and np.array_equal(dY, dY_before)


@every_layer
def test_layers_keep_float32(make):
    layer = make(40, np.float32)
    Y = layer.forward(random_pair(40, 3)[0].astype(np.float32), seeded())
    assert Y.dtype == np.float32
    assert layer.backward(Y).dtype == np.float32


@every_layer
def test_backward_uses_the_last_forward(make):
    X, _ = random_pair(40, 3)
    fresh, used = make(40), make(40)
    used.forward(-X[:, :2], seeded())
    assert np.array_equal(used.forward(X), fresh.forward(X))
    dY = np.ones_like(fresh.forward(X))
    assert np.array_equal(used.backward(dY), fresh.backward(dY))


# Dense


def test_dense_fills_its_gradient_in_place_anew_and_without_the_input_gradient():
    layer, _, dY = random_dense()
    kept = layer.grads["W"]
    layer.backward(dY)
    expected = kept.copy()
    for fill in (layer.backward, layer.fill_grads):
        kept[...] = np.nan
        fill(dY)
        assert layer.grads["W"] is kept
        assert np.array_equal(kept, expected)


@pytest.mark.parametrize("shape", [(1, 1, 1), (10, 784, 257), (10, 200, 784), (128, 784, 128)])
def test_multiply_is_the_product_whether_in_slices_or_not(shape):
    m, k, n = shape
    rng = np.random.default_rng(0)
    A, B, out = rng.random((m, k)), rng.random((k, n)), np.full((m, n), np.nan)
    multiply(A, B, out)
    np.testing.assert_allclose(out, A @ B, **EXACT)


def test_multiply_cuts_a_large_product_with_few_outputs_into_slices_below_the_limit(monkeypatch):
    product, widths = np.matmul, []
    monkeypatch.setattr(
        np, "matmul", lambda A, B, **kw: widths.append(B.shape[1]) or product(A, B, **kw)
    )
    multiply(np.ones((10, 784)), np.ones((784, 257)), np.empty((10, 257)))
    assert widths == [86, 86, 85]
    widths.clear()
    multiply(np.ones((128, 784)), np.ones((784, 128)), np.empty((128, 128)))
    assert widths == [128]  # slices of 9 columns would not be faster


def test_dense_keeps_the_samples_contiguous_and_gives_the_gradient_the_order_of_its_input():
    layer, X, dY = random_dense()
    gradients = {}
    for order in "CF":  # C: as after a convolution
        assert layer.forward(np.array(X, order=order)).flags.f_contiguous
        gradients[order] = layer.backward(dY)
        assert gradients[order].flags[f"{order}_CONTIGUOUS"]
    np.testing.assert_allclose(gradients["C"], gradients["F"], **EXACT)


# Activations


@pytest.mark.parametrize(("kind", "slope"), [(ReLU, 0), (LeakyReLU, 0.2), (ELU, 1), (GELU, 0.5)])
def test_derivatives_at_zero(kind, slope):
    layer = kind()
    layer.forward(np.zeros((2, 3)))
    assert np.all(layer.backward(np.ones((2, 3))) == slope)


def test_gelu_is_close_to_the_exact_form():
    X = np.linspace(-8, 8, 1601)
    exact = [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in X]
    np.testing.assert_allclose(GELU().forward(X), exact, rtol=0, atol=5e-4)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_that_says_so_is_increasing_and_no_other(name):
    layer = ACTIVATIONS[name]()
    assert layer.increasing == (np.diff(layer.forward(np.linspace(-9, 9, 1801))) >= 0).all()


@each_dtype
@pytest.mark.parametrize(
    ("kind", "outputs", "slopes"),
    [
        (Sigmoid, [0, 1], [0, 0]),
        (Tanh, [-1, 1], [0, 0]),
        (ELU, [-1, 2.0**100], [0, 1]),
    ],
)
def test_activations_saturate_without_overflow(kind, outputs, slopes, dtype):
    layer, far = kind(), np.array([[-(2.0**100), 2.0**100]], dtype)
    assert layer.forward(far).tolist() == [outputs]
    assert layer.backward(np.ones_like(far)).tolist() == [slopes]


# Dropout


def test_without_a_generator_dropout_is_the_identity_even_after_one_with():
    X, dY = random_pair(10, 6)
    layer = Dropout(0.5)
    layer.forward(X, seeded())
    assert np.array_equal(layer.forward(X), X)
    assert np.array_equal(layer.backward(dY), dY)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_sets_its_fraction_to_zero_and_keeps_the_mean(rate):
    n = 200_000
    Y = Dropout(rate).forward(np.ones((n // 100, 100)), seeded())
    assert set(np.unique(Y)) == {0, 1 / (1 - rate)}
    # Allow six standard errors.
    assert abs((Y == 0).mean() - rate) < 6 * np.sqrt(rate * (1 - rate) / n)


def test_dropout_draws_a_new_mask_for_each_forward():
    X, rng = np.ones((10, 6)), seeded()
    layer = Dropout(0.5)
    first, second = layer.forward(X, rng), layer.forward(X, rng)
    assert not np.array_equal(first, second)
    assert np.array_equal(layer.forward(X, seeded()), first)


@each_dtype
@pytest.mark.parametrize("order", ["C", "F"])
def test_dropout_keeps_the_dtype_and_the_memory_order(dtype, order):
    layer = Dropout(0.4)
    Y = layer.forward(np.ones((10, 6), dtype, order=order), seeded())
    assert Y.dtype == dtype
    assert Y.flags[f"{order}_CONTIGUOUS"]
    assert layer.mask.flags[f"{order}_CONTIGUOUS"]


# Softmax


def test_softmax_backward_has_the_probabilities_inside_the_sum():
    """The notebook's "efficient" form has them outside. Its shapes are correct, so only the values
    show the mistake, and a training that ends at a higher loss (tests/test_notebook.py)."""
    Z, dA = random_pair(10, 6)
    layer = Softmax()
    A = layer.forward(Z)
    wrong = reference.notebook_softmax_backward(A, dA)
    right = reference.softmax_backward(Z, dA)
    assert np.linalg.norm(wrong - right) > 0.1 * np.linalg.norm(right)
    np.testing.assert_allclose(layer.backward(dA), right, **EXACT)


@each_dtype
def test_softmax_of_huge_logits_sums_to_one(dtype):
    Z = np.array([[1e4, -1e4, 0, 1e4], [-1e4, -1e4, 1, 1e4], [0, -1e4, 2, 1e4]], dtype)
    np.testing.assert_allclose(softmax(Z).sum(axis=0), 1, rtol=1e-6)


# Networks


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_has_activation_and_dropout_between_dense_layers(activation):
    weights = [np.ones((2, 4)), np.ones((2, 3)), np.ones((3, 3))]
    kinds = [type(layer) for layer in build_mlp(weights, activation, 0.5).layers]
    hidden = [Dense, ACTIVATIONS[activation], Dropout]
    assert kinds == [*hidden, *hidden, Dense]
    assert [type(layer) for layer in build_mlp(weights[:1], None).layers] == [Dense]


def test_the_weights_of_a_network_are_copies():
    network = build_mlp([np.ones((2, 4))], None)
    kept = network.weights()
    kept["0.W"][...] = 7
    assert np.all(network.weights()["0.W"] == 1)
