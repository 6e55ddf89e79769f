"""Schedules and optimizers agree with Keras in float64, given the same gradients.

interop/test_parity.py compares networks and whole trainings. TensorFlow is in the dependency group
test. Without it these tests fail; they are not skipped.
"""

import numpy as np
import pytest

from scratchnet.interop.keras_model import import_keras, set_precision
from scratchnet.nn.network import build_mlp
from scratchnet.nn.optimizers import SGD, Adam, RMSprop
from scratchnet.nn.schedules import cosine_decay, exponential_decay, step_decay, warm_up


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
    "rmsprop": (RMSprop, {}),
    "rmsprop, odd": (RMSprop, {"rho": to_float32(0.37), "epsilon": 3e-3}),
    "rmsprop, weight decay": (RMSprop, {"weight_decay": to_float32(0.23)}),
    "clipping": (SGD, {"momentum": to_float32(0.53), "clip_norm": to_float32(2.5)}),
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
        "exponential": lambda: (
            exponential_decay(rate, steps, decay_rate),
            schedules.ExponentialDecay(rate, steps, decay_rate),
        ),
        "warm-up": lambda: (
            warm_up(cosine_decay(rate, 4 * steps, decay_rate), steps),
            schedules.CosineDecay(
                0.0, 4 * steps, decay_rate, warmup_target=rate, warmup_steps=steps
            ),
        ),
        "cosine": lambda: (
            cosine_decay(rate, 4 * steps, decay_rate),
            schedules.CosineDecay(rate, 4 * steps, alpha=decay_rate),
        ),
    }[schedule]()


def make_optimizers(tf, kind, options, schedule):
    ours, theirs = make_learning_rates(tf, schedule)
    renamed = {{"clip_norm": "global_clipnorm"}.get(name, name): options[name] for name in options}
    return kind(ours, **options), getattr(tf.keras.optimizers, kind.__name__)(theirs, **renamed)


SCHEDULES = ("step", "exponential", "cosine", "warm-up")
each_schedule = pytest.mark.parametrize(
    "schedule",
    ["constant", *(pytest.param(name, marks=pytest.mark.slow) for name in SCHEDULES)],
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


@pytest.mark.parametrize("schedule", SCHEDULES)
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
