"""Optimizers and schedules: the arithmetic of single steps, and the state.

test_against_tensorflow.py compares whole sequences of steps with Keras.
"""

import numpy as np
import pytest

from scratchnet.nn.network import build_mlp
from scratchnet.nn.optimizers import SGD, Adam, RMSprop, clip_gradients
from scratchnet.nn.schedules import cosine_decay, exponential_decay, step_decay, warm_up

# What makes each optimizer, and the arrays that it keeps for a parameter.
OPTIMIZERS = {
    "sgd": (lambda: SGD(0.1), ()),
    "momentum": (lambda: SGD(0.1, momentum=0.9), ("velocity",)),
    "nesterov": (lambda: SGD(0.1, momentum=0.9, nesterov=True), ("velocity",)),
    "weight decay": (lambda: SGD(0.1, momentum=0.9, weight_decay=0.3), ("velocity",)),
    "adam": (lambda: Adam(0.1, weight_decay=0.3), ("m", "v")),
    "rmsprop": (lambda: RMSprop(0.1, weight_decay=0.3), ("v",)),
    "clipping": (lambda: Adam(0.1, clip_norm=0.5), ("m", "v")),
    "schedule": (lambda: Adam(cosine_decay(0.1, 7, 0.1)), ("m", "v")),
    "warm-up": (lambda: SGD(warm_up(step_decay(0.1, 7, 0.1), 3), momentum=0.9), ("velocity",)),
}
each_optimizer = pytest.mark.parametrize(("make", "slots"), OPTIMIZERS.values(), ids=OPTIMIZERS)


def single_weight(value=1.0, dtype=np.float64):
    """Return a network with one parameter: a row with one weight and one bias."""
    return build_mlp([np.full((1, 2), value, dtype)], None)


def take_steps(optimizer, network, gradients):
    for gradient in gradients:
        network.layers[0].grads["W"][...] = gradient
        optimizer.step(network)
    return network.layers[0].params["W"][0, 0]


def test_sgd_steps_against_the_gradient():
    assert take_steps(SGD(0.1), single_weight(), [2]) == pytest.approx(0.8)


def test_momentum_keeps_a_fraction_of_the_last_step():
    # Steps of -0.2, then 0.5 * -0.2 - 0.1 * 3 = -0.4.
    assert take_steps(SGD(0.1, 0.5), single_weight(), [2, 3]) == pytest.approx(0.4)


def test_nesterov_looks_one_step_ahead():
    # Velocities -0.2 and -0.4; steps 0.5 v - 0.1 g: -0.3 and -0.5.
    optimizer = SGD(0.1, 0.5, nesterov=True)
    assert take_steps(optimizer, single_weight(), [2, 3]) == pytest.approx(0.2)


def test_momentum_with_a_schedule_follows_keras_not_pytorch():
    # The learning rate decays from 1 to 0.1 after one step. Keras: v = -1, then -0.9 - 0.1 = -1,
    # result -2. PyTorch: v = 1, then 1.9, result -1 * 1 - 0.1 * 1.9.
    optimizer = SGD(step_decay(1.0, 1, 0.1), momentum=0.9)
    assert take_steps(optimizer, single_weight(0.0), [1, 1]) == pytest.approx(-2)


def test_weight_decay_is_applied_before_the_step_and_to_biases():
    network = single_weight(2.0)
    assert take_steps(SGD(0.1, weight_decay=0.5), network, [1]) == pytest.approx(2 - 0.1 - 0.1)
    assert network.layers[0].params["W"][0, 1] == pytest.approx(1.8)


def test_the_first_step_of_adam_is_the_learning_rate_for_any_gradient():
    for gradient in (1e-3, 1.0, 1e3):
        moved = take_steps(Adam(0.01, epsilon=0), single_weight(), [gradient])
        assert moved == pytest.approx(0.99)


def test_rmsprop_divides_by_the_root_of_the_mean_square():
    # Mean squares 0.25 * 4 = 1 and 0.75 * 1 + 0.25 * 21 = 6; steps 0.1 * 2 / 2 and 0.1 * 4.58 / 3.
    optimizer = RMSprop(0.1, rho=0.75, epsilon=3)
    moved = take_steps(optimizer, single_weight(), [2, np.sqrt(21)])
    assert moved == pytest.approx(1 - 0.1 - 0.1 * np.sqrt(21) / 3)


@pytest.mark.parametrize(("clip_norm", "factor"), [(2.5, 0.5), (5, 1), (6, 1)])
def test_gradients_are_clipped_by_their_norm_together(clip_norm, factor):
    network = build_mlp([np.zeros((1, 2)), np.zeros((1, 2))], "relu")
    for layer, gradient in zip(network.layers[::2], ([3, 0], [0, 4])):
        layer.grads["W"][...] = gradient
    clip_gradients(network, clip_norm)
    first, second = (gradient.tolist() for _, _, gradient in network.parameters())
    assert (first, second) == ([[3 * factor, 0]], [[0, 4 * factor]])


def test_large_gradients_in_float32_are_clipped_and_infinite_ones_are_not_hidden():
    network = single_weight(dtype=np.float32)
    assert take_steps(SGD(1, clip_norm=1), network, [1e30]) == pytest.approx(1 - 2**-0.5)
    with pytest.warns(RuntimeWarning):
        assert np.isnan(take_steps(SGD(1, clip_norm=1), network, [np.inf]))


@each_optimizer
def test_a_new_optimizer_with_the_state_continues_bitwise(make, slots):
    gradients = np.random.default_rng(0).standard_normal(20)
    whole, parted = single_weight(dtype=np.float32), single_weight(dtype=np.float32)
    take_steps(make(), whole, gradients)
    first, second = make(), make()
    take_steps(first, parted, gradients[:9])
    second.state = {name: array.copy() for name, array in first.state.items()}
    take_steps(second, parted, gradients[9:])
    assert np.array_equal(whole.weights()["0.W"], parted.weights()["0.W"])


@each_optimizer
def test_optimizers_keep_float32_and_update_in_place(make, slots):
    network = single_weight(dtype=np.float32)
    W, optimizer = network.layers[0].params["W"], make()
    before = W.copy()
    take_steps(optimizer, network, [1, 2])
    assert network.layers[0].params["W"] is W
    assert W.dtype == np.float32
    assert not np.any(before == W)
    kept = {name: array.dtype for name, array in optimizer.state.items()}
    assert kept.pop("iterations") == np.int64
    assert set(kept.values()) <= {np.dtype(np.float32)}
    assert kept.keys() == {f"{kind}.0.W" for kind in slots}


def test_the_current_learning_rate_is_that_of_the_next_step():
    optimizer = SGD(step_decay(0.8, 2, 0.5))
    rates = []
    for _ in range(5):
        rates.append(optimizer.current_learning_rate())
        take_steps(optimizer, single_weight(), [1])
    assert rates == [0.8, 0.8, 0.4, 0.4, 0.2]


def test_cosine_decay_at_its_start_middle_and_end_and_beyond():
    rate = cosine_decay(0.8, 10, 0.25)
    assert [rate(n) for n in (0, 5, 10, 999)] == pytest.approx([0.8, 0.5, 0.2, 0.2])
    assert all(rate(n) > rate(n + 1) for n in range(10))


def test_exponential_decay_falls_by_the_same_factor_at_each_step():
    rate = exponential_decay(0.8, 10, 0.25)
    assert [rate(n) for n in (0, 5, 10, 20)] == pytest.approx([0.8, 0.4, 0.2, 0.05])


@pytest.mark.parametrize(
    ("after", "rates"),
    [
        (0.8, [0.8, 0.8, 0.8]),
        (step_decay(0.8, 2, 0.5), [0.8, 0.8, 0.4]),
        (exponential_decay(0.8, 1, 0.5), [0.8, 0.4, 0.2]),
        (cosine_decay(0.8, 2, 0.5), [0.8, 0.6, 0.4]),
    ],
)
def test_the_schedule_begins_after_the_warm_up(after, rates):
    rate = warm_up(after, 4)
    assert [rate(n) for n in range(7)] == pytest.approx([0, 0.2, 0.4, 0.6, *rates])
