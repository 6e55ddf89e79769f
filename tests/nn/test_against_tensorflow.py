"""The network agrees with Keras in float64, given the same weights and batches.

interop/test_parity.py compares whole trainings.

TensorFlow is in the dependency group test. Without it these tests fail; they are not skipped.
"""

import itertools

import numpy as np
import pytest

from reference import one_hot
from scratchnet.interop.keras_model import import_keras, set_precision
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.network import ACTIVATIONS, build_mlp
from scratchnet.nn.optimizers import SGD, Adam
from scratchnet.nn.schedules import cosine_decay, step_decay

CLOSE = {"rtol": 1e-10, "atol": 1e-12}

each_depth = pytest.mark.parametrize("hidden", [[], [7], [6, 5]], ids=str)
each_shape = pytest.mark.parametrize("n_in, k, b", [(8, 4, 9), (3, 2, 1), (1, 5, 6)])
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


def to_float32(value):
    """Return `value` rounded to float32, as Keras rounds some hyperparameters even in float64."""
    return float(np.float32(value))


# The class and the options of each optimizer, apart from the learning rate.
OPTIMIZERS = {
    "sgd": (SGD, {}),
    "sgd, momentum": (SGD, {"momentum": to_float32(0.53)}),
    "sgd, much momentum": (SGD, {"momentum": to_float32(0.993)}),
    "sgd, nesterov": (SGD, {"momentum": to_float32(0.87), "nesterov": True}),
    "sgd, weight decay": (SGD, {"momentum": to_float32(0.3), "weight_decay": to_float32(0.37)}),
    "adam": (Adam, {"beta_1": to_float32(0.9), "beta_2": to_float32(0.999)}),
    "adam, odd": (Adam, {"beta_1": to_float32(0.37), "beta_2": to_float32(0.913), "epsilon": 3e-3}),
    "adam, weight decay": (Adam, {"beta_2": to_float32(0.98), "weight_decay": to_float32(0.23)}),
}
each_optimizer = pytest.mark.parametrize("kind, options", OPTIMIZERS.values(), ids=OPTIMIZERS)


def make_learning_rates(tf, schedule, rate=0.0371, steps=7, decay_rate=0.31):
    """Return the same learning rate or schedule for our optimizer and for Keras's."""
    schedules = tf.keras.optimizers.schedules
    return {
        "constant": lambda: (rate, rate),
        "step": lambda: (
            step_decay(rate, steps, decay_rate),
            schedules.ExponentialDecay(rate, steps, decay_rate, staircase=True),
        ),
        "cosine": lambda: (
            cosine_decay(rate, 4 * steps, decay_rate),
            schedules.CosineDecay(rate, 4 * steps, alpha=decay_rate),
        ),
    }[schedule]()


def make_optimizers(tf, kind, options, schedule):
    ours, theirs = make_learning_rates(tf, schedule)
    return kind(ours, **options), getattr(tf.keras.optimizers, kind.__name__)(theirs, **options)


each_schedule = pytest.mark.parametrize(
    "schedule",
    ["constant", *(pytest.param(name, marks=pytest.mark.slow) for name in ("step", "cosine"))],
)


@pytest.fixture(scope="module")
def tf():
    """TensorFlow, with Keras set to float64 for layers, losses and learning rates."""
    import_keras()
    import tensorflow

    before = tensorflow.keras.config.floatx()
    set_precision(tensorflow.keras, "float64")
    yield tensorflow
    set_precision(tensorflow.keras, before)


def make_networks(tf, n_in, k, hidden, rng, activation="relu"):
    """Return our network and Keras's, with the same standard normal weights and biases."""
    widths = [n_in, *hidden, k]
    weights = [rng.standard_normal((b, a + 1)) for a, b in itertools.pairwise(widths)]
    layers = [tf.keras.layers.Dense(width, activation=activation) for width in hidden]
    network = tf.keras.Sequential([tf.keras.Input((n_in,)), *layers, tf.keras.layers.Dense(k)])
    network.set_weights([part for W in weights for part in (W[:, :-1].T, W[:, -1])])
    return build_mlp([W.copy() for W in weights], activation), network


def keras_gradients(tf, network, X, Y):
    """Return the loss, and a gradient for each kernel and each bias."""
    with tf.GradientTape() as tape:
        losses = tf.nn.softmax_cross_entropy_with_logits(Y.T, network(X.T))
        loss = tf.reduce_mean(losses)
    return loss.numpy(), tape.gradient(loss, network.trainable_variables)


def to_matrices(arrays):
    """Return kernel, bias, kernel, bias, ... as matrices W with the biases in the last column."""
    arrays = [np.asarray(array) for array in arrays]
    return [np.column_stack([kernel.T, bias]) for kernel, bias in zip(arrays[::2], arrays[1::2])]


@each_depth
@each_shape
@each_activation
def test_probabilities_losses_and_gradients_agree(tf, n_in, k, b, hidden, activation):
    rng = np.random.default_rng([n_in, k, b])
    ours, theirs = make_networks(tf, n_in, k, hidden, rng, activation)
    X, Y = rng.standard_normal((n_in, b)), one_hot(rng.integers(k, size=b), k)
    np.testing.assert_allclose(ours.probabilities(X).T, tf.nn.softmax(theirs(X.T)), **CLOSE)
    loss, dZ = softmax_crossentropy(ours.forward(X), Y)
    ours.backward(dZ)
    their_loss, gradients = keras_gradients(tf, theirs, X, Y)
    np.testing.assert_allclose(loss, their_loss, **CLOSE)
    for (_, _, dW), expected in zip(ours.parameters(), to_matrices(gradients), strict=True):
        np.testing.assert_allclose(dW, expected, **CLOSE)


@pytest.mark.parametrize("schedule", ["step", "cosine"])
@pytest.mark.parametrize("decay_rate", [0.0, 0.31, 1.0])
def test_schedules_agree(tf, schedule, decay_rate):
    ours, theirs = make_learning_rates(tf, schedule, decay_rate=decay_rate)
    for n in range(100):
        np.testing.assert_allclose(ours(n), theirs(n), rtol=1e-6, atol=1e-9)


@each_optimizer
@each_schedule
def test_optimizers_agree_on_the_same_gradients(tf, kind, options, schedule):
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 9, size=(3, 2))
    ours = build_mlp([rng.standard_normal((n_out, n_in + 1)) for n_in, n_out in sizes], "relu")
    theirs = [tf.Variable(W) for _, W, _ in ours.parameters()]
    optimizer, keras_optimizer = make_optimizers(tf, kind, options, schedule)
    for _ in range(50):
        for _, _, gradient in ours.parameters():
            gradient[...] = rng.standard_normal(gradient.shape)
        keras_optimizer.apply_gradients(
            [(tf.constant(dW), variable) for (_, _, dW), variable in zip(ours.parameters(), theirs)]
        )
        optimizer.step(ours)
    # Keras computes learning rates in float32.
    for (_, W, _), variable in zip(ours.parameters(), theirs, strict=True):
        expected = variable.numpy()
        assert np.linalg.norm(W - expected) < 1e-6 * np.linalg.norm(expected)
