"""Training: epochs of mini-batch gradient descent, from one checkpoint to the next."""

import logging
import math
import time

import numpy as np
from tqdm import tqdm

from scratchnet.batches import generate_batches
from scratchnet.checkpoints import load_checkpoint, save_checkpoint
from scratchnet.environment import environment
from scratchnet.errors import DivergenceError
from scratchnet.files import read_json, write_json
from scratchnet.losses import softmax_crossentropy
from scratchnet.metrics import accuracy, logits
from scratchnet.network import build
from scratchnet.optimizers import OPTIMIZERS
from scratchnet.streams import random_stream

log = logging.getLogger(__name__)

ARRAYS = ("X_train", "Y_train", "X_validation", "Y_validation")


def train_epoch(network, optimizer, batches):
    """Take one step for each batch (X (n_in, b), Y (k, b)); returns the mean loss of the samples.

    A batch counts by its size, so a short last one does not weigh more than its samples.
    Raises DivergenceError at the first batch whose loss is not finite, or at the end if the last
    step left weights that are not.
    """
    total, n = 0.0, 0
    for i, (X, Y) in enumerate(batches, start=1):
        loss, dZ = softmax_crossentropy(network.forward(X), Y)
        if not math.isfinite(loss):
            raise DivergenceError(f"the loss is {loss} at batch {i}")
        network.backward(dZ)
        optimizer.step(network)
        total += loss * X.shape[1]
        n += X.shape[1]
    if not all(np.isfinite(parameter).all() for _, parameter, _ in network.parameters()):
        raise DivergenceError(f"the weights are no longer finite after batch {i}")
    return total / n


def train(network, optimizer, history, data, batch_size, seed, epochs):
    """Train until `history` (lists by epoch: loss, val_loss, val_accuracy) covers `epochs` epochs.

    `data` maps X_train, Y_train, X_validation and Y_validation to arrays; the validation arrays
    may be empty. What epoch k does depends on the state before it and on (seed, k) only, so
    training in several calls ends bitwise where one call would.
    """
    first = len(history["loss"]) + 1
    progress = tqdm(range(first, epochs + 1), "training", unit="epoch", disable=None, leave=False)
    for epoch in progress:
        started = time.perf_counter()
        rng = random_stream(seed, "shuffling", epoch)
        batches = generate_batches(data["X_train"], data["Y_train"], batch_size, rng)
        try:
            # An overflow shows in the loss, which is checked: NumPy need not warn as well.
            with np.errstate(over="ignore", invalid="ignore"):
                loss = train_epoch(network, optimizer, batches)
        except DivergenceError as error:
            raise DivergenceError(
                f"training diverged in epoch {epoch} of {epochs}: {error}, with a learning rate of "
                f"{optimizer.learning_rate:g}. Try a lower training.learning_rate. "
                "Earlier checkpoints are kept."
            ) from None
        measured = {"loss": loss, **_validate(network, data)}
        for name, value in measured.items():
            history[name].append(value)
        text = "  ".join(f"{name} {value:.4f}" for name, value in measured.items())
        progress.set_postfix_str(text)
        log.info("epoch %d/%d  %s  %.2f s", epoch, epochs, text, time.perf_counter() - started)


def _validate(network, data):
    X, Y = data["X_validation"], data["Y_validation"]
    if not X.shape[1]:
        return {}
    Z = logits(network, X)
    return {"val_loss": softmax_crossentropy(Z, Y)[0], "val_accuracy": accuracy(Z, Y)}


def run_segment(data, settings, epochs, start, checkpoint, record):
    """Train a run to `epochs` epochs and write its checkpoint (.npz) and its record (.json).

    `data` maps the names of the arrays to their .npy paths. `start` holds the checkpoint and the
    record to continue from, and is empty for initial weights. The checkpoint is the same bytes
    from run to run; the record tells how long it took, and where.
    """
    started = time.perf_counter()
    data = {name: np.load(path, mmap_mode="r") for name, path in data.items()}
    seed = settings["training.seed"]
    network = build(
        n_in=data["X_train"].shape[0],
        n_out=data["Y_train"].shape[0],
        hidden=settings["model.hidden"],
        activation=settings["model.activation"],
        rng=random_stream(seed, "weights"),
    )
    optimizer = OPTIMIZERS[settings["training.optimizer"]](
        settings["training.learning_rate"], settings["training.momentum"]
    )
    history = {"loss": [], "val_loss": [], "val_accuracy": []}
    seconds = 0.0
    if start:
        weights, optimizer.state, history = load_checkpoint(start[0])
        network.set_weights(weights)
        seconds = read_json(start[1])["seconds"]
    train(network, optimizer, history, data, settings["training.batch_size"], seed, epochs)
    save_checkpoint(checkpoint, network, optimizer, history)
    seconds += time.perf_counter() - started
    write_json(
        record, {"epochs": epochs, "seconds": round(seconds, 3), "environment": environment()}
    )
