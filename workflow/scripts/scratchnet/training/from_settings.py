"""The settings of a run, turned into its initial weights, its network and its optimizer."""

import math

from scratchnet.errors import ConfigError
from scratchnet.nn.network import (
    build_network,
    initial_filters,
    initial_weights,
    with_normalization,
)
from scratchnet.nn.optimizers import OPTIMIZERS
from scratchnet.nn.schedules import SCHEDULES, warm_up
from scratchnet.nn.shapes import block_shapes
from scratchnet.pixel_range import find_pixel_range, find_scaling
from scratchnet.random_streams import random_stream
from scratchnet.training.loop import Training

# The settings of an optimizer besides its learning rate, without "training.".
OPTIMIZER_OPTIONS = (
    "momentum",
    "nesterov",
    "beta_1",
    "beta_2",
    "rho",
    "epsilon",
    "weight_decay",
    "clip_norm",
)


def make_initial_weights(settings, image_shape, n_out):
    """Return the initial weights (float32) for `build_network`, from images to n_out classes.

    Raises ConfigError if a kernel or a pooling window is larger than its image.
    """
    convolutions = settings.get("model.convolutions", [])
    initializer = settings["model.initializer"]
    rng = random_stream(settings["training.seed"], "weights")
    try:
        *_, shape = block_shapes(image_shape, convolutions)
    except ValueError as error:
        raise ConfigError(f"model.convolutions{error}") from None
    weights = [
        *initial_filters(image_shape, convolutions, initializer, rng),
        *initial_weights(math.prod(shape), n_out, settings["model.hidden"], initializer, rng),
    ]
    return with_normalization(weights, settings.get("model.normalization"))


def make_training(weights, settings, manifest, n):
    """Return a Training, before its first epoch, of a network with `weights` on n images.

    The network uses the arrays in `weights` and changes them in place. `manifest` describes the
    images.
    """
    image_shape = manifest["image_shape"]
    steps_per_epoch = math.ceil(n / settings["training.batch_size"])
    return Training(
        build_network(
            weights,
            image_shape,
            settings.get("model.convolutions", []),
            settings.get("model.activation"),
            settings.get("model.dropout", 0),
        ),
        make_optimizer(settings, steps_per_epoch),
        image_shape=tuple(image_shape),
        pixel_range=find_pixel_range(manifest),
        scaling=find_scaling(manifest),
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
    if warmup_epochs := settings.get("training.warmup_epochs"):
        learning_rate = warm_up(learning_rate, warmup_epochs * steps_per_epoch)
    options = {
        name: settings[f"training.{name}"]
        for name in OPTIMIZER_OPTIONS
        if f"training.{name}" in settings
    }
    return OPTIMIZERS[settings["training.optimizer"]](learning_rate, **options)
