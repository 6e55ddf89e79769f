"""JAX; see worker.py."""

import jax.numpy as jnp
import numpy as np
from jax import jit, lax, nn, tree, value_and_grad, vmap
from weights import IMAGE_SHAPE, as_channels_last


def jax(X, Y, batch_size, threads, convolutions=()):
    """JAX: a scan over the batches of an epoch, compiled as one function.

    On processors, convolutions are four times slower in a scan: there it is a compiled step.
    """
    n = X.shape[1]
    samples, targets = jnp.asarray(X.T), jnp.asarray(Y.T)
    step = make_step(convolutions)
    train = (
        train_in_steps(jit(step), batch_size) if convolutions else jit(scan(step, n, batch_size))
    )

    def start(weights, learning_rate, seed):
        parameters = tree.map(jnp.asarray, as_channels_last(weights, convolutions))
        rng = np.random.default_rng(seed)

        def epoch():
            nonlocal parameters
            order = rng.permutation(n).astype(np.int32)
            parameters, total = train(parameters, samples, targets, order, learning_rate)
            return float(total) / n

        return epoch

    return start


def jax_vmap(X, Y, batch_size, threads):
    """JAX with all runs of a sweep in one program: runs of the same seed share their batches."""
    n = X.shape[1]
    samples, targets = jnp.asarray(X.T), jnp.asarray(Y.T)
    train = scan(make_step(), n, batch_size)
    of_a_seed = vmap(train, in_axes=(0, None, None, None, 0))
    of_all = jit(vmap(of_a_seed, in_axes=(0, None, None, 0, None)))

    def start(weights, learning_rates, seeds):
        rates = jnp.asarray(learning_rates)
        parameters = tree.map(
            lambda *arrays: jnp.stack([jnp.stack([array] * len(rates)) for array in arrays]),
            *[as_channels_last(each, ()) for each in weights],
        )
        rngs = [np.random.default_rng(seed) for seed in seeds]

        def epoch():
            nonlocal parameters
            orders = jnp.asarray(np.array([rng.permutation(n) for rng in rngs], np.int32))
            parameters, totals = of_all(parameters, samples, targets, orders, rates)
            return (totals.ravel() / n).tolist()

        return epoch

    return start


def make_step(convolutions=()):
    """Return a function that trains with a batch: the new parameters, and the sum of the losses."""

    def logits(parameters, A):
        if convolutions:
            A = A.reshape(-1, *IMAGE_SHAPE, 1)
        for (W, bias), block in zip(parameters, convolutions):
            layout = ("NHWC", "HWIO", "NHWC")
            A = lax.conv_general_dilated(A, W, (1, 1), block["padding"].upper(), None, None, layout)
            A = nn.relu(max_pool(A + bias, block["pool"]))
        A = A.reshape(len(A), -1)
        *hidden, (W, bias) = parameters[len(convolutions) :]
        for V, c in hidden:
            A = nn.relu(A @ V + c)
        return A @ W + bias

    def loss(parameters, A, target):
        return -(nn.log_softmax(logits(parameters, A)) * target).sum() / len(A)

    def step(parameters, samples, targets, batch, learning_rate):
        value, gradients = value_and_grad(loss)(parameters, samples[batch], targets[batch])
        moved = tree.map(lambda p, g: p - learning_rate * g, parameters, gradients)
        return moved, value * len(batch)

    return step


def scan(step, n, batch_size):
    """Return a function that trains an epoch of `n` samples: parameters, and the sum of losses."""
    whole = n // batch_size * batch_size

    def train(parameters, samples, targets, order, learning_rate):
        parameters, losses = lax.scan(
            lambda parameters, batch: step(parameters, samples, targets, batch, learning_rate),
            parameters,
            order[:whole].reshape(-1, batch_size),
        )
        total = losses.sum()
        if whole < n:
            parameters, rest = step(parameters, samples, targets, order[whole:], learning_rate)
            total += rest
        return parameters, total

    return train


def train_in_steps(step, batch_size):
    """Return a function like that of `scan`, for a compiled `step`."""

    def train(parameters, samples, targets, order, learning_rate):
        total = 0.0
        for first in range(0, len(order), batch_size):
            batch = order[first : first + batch_size]
            parameters, value = step(parameters, samples, targets, batch, learning_rate)
            total += value
        return parameters, total

    return train


def max_pool(A, pool):
    """The maximum of each window, as the maximum over two axes: faster than lax.reduce_window."""
    n, height, width, channels = A.shape
    rows, columns = height // pool, width // pool
    A = A[:, : rows * pool, : columns * pool]
    return A.reshape(n, rows, pool, columns, pool, channels).max(axis=(2, 4))
