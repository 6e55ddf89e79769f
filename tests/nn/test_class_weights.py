"""Class weights: the loss of each sample is multiplied by the weight of its class, as in Keras."""

import numpy as np
import pytest

from reference import central_difference, one_hot, relative_error
from scratchnet.interop.keras_model import import_keras, set_precision
from scratchnet.nn.losses import balanced_class_weights, softmax_crossentropy
from scratchnet.nn.network import build_mlp
from scratchnet.nn.optimizers import SGD
from scratchnet.training.loop import train_epoch

EXACT = {"rtol": 1e-12, "atol": 1e-12}
WEIGHTS = np.array([0.25, 3.0, 1.5])


def random_batch(k=3, b=8):
    rng = np.random.default_rng([k, b])
    return 0.5 * rng.standard_normal((k, b)), one_hot(rng.integers(k, size=b), k)


def test_the_loss_of_each_sample_is_multiplied_by_the_weight_of_its_class():
    Z, Y = random_batch()
    losses = [softmax_crossentropy(Z[:, [i]], Y[:, [i]])[0] for i in range(8)]
    expected = np.dot(WEIGHTS[Y.argmax(axis=0)], losses) / 8
    np.testing.assert_allclose(softmax_crossentropy(Z, Y, WEIGHTS)[0], expected, **EXACT)


def test_the_gradient_agrees_with_finite_differences():
    Z, Y = random_batch()
    numeric = central_difference(lambda: softmax_crossentropy(Z, Y, WEIGHTS)[0], Z)
    assert relative_error(softmax_crossentropy(Z, Y, WEIGHTS)[1], numeric) < 1e-6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_of_1_change_nothing_and_the_precision_stays(dtype):
    Z, Y = (array.astype(dtype) for array in random_batch())
    loss, dZ = softmax_crossentropy(Z, Y, np.ones(3))
    expected_loss, expected_dZ = softmax_crossentropy(Z, Y)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-6)
    np.testing.assert_array_equal(dZ, expected_dZ, strict=True)


# As compute_class_weight("balanced") of scikit-learn gives them; the first is its example.
BALANCED = [((2, 4), [1.5, 0.75]), ((5, 5, 5), [1, 1, 1]), ((99, 1), [100 / 198, 50])]


@pytest.mark.parametrize(("counts", "expected"), BALANCED)
def test_balanced_weights_are_those_of_scikit_learn(counts, expected):
    labels = np.repeat(np.arange(len(counts)), counts)
    weights = balanced_class_weights(one_hot(labels, len(counts)).astype(np.float32))
    np.testing.assert_allclose(weights, expected, **EXACT)


def test_with_balanced_weights_each_class_has_the_same_part_in_the_loss():
    """The gradient of equal logits is then that of as many samples of each class."""
    Y = one_hot(np.repeat([0, 1], [99, 1]), 2)
    _, dZ = softmax_crossentropy(np.zeros((2, 100)), Y, balanced_class_weights(Y))
    np.testing.assert_allclose(dZ.sum(axis=1), [0, 0], atol=1e-12)


def test_training_agrees_with_class_weight_of_keras():
    keras = import_keras()
    set_precision(keras, "float64")
    rng = np.random.default_rng(0)
    W = rng.standard_normal((3, 5))
    X, Y = rng.standard_normal((4, 9)), one_hot(np.arange(9) % 3, 3)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.layers[0].set_weights([W[:, :-1].T, W[:, -1]])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.5), loss)
    keras_loss = model.train_on_batch(X.T, Y.T, class_weight=dict(enumerate(WEIGHTS.tolist())))
    metrics = train_epoch(build_mlp([W], "relu"), SGD(0.5), [(X, Y)], class_weights=WEIGHTS)
    kernel, bias = model.layers[0].get_weights()
    np.testing.assert_allclose(metrics["loss"], keras_loss, rtol=1e-7)
    np.testing.assert_allclose(W, np.column_stack([kernel.T, bias]), rtol=1e-7)
