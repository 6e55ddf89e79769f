"""Training in parts: the gradients of a batch, whatever its parts and threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from reference import one_hot
from scratchnet.nn.layers import Dropout
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.network import Network, build_network, initial_filters, initial_weights
from scratchnet.nn.normalization import BatchNormalization, initial_normalization
from scratchnet.training.data_parallel import DataParallel

SHAPE = (5, 6, 2)
BLOCKS = [
    {"filters": 3, "kernel": 3, "pool": 2, "padding": "same"},
    {"filters": 2, "kernel": 2, "pool": 1, "padding": "valid"},
]


@pytest.fixture(params=[1, 4], ids=["1 thread", "4 threads"])
def executor(request):
    with ThreadPoolExecutor(request.param) as executor:
        yield executor


def make_network(dropout=0.0, dtype=np.float64):
    rng = np.random.default_rng(0)
    weights = [
        *initial_filters(SHAPE, BLOCKS, "glorot_uniform", rng, dtype),
        *initial_weights(1 * 2 * 2, 3, [4], "glorot_uniform", rng, dtype),
    ]
    return build_network(weights, SHAPE, BLOCKS, "relu", dropout)


def make_batch(n, dtype=np.float64):
    rng = np.random.default_rng(n)
    X, Y = rng.standard_normal((60, n)), one_hot(rng.integers(3, size=n), 3)
    return X.astype(dtype), Y.astype(dtype)


@pytest.mark.parametrize("n", [1, 2, 7, 30])
@pytest.mark.parametrize("replicas", [1, 2, 3, 8])
def test_logits_and_gradients_are_those_of_the_network(executor, replicas, n):
    """With fewer samples than replicas, some replicas have no part."""
    network, alone = make_network(), make_network()
    parallel = DataParallel(network, replicas, executor)
    for size in (30, n):  # what the first batch has left changes nothing
        X, Y = make_batch(size)
        Z = parallel.forward(X)
        np.testing.assert_allclose(Z, alone.forward(X), rtol=1e-12)
        _, dZ = softmax_crossentropy(Z, Y)
        parallel.backward(dZ)
        alone.backward(dZ)
        for (name, _, ours), (other, _, theirs) in zip(network.parameters(), alone.parameters()):
            assert name == other
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def test_running_averages_are_the_mean_of_those_of_the_parts(executor):
    """The last batch has fewer parts than replicas."""
    gamma, beta, mean, variance = initial_normalization("batch", 12, np.float64)
    network = Network([BatchNormalization(gamma, beta, mean, variance)])
    parallel = DataParallel(network, 3, executor)
    expected = np.zeros(12)
    for n, sizes in ((7, (3, 2, 2)), (2, (1, 1))):
        X = make_batch(n)[0][:12]
        parallel.forward(X, np.random.default_rng(0))
        parts = np.split(X, np.cumsum(sizes)[:-1], axis=1)
        expected = 0.9 * expected + 0.1 * np.mean([part.mean(axis=1) for part in parts], axis=0)
        for replica in parallel.replicas:
            (layer,) = replica.layers
            np.testing.assert_allclose(layer.state["mean"], expected, rtol=1e-12)
    assert network.layers[0].state["mean"] is mean


def test_each_part_of_each_batch_has_random_numbers_of_its_own(executor):
    network, rng, X = make_network(), np.random.default_rng(0), np.ones((1000, 2))
    network.layers = [Dropout(0.5)]
    parallel = DataParallel(network, 2, executor)
    batch = parallel.forward(X, rng)
    first, second = np.hsplit(batch, 2)
    assert 0.4 < (first == second).mean() < 0.6
    assert 0.4 < (parallel.forward(X, rng) == batch).mean() < 0.6
    assert np.array_equal(parallel.forward(X, np.random.default_rng(0)), batch)
