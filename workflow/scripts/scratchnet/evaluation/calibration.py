"""Calibration: how well the network's confidence matches its accuracy."""

import math

import numpy as np

from scratchnet.files import read_csv
from scratchnet.nn.layers import softmax

N_BINS = 10  # of equal width, from 0 to 1
TEMPERATURES = (0.01, 100.0)  # the lowest and the highest that are tried
FEW_IMAGES = 30  # below which the accuracy of a bin says little


def calibration_bins(P, labels):
    """Return the bins of a reliability diagram as a list of dicts, without the empty bins.

    P (k, n) holds the predicted probabilities; the confidence of a prediction is the largest value
    in its column. `labels` (n,) holds the indices of the true classes. Each bin covers the
    confidences above "from" and up to "to", and has the number of "images" in it, their mean
    "confidence" and their "accuracy".
    """
    confidence = P.max(axis=0).astype(float)
    correct = P.argmax(axis=0) == labels
    bins = np.ceil(confidence * N_BINS).astype(int)
    return [
        {
            "from": (i - 1) / N_BINS,
            "to": i / N_BINS,
            "images": int(np.count_nonzero(bins == i)),
            "confidence": round(float(confidence[bins == i].mean()), 6),
            "accuracy": round(float(correct[bins == i].mean()), 6),
        }
        for i in sorted(set(bins.tolist()))
    ]


def calibration_error(bins):
    """Return the expected calibration error of `bins`, as returned by `calibration_bins`.

    It is the mean over all images of |confidence - accuracy| of their bin (Guo et al. 2017, On
    Calibration of Modern Neural Networks).
    """
    images = sum(row["images"] for row in bins)
    return sum(row["images"] * abs(row["confidence"] - row["accuracy"]) for row in bins) / images


def read_bins(path):
    """Return the bins in a calibration.csv, and those after temperature scaling, perhaps none."""
    rows = [{key: float(value) for key, value in row.items()} for row in read_csv(path)]
    bins = [row for row in rows if row.get("temperature", 1) == 1]
    return bins, [row for row in rows if row not in bins]


def fit_temperature(Z, labels):
    """Return the temperature T for which softmax(Z / T) has the lowest loss.

    Z (k, n) holds the logits of images that were not trained on, and `labels` (n,) the indices of
    their true classes. All confidences are lower with T > 1, and higher with T < 1; the predicted
    classes stay (temperature scaling, Guo et al. 2017). T is one of TEMPERATURES if no loss in
    between is lower.
    """
    Z = np.asarray(Z, float)
    true = np.take_along_axis(Z, labels[np.newaxis], axis=0)[0]
    low, high = (1 / T for T in reversed(TEMPERATURES))
    for _ in range(50):
        # The loss is convex in 1 / T: it falls as long as its derivative is below 0.
        middle = math.sqrt(low * high)
        derivative = np.mean((softmax(middle * Z) * Z).sum(axis=0) - true)
        low, high = (middle, high) if derivative <= 0 else (low, middle)
    return 1 / math.sqrt(low * high)
