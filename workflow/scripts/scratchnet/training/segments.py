"""Training from one checkpoint to the next: what the stage `train` does."""

import math
import time

import numpy as np

from scratchnet.files import read_json, write_json
from scratchnet.nn.network import build_mlp, initial_weights
from scratchnet.nn.optimizers import SGD, Adam
from scratchnet.nn.schedules import SCHEDULES
from scratchnet.random_streams import random_stream
from scratchnet.training.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from scratchnet.training.environment import environment
from scratchnet.training.loop import HISTORY, train

ARRAYS = ("X_train", "Y_train", "X_validation", "Y_validation")


def make_optimizer(settings, steps_per_epoch):
    """The optimizer that `settings` describe; they lack what does not apply to it."""
    learning_rate = settings["training.learning_rate"]
    if settings["training.schedule"] != "constant":
        learning_rate = SCHEDULES[settings["training.schedule"]](
            learning_rate,
            settings["training.decay_epochs"] * steps_per_epoch,
            settings["training.decay_rate"],
        )
    weight_decay = settings["training.weight_decay"]
    if settings["training.optimizer"] == "adam":
        return Adam(learning_rate, weight_decay=weight_decay)
    return SGD(
        learning_rate,
        settings["training.momentum"],
        settings.get("training.nesterov", False),
        weight_decay,
    )


def train_to_checkpoint(name, data, settings, epochs, start, checkpoint, record):
    """Train the run `name` to `epochs` epochs; write its checkpoint (.npz) and its record (.json).

    `data` maps the names of the arrays to their .npy paths. `start` holds the checkpoint and the
    record to continue from, and is empty for initial weights. The checkpoint is the same bytes
    from run to run; the record tells how long it took, and where.
    """
    started = time.perf_counter()
    data = {name: np.load(path, mmap_mode="r") for name, path in data.items()}
    (n_in, n), n_out = data["X_train"].shape, data["Y_train"].shape[0]
    batch_size, seed = settings["training.batch_size"], settings["training.seed"]
    optimizer = make_optimizer(settings, steps_per_epoch=math.ceil(n / batch_size))
    if start:
        state = load_checkpoint(start[0])
        optimizer.state = state.optimizer
        weights, history, best = state.network.values(), state.history, state.best
        seconds = read_json(start[1])["seconds"]
    else:
        weights = initial_weights(
            n_in,
            n_out,
            settings["model.hidden"],
            settings["model.initializer"],
            random_stream(seed, "weights"),
        )
        history, best = {name: [] for name in HISTORY}, {}
        seconds = 0.0
    network = build_mlp(weights, settings.get("model.activation"), settings.get("model.dropout", 0))
    best = train(
        network,
        optimizer,
        history,
        data,
        batch_size,
        seed,
        epochs,
        settings["training.patience"],
        best,
        name,
    )
    save_checkpoint(checkpoint, Checkpoint(network.weights(), optimizer.state, history, best))
    seconds += time.perf_counter() - started
    write_json(
        record,
        {
            "epochs": len(history["loss"]),
            "seconds": round(seconds, 3),
            "environment": environment(),
        },
    )
