"""Learning-rate schedules: each returns a function from the number of steps taken to a rate.

Over `decay_steps` steps the learning rate falls to `decay_rate` times its initial value.
"""

import math


def step_decay(learning_rate, decay_steps, decay_rate):
    """Decay at once every `decay_steps` steps. Keras: ExponentialDecay with staircase=True."""
    return lambda steps: learning_rate * decay_rate ** (steps // decay_steps)


def exponential_decay(learning_rate, decay_steps, decay_rate):
    """Decay a little at each step, by the same factor. Keras: ExponentialDecay."""
    return lambda steps: learning_rate * decay_rate ** (steps / decay_steps)


def cosine_decay(learning_rate, decay_steps, decay_rate):
    """Decay along half a cosine, then stay constant. Keras: CosineDecay with alpha=decay_rate."""

    def rate(steps):
        fallen = (1 - math.cos(math.pi * min(steps / decay_steps, 1))) / 2
        return learning_rate * (1 - (1 - decay_rate) * fallen)

    return rate


def warm_up(learning_rate, warmup_steps):
    """Rise from 0 along a line, over `warmup_steps` steps, then follow `learning_rate`.

    `learning_rate` is a number or another schedule, which begins after the rise (Goyal et al. 2017,
    "gradual warmup"). Keras has it in CosineDecay, as warmup_target and warmup_steps.
    """
    decay = learning_rate if callable(learning_rate) else lambda steps: learning_rate
    return lambda steps: decay(max(steps - warmup_steps, 0)) * min(steps / warmup_steps, 1)


SCHEDULES = {"step": step_decay, "exponential": exponential_decay, "cosine": cosine_decay}
