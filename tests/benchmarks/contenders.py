"""The contenders in training: the same network on the same arrays, each in its own way.

    python contenders.py NAME --batch_size B --cores 0 1

is a worker that is told what to do by lines of JSON. The first is the folder of the arrays; when
they are placed it says so. A line {"weights": seed, "widths": [...], "learning_rate": a} begins
another training, with hidden layers of these widths and weights that are the same for everybody. A
line {"epochs": n} is answered with the seconds that n more epochs took, and the mean loss of the
samples in the last of them. The order of the samples is each one's own.

A contender is a function from the arrays to `start`, a function from weights and a learning rate to
`epoch`, a function that trains one epoch and returns its loss. X (784, n) and Y (10, n) are
sample-contiguous, and a weight matrix is (n_out, n_in + 1) with the bias as its last column. Some
also train networks that begin with `convolutions`, as in config.yaml (--convolutions, as JSON).
"""

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path

IMAGE_SHAPE = (28, 28)


def scratchnet(X, Y, batch_size, threads, convolutions=(), distort=lambda batches, rng: batches):
    """Ours, as the rule `train` runs it: one thread, whatever it is given."""
    import numpy as np

    from scratchnet.nn.batches import generate_batches
    from scratchnet.nn.network import build_network
    from scratchnet.nn.optimizers import SGD
    from scratchnet.training.loop import train_epoch

    def start(weights, learning_rate):
        network = build_network(weights, IMAGE_SHAPE, convolutions, "relu")
        optimizer, rng = SGD(learning_rate), np.random.default_rng(0)

        def epoch():
            batches = distort(generate_batches(X, Y, batch_size, rng), rng)
            return train_epoch(network, optimizer, batches)["loss"]

        return epoch

    return start


def augmented(X, Y, batch_size, threads, convolutions=()):
    """Ours with distorted images. Its loss is another one."""
    from scratchnet.nn.augmentation import augment_batches

    strengths = {"rotation": 10, "scale": 0.1, "elastic": 34, "elastic_sigma": 5}

    def distort(batches, rng):
        return augment_batches(batches, IMAGE_SHAPE, rng, **strengths)

    start = scratchnet(X, Y, batch_size, threads, convolutions, distort)

    def start_without_loss(weights, learning_rate):
        epoch = start(weights, learning_rate)
        return lambda: epoch() and None

    return start_without_loss


def notebook(X, Y, batch_size, threads):
    """In the manner of the notebook: double precision, a row of ones put below each batch, samples
    in columns of C-ordered arrays, and softmax with a Jacobian for each sample.
    """
    import numpy as np

    X, Y = np.ascontiguousarray(X, np.float64), np.ascontiguousarray(Y, np.float64)
    n = X.shape[1]

    def start(weights, learning_rate):
        weights = [W.astype(np.float64) for W in weights]
        rng = np.random.default_rng(0)

        def epoch():
            order, total = rng.permutation(n), 0.0
            for first in range(0, n, batch_size):
                columns = order[first : first + batch_size]
                A, labels, inputs, b = X[:, columns], Y[:, columns], [], len(columns)
                for i, W in enumerate(weights):
                    inputs.append(np.vstack([A, np.ones(b)]))
                    A = W @ inputs[-1]
                    if i < len(weights) - 1:
                        A = np.maximum(A, 0)
                P = np.exp(A) / np.exp(A).sum(axis=0)
                total -= np.sum(labels * np.log(P))
                dP, dY = -labels / P / b, np.empty_like(P)
                for j in range(b):
                    p = P[:, j]
                    dY[:, j] = (np.diag(p) - np.outer(p, p)) @ dP[:, j]
                for i in reversed(range(len(weights))):
                    dW = dY @ inputs[i].T
                    if i:
                        dY = (weights[i].T @ dY)[:-1] * (inputs[i][:-1] > 0)
                    weights[i] -= learning_rate * dW
            return total / n

        return epoch

    return start


def limit(X, Y, batch_size, threads):
    """No training, but what none can do without: reading each sample once, in the order of memory,
    and the products with each matrix, forward and backward, as fast as NumPy does them.
    """
    import numpy as np

    from scratchnet.nn.layers import multiply

    n = X.shape[1]
    batch = np.empty((batch_size, X.shape[0]), X.dtype).T

    def start(weights, learning_rate):
        matrices = [np.ascontiguousarray(W[:, :-1]) for W in weights]
        outputs = [np.zeros((len(W), batch_size), W.dtype, order="F") for W in matrices]
        gradients = [np.empty_like(W) for W in matrices]

        def epoch():
            for first in range(0, n, batch_size):
                b = min(batch_size, n - first)
                batch[:, :b] = X[:, first : first + b]
                inputs = [batch[:, :b], *(output[:, :b] for output in outputs[:-1])]
                for W, A, output in zip(matrices, inputs, outputs):
                    multiply(W, A, out=output[:, :b])
                for i in reversed(range(len(matrices))):
                    dY = outputs[i][:, :b]
                    multiply(dY, inputs[i].T, out=gradients[i])
                    if i:
                        np.matmul(matrices[i].T, dY, order="F")

        return epoch

    return start


def pytorch(X, Y, batch_size, threads, convolutions=()):
    """PyTorch as one writes it: modules, autograd and an optimizer, all data in one tensor."""
    import torch

    torch.set_num_threads(threads)
    samples, labels = torch.from_numpy(X.T), torch.from_numpy(Y.argmax(axis=0))
    n = len(samples)

    def fill(layer, W, bias):
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.copy()))
            layer.bias.copy_(torch.from_numpy(bias))

    def start(weights, learning_rate):
        layers = [torch.nn.Unflatten(1, (1, *IMAGE_SHAPE))] if convolutions else []
        inputs = [1, *(block["filters"] for block in convolutions)]
        for W, n_in, block in zip(weights, inputs, convolutions):
            k = block["kernel"]
            layer = torch.nn.Conv2d(n_in, len(W), k, padding=block["padding"])
            fill(layer, W[:, :-1].reshape(len(W), k, k, n_in).transpose(0, 3, 1, 2), W[:, -1])
            layers += [layer, torch.nn.ReLU(), torch.nn.MaxPool2d(block["pool"])]
        layers += [torch.nn.Flatten()] if convolutions else []
        for i, W in enumerate(weights[len(convolutions) :]):
            V = W[:, :-1]
            if convolutions and not i:  # PyTorch has the channels before the height
                _, channels, height, width = torch.nn.Sequential(*layers[:-1])(samples[:1]).shape
                V = V.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
            layer = torch.nn.Linear(W.shape[1] - 1, len(W))
            fill(layer, V.reshape(len(W), -1), W[:, -1])
            layers += [layer, torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1])
        optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

        def epoch():
            order, total = torch.randperm(n), 0.0
            for first in range(0, n, batch_size):
                batch = order[first : first + batch_size]
                loss = torch.nn.functional.cross_entropy(model(samples[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)
            return total / n

        return epoch

    return start


def pytorch_by_hand(X, Y, batch_size, threads):
    """PyTorch without autograd: gradients written out, weights updated in place."""
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    samples, targets = torch.from_numpy(X.T), torch.from_numpy(Y.T)
    n = len(samples)

    def start(weights, learning_rate):
        matrices = [torch.from_numpy(W[:, :-1].T.copy()) for W in weights]
        biases = [torch.from_numpy(W[:, -1].copy()) for W in weights]

        def epoch():
            order, total = torch.randperm(n), 0.0
            for first in range(0, n, batch_size):
                batch = order[first : first + batch_size]
                inputs = [samples.index_select(0, batch)]
                target = targets.index_select(0, batch)
                for W, bias in zip(matrices[:-1], biases):
                    inputs.append(torch.addmm(bias, inputs[-1], W).clamp_(min=0))
                logs = torch.log_softmax(torch.addmm(biases[-1], inputs[-1], matrices[-1]), 1)
                total -= (logs * target).sum().item()
                d = logs.exp_().sub_(target).div_(len(batch))
                for i in reversed(range(len(matrices))):
                    earlier = (d @ matrices[i].t()).mul_(inputs[i] > 0) if i else None
                    matrices[i].addmm_(inputs[i].t(), d, alpha=-learning_rate)
                    biases[i].sub_(d.sum(0), alpha=learning_rate)
                    d = earlier
            return total / n

        return epoch

    return start


def jax(X, Y, batch_size, threads):
    """JAX: a scan over the batches of an epoch, compiled as one function."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    n = X.shape[1]
    samples, targets = jnp.asarray(X.T), jnp.asarray(Y.T)
    whole = n // batch_size * batch_size

    def loss(parameters, A, target):
        *hidden, (W, bias) = parameters
        for V, c in hidden:
            A = jax.nn.relu(A @ V + c)
        return -(jax.nn.log_softmax(A @ W + bias) * target).sum() / len(A)

    def step(parameters, samples, targets, batch, learning_rate):
        value, gradients = jax.value_and_grad(loss)(parameters, samples[batch], targets[batch])
        moved = jax.tree.map(lambda p, g: p - learning_rate * g, parameters, gradients)
        return moved, value * len(batch)

    @jax.jit
    def train(parameters, samples, targets, order, learning_rate):
        batches = order[:whole].reshape(-1, batch_size)
        parameters, losses = jax.lax.scan(
            lambda parameters, batch: step(parameters, samples, targets, batch, learning_rate),
            parameters,
            batches,
        )
        total = losses.sum()
        if whole < n:
            parameters, rest = step(parameters, samples, targets, order[whole:], learning_rate)
            total += rest
        return parameters, total / n

    def start(weights, learning_rate):
        parameters = [(jnp.asarray(W[:, :-1].T), jnp.asarray(W[:, -1])) for W in weights]
        rng = np.random.default_rng(0)

        def epoch():
            nonlocal parameters
            order = jnp.asarray(rng.permutation(n).astype(np.int32))
            parameters, value = train(parameters, samples, targets, order, learning_rate)
            return float(value)

        return epoch

    return start


def tensorflow(X, Y, batch_size, threads):
    """TensorFlow: the loop over the batches of an epoch in one tf.function."""
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    n = X.shape[1]
    samples, targets = tf.constant(X.T), tf.constant(Y.T)
    layers = []

    @tf.function
    def train(order, learning_rate):
        variables = [variable for layer in layers for variable in layer]
        total = tf.constant(0.0)
        for first in tf.range(0, n, batch_size):
            batch = order[first : first + batch_size]
            A, target = tf.gather(samples, batch), tf.gather(targets, batch)
            with tf.GradientTape() as tape:
                for V, c in layers[:-1]:
                    A = tf.nn.relu(A @ V + c)
                W, bias = layers[-1]
                losses = tf.nn.softmax_cross_entropy_with_logits(target, A @ W + bias)
                loss = tf.reduce_mean(losses)
            for variable, gradient in zip(variables, tape.gradient(loss, variables)):
                variable.assign_sub(learning_rate * gradient)
            total += tf.reduce_sum(losses)
        return total / n

    def start(weights, learning_rate):
        if not layers:
            layers.extend((tf.Variable(W[:, :-1].T), tf.Variable(W[:, -1])) for W in weights)
        for (V, c), W in zip(layers, weights):
            V.assign(W[:, :-1].T)
            c.assign(W[:, -1])
        rng, rate = np.random.default_rng(0), tf.constant(learning_rate)
        return lambda: float(train(tf.constant(rng.permutation(n).astype(np.int32)), rate))

    return start


def keras(X, Y, batch_size, threads, convolutions=()):
    """Keras with fit()."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)

    def start(weights, learning_rate):
        layers = [tf.keras.Input((len(X),))]
        if convolutions:
            layers.append(tf.keras.layers.Reshape((*IMAGE_SHAPE, 1)))
            for block in convolutions:
                options = {"padding": block["padding"], "activation": "relu"}
                conv = tf.keras.layers.Conv2D(block["filters"], block["kernel"], **options)
                layers += [conv, tf.keras.layers.MaxPooling2D(block["pool"])]
            layers.append(tf.keras.layers.Flatten())
        hidden = weights[len(convolutions) : -1]
        layers += [tf.keras.layers.Dense(len(W), activation="relu") for W in hidden]
        model = tf.keras.Sequential([*layers, tf.keras.layers.Dense(len(weights[-1]))])
        parts = [part for W in weights for part in (W[:, :-1].T, W[:, -1])]
        model.set_weights([a.reshape(b.shape) for a, b in zip(parts, model.get_weights())])
        model.compile(
            tf.keras.optimizers.SGD(learning_rate),
            tf.keras.losses.CategoricalCrossentropy(from_logits=True),
        )
        fit = {"batch_size": batch_size, "epochs": 1, "verbose": 0}
        return lambda: model.fit(X.T, Y.T, **fit).history["loss"][0]

    return start


def scikit_learn(X, Y, batch_size, threads):
    """scikit-learn's MLPClassifier, an epoch a call of partial_fit()."""
    from sklearn.neural_network import MLPClassifier

    samples, labels = X.T, Y.argmax(axis=0)

    def start(weights, learning_rate):
        model = MLPClassifier(
            hidden_layer_sizes=[len(W) for W in weights[:-1]],
            solver="sgd",
            alpha=0.0,
            batch_size=batch_size,
            learning_rate_init=learning_rate,
            momentum=0.0,
            random_state=0,
        )
        model.partial_fit(samples[:batch_size], labels[:batch_size], classes=range(len(Y)))
        for i, W in enumerate(weights):  # in place: the optimizer holds on to these arrays
            model.coefs_[i][:] = W[:, :-1].T
            model.intercepts_[i][:] = W[:, -1]

        def epoch():
            model.partial_fit(samples, labels)
            return model.loss_

        return epoch

    return start


CONTENDERS = {
    contender.__name__: contender
    for contender in (
        *(scratchnet, augmented, limit, pytorch, pytorch_by_hand, jax, tensorflow),
        *(keras, scikit_learn, notebook),
    )
}


def initial_weights(widths, convolutions, seed):
    from scratchnet.nn.network import initial_filters, initial_weights
    from scratchnet.nn.shapes import block_shapes
    from scratchnet.random_streams import random_stream

    rng, n_in = (
        random_stream(seed, "weights"),
        math.prod(block_shapes(IMAGE_SHAPE, convolutions)[-1]),
    )
    filters = initial_filters(IMAGE_SHAPE, convolutions, "glorot_uniform", rng)
    return filters + initial_weights(n_in, 10, widths, "glorot_uniform", rng)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("--batch_size", type=int, required=True)
    parser.add_argument("--cores", type=int, nargs="+", required=True)
    parser.add_argument("--convolutions", type=json.loads, default=[])
    arguments = parser.parse_args()
    # Not every library lets itself be told how many threads to start.
    os.sched_setaffinity(0, arguments.cores)
    import numpy as np

    commands = map(json.loads, sys.stdin)
    folder = Path(next(commands))
    X, Y = (np.load(folder / f"{name}_train.npy", mmap_mode="r") for name in "XY")
    if arguments.name not in (
        "scratchnet",
        "augmented",
        "limit",
    ):  # the others hold their data in memory
        X, Y = np.array(X, order="F"), np.array(Y, order="F")
    convolutions = arguments.convolutions
    options = {"convolutions": convolutions} if convolutions else {}
    start = CONTENDERS[arguments.name](X, Y, arguments.batch_size, len(arguments.cores), **options)
    print(json.dumps("ready"), flush=True)
    epoch = None
    for command in commands:
        if "epochs" in command:
            started = time.perf_counter()
            losses = [epoch() for _ in range(command["epochs"])]
            answer = {"seconds": time.perf_counter() - started, "loss": losses[-1]}
            print(json.dumps(answer), flush=True)
        else:
            weights = initial_weights(command["widths"], convolutions, command["weights"])
            epoch = start(weights, command["learning_rate"])


if __name__ == "__main__":
    main()
