"""Scratchnet, and what else NumPy does with the same arrays; see worker.py."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from weights import IMAGE_SHAPE

from scratchnet.nn.augmentation import augment_batches
from scratchnet.nn.batches import generate_batches
from scratchnet.nn.layers import multiply
from scratchnet.nn.network import build_network, with_normalization
from scratchnet.nn.optimizers import SGD
from scratchnet.training.data_parallel import DataParallel
from scratchnet.training.loop import train_epoch


def as_it_is(value, rng=None):
    return value


def scratchnet(
    X,
    Y,
    batch_size,
    threads,
    convolutions=(),
    normalization=None,
    distort=as_it_is,
    replicate=as_it_is,
):
    """Ours, as the rule `train` runs it."""

    def start(weights, learning_rate, seed):
        weights = with_normalization(weights, normalization)
        network = replicate(build_network(weights, IMAGE_SHAPE, convolutions, "relu"))
        optimizer, rng = SGD(learning_rate), np.random.default_rng(seed)

        def epoch():
            batches = distort(generate_batches(X, Y, batch_size, rng), rng)
            return train_epoch(network, optimizer, batches, rng)["loss"]

        return epoch

    return start


def replicas(X, Y, batch_size, threads, convolutions=()):
    """Ours with two replicas of the network."""
    executor = ThreadPoolExecutor(threads)

    def replicate(network):
        return DataParallel(network, 2, executor)

    return scratchnet(X, Y, batch_size, threads, convolutions, replicate=replicate)


def augmented(X, Y, batch_size, threads, convolutions=()):
    """Ours with distorted images. Its loss is another one."""
    strengths = {"rotation": 10, "scale": 0.1, "elastic": 34, "elastic_sigma": 5}

    def distort(batches, rng):
        return augment_batches(batches, IMAGE_SHAPE, rng, **strengths)

    start = scratchnet(X, Y, batch_size, threads, convolutions, distort=distort)

    def start_without_loss(weights, learning_rate, seed):
        epoch = start(weights, learning_rate, seed)
        return lambda: epoch() and None

    return start_without_loss


def notebook(X, Y, batch_size, threads):
    """In the manner of the notebook: double precision, a row of ones put below each batch, samples
    in columns of C-ordered arrays, and softmax with a Jacobian for each sample.
    """
    X, Y = np.ascontiguousarray(X, np.float64), np.ascontiguousarray(Y, np.float64)
    n = X.shape[1]

    def start(weights, learning_rate, seed):
        weights = [W.astype(np.float64) for W in weights]
        rng = np.random.default_rng(seed)

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
    n = X.shape[1]
    batch = np.empty((batch_size, X.shape[0]), X.dtype).T

    def start(weights, learning_rate, seed):
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
