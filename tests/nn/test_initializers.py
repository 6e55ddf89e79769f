"""Initial weights: the distributions that their names promise."""

import itertools

import numpy as np
import pytest

from scratchnet.nn.initializers import INITIALIZERS, he_uniform, random_normal
from scratchnet.nn.network import initial_weights

N_IN, N_OUT = 300, 200
# Of Keras: limits of VarianceScaling(distribution="uniform").
LIMITS = {"he_uniform": np.sqrt(6 / N_IN), "glorot_uniform": np.sqrt(6 / (N_IN + N_OUT))}


def drawn(name, seed=0):
    return INITIALIZERS[name](N_IN, N_OUT, np.random.default_rng(seed))


def assert_moments(weights, fourth, error):
    """Weights over their standard deviation: mean 0, variance 1, and this fourth moment."""
    # Six standard errors of each moment of 60,000 draws.
    assert abs(weights.mean()) < 6 * np.sqrt(1 / weights.size)
    assert abs((weights**2).mean() - 1) < 6 * np.sqrt((fourth - 1) / weights.size)
    assert abs((weights**4).mean() - fourth) < 6 * np.sqrt(error / weights.size)


def test_random_normal_is_a_hundredth_of_a_normal():
    assert_moments(drawn("random_normal")[:, :-1] / 0.01, fourth=3, error=96)


@pytest.mark.parametrize("name", LIMITS)
def test_uniform_weights_reach_to_the_limits_of_keras(name):
    weights = drawn(name)[:, :-1]
    assert 0.999 * LIMITS[name] < abs(weights).max() <= LIMITS[name]
    assert_moments(weights / LIMITS[name] * np.sqrt(3), fourth=1.8, error=5.76)


@pytest.mark.parametrize(
    ("name", "bias"), [("random_normal", 0.01), ("he_uniform", 0), ("glorot_uniform", 0)]
)
def test_biases_start_at(name, bias):
    W = drawn(name)
    assert W.shape == (N_OUT, N_IN + 1)
    assert np.all(W[:, -1] == bias)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_weights_come_from_the_given_generator(name):
    assert np.array_equal(drawn(name, 1), drawn(name, 1))
    assert not np.any(drawn(name, 1)[:, :-1] == drawn(name, 2)[:, :-1])


@pytest.mark.parametrize("hidden", [[], [7], [6, 5, 4]], ids=str)
def test_a_network_starts_with_a_matrix_for_each_dense_layer(hidden):
    weights = initial_weights(8, 3, hidden, "he_uniform", np.random.default_rng(0))
    widths = [8, *hidden, 3]
    assert [W.shape for W in weights] == [(b, a + 1) for a, b in itertools.pairwise(widths)]
    assert {W.dtype for W in weights} == {np.dtype(np.float32)}


def test_the_layers_of_a_network_are_drawn_one_after_another():
    weights = initial_weights(8, 3, [5], "he_uniform", np.random.default_rng(0), np.float64)
    rng = np.random.default_rng(0)
    assert np.array_equal(weights[0], he_uniform(8, 5, rng))
    assert np.array_equal(weights[1], he_uniform(5, 3, rng))


def test_the_notebooks_weights_are_the_first_normal_numbers():
    numbers = np.random.default_rng(4).standard_normal((2, 3))
    W = random_normal(3, 2, np.random.default_rng(4))
    assert np.array_equal(W[:, :-1], 0.01 * numbers)
