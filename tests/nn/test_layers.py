"""Layers: forward and backward agree with slow, explicit implementations."""

import numpy as np
import pytest

import reference
from reference import central_difference, one_hot, relative_error
from scratchnet.nn.layers import Dense, Dropout, ReLU, Sigmoid, Softmax, Tanh, multiply, softmax
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.network import ACTIVATIONS, build_mlp
from scratchnet.nn.optimizers import SGD

# NumPy warnings, such as for an overflow, fail a test.
pytestmark = pytest.mark.filterwarnings("error")

EXACT = {"rtol": 1e-12, "atol": 1e-12}

DENSE_SHAPES = [(1, 1, 1), (5, 3, 1), (4, 1, 6), (7, 5, 3), (3, 8, 20)]  # n_in, n_out, b
SHAPES = [(1, 1), (10, 1), (1, 4), (3, 8), (10, 6)]  # n, b

LAYERS = {
    "Dense": lambda n, dtype=np.float64: Dense(
        np.linspace(-1, 1, 4 * n + 4, dtype=dtype).reshape(4, -1)
    ),
    "ReLU": lambda n, dtype=np.float64: ReLU(),
    "Sigmoid": lambda n, dtype=np.float64: Sigmoid(),
    "Tanh": lambda n, dtype=np.float64: Tanh(),
    "Dropout": lambda n, dtype=np.float64: Dropout(0.4),
    "Softmax": lambda n, dtype=np.float64: Softmax(),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())


# With these seeds no gradient is close to zero, where finite differences have no six digits.


def random_dense(n_in, n_out, b):
    """Return a Dense layer with standard normal weights and biases, and an X and a dY for it."""
    rng = np.random.default_rng([n_in, n_out, b])
    layer = Dense(rng.standard_normal((n_out, n_in + 1)))
    return layer, rng.standard_normal((n_in, b)), rng.standard_normal((n_out, b))


def random_pair(n, b):
    """Return X and dY for a layer whose output has the shape of its input."""
    rng = np.random.default_rng([b, n])
    return rng.standard_normal((n, b)), rng.standard_normal((n, b))


# Dense


@pytest.mark.parametrize("shape", DENSE_SHAPES)
def test_dense_forward_is_w_times_x_with_a_row_of_ones(shape):
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
def test_dense_input_gradient_is_computed_for_each_sample(shape):
    layer, X, dY = random_dense(*shape)
    layer.forward(X)
    _, dX = reference.dense_backward(layer.params["W"], X, dY)
    np.testing.assert_allclose(layer.backward(dY), dX, **EXACT)


@pytest.mark.parametrize("columns", [np.s_[:, :-1], np.s_[:, -1:]], ids=["weights", "bias"])
@pytest.mark.parametrize("shape", DENSE_SHAPES)
def test_dense_parameter_gradient_agrees_with_finite_differences(shape, columns):
    layer, X, dY = random_dense(*shape)
    layer.forward(X)
    layer.backward(dY)
    numeric = central_difference(lambda: layer.forward(X), layer.params["W"][columns], dY)
    assert relative_error(layer.grads["W"][columns], numeric) < 1e-6


@pytest.mark.parametrize("shape", DENSE_SHAPES)
def test_dense_input_gradient_agrees_with_finite_differences(shape):
    layer, X, dY = random_dense(*shape)
    layer.forward(X)
    dX = layer.backward(dY)
    assert relative_error(dX, central_difference(lambda: layer.forward(X), X, dY)) < 1e-6


def test_dense_weight_gradient_is_the_same_without_the_input_gradient():
    layer, X, dY = random_dense(7, 5, 3)
    layer.forward(X)
    layer.backward(dY)
    expected = layer.grads["W"].copy()
    layer.grads["W"][...] = np.nan
    layer.fill_grads(dY)
    assert np.array_equal(layer.grads["W"], expected)


def test_dense_gradient_does_not_accumulate_over_calls():
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


@pytest.mark.parametrize(
    ("m", "k", "n", "slices"),
    [
        (10, 784, 127, 1),
        (10, 784, 128, 2),
        (10, 784, 257, 3),  # 86, 86 and 85 columns
        (10, 200, 784, 2),
        (128, 784, 128, 1),  # slices of 9 columns would not be faster
        (1, 1, 1, 1),
    ],
)
def test_multiply_computes_the_product_in_slices_where_faster(m, k, n, slices, monkeypatch):
    rng = np.random.default_rng(0)
    A, B, out = rng.random((m, k)), rng.random((k, n)), np.full((m, n), np.nan)
    product, calls = np.matmul, []
    monkeypatch.setattr(np, "matmul", lambda *a, **kw: calls.append(product(*a, **kw)))
    multiply(A, B, out)
    assert np.allclose(out, A @ B, **EXACT)
    assert len(calls) == slices
    assert all(m * k * call.shape[1] <= 1_000_000 for call in calls) or slices == 1


def test_dense_keeps_the_samples_contiguous():
    layer, X, dY = random_dense(7, 5, 3)
    assert layer.forward(np.asfortranarray(X)).flags.f_contiguous
    assert layer.backward(dY).flags.f_contiguous


def test_dense_gives_the_gradient_the_memory_order_of_its_input():
    layer, X, dY = random_dense(7, 5, 3)
    layer.forward(np.ascontiguousarray(X))  # as after a convolution
    in_rows = layer.backward(dY)
    assert in_rows.flags.c_contiguous
    layer.forward(np.asfortranarray(X))
    in_columns = layer.backward(dY)
    assert in_columns.flags.f_contiguous
    np.testing.assert_allclose(in_rows, in_columns, **EXACT)


# ReLU


@pytest.mark.parametrize("shape", SHAPES)
def test_relu_forward_keeps_the_positive_part(shape):
    X, _ = random_pair(*shape)
    np.testing.assert_allclose(ReLU().forward(X), reference.relu(X), **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_relu_backward_applies_the_jacobian_of_each_sample(shape):
    X, dY = random_pair(*shape)
    layer = ReLU()
    layer.forward(X)
    np.testing.assert_allclose(layer.backward(dY), reference.relu_backward(X, dY), **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_relu_backward_agrees_with_finite_differences(shape):
    X, dY = random_pair(*shape)
    layer = ReLU()
    layer.forward(X)
    dX = layer.backward(dY)
    assert relative_error(dX, central_difference(lambda: layer.forward(X), X, dY)) < 1e-6


def test_relu_derivative_at_zero_is_zero():
    layer = ReLU()
    layer.forward(np.zeros((2, 3)))
    assert np.all(layer.backward(np.ones((2, 3))) == 0)


# Sigmoid and Tanh

FORMULAS = {Sigmoid: lambda X: 1 / (1 + np.exp(-X)), Tanh: np.tanh}
each_formula = pytest.mark.parametrize("kind", FORMULAS)


@each_formula
@pytest.mark.parametrize("shape", SHAPES)
def test_sigmoid_and_tanh_forward(kind, shape):
    X, _ = random_pair(*shape)
    np.testing.assert_allclose(kind().forward(X), FORMULAS[kind](X), **EXACT)


@each_formula
@pytest.mark.parametrize("shape", SHAPES)
def test_sigmoid_and_tanh_backward_agree_with_finite_differences(kind, shape):
    X, dY = random_pair(*shape)
    layer = kind()
    layer.forward(X)
    dX = layer.backward(dY)
    assert relative_error(dX, central_difference(lambda: layer.forward(X), X, dY)) < 1e-6


@each_formula
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_and_tanh_saturate_without_overflow(kind, dtype):
    layer = kind()
    far = np.array([[-1e30, 1e30]], dtype)
    lowest = {Sigmoid: 0, Tanh: -1}[kind]
    assert layer.forward(far).tolist() == [[lowest, 1]]
    assert layer.backward(np.ones_like(far)).tolist() == [[0, 0]]


# Dropout


def seeded():
    return np.random.default_rng(3)


def test_without_a_generator_dropout_is_the_identity():
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


def test_dropout_backward_uses_the_mask_of_forward():
    X, dY = random_pair(10, 6)
    layer = Dropout(0.4)
    Y = layer.forward(X, seeded())
    np.testing.assert_allclose(layer.backward(dY), np.where(Y == 0, 0, dY / 0.6), **EXACT)


def test_dropout_backward_agrees_with_finite_differences_under_a_fixed_mask():
    X, dY = random_pair(10, 6)
    layer = Dropout(0.4)
    layer.forward(X, seeded())
    dX = layer.backward(dY)
    numeric = central_difference(lambda: layer.forward(X, seeded()), X, dY)
    assert relative_error(dX, numeric) < 1e-6


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_keeps_the_dtype_and_the_memory_order(dtype, order):
    X = np.ones((10, 6), dtype, order=order)
    layer = Dropout(0.4)
    Y = layer.forward(X, seeded())
    assert Y.dtype == dtype
    assert Y.flags[f"{order}_CONTIGUOUS"]
    assert layer.mask.flags[f"{order}_CONTIGUOUS"]


# Softmax


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_forward_is_exp_divided_by_its_sum(shape):
    Z, _ = random_pair(*shape)
    np.testing.assert_allclose(Softmax().forward(Z), reference.softmax(Z), **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_backward_applies_the_jacobian_of_each_sample(shape):
    Z, dP = random_pair(*shape)
    layer = Softmax()
    layer.forward(Z)
    np.testing.assert_allclose(layer.backward(dP), reference.softmax_backward(Z, dP), **EXACT)


@pytest.mark.parametrize("shape", SHAPES)
def test_softmax_backward_agrees_with_finite_differences(shape):
    Z, dP = random_pair(*shape)
    layer = Softmax()
    layer.forward(Z)
    dZ = layer.backward(dP)
    assert relative_error(dZ, central_difference(lambda: layer.forward(Z), Z, dP)) < 1e-6


@pytest.mark.parametrize("shape", [(3, 8), (10, 6), (5, 5)])
def test_softmax_backward_has_the_probabilities_inside_the_sum(shape):
    # The notebook's "efficient" form has them outside. Its shapes are correct, so only the values
    # show the mistake, and a training that ends at a higher loss (tests/test_notebook.py).
    Z, dA = random_pair(*shape)
    layer = Softmax()
    A = layer.forward(Z)
    T = (np.eye(len(A))[:, :, np.newaxis] - A[np.newaxis]) * A[np.newaxis]
    wrong = np.einsum("ijn,in->jn", T, dA)
    np.testing.assert_allclose(wrong, reference.notebook_softmax_backward(A, dA), **EXACT)
    right = reference.softmax_backward(Z, dA)
    assert np.linalg.norm(wrong - right) > 0.1 * np.linalg.norm(right)
    assert np.linalg.norm(layer.backward(dA) - right) < 1e-12 * np.linalg.norm(right)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_huge_logits_sums_to_one(dtype):
    Z = np.array([[1e4, -1e4, 0, 1e4], [-1e4, -1e4, 1, 1e4], [0, -1e4, 2, 1e4]], dtype)
    np.testing.assert_allclose(softmax(Z).sum(axis=0), 1, rtol=1e-6)


def test_softmax_is_invariant_to_a_constant_added_to_all_logits():
    Z, _ = random_pair(10, 6)
    np.testing.assert_allclose(softmax(Z + 1e4), softmax(Z), rtol=1e-10)


# All layers


@each_layer
def test_forward_and_backward_do_not_change_their_arguments(make):
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
def test_layers_keep_float32(make):
    layer = make(5, np.float32)
    Y = layer.forward(random_pair(5, 3)[0].astype(np.float32))
    assert Y.dtype == np.float32
    assert layer.backward(Y).dtype == np.float32


@each_layer
def test_backward_uses_the_last_forward(make):
    X, _ = random_pair(5, 3)
    fresh, used = make(5), make(5)
    used.forward(-X[:, :2])
    assert np.array_equal(used.forward(X), fresh.forward(X))
    dY = np.ones_like(fresh.forward(X))
    assert np.array_equal(used.backward(dY), fresh.backward(dY))


@pytest.mark.parametrize("columns", [np.s_[:, :-1], np.s_[:, -1:]], ids=["weights", "bias"])
@pytest.mark.parametrize("name", ["0.W", "1.W", "2.W"])
@pytest.mark.parametrize("dropout", [0, 0.3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("steps", [0, 5])
def test_network_gradients_agree_with_finite_differences_during_training(
    steps, activation, dropout, name, columns
):
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(shape) for shape in ((5, 7), (4, 6), (3, 5))]
    X = rng.standard_normal((6, 8))
    Y = one_hot([0, 1, 2, 0, 1, 2, 0, 1], 3)
    network = build_mlp(weights, activation, dropout)
    optimizer = SGD(0.05, momentum=0.5)

    def loss_and_gradient():
        return softmax_crossentropy(network.forward(X, seeded()), Y)

    for _ in range(steps):
        network.backward(loss_and_gradient()[1])
        optimizer.step(network)
    network.backward(loss_and_gradient()[1])
    W, dW = {n: (W, dW) for n, W, dW in network.parameters()}[name]
    numeric = central_difference(lambda: loss_and_gradient()[0], W[columns], step=1e-5)
    error = np.linalg.norm(dW[columns] - numeric)
    assert error < 1e-6 * np.linalg.norm(numeric)


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
