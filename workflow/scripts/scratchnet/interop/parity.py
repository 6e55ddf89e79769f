"""The parity check: does training in Scratchnet agree with training in Keras?

Both start from the same weights and receive the same batches, augmented if the run is, and the same
dropout masks. After that
they are independent: nothing is copied from one to the other. In float64 they agree to within
rounding errors. In float32, the precision of all runs, the two round differently, and training
carries the differences on.
"""

import itertools
import logging
import math

import numpy as np

from scratchnet.errors import ParityError
from scratchnet.files import read_json, write_csv, write_json
from scratchnet.interop.keras_model import import_keras
from scratchnet.interop.keras_training import KerasTraining
from scratchnet.nn.convolution import Conv2D, MaxPool2D
from scratchnet.nn.layers import Dropout, LeakyReLU, ReLU
from scratchnet.nn.metrics import PREDICTION_BATCH
from scratchnet.nn.normalization import BatchNormalization
from scratchnet.progress import progress
from scratchnet.random_streams import random_stream
from scratchnet.training.checkpoints import load_checkpoint
from scratchnet.training.environment import describe_environment
from scratchnet.training.from_settings import make_initial_weights, make_training
from scratchnet.training.loop import choose_loss, epoch_batches, train_epoch

log = logging.getLogger(__name__)

# The largest differences allowed: in the loss of a batch or an epoch, in any weight, and in any
# probability. With ReLU, leaky or not, in float32, only the loss of whole epochs is bounded:
# rounding may change the sign of an input near 0, and then the two gradients are different, not
# only rounded. So are those of max pooling where two numbers are nearly equal. The gradient of a
# bias before batch normalisation is 0 but for rounding, of which Adam makes steps. Training takes
# the bias out again, but predictions with the running mean, which lags behind it, do not quite.
BOUNDS = {
    "float64": {"loss": 1e-9, "weights": 1e-9, "predictions": 1e-9},
    "float64, batch normalisation": {"loss": 1e-9, "weights": 1e-9, "predictions": 1e-6},
    "float32": {"loss": 1e-4},
    "float32, wide": {"loss_of_an_epoch": 1e-2},
}
# The layers with the last of these bounds.
WIDE = (ReLU, LeakyReLU, Conv2D, MaxPool2D, BatchNormalization)
DIFFERENCES = (
    "loss_difference",
    "weights_difference",
    "predictions_difference",
    "classes_that_differ",
)
COLUMNS = ("precision", "epoch", "batch", "loss", "keras_loss", *DIFFERENCES)


def check_parity(data, manifest, checkpoint, settings, name, parity, differences):
    """Repeat the training of the run `name` in Scratchnet and in Keras, in float64 and in float32.

    `data` maps X_train, Y_train and X_test to .npy paths, and `manifest` is the path of their
    manifest. `checkpoint` is the path of the run's checkpoint, which gives the number of epochs.
    Writes `parity` (.json), with the largest differences, and `differences` (.csv), with a row for
    each batch of the first epoch and for each epoch. Raises ParityError at the first difference
    outside BOUNDS, and MissingPackageError.
    """
    keras = import_keras()
    data = {name: np.load(path, mmap_mode="r") for name, path in data.items()}
    state = load_checkpoint(checkpoint)
    epochs = len(state.history["loss"])
    rows, results = [], {}
    for precision in ("float64", "float32"):
        pair = TrainingPair(keras, settings, data, read_json(manifest), precision)
        live = progress(f"{name} and Keras, {precision}", iterable=range(1, epochs + 1))
        compared = [row for epoch in live for row in pair.train_epoch(epoch)]
        rows += compared
        results[precision] = {"bounds": pair.bounds} | {
            column: max(row[column] for row in compared if column in row)
            for column in ("loss_of_an_epoch_difference", *DIFFERENCES)
        }
    results["float32"]["as_in_the_checkpoint"] = all(
        np.array_equal(W, saved) for W, saved in zip(pair.weights(), state.network.values())
    )
    versions = {"keras": keras.__version__}
    write_json(
        parity, {"epochs": epochs, **results, "environment": describe_environment() | versions}
    )
    write_csv(differences, COLUMNS, ([row[column] for column in COLUMNS] for row in rows))


class TrainingPair:
    """The same training in Scratchnet and in Keras, in `precision` ("float32" or "float64").

    `data` maps X_train, Y_train and X_test to the arrays that `manifest` describes.
    """

    def __init__(self, keras, settings, data, manifest, precision):
        self.precision = precision
        self.data = data
        self.settings = settings
        self.n = data["X_train"].shape[1]
        weights = make_initial_weights(settings, manifest["image_shape"], len(data["Y_train"]))
        weights = [W.astype(precision) for W in weights]
        self.training = make_training(weights, settings, manifest, self.n)
        self.network, self.optimizer = self.training.network, self.training.optimizer
        kinds = {type(layer) for layer in self.network.layers}
        if precision == "float32":
            self.bounds = BOUNDS["float32, wide" if kinds & {*WIDE} else precision]
        else:
            has_batches = BatchNormalization in kinds
            self.bounds = BOUNDS["float64, batch normalisation" if has_batches else precision]
        self.loss_options = choose_loss(data["Y_train"], settings)
        steps_per_epoch = math.ceil(self.n / settings["training.batch_size"])
        n_in = len(data["X_train"])
        self.keras_training = KerasTraining(
            keras, self.network, settings, n_in, self.optimizer, steps_per_epoch, precision
        )

    def weights(self):
        """Return Scratchnet's weights in the order of the layers."""
        return [*self.network.weights().values()]

    def train_epoch(self, epoch):
        """Train both for one epoch, and yield their differences as rows with COLUMNS.

        There is a row for the epoch and, in the first epoch, one for each batch before it.
        """
        rng = random_stream(self.settings["training.seed"], "dropout", epoch)
        batches = epoch_batches(self.training, self.data, self.settings, epoch)
        total = keras_total = 0.0
        for batch, arrays in enumerate(batches, start=1):
            X, Y = (array.astype(self.precision, order="F", copy=False) for array in arrays)
            metrics = train_epoch(self.network, self.optimizer, [(X, Y)], rng, **self.loss_options)
            loss, class_weights = metrics["loss"], self.loss_options["class_weights"]
            masks = [layer.mask for layer in self.network.layers if isinstance(layer, Dropout)]
            sample_weights = None if class_weights is None else class_weights @ Y
            keras_loss = self.keras_training.train_batch(X, Y, masks, sample_weights)
            total += loss * X.shape[1]
            keras_total += keras_loss * X.shape[1]
            if epoch == 1:
                yield self.compare(epoch, batch, loss, keras_loss)
        yield self.compare(epoch, None, total / self.n, keras_total / self.n)

    def compare(self, epoch, batch, loss, keras_loss):
        """Return a row with the losses and the current differences. Raises ParityError.

        After an epoch (`batch` is None), predictions are compared on all test images; after a
        batch, only on the first of them, to save time.
        """
        X = self.data["X_test"] if batch is None else self.data["X_test"][:, :PREDICTION_BATCH]
        ours, theirs = (
            without_shifts(self.network.layers, arrays)
            for arrays in (self.weights(), self.keras_training.weights())
        )
        weights = [abs(W - other).max() for W, other in zip(ours, theirs)]
        predictions, n_classes_differ = self._compare_predictions(X)
        row = {
            "precision": self.precision,
            "epoch": epoch,
            "batch": batch or "",
            "loss": loss,
            "keras_loss": keras_loss,
            "loss_difference": abs(loss - keras_loss),
            "weights_difference": float(np.max(weights)),
            "predictions_difference": predictions,
            "classes_that_differ": n_classes_differ,
        }
        if batch is None:
            row["loss_of_an_epoch_difference"] = row["loss_difference"]
        check_bounds(row, self.bounds)
        if batch is None:
            names = ("loss", "weights", "predictions")
            text = "  ".join(f"{name} {row[f'{name}_difference']:.1e}" for name in names)
            log.info("%s epoch %d  loss %.6f  differences: %s", self.precision, epoch, loss, text)
        return row

    def _compare_predictions(self, X):
        """Return the largest difference in any probability, and how many classes differ."""
        differences, n_classes_differ = [], 0
        for i in range(0, X.shape[1], PREDICTION_BATCH):
            part = X[:, i : i + PREDICTION_BATCH].astype(self.precision)
            P, keras_P = self.network.probabilities(part), self.keras_training.predict(part)
            differences.append(abs(P - keras_P).max())
            n_classes_differ += int(np.count_nonzero(P.argmax(axis=0) != keras_P.argmax(axis=0)))
        return float(np.max(differences)), n_classes_differ


def without_shifts(layers, arrays):
    """Return `arrays`, those of `Network.weights`, without what batch normalisation takes out.

    That is the bias before it, which the running mean follows.
    """
    arrays, found = iter(arrays), []
    layers = [layer for layer in layers if layer.params]
    for layer, after in itertools.zip_longest(layers, layers[1:]):
        own = {name: next(arrays) for name in layer.params | layer.state}
        if isinstance(after, BatchNormalization):
            own["W"] = own["W"][:, :-1]
        own.pop("mean", None)
        found += own.values()
    return found


def check_bounds(row, bounds):
    """Raise ParityError if a difference in a row of `TrainingPair.compare` exceeds its bound."""
    for quantity, bound in bounds.items():
        difference = row.get(f"{quantity}_difference", 0)
        if not difference <= bound:  # NaN exceeds any bound
            batch = f"batch {row['batch']} of " if row["batch"] else ""
            raise ParityError(
                f"training does not agree with Keras in {row['precision']}: after {batch}epoch "
                f"{row['epoch']} the difference in {quantity.replace('_', ' ')} is "
                f"{difference:.3g}, and at most {bound:g} is allowed (loss: {row['loss']:.9g}, "
                f"in Keras: {row['keras_loss']:.9g})"
            )
