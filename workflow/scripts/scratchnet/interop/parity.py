"""A training, once more: here and in Keras side by side. Do they come to the same?

Both start from the same weights and get the same batches, and the same masks of dropout. Then each
goes its own way: nothing is ever copied from one to the other. In float64 they agree as far as
numbers of this kind can. In float32, in which runs train, each rounds in its own way, and training
carries on what they differ by.
"""

import logging
import math

import numpy as np

from scratchnet.errors import ParityError
from scratchnet.files import write_csv, write_json
from scratchnet.interop.keras_model import (
    connect,
    dense_layers,
    get_weights,
    import_keras,
    set_precision,
    set_weights,
)
from scratchnet.nn.batches import generate_batches
from scratchnet.nn.layers import Dropout
from scratchnet.nn.metrics import SLICE
from scratchnet.nn.network import build_mlp, initial_weights
from scratchnet.progress import progress
from scratchnet.random_streams import random_stream
from scratchnet.training.checkpoints import load_checkpoint
from scratchnet.training.environment import environment
from scratchnet.training.loop import train_epoch
from scratchnet.training.segments import make_optimizer

log = logging.getLogger(__name__)

# How far both may be apart: in the loss of a batch or an epoch, in any weight, and in any
# probability. Where a ReLU gets a number near 0, float32 may round it to another side of 0 there
# than here, and the gradient is another one, not a rounded one: then only the loss of whole epochs
# is bounded.
BOUNDS = {
    "float64": {"loss": 1e-9, "weights": 1e-9, "predictions": 1e-9},
    "float32": {"loss": 1e-4},
    "float32, ReLU": {"loss_of_an_epoch": 1e-2},
}
COLUMNS = (
    *("precision", "epoch", "batch", "loss", "keras_loss"),
    *("loss_difference", "weights_difference", "predictions_difference", "classes_that_differ"),
)


def check_parity(data, checkpoint, settings, name, parity, differences):
    """Repeat the training of the run `name` in float64 and in float32, here and in Keras.

    `data` maps X_train, Y_train and X_test to .npy paths; `checkpoint` is that of the run, which
    says how many epochs it had. Writes `parity` (.json), the largest differences, and `differences`
    (.csv), with a row for each batch of the first epoch and for each epoch. Raises ParityError,
    which says where, when they are further apart than BOUNDS allow, and MissingPackageError.
    """
    keras = import_keras()
    data = {name: np.load(path, mmap_mode="r") for name, path in data.items()}
    state = load_checkpoint(checkpoint)
    epochs = len(state.history["loss"])
    rows, found = [], {}
    for precision in ("float64", "float32"):
        pair = Pair(keras, settings, data, precision)
        live = progress(f"{name} beside Keras, {precision}", iterable=range(1, epochs + 1))
        compared = [row for epoch in live for row in pair.train_epoch(epoch)]
        rows += compared
        found[precision] = {"bounds": pair.bounds} | {
            column: max(row[column] for row in compared if column in row)
            for column in ("loss_of_an_epoch_difference", *COLUMNS[5:])
        }
    found["float32"]["as_in_the_checkpoint"] = all(
        np.array_equal(W, kept) for W, kept in zip(pair.weights(), state.network.values())
    )
    versions = {"keras": keras.__version__}
    write_json(parity, {"epochs": epochs, **found, "environment": environment() | versions})
    write_csv(differences, COLUMNS, ([row[column] for column in COLUMNS] for row in rows))


class Pair:
    """A network here and the same one in Keras, which train side by side in `precision`."""

    def __init__(self, keras, settings, data, precision):
        set_precision(keras, precision)
        self.precision = precision
        self.data = data
        self.batch_size, self.seed = settings["training.batch_size"], settings["training.seed"]
        self.n = data["X_train"].shape[1]
        self.steps = math.ceil(self.n / self.batch_size)
        activation = settings.get("model.activation")
        self.bounds = BOUNDS[precision]
        if precision == "float32" and activation == "relu":
            self.bounds = BOUNDS["float32, ReLU"]
        weights = initial_weights(
            len(data["X_train"]),
            len(data["Y_train"]),
            settings["model.hidden"],
            settings["model.initializer"],
            random_stream(self.seed, "weights"),
        )
        weights = [W.astype(precision) for W in weights]
        rate = settings.get("model.dropout", 0)
        self.network = build_mlp([W.copy() for W in weights], activation, rate)
        self.optimizer = make_optimizer(settings, self.steps)
        self.layers = dense_layers(keras, weights)
        x = keras.Input((weights[0].shape[1] - 1,))
        masks = [keras.Input((len(W),)) for W in weights[:-1]] if rate else []
        model = keras.Model([x, *masks], connect(keras, self.layers, activation, x, masks))
        set_weights(self.layers, weights)
        optimizer = keras_optimizer(keras, self.optimizer, settings, self.steps, precision)
        self.keras_step = step_function(keras, model, optimizer)
        probabilities = keras.layers.Softmax()(connect(keras, self.layers, activation, x))
        self.keras_predict = predict_function(keras.Model(x, probabilities))

    def weights(self):
        """The weights here, as matrices in the order of the layers."""
        return [W for _, W, _ in self.network.parameters()]

    def train_epoch(self, epoch):
        """Train both for one epoch and yield what they differ in, as rows with COLUMNS.

        There is one for the epoch, and in the first epoch one for each batch before it.
        """
        rng = random_stream(self.seed, "dropout", epoch)
        shuffling = random_stream(self.seed, "shuffling", epoch)
        batches = generate_batches(
            self.data["X_train"], self.data["Y_train"], self.batch_size, shuffling
        )
        total = keras_total = 0.0
        for batch, arrays in enumerate(batches, start=1):
            X, Y = (array.astype(self.precision, order="F", copy=False) for array in arrays)
            loss = train_epoch(self.network, self.optimizer, [(X, Y)], rng)["loss"]
            masks = [layer.mask for layer in self.network.layers if isinstance(layer, Dropout)]
            keras_loss = float(self.keras_step([array.T for array in (X, *masks)], Y.T))
            total += loss * X.shape[1]
            keras_total += keras_loss * X.shape[1]
            if epoch == 1:
                yield self.compare(epoch, batch, loss, keras_loss)
        yield self.compare(epoch, None, total / self.n, keras_total / self.n)

    def compare(self, epoch, batch, loss, keras_loss):
        """A row for these losses and for what the networks are now. Raises ParityError.

        What they predict is compared on test images: after a batch on the first of them, after an
        epoch (`batch` is None) on all.
        """
        X = self.data["X_test"]
        predictions, differ = [], 0
        for i in range(0, X.shape[1] if batch is None else 1, SLICE):
            part = X[:, i : i + SLICE].astype(self.precision)
            P, keras_P = self.network.probabilities(part), self.keras_predict(part.T).numpy().T
            predictions.append(abs(P - keras_P).max())
            differ += int(np.count_nonzero(P.argmax(axis=0) != keras_P.argmax(axis=0)))
        weights = [
            abs(W - other).max() for W, other in zip(self.weights(), get_weights(self.layers))
        ]
        row = {
            "precision": self.precision,
            "epoch": epoch,
            "batch": batch or "",
            "loss": loss,
            "keras_loss": keras_loss,
            "loss_difference": abs(loss - keras_loss),
            "weights_difference": float(np.max(weights)),
            "predictions_difference": float(np.max(predictions)),
            "classes_that_differ": differ,
        }
        if batch is None:
            row["loss_of_an_epoch_difference"] = row["loss_difference"]
        self.check(row)
        if batch is None:
            apart = [f"{name} {row[f'{name}_difference']:.1e}" for name in BOUNDS["float64"]]
            log.info(
                "%s epoch %d  loss %.6f  apart: %s", self.precision, epoch, loss, "  ".join(apart)
            )
        return row

    def check(self, row):
        """Raise ParityError where a row of `compare` is out of bounds."""
        for what, bound in self.bounds.items():
            difference = row.get(f"{what}_difference", 0)
            if not difference <= bound:  # nan is out of bounds, too
                batch = f"batch {row['batch']} of " if row["batch"] else ""
                raise ParityError(
                    f"this network and Keras's do not agree in {self.precision}: after {batch}"
                    f"epoch {row['epoch']} they are {difference:.3g} apart in "
                    f"{what.replace('_', ' ')}, and may be {bound:g} (the losses are "
                    f"{row['loss']:.9g} here and {row['keras_loss']:.9g} in Keras)"
                )


def step_function(keras, model, optimizer):
    """A function of a list of inputs and of labels (b, k) that takes a step: the loss before it."""
    import tensorflow

    crossentropy = keras.losses.CategoricalCrossentropy(from_logits=True)

    @tensorflow.function(reduce_retracing=True)
    def step(inputs, Y):
        with tensorflow.GradientTape() as tape:
            loss = crossentropy(Y, model(inputs, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return step


def predict_function(model):
    """A function of images (n, pixels): their probabilities (n, k)."""
    import tensorflow

    return tensorflow.function(model, reduce_retracing=True)


def keras_optimizer(keras, optimizer, settings, steps_per_epoch, precision):
    """Keras's own optimizer and schedule of the same settings as `optimizer`, which is ours."""
    # To Keras a Python float is a float32, even where all else is float64.
    number = np.float64 if precision == "float64" else float
    rate = number(settings["training.learning_rate"])
    if settings["training.schedule"] != "constant":
        decay_steps = settings["training.decay_epochs"] * steps_per_epoch
        decay_rate = number(settings["training.decay_rate"])
        schedules = keras.optimizers.schedules
        if settings["training.schedule"] == "step":
            rate = schedules.ExponentialDecay(rate, decay_steps, decay_rate, staircase=True)
        else:
            rate = schedules.CosineDecay(rate, decay_steps, alpha=decay_rate)
    decay = number(optimizer.weight_decay) if optimizer.weight_decay else None
    if settings["training.optimizer"] == "adam":
        names = ("beta_1", "beta_2", "epsilon")
        constants = {name: number(getattr(optimizer, name)) for name in names}
        return keras.optimizers.Adam(rate, **constants, weight_decay=decay)
    return keras.optimizers.SGD(
        rate, number(optimizer.momentum), optimizer.nesterov, weight_decay=decay
    )
