"""Training: epochs of mini-batches, from one checkpoint to the next."""

import logging
import math
import time

import numpy as np

from scratchnet.errors import DivergenceError
from scratchnet.nn.batches import generate_batches
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.metrics import accuracy, best_epoch, logits
from scratchnet.progress import progress
from scratchnet.random_streams import random_stream

log = logging.getLogger(__name__)

ARRAYS = ("X_train", "Y_train", "X_validation", "Y_validation")
HISTORY = ("loss", "accuracy", "val_loss", "val_accuracy")


def train_epoch(network, optimizer, batches, rng=None):
    """Take one step for each batch (X (n_in, b), Y (k, b)); returns the samples' loss and accuracy.

    They are means over the samples, each as the network was when its batch came; a batch counts by
    its size. `rng` is where dropout takes its numbers from. Raises DivergenceError at the first
    batch whose loss is not finite, or at the end if the last step left weights that are not.
    """
    total, right, n = 0.0, 0.0, 0
    for i, (X, Y) in enumerate(batches, start=1):
        Z = network.forward(X, rng)
        loss, dZ = softmax_crossentropy(Z, Y)
        if not math.isfinite(loss):
            raise DivergenceError(f"the loss is {loss} at batch {i}")
        network.backward(dZ)
        optimizer.step(network)
        total += loss * X.shape[1]
        right += accuracy(Z, Y) * X.shape[1]
        n += X.shape[1]
    if not all(np.isfinite(parameter).all() for _, parameter, _ in network.parameters()):
        raise DivergenceError(f"the weights are no longer finite after batch {i}")
    return {"loss": total / n, "accuracy": right / n}


def train(
    network,
    optimizer,
    history,
    data,
    batch_size,
    seed,
    epochs,
    patience=None,
    best=None,
    name="training",
):
    """Train until `history`, a list by epoch of each of HISTORY, covers `epochs` epochs.

    `data` maps X_train, Y_train, X_validation and Y_validation to arrays; the validation arrays
    may be empty. What epoch k does depends on the state before it and on (seed, k) only, so
    training in several calls ends bitwise where one call would.

    With `patience`, training stops early, after so many epochs without a validation loss below
    the lowest one. Returns the weights of the epoch which had that, {name: array}; `best` are those
    of the calls before. Without `patience` it returns nothing of the kind, {}. A terminal shows the
    progress as that of `name`.
    """
    best = best or {}
    first = len(history["loss"]) + 1
    live = progress(
        name,
        iterable=range(first, epochs + 1),
        initial=first - 1,
        total=epochs,
        bar_format="{desc}: epoch {n_fmt}/{total_fmt}, {remaining} left{postfix} |{bar}|",
    )
    for epoch in live:
        if patience and best and epoch - best_epoch(history) > patience:
            log.info("stopped early: epoch %d has the lowest validation loss", best_epoch(history))
            break
        started = time.perf_counter()
        batches = generate_batches(
            data["X_train"], data["Y_train"], batch_size, random_stream(seed, "shuffling", epoch)
        )
        try:
            # An overflow shows in the loss, which is checked: NumPy need not warn as well.
            with np.errstate(over="ignore", invalid="ignore"):
                rng = random_stream(seed, "dropout", epoch)
                measured = train_epoch(network, optimizer, batches, rng)
                measured |= _validate(network, data)
        except DivergenceError as error:
            raise DivergenceError(
                f"training diverged in epoch {epoch} of {epochs}: {error}, with a learning rate of "
                f"{optimizer.current_learning_rate():g}. Try a lower training.learning_rate. "
                "Earlier checkpoints are kept."
            ) from None
        for metric, value in measured.items():
            history[metric].append(value)
        if patience and best_epoch(history) == epoch:
            best = network.weights()
        text = [f"{metric} {value:.4f}" for metric, value in measured.items()]
        live.set_postfix_str(f"{text[0]}, {text[-1]}")
        seconds = time.perf_counter() - started
        log.info("epoch %d/%d  %s  %.2f s", epoch, epochs, "  ".join(text), seconds)
    return best


def _validate(network, data):
    X, Y = data["X_validation"], data["Y_validation"]
    if not X.shape[1]:
        return {}
    Z = logits(network, X)
    loss, _ = softmax_crossentropy(Z, Y)
    if not math.isfinite(loss):
        raise DivergenceError(f"the validation loss is {loss} at its end")
    return {"val_loss": loss, "val_accuracy": accuracy(Z, Y)}
