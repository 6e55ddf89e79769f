"""The network beside Keras's own, in float64: the same weights, the same batch, the same numbers.

TensorFlow is pinned in requirements-test.txt. Without it these tests fail; they are not skipped.
"""

import numpy as np
import pytest

from reference import one_hot
from scratchnet.layers import Dense, Softmax
from scratchnet.losses import categorical_crossentropy, softmax_crossentropy
from scratchnet.network import Network, build
from scratchnet.optimizers import SGD

CLOSE = {"rtol": 1e-10, "atol": 1e-12}

each_depth = pytest.mark.parametrize("hidden", [[], [7], [6, 5]], ids=str)
each_size = pytest.mark.parametrize("n_in, k, b", [(8, 4, 9), (3, 2, 1), (1, 5, 6)])
both_forms = pytest.mark.parametrize("form", ["fused", "textbook"])
# Keras rounds a momentum to single precision even here, so these are rounded for both.
each_sgd = pytest.mark.parametrize(
    "learning_rate, momentum",
    [
        (learning_rate, float(np.float32(momentum)))
        for learning_rate, momentum in [(0.0371, 0), (0.0371, 0.53), (0.213, 0.87), (0.0019, 0.993)]
    ],
    ids="{:.4g}".format,
)


@pytest.fixture(scope="module")
def tf():
    """TensorFlow, with float64 for whatever Keras makes: layers, losses, learning rates."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.setenv("CUDA_VISIBLE_DEVICES", "-1")
        import tensorflow
    before = tensorflow.keras.config.floatx()
    tensorflow.keras.config.set_floatx("float64")
    yield tensorflow
    tensorflow.keras.config.set_floatx(before)


def our_network(n_in, k, hidden, rng):
    """What `build` makes, in float64 and with weights and biases large enough to matter."""
    network = build(n_in, k, hidden, "relu", rng)
    for layer in network.layers:
        for name, parameter in layer.params.items():
            layer.params[name] = rng.standard_normal(parameter.shape)
            layer.grads[name] = np.zeros(parameter.shape)
    return network


def keras_network(tf, n_in, k, hidden, weights):
    """The same in Keras: `weights` are the matrices W of ours, in order."""
    layers = [tf.keras.layers.Dense(width, activation="relu") for width in hidden]
    network = tf.keras.Sequential([tf.keras.Input((n_in,)), *layers, tf.keras.layers.Dense(k)])
    network.set_weights([part for W in weights for part in (W[:, :-1].T, W[:, -1])])
    return network


def both_networks(tf, n_in, k, hidden, rng):
    ours = our_network(n_in, k, hidden, rng)
    return ours, keras_network(tf, n_in, k, hidden, [W for _, W, _ in ours.parameters()])


def random_batch(n_in, k, b, rng):
    return rng.standard_normal((n_in, b)), one_hot(rng.integers(k, size=b), k)


def our_gradients(network, X, Y, form):
    """The loss, and a gradient for each W."""
    Z = network.forward(X)
    if form == "fused":
        loss, dZ = softmax_crossentropy(Z, Y)
    else:
        layer = Softmax()
        loss, dP = categorical_crossentropy(layer.forward(Z), Y)
        dZ = layer.backward(dP)
    network.backward(dZ)
    return loss, [gradient for _, _, gradient in network.parameters()]


def keras_gradients(tf, network, X, Y, form):
    """The loss, and a gradient for each kernel and each bias."""
    with tf.GradientTape() as tape:
        Z = network(X.T)
        if form == "fused":
            losses = tf.nn.softmax_cross_entropy_with_logits(Y.T, Z)
        else:
            losses = -tf.reduce_sum(Y.T * tf.math.log(tf.nn.softmax(Z)), axis=1)
        loss = tf.reduce_mean(losses)
    return loss.numpy(), tape.gradient(loss, network.trainable_variables)


def joined(arrays):
    """Kernel, bias, kernel, bias, ... as our matrices W."""
    arrays = [np.asarray(array) for array in arrays]
    return [np.column_stack([kernel.T, bias]) for kernel, bias in zip(arrays[::2], arrays[1::2])]


def assert_all_close(arrays, others):
    for array, other in zip(arrays, others, strict=True):
        np.testing.assert_allclose(array, other, **CLOSE)


@each_depth
def test_probabilities_agree(tf, hidden):
    rng = np.random.default_rng(0)
    ours, theirs = both_networks(tf, 8, 4, hidden, rng)
    X, _ = random_batch(8, 4, 9, rng)
    np.testing.assert_allclose(ours.probabilities(X).T, tf.nn.softmax(theirs(X.T)), **CLOSE)


@both_forms
@each_depth
@each_size
def test_losses_agree(tf, n_in, k, b, hidden, form):
    rng = np.random.default_rng([n_in, k, b])
    ours, theirs = both_networks(tf, n_in, k, hidden, rng)
    X, Y = random_batch(n_in, k, b, rng)
    loss, _ = our_gradients(ours, X, Y, form)
    np.testing.assert_allclose(loss, keras_gradients(tf, theirs, X, Y, form)[0], **CLOSE)


@both_forms
@each_depth
@each_size
def test_gradients_agree(tf, n_in, k, b, hidden, form):
    rng = np.random.default_rng([n_in, k, b])
    ours, theirs = both_networks(tf, n_in, k, hidden, rng)
    X, Y = random_batch(n_in, k, b, rng)
    _, gradients = our_gradients(ours, X, Y, form)
    assert_all_close(gradients, joined(keras_gradients(tf, theirs, X, Y, form)[1]))


@each_sgd
def test_sgd_agrees_on_the_same_gradients(tf, learning_rate, momentum):
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 9, size=(3, 2))
    ours = Network([Dense(n_in, n_out, rng, np.float64) for n_in, n_out in sizes])
    theirs = [tf.Variable(W) for _, W, _ in ours.parameters()]
    optimizer = SGD(learning_rate, momentum)
    keras_optimizer = tf.keras.optimizers.SGD(learning_rate, momentum)
    for _ in range(50):
        for _, _, gradient in ours.parameters():
            gradient[...] = rng.standard_normal(gradient.shape)
        keras_optimizer.apply_gradients(
            [(tf.constant(dW), variable) for (_, _, dW), variable in zip(ours.parameters(), theirs)]
        )
        optimizer.step(ours)
    assert_all_close([W for _, W, _ in ours.parameters()], theirs)


@each_sgd
@each_depth
def test_training_agrees(tf, hidden, learning_rate, momentum):
    rng = np.random.default_rng(2)
    ours, theirs = both_networks(tf, 5, 3, hidden, rng)
    optimizer = SGD(learning_rate, momentum)
    keras_optimizer = tf.keras.optimizers.SGD(learning_rate, momentum)
    for _ in range(50):
        X, Y = random_batch(5, 3, 11, rng)
        our_gradients(ours, X, Y, "fused")
        optimizer.step(ours)
        _, gradients = keras_gradients(tf, theirs, X, Y, "fused")
        keras_optimizer.apply_gradients(zip(gradients, theirs.trainable_variables))
    assert_all_close([W for _, W, _ in ours.parameters()], joined(theirs.get_weights()))
