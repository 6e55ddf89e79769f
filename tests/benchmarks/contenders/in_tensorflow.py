"""TensorFlow and Keras; see worker.py."""

import numpy as np
import tensorflow as tf
from weights import IMAGE_SHAPE, as_channels_last

from scratchnet.nn.normalization import EPSILON, MOMENTUM


def tensorflow(X, Y, batch_size, threads, convolutions=()):
    """TensorFlow: the loop over the batches of an epoch in one tf.function."""
    set_threads(threads)
    n = X.shape[1]
    samples, targets = tf.constant(X.T), tf.constant(Y.T)
    layers = []

    def logits(A):
        if convolutions:
            A = tf.reshape(A, (-1, *IMAGE_SHAPE, 1))
        for (W, bias), block in zip(layers, convolutions):
            A = tf.nn.conv2d(A, W, 1, block["padding"].upper()) + bias
            A = tf.nn.relu(tf.nn.max_pool2d(A, block["pool"], block["pool"], "VALID"))
        A = tf.reshape(A, (-1, layers[len(convolutions)][0].shape[0]))
        for W, bias in layers[len(convolutions) : -1]:
            A = tf.nn.relu(A @ W + bias)
        W, bias = layers[-1]
        return A @ W + bias

    @tf.function
    def train(order, learning_rate):
        variables = [variable for layer in layers for variable in layer]
        total = tf.constant(0.0)
        for first in tf.range(0, n, batch_size):
            batch = order[first : first + batch_size]
            A, target = tf.gather(samples, batch), tf.gather(targets, batch)
            with tf.GradientTape() as tape:
                losses = tf.nn.softmax_cross_entropy_with_logits(target, logits(A))
                loss = tf.reduce_mean(losses)
            for variable, gradient in zip(variables, tape.gradient(loss, variables)):
                variable.assign_sub(learning_rate * gradient)
            total += tf.reduce_sum(losses)
        return total / n

    def start(weights, learning_rate, seed):
        arrays = as_channels_last(weights, convolutions)
        if not layers:
            layers.extend((tf.Variable(W), tf.Variable(bias)) for W, bias in arrays)
        for variables, values in zip(layers, arrays):
            for variable, value in zip(variables, values):
                variable.assign(value)
        rng, rate = np.random.default_rng(seed), tf.constant(learning_rate)
        return lambda: float(train(tf.constant(rng.permutation(n).astype(np.int32)), rate))

    return start


def keras(X, Y, batch_size, threads, convolutions=(), normalization=None):
    """Keras with fit()."""
    set_threads(threads)
    kinds = tf.keras.layers

    def normalize():
        if normalization:
            return [kinds.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)]
        return []

    def start(weights, learning_rate, seed):
        layers = [tf.keras.Input((len(X),))]
        if convolutions:
            layers.append(kinds.Reshape((*IMAGE_SHAPE, 1)))
            for block in convolutions:
                conv = kinds.Conv2D(block["filters"], block["kernel"], padding=block["padding"])
                layers += [conv, *normalize(), kinds.ReLU()]
                layers.append(kinds.MaxPooling2D(block["pool"]))
            layers.append(kinds.Flatten())
        for W in weights[len(convolutions) : -1]:
            layers += [kinds.Dense(len(W)), *normalize(), kinds.ReLU()]
        layers.append(kinds.Dense(len(weights[-1])))
        model = tf.keras.Sequential(layers)
        with_weights = [layer for layer in layers if isinstance(layer, (kinds.Conv2D, kinds.Dense))]
        for layer, arrays in zip(with_weights, as_channels_last(weights, convolutions)):
            layer.set_weights(arrays)
        model.compile(
            tf.keras.optimizers.SGD(learning_rate),
            tf.keras.losses.CategoricalCrossentropy(from_logits=True),
        )
        fit = {"batch_size": batch_size, "epochs": 1, "verbose": 0}
        return lambda: model.fit(X.T, Y.T, **fit).history["loss"][0]

    return start


def set_threads(threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
