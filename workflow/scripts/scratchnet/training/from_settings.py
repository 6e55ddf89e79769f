"""The settings of a run, turned into its initial weights, its network and its optimizer."""

import math

from scratchnet.nn.network import build_mlp, initial_weights
from scratchnet.nn.optimizers import OPTIMIZERS
from scratchnet.nn.schedules import SCHEDULES
from scratchnet.random_streams import random_stream
from scratchnet.training.loop import Training


def make_initial_weights(settings, n_in, n_out):
    """Return the initial W (float32) of each `Dense` layer, from n_in pixels to n_out classes."""
    return initial_weights(
        n_in,
        n_out,
        settings["model.hidden"],
        settings["model.initializer"],
        random_stream(settings["training.seed"], "weights"),
    )


def make_training(weights, settings, n):
    """Return a Training, before its first epoch, of a network with `weights` on n images.

    The network uses the arrays in `weights` and changes them in place.
    """
    steps_per_epoch = math.ceil(n / settings["training.batch_size"])
    return Training(
        build_mlp(weights, settings.get("model.activation"), settings.get("model.dropout", 0)),
        make_optimizer(settings, steps_per_epoch),
    )


def make_optimizer(settings, steps_per_epoch):
    """Return the optimizer of `settings`, which have only the options that apply to it."""
    learning_rate = settings["training.learning_rate"]
    if settings["training.schedule"] != "constant":
        learning_rate = SCHEDULES[settings["training.schedule"]](
            learning_rate,
            settings["training.decay_epochs"] * steps_per_epoch,
            settings["training.decay_rate"],
        )
    options = {
        name: settings[f"training.{name}"]
        for name in ("momentum", "nesterov", "weight_decay")
        if f"training.{name}" in settings
    }
    return OPTIMIZERS[settings["training.optimizer"]](learning_rate, **options)
