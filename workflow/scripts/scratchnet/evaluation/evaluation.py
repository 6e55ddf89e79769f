"""Evaluation of a trained network on the test images: metrics, and the data behind the plots."""

import math
import statistics

import numpy as np

from scratchnet.evaluation.calibration import (
    calibration_bins,
    calibration_error,
    fit_temperature,
)
from scratchnet.evaluation.class_names import MAX_CLASSES
from scratchnet.evaluation.feature_maps import describe_filters
from scratchnet.evaluation.thumbnails import shrink_image
from scratchnet.files import read_json, write_json, write_rows
from scratchnet.nn.convolution import Conv2D
from scratchnet.nn.layers import Dense, softmax
from scratchnet.nn.losses import softmax_crossentropy
from scratchnet.nn.metrics import accuracy, best_epoch, logits
from scratchnet.nn.network import build_network
from scratchnet.pixel_range import find_pixel_range, restore_pixels
from scratchnet.training.checkpoints import load_checkpoint

# The names in metrics.json of the values in a training history.
METRICS = {
    "loss": "train_loss",
    "accuracy": "train_accuracy",
    "val_loss": "validation_loss",
    "val_accuracy": "validation_accuracy",
}
VALIDATION = ("X_validation", "Y_validation")
MAX_MISTAKES = 100  # misclassified images stored with their pixels
MAX_UNITS = 60  # hidden units whose weights are stored as images


def evaluate(data, manifest, checkpoint, settings, outputs):
    """Evaluate a checkpoint on the test images and write the results.

    `data` maps X_test and Y_test to .npy paths, and perhaps X_validation and Y_validation, too:
    then calibration is also measured with the temperature that is best for these. `outputs` maps
    the names of the results, which are those in `compute_results`, to the paths of .csv and .json
    files. If training kept the weights of its best epoch, these are evaluated. The classes have the
    names in `settings`, or those of the dataset.
    """
    X, Y = (np.load(data[name], mmap_mode="r") for name in ("X_test", "Y_test"))
    manifest = read_json(manifest)
    classes = settings["classes"] or manifest["classes"]
    state = load_checkpoint(checkpoint)
    shape, convolutions = manifest["image_shape"], settings.get("model.convolutions", ())
    activation = settings.get("model.activation")
    network = build_network(state.trained.values(), shape, convolutions, activation)
    pixel_range = find_pixel_range(manifest)
    validation = [np.load(data[name], mmap_mode="r") for name in VALIDATION if name in data]
    results = compute_results(network, state, X, Y, classes, shape, pixel_range, validation)
    for name, result in results.items():
        if isinstance(result, dict):
            write_json(outputs[name], result, indent=2 if name == "metrics" else None)
        else:
            write_rows(outputs[name], result)


def compute_results(network, state, X, Y, classes, shape, pixel_range=(0, 1), validation=()):
    """Return all results by name: tables as iterables of rows (dicts), everything else as dicts.

    `state` is the Checkpoint of `network`; X (pixels, n) and Y (k, n) are the test images, which
    have the given `shape`, and their one-hot labels. `pixel_range` has the values of black and
    white in X, and `classes` are the names of the k classes. With more than MAX_CLASSES there is no
    matrix of all pairs of classes. `validation` has the validation images and their labels, if
    there are any: images (pixels, n) and labels (k, n).
    """
    Z = logits(network, X)
    P = softmax(Z)
    labels, predicted = Y.argmax(axis=0), P.argmax(axis=0)
    confusion = {}
    if len(classes) <= MAX_CLASSES:
        matrix = confusion_matrix(labels, predicted, len(classes))
        confusion["confusion_matrix"] = matrix.tolist()
    bins, test_accuracy = calibration_bins(P, labels), accuracy(Z, Y)
    calibration, scaled = bins, {}
    if validation and validation[0].size:
        T = fit_temperature(logits(network, validation[0]), validation[1].argmax(axis=0))
        scaled_bins = calibration_bins(softmax(Z / T), labels)
        scaled = {"temperature": T, "scaled_calibration_error": calibration_error(scaled_bins)}
        calibration = [{"temperature": 1.0, **row} for row in bins]
        calibration += [{"temperature": round(T, 6), **row} for row in scaled_bins]
    per_class = measure_classes(labels, predicted, classes)
    return {
        "metrics": {
            **training_metrics(state),
            "test_loss": softmax_crossentropy(Z, Y)[0],
            "test_accuracy": test_accuracy,
            "test_accuracy_interval": wilson_interval(test_accuracy, len(labels)),
            "test_balanced_accuracy": mean_over_classes("recall", per_class),
            "test_macro_f1": mean_over_classes("f1", per_class),
            "calibration_error": calibration_error(bins),
            **scaled,
            "per_class": per_class,
            **confusion,
            **(
                {"notes": notes}
                if (notes := describe_failure(state.history, labels, predicted, len(classes)))
                else {}
            ),
        },
        "history": tabulate_history(state.history),
        "predictions": tabulate_predictions(P, labels, classes),
        "confusion": tabulate_confusion(labels, predicted, classes),
        "calibration": calibration,
        "misclassified": rank_mistakes(X, P, labels, classes, shape, pixel_range),
        "weights": describe_filters(network, X, labels, classes, shape, pixel_range)
        if isinstance(network.layers[0], Conv2D)
        else weight_images(_dense_matrices(network), classes, shape),
    }


def wilson_interval(share, n):
    """Return the 95 % confidence interval [low, high] of a probability: `share` of n were right.

    It is that of Wilson (1927). It says how far chance in the choice of the n images reaches, not
    how much trainings with other seeds differ.
    """
    z = statistics.NormalDist().inv_cdf(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return [max(0.0, centre - half), min(1.0, centre + half)]


def training_metrics(state):
    """Return the training and validation metrics of the epoch whose weights are evaluated."""
    measured = {name: values for name, values in state.history.items() if values}
    epochs = len(measured["loss"])
    epoch = best_epoch(measured) if state.best else epochs
    return {
        "epochs": epochs,
        **({"best_epoch": epoch} if state.best else {}),
        **{METRICS[name]: values[epoch - 1] for name, values in measured.items()},
    }


def describe_failure(history, labels, predicted, n_classes):
    """Return a sentence for each sign that a network has learned nothing.

    A network that gives each class the same probability has the loss ln(n_classes). With much label
    smoothing, the loss of a good one is hardly lower, so the images that are right count, too:
    there are hardly more than of the most frequent class.
    """
    losses, guessing = history["loss"], math.log(n_classes)
    share, most = np.mean(labels == predicted), np.bincount(labels).max() / len(labels)
    if losses[-1] > 10 * guessing:
        return [
            f"the loss rose to {losses[-1]:.2g}; it is {guessing:.2f} for a network that guesses. "
            "Try a lower training.learning_rate"
        ]
    if min(losses) > 0.98 * guessing and share - most < 0.1 * (1 - most):
        return [
            f"learned nothing: the loss stayed at {min(losses):.2f}, as of a network that guesses. "
            "Try another training.learning_rate, or model.initializer: null"
        ]
    return []


def tabulate_history(history):
    """Return a row for each epoch, with the metrics of `history` that were measured."""
    measured = {name: values for name, values in history.items() if values}
    return [
        {"epoch": epoch, **dict(zip(measured, values))}
        for epoch, values in enumerate(zip(*measured.values()), start=1)
    ]


def tabulate_predictions(P, labels, classes):
    """Yield a row for each test image: its label, and the predicted class with its probability."""
    for image, (label, prediction, probability) in enumerate(
        zip(labels, P.argmax(axis=0), P.max(axis=0).round(6))
    ):
        yield {
            "image": image,
            "label": classes[label],
            "predicted": classes[prediction],
            "probability": probability,
        }


def tabulate_confusion(labels, predicted, classes):
    """Yield a row for each pair of label and predicted class, from indices of classes (n,).

    It has the number of images, and their share of all images with that label. With more than
    MAX_CLASSES classes, only the pairs that occur have a row.
    """
    k = len(classes)
    if k <= MAX_CLASSES:
        pairs, counts = np.arange(k * k), confusion_matrix(labels, predicted, k).ravel()
    else:
        pairs, counts = np.unique(labels * k + predicted, return_counts=True)
    totals = np.maximum(np.bincount(labels, minlength=k), 1)
    for pair, n in zip(pairs, counts):
        label, prediction = divmod(pair, k)
        yield {
            "label": classes[label],
            "predicted": classes[prediction],
            "images": n,
            "share": round(n / totals[label], 6),
        }


def confusion_matrix(labels, predicted, n_classes):
    """Return the number of samples (k, k) by label (row) and predicted class (column)."""
    counts = np.bincount(labels * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def measure_classes(labels, predicted, classes):
    """Return the number of images, the precision, the recall and the F1 score of each class.

    `labels` and `predicted` (n,) are indices of `classes`. Precision is the share of the
    predictions of a class that are correct. Recall is the share of the images of a class that are
    predicted as that class. F1 is the harmonic mean of both. Where the denominator is 0, the value
    is None.
    """
    counted = labels[labels == predicted], predicted, labels
    counts = (np.bincount(indices, minlength=len(classes)) for indices in counted)
    return [
        {
            "class": name,
            "images": int(n),
            "precision": float(c / p) if p else None,
            "recall": float(c / n) if n else None,
            "f1": float(2 * c / (p + n)) if p + n else None,
        }
        for name, c, p, n in zip(classes, *counts)
    ]


def mean_over_classes(measure, per_class):
    """Return the mean of a measure over the classes that have it, as scikit-learn defines it.

    That of the recall is the balanced accuracy, that of F1 is the macro F1.
    """
    return statistics.fmean(row[measure] for row in per_class if row[measure] is not None)


def rank_mistakes(X, P, labels, classes, shape, pixel_range=(0, 1)):
    """Return the number of misclassified images, and the most confident MAX_MISTAKES of them.

    Each image has its index in X (pixels, n), its label, the predicted class, its probabilities
    from P (k, n) by class (the MAX_CLASSES largest, and that of the label), and its pixels, 0 to 1,
    in the given `shape`, shrunk by `shrink_image`. `pixel_range` has the values of black and white
    in X.
    """

    def probabilities(p, label):
        shown = np.union1d(np.argsort(-p, kind="stable")[:MAX_CLASSES], label)
        return dict(zip((classes[c] for c in shown), _to_list(p[shown], 6)))

    def pixels(x):
        return restore_pixels(x.reshape(shape), pixel_range)

    predicted, confidence = P.argmax(axis=0), P.max(axis=0)
    wrong = np.flatnonzero(predicted != labels)
    # A stable sort: of equally confident mistakes, the one with the lower index comes first.
    ranked = wrong[np.argsort(-confidence[wrong], kind="stable")][:MAX_MISTAKES]
    return {
        "count": len(wrong),
        "images": [
            {
                "image": int(i),
                "label": classes[labels[i]],
                "predicted": classes[predicted[i]],
                "probabilities": probabilities(P[:, i], labels[i]),
                "pixels": _to_list(shrink_image(pixels(X[:, i])), 4),
            }
            for i in ranked
        ],
    }


def _dense_matrices(network):
    return [layer.params["W"] for layer in network.layers if isinstance(layer, Dense)]


def weight_images(weights, classes, shape):
    """Return the weights of the first layer, without the biases, as images of the given `shape`.

    `weights` holds the matrix W of every layer. Without hidden layers there is one image for each
    of the first MAX_CLASSES classes. Otherwise there is one for each of the MAX_UNITS hidden units
    with the largest outgoing weights (by their norm), the largest first. If the next layer is the
    output layer, each unit also has the class to which its outgoing weight is largest. Large images
    are shrunk by `shrink_image`.
    """
    W = weights[0][:, :-1]
    if len(weights) == 1:
        units = [{"class": name} for name in classes[:MAX_CLASSES]]
        order = range(len(units))
    else:
        outgoing = weights[1][:, :-1]
        order = np.argsort(-np.linalg.norm(outgoing, axis=0), kind="stable")[:MAX_UNITS]
        units = [{"unit": int(i)} for i in order]
        if len(weights) == 2:
            units = [
                unit | {"class": classes[outgoing[:, i].argmax()]} for unit, i in zip(units, order)
            ]
    return {
        "outputs": len(W),
        "images": [
            unit | {"weights": _to_list(shrink_image(W[i].reshape(shape)), 6)}
            for unit, i in zip(units, order)
        ],
    }


def _to_list(array, digits):
    """Return `array` as a list of floats rounded to `digits` decimal places."""
    return array.astype(float).round(digits).tolist()
