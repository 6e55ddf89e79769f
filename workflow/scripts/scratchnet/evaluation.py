"""What a trained network gets right and wrong on the test images."""

import numpy as np

from scratchnet.checkpoints import load_checkpoint
from scratchnet.environment import environment
from scratchnet.files import read_json, write_csv, write_json
from scratchnet.layers import softmax
from scratchnet.losses import softmax_crossentropy
from scratchnet.metrics import accuracy, logits
from scratchnet.network import build
from scratchnet.streams import random_stream

METRICS = {
    "loss": "train_loss",
    "val_loss": "validation_loss",
    "val_accuracy": "validation_accuracy",
}


def evaluate(data, manifest, checkpoint, settings, outputs):
    """Score a checkpoint on the test images; write its metrics, history and predictions.

    `data` maps X_test and Y_test to .npy paths. `outputs` maps metrics (.json), history (.csv, a
    row an epoch) and predictions (.csv, a row a test image) to paths.
    """
    X, Y = (np.load(data[name], mmap_mode="r") for name in ("X_test", "Y_test"))
    weights, _, history = load_checkpoint(checkpoint)
    network = build(
        n_in=len(X),
        n_out=len(Y),
        hidden=settings["model.hidden"],
        activation=settings["model.activation"],
        rng=random_stream(0, "weights"),  # overwritten
    )
    network.set_weights(weights)
    Z = logits(network, X)
    P = softmax(Z)
    labels, predicted = Y.argmax(axis=0), P.argmax(axis=0)
    classes = read_json(manifest)["classes"]
    confusion = confusion_matrix(labels, predicted, len(classes))
    measured = {name: values for name, values in history.items() if values}
    metrics = {
        "epochs": len(history["loss"]),
        **{METRICS[name]: values[-1] for name, values in measured.items()},
        "test_loss": softmax_crossentropy(Z, Y)[0],
        "test_accuracy": accuracy(Z, Y),
        "per_class": per_class(confusion, classes),
        "confusion_matrix": confusion.tolist(),
        "environment": environment(),
    }
    write_json(outputs["metrics"], metrics)
    epochs = range(1, len(history["loss"]) + 1)
    write_csv(outputs["history"], ["epoch", *measured], zip(epochs, *measured.values()))
    confidence = P.max(axis=0)
    write_csv(
        outputs["predictions"],
        ["image", "label", "predicted", "probability"],
        zip(range(len(labels)), labels, predicted, confidence.round(6)),
    )


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
