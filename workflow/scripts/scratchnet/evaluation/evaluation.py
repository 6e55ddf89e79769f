"""What a trained network gets right and wrong on the test images, in numbers to read and draw."""

import numpy as np

from scratchnet.errors import DataError
from scratchnet.files import read_json, write_csv, write_json
from scratchnet.nn.layers import softmax
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.metrics import accuracy, best_epoch, logits
from scratchnet.nn.network import build_mlp
from scratchnet.training.checkpoints import load_checkpoint
from scratchnet.training.environment import environment

METRICS = {
    "loss": "train_loss",
    "accuracy": "train_accuracy",
    "val_loss": "validation_loss",
    "val_accuracy": "validation_accuracy",
}
BINS = 10  # of the calibration, from 0 to 1
MAX_MISTAKES = 100  # that are kept with their pixels
MAX_UNITS = 60  # of a hidden layer whose weights are kept as images


def evaluate(data, manifest, checkpoint, settings, outputs):
    """Score a checkpoint on the test images, and write what the pictures are drawn from.

    `data` maps X_test and Y_test to .npy paths. `outputs` maps to paths: metrics (.json), history
    (.csv, a row an epoch), predictions (.csv, a row a test image), confusion (.csv, a row a pair of
    classes), calibration (.csv), misclassified (.json) and weights (.json). Where training kept its
    best epoch, that is the one which is scored. Raises DataError when `settings` name fewer or more
    classes than there are.
    """
    X, Y = (np.load(data[name], mmap_mode="r") for name in ("X_test", "Y_test"))
    manifest = read_json(manifest)
    classes = class_names(settings["classes"], manifest["classes"])
    state = load_checkpoint(checkpoint)
    network = build_mlp(state.trained.values(), settings.get("model.activation"))
    Z = logits(network, X)
    P = softmax(Z)
    labels, predicted = Y.argmax(axis=0), P.argmax(axis=0)
    confusion = confusion_matrix(labels, predicted, len(classes))
    bins = calibration(P, labels)
    measured = {name: values for name, values in state.history.items() if values}
    epochs = len(measured["loss"])
    epoch = best_epoch(measured) if state.best else epochs
    write_json(
        outputs["metrics"],
        {
            "epochs": epochs,
            **({"best_epoch": epoch} if state.best else {}),
            **{METRICS[name]: values[epoch - 1] for name, values in measured.items()},
            "test_loss": softmax_crossentropy(Z, Y)[0],
            "test_accuracy": accuracy(Z, Y),
            "calibration_error": calibration_error(bins),
            "per_class": per_class(confusion, classes),
            "confusion_matrix": confusion.tolist(),
            "environment": environment(),
        },
    )
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
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    write_csv(
        outputs["confusion"],
        ["label", "predicted", "images", "share"],
        (
            [classes[label], classes[prediction], n, round(shares[label, prediction], 6)]
            for (label, prediction), n in np.ndenumerate(confusion)
        ),
    )
    write_csv(outputs["calibration"], list(bins[0]), [row.values() for row in bins])
    shape = manifest["image_shape"]
    mistakes = misclassified(X, P, labels, classes, shape)
    write_json(outputs["misclassified"], mistakes, indent=None)
    images = weight_images([*network.weights().values()], classes, shape)
    write_json(outputs["weights"], images, indent=None)


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


def calibration(P, labels):
    """How often predictions are right that are equally confident (a reliability diagram).

    P (k, n) are probabilities, the largest of a column is its confidence. Confidences are put into
    BINS bins of equal width; of each that is not empty there is a dict of its limits (above
    "from", up to "to"), how many "images" it has, their mean "confidence" and their "accuracy".
    """
    confidence = P.max(axis=0).astype(float)
    right = P.argmax(axis=0) == labels
    bins = np.ceil(confidence * BINS).clip(1, BINS).astype(int)
    return [
        {
            "from": (i - 1) / BINS,
            "to": i / BINS,
            "images": int(np.count_nonzero(bins == i)),
            "confidence": round(float(confidence[bins == i].mean()), 6),
            "accuracy": round(float(right[bins == i].mean()), 6),
        }
        for i in np.unique(bins).tolist()
    ]


def calibration_error(bins):
    """The expected calibration error: how far confidence is from accuracy, as a mean over images.

    `bins` are those of `calibration`. (Guo et al. 2017, On Calibration of Modern Neural Networks.)
    """
    images = sum(row["images"] for row in bins)
    return sum(row["images"] * abs(row["confidence"] - row["accuracy"]) for row in bins) / images


def misclassified(X, P, labels, classes, shape):
    """The mistakes of which the network is most certain, at most MAX_MISTAKES, and their number.

    Of each it has the number of the image in X (pixels, n), its class, the predicted one, the
    probabilities P (k, n) by class, and the pixels in the image's own `shape`.
    """
    predicted, confidence = P.argmax(axis=0), P.max(axis=0)
    wrong = np.flatnonzero(predicted != labels)
    # A stable sort: of equally confident mistakes, the first image comes first.
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:MAX_MISTAKES]
    return {
        "count": len(wrong),
        "images": [
            {
                "image": int(i),
                "label": classes[labels[i]],
                "predicted": classes[predicted[i]],
                "probabilities": dict(zip(classes, _rounded(P[:, i], 6))),
                "pixels": _rounded(X[:, i].reshape(shape), 4),
            }
            for i in shown
        ],
    }


def weight_images(weights, classes, shape):
    """The first layer's weights as images of `shape`, without the biases; `weights` are all W.

    Of a network without hidden layers there is one for each class. Otherwise there is one for each
    of the MAX_UNITS hidden units that weigh most in the next layer (by the norm of their column
    there), the heaviest first, and where the next layer is the last, with the class that the unit
    speaks for most.
    """
    W = weights[0][:, :-1]
    if len(weights) == 1:
        units = [{"class": name} for name in classes]
        order = range(len(W))
    else:
        following = weights[1][:, :-1]
        order = np.argsort(-np.linalg.norm(following, axis=0), kind="stable")[:MAX_UNITS]
        units = [{"unit": int(i)} for i in order]
        if len(weights) == 2:
            units = [
                unit | {"class": classes[following[:, i].argmax()]} for unit, i in zip(units, order)
            ]
    return {
        "outputs": len(W),
        "images": [
            unit | {"weights": _rounded(W[i].reshape(shape), 6)} for unit, i in zip(units, order)
        ],
    }


def _rounded(array, digits):
    return array.astype(float).round(digits).tolist()
