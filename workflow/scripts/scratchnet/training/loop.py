"""The training loop: epochs of mini-batches."""

import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from scratchnet.errors import DivergenceError
from scratchnet.nn.augmentation import augment_batches
from scratchnet.nn.batches import generate_batches
from scratchnet.nn.losses import (
    add_l2_gradient,
    balanced_class_weights,
    softmax_crossentropy,
)
from scratchnet.nn.metrics import accuracy, best_epoch, logits
from scratchnet.nn.network import Network
from scratchnet.nn.optimizers import Optimizer
from scratchnet.pixel_range import scale_pixels
from scratchnet.progress import progress
from scratchnet.random_streams import random_stream
from scratchnet.training.augmentation_settings import select_augmentation
from scratchnet.training.data_parallel import DataParallel

log = logging.getLogger(__name__)

METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")


@dataclass
class Training:
    """The state of a training.

    `history` has a list for each of METRICS, with a value for each epoch; without validation images
    the lists of the validation metrics stay empty. `best` has the weights of the best epoch so far,
    {name: array}; without early stopping it is empty. `image_shape` is that of the images, and
    `pixel_range` has the values of black and white in them; only augmentation needs these.
    `scaling` has the offset and the divisor of images that are stored as bytes (`scale_pixels`).
    """

    network: Network
    optimizer: Optimizer
    history: dict = field(default_factory=lambda: {name: [] for name in METRICS})
    best: dict = field(default_factory=dict)
    image_shape: tuple = ()
    pixel_range: tuple = (0, 1)
    scaling: tuple = (0, 1)

    @property
    def epochs(self):
        """The number of epochs trained so far."""
        return len(self.history["loss"])


def train_epoch(
    network, optimizer, batches, rng=None, class_weights=None, label_smoothing=0.0, l2=0.0
):
    """Take one step for each batch (X (n_in, b), Y (k, b)); return the mean loss and accuracy.

    Both are means over all samples, measured before the step of each batch. `rng` is the random
    generator for dropout. `class_weights` (k,) and `label_smoothing` are those of the loss, which
    is without the penalty that `l2` adds, see `add_l2_gradient`. Raises DivergenceError at the
    first batch whose loss is not finite, or at the end if the weights are not finite.
    """
    total_loss, n_correct, n = 0.0, 0.0, 0
    for i, (X, Y) in enumerate(batches, start=1):
        Z = network.forward(X, rng)
        loss, dZ = softmax_crossentropy(Z, Y, class_weights, label_smoothing)
        if not math.isfinite(loss):
            raise DivergenceError(f"the loss is {loss} at batch {i}")
        network.backward(dZ)
        if l2:
            add_l2_gradient(network, l2)
        optimizer.step(network)
        total_loss += loss * X.shape[1]
        n_correct += accuracy(Z, Y) * X.shape[1]
        n += X.shape[1]
    if not all(np.isfinite(parameter).all() for _, parameter, _ in network.parameters()):
        raise DivergenceError(f"the weights are not finite after batch {i}")
    return {"loss": total_loss / n, "accuracy": n_correct / n}


def train(training, data, settings, epochs, name="training", threads=1):
    """Continue `training`, in place, until it has `epochs` epochs.

    `data` maps X_train, Y_train, X_validation and Y_validation to arrays; the validation arrays
    may be empty. `settings` has the batch size, the seed, the patience and what the loss is. An
    epoch depends only on the state before it, the settings and its number, so training in several
    calls gives bitwise the same result as in one call. With a patience of p, training stops early
    after p epochs without a new lowest validation loss. Raises DivergenceError. A terminal shows
    the progress of `name`. The replicas of the network, if there are several, use so many
    `threads`, which changes no bit.
    """
    patience = settings["training.patience"]
    loss_options = choose_loss(data["Y_train"], settings)
    n_batches = -(-data["X_train"].shape[1] // settings["training.batch_size"])
    with progress(
        name,
        initial=training.epochs * n_batches,
        total=epochs * n_batches,
        unit_scale=1 / n_batches,
        bar_format="{desc}: epoch {n:.1f}/{total:.0f}, {remaining} left{postfix} |{bar}|",
    ) as live:
        for epoch in range(training.epochs + 1, epochs + 1):
            if patience and training.best and epoch - best_epoch(training.history) > patience:
                best = best_epoch(training.history)
                log.info("stopped early: epoch %d has the lowest validation loss", best)
                break
            started = time.perf_counter()
            try:
                metrics = _train_and_validate(
                    training, data, settings, epoch, threads, loss_options, live
                )
            except DivergenceError as error:
                rate = training.optimizer.current_learning_rate()
                why = f"{error}, with a learning rate of {rate:g}"
                raise DivergenceError(
                    f"training diverged in epoch {epoch} of {epochs}: {why}. Try a lower "
                    "training.learning_rate. Earlier checkpoints are kept.",
                    why,
                    training.history,
                ) from None
            for metric, value in metrics.items():
                training.history[metric].append(value)
            if patience and best_epoch(training.history) == epoch:
                training.best = training.network.weights()
            text = [f"{metric} {value:.4f}" for metric, value in metrics.items()]
            live.set_postfix_str(f"{text[0]}, {text[-1]}")
            seconds = time.perf_counter() - started
            log.info("epoch %d/%d  %s  %.2f s", epoch, epochs, "  ".join(text), seconds)


def epoch_batches(training, data, settings, epoch):
    """Return an iterator of the batches X (n_in, b), Y (k, b) of an epoch, augmented if asked for.

    `data` maps X_train and Y_train to arrays. Of `training`, it needs what the images are.
    """
    seed, batch_size = settings["training.seed"], settings["training.batch_size"]
    rng = random_stream(seed, "shuffling", epoch)
    batches = generate_batches(data["X_train"], data["Y_train"], batch_size, rng)
    if data["X_train"].dtype == np.uint8:
        batches = ((scale_pixels(X, *training.scaling), Y) for X, Y in batches)
    augmentation = select_augmentation(settings)
    if not augmentation:
        return batches
    rng = random_stream(seed, "augmentation", epoch)
    return augment_batches(batches, training.image_shape, rng, training.pixel_range, **augmentation)


def choose_loss(Y, settings):
    """Return the options of `train_epoch` that say what the loss is, for labels Y (k, n)."""
    is_balanced = settings.get("training.class_weight")
    return {
        "class_weights": balanced_class_weights(Y) if is_balanced else None,
        "label_smoothing": settings.get("training.label_smoothing", 0.0),
        "l2": settings.get("training.l2", 0.0),
    }


def _train_and_validate(training, data, settings, epoch, threads, loss_options, live):
    """Train one epoch; return {metric: value}, without validation images only of training.

    The progress bar `live` counts the batches.
    """
    batches = _count(epoch_batches(training, data, settings, epoch), live)
    rng = random_stream(settings["training.seed"], "dropout", epoch)
    network, replicas = training.network, settings.get("training.replicas", 1)
    with ThreadPoolExecutor(threads, initializer=_ignore_overflow) as executor:
        if replicas > 1:
            network = DataParallel(network, replicas, executor)
        with np.errstate():
            _ignore_overflow()
            metrics = train_epoch(network, training.optimizer, batches, rng, **loss_options)
            return metrics | _validate(training.network, data)


def _count(batches, live):
    for batch in batches:
        yield batch
        live.update()


def _ignore_overflow():
    """Let NumPy, in this thread, not warn of overflow: the loss is checked for it."""
    np.seterr(over="ignore", invalid="ignore")


def _validate(network, data):
    X, Y = data["X_validation"], data["Y_validation"]
    if not X.shape[1]:
        return {}
    Z = logits(network, X)
    loss, _ = softmax_crossentropy(Z, Y)
    if not math.isfinite(loss):
        raise DivergenceError(f"the validation loss is {loss}")
    return {"val_loss": loss, "val_accuracy": accuracy(Z, Y)}
