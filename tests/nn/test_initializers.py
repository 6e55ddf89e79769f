"""Initial weights have the distributions of Keras."""

import itertools

import numpy as np
import pytest

from scratchnet.nn.initializers import INITIALIZERS, he_uniform, random_normal
from scratchnet.nn.network import initial_weights

N_IN, N_OUT = 300, 200
# The limits of Keras's VarianceScaling(distribution="uniform").
LIMITS = {"he_uniform": np.sqrt(6 / N_IN), "glorot_uniform": np.sqrt(6 / (N_IN + N_OUT))}


def draw(name, seed=0):
    return INITIALIZERS[name](N_IN, N_OUT, np.random.default_rng(seed))


def assert_moments(weights, fourth, error):
    """Assert that standardized weights have mean 0, variance 1 and this fourth moment."""
    # Allow six standard errors of each moment of the 60,000 draws.
    assert abs(weights.mean()) < 6 * np.sqrt(1 / weights.size)
    assert abs((weights**2).mean() - 1) < 6 * np.sqrt((fourth - 1) / weights.size)
    assert abs((weights**4).mean() - fourth) < 6 * np.sqrt(error / weights.size)


def test_random_normal_has_a_standard_deviation_of_0_01():
    assert_moments(draw("random_normal")[:, :-1] / 0.01, fourth=3, error=96)


@pytest.mark.parametrize("name", LIMITS)
def test_uniform_weights_have_the_limits_of_keras(name):
    weights = draw(name)[:, :-1]
    assert 0.999 * LIMITS[name] < abs(weights).max() <= LIMITS[name]
    assert_moments(weights / LIMITS[name] * np.sqrt(3), fourth=1.8, error=5.76)


@pytest.mark.parametrize(
    ("name", "bias"), [("random_normal", 0.01), ("he_uniform", 0), ("glorot_uniform", 0)]
)
def test_initial_biases(name, bias):
    W = draw(name)
    assert W.shape == (N_OUT, N_IN + 1)
    assert np.all(W[:, -1] == bias)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_weights_come_from_the_given_generator(name):
    assert not np.any(draw(name, 1)[:, :-1] == draw(name, 2)[:, :-1])


@pytest.mark.parametrize("hidden", [[], [7], [6, 5, 4]], ids=str)
def test_a_network_has_an_initial_matrix_for_each_dense_layer(hidden):
    weights = initial_weights(8, 3, hidden, "he_uniform", np.random.default_rng(0))
    widths = [8, *hidden, 3]
    assert [W.shape for W in weights] == [(b, a + 1) for a, b in itertools.pairwise(widths)]
    assert {W.dtype for W in weights} == {np.dtype(np.float32)}


def test_the_weights_of_a_network_are_drawn_layer_by_layer():
    weights = initial_weights(8, 3, [5], "he_uniform", np.random.default_rng(0), np.float64)
    rng = np.random.default_rng(0)
    assert np.array_equal(weights[0], he_uniform(8, 5, rng))
    assert np.array_equal(weights[1], he_uniform(5, 3, rng))


def test_random_normal_scales_the_first_normal_numbers_like_the_notebook():
    numbers = np.random.default_rng(4).standard_normal((2, 3))
    W = random_normal(3, 2, np.random.default_rng(4))
    assert np.array_equal(W[:, :-1], 0.01 * numbers)
