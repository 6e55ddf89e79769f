"""What a trained network gets right and wrong on the test images."""

import numpy as np

from scratchnet.checkpoints import load_checkpoint
from scratchnet.environment import environment
from scratchnet.errors import DataError
from scratchnet.files import read_json, write_csv, write_json
from scratchnet.layers import softmax
from scratchnet.losses import softmax_crossentropy
from scratchnet.metrics import accuracy, best_epoch, logits
from scratchnet.network import build

METRICS = {
    "loss": "train_loss",
    "val_loss": "validation_loss",
    "val_accuracy": "validation_accuracy",
}


def evaluate(data, manifest, checkpoint, settings, outputs):
    """Score a checkpoint on the test images; write its metrics, history and predictions.

    `data` maps X_test and Y_test to .npy paths. `outputs` maps metrics (.json), history (.csv, a
    row an epoch) and predictions (.csv, a row a test image) to paths. Where training kept its best
    epoch, that is the one which is scored. Raises DataError when `settings` name fewer or more
    classes than there are.
    """
    X, Y = (np.load(data[name], mmap_mode="r") for name in ("X_test", "Y_test"))
    state = load_checkpoint(checkpoint)
    history = state.history
    network = build(state.trained.values(), settings.get("model.activation"))
    Z = logits(network, X)
    P = softmax(Z)
    labels, predicted = Y.argmax(axis=0), P.argmax(axis=0)
    classes = class_names(settings["classes"], read_json(manifest)["classes"])
    confusion = confusion_matrix(labels, predicted, len(classes))
    measured = {name: values for name, values in history.items() if values}
    epochs = len(history["loss"])
    epoch = best_epoch(history) if state.best else epochs
    metrics = {
        "epochs": epochs,
        **({"best_epoch": epoch} if state.best else {}),
        **{METRICS[name]: values[epoch - 1] for name, values in measured.items()},
        "test_loss": softmax_crossentropy(Z, Y)[0],
        "test_accuracy": accuracy(Z, Y),
        "per_class": per_class(confusion, classes),
        "confusion_matrix": confusion.tolist(),
        "environment": environment(),
    }
    write_json(outputs["metrics"], metrics)
    write_csv(
        outputs["history"], ["epoch", *measured], zip(range(1, epochs + 1), *measured.values())
    )
    write_csv(
        outputs["predictions"],
        ["image", "label", "predicted", "probability"],
        (
            [image, classes[label], classes[prediction], probability]
            for image, (label, prediction, probability) in enumerate(
                zip(labels, predicted, P.max(axis=0).round(6))
            )
        ),
    )


def class_names(chosen, own):
    """The names `chosen` for the classes, or, where that is None, the dataset's `own`."""
    if chosen and len(chosen) != len(own):
        raise DataError(
            f"config.yaml names {len(chosen)} classes, but the dataset has {len(own)}: "
            + ", ".join(own)
        )
    return chosen or own


def confusion_matrix(labels, predicted, n_classes):
    """Counts (k, k) of samples by label (row) and predicted class (column)."""
    counts = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def per_class(confusion, classes):
    """For each class its name, its number of images, its precision and its recall.

    Precision is the share of the predictions of a class that are right, recall the share of its
    images that are found. Where there are none to take a share of, it is None.
    """
    right, predicted, images = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    return [
        {
            "class": name,
            "images": int(n),
            "precision": float(r / p) if p else None,
            "recall": float(r / n) if n else None,
        }
        for name, r, p, n in zip(classes, right, predicted, images)
    ]
