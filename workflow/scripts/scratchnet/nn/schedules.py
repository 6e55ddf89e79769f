"""Learning-rate schedules: each returns a function from the number of steps taken to a rate.

Over `decay_steps` steps the learning rate falls to `decay_rate` times its initial value.
"""

import math


def step_decay(learning_rate, decay_steps, decay_rate):
    """Decay at once every `decay_steps` steps. Keras: ExponentialDecay with staircase=True."""
    return lambda steps: learning_rate * decay_rate ** (steps // decay_steps)


def cosine_decay(learning_rate, decay_steps, decay_rate):
    """Decay along half a cosine, then stay constant. Keras: CosineDecay with alpha=decay_rate."""

    def rate(steps):
        fallen = (1 - math.cos(math.pi * min(steps / decay_steps, 1))) / 2
        return learning_rate * (1 - (1 - decay_rate) * fallen)

    return rate


SCHEDULES = {"step": step_decay, "cosine": cosine_decay}
