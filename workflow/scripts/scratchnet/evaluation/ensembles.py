"""Ensembles: the mean of the probabilities that networks with different seeds predict."""

import statistics

import numpy as np

from scratchnet.evaluation.calibration import calibration_bins, calibration_error
from scratchnet.evaluation.evaluation import wilson_interval
from scratchnet.evaluation.summary import group_by_point
from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.files import write_rows
from scratchnet.nn.layers import softmax
from scratchnet.nn.losses import categorical_crossentropy
from scratchnet.nn.metrics import accuracy, logits


def evaluate_ensembles(runs, ensembles):
    """Write the table `ensembles` (ensembles.csv) with a row for each point of a sweep.

    `runs` are those of `add_files`, with X_test and Y_test. A point with a single run is left out.
    """
    rows = [
        dict(point) | _evaluate_ensemble(members)
        for point, members in group_by_point(runs).items()
        if len(members) > 1
    ]
    write_rows(ensembles, rows)


def add_files(runs, networks, files):
    """Return `runs`, which are those of `summarize`, with more of each: its settings and paths.

    `networks` has the settings of each network, and `files` maps names to the paths of all runs.
    """
    return [
        {**run, "settings": network, **dict(zip(files, paths))}
        for run, network, *paths in zip(runs, networks, *files.values(), strict=True)
    ]


def load_members(runs):
    """Return the TrainedNetworks of `runs`, which are those of `add_files`."""
    names = ("checkpoint", "manifest", "metrics", "settings")
    return [TrainedNetwork.load(*(run[name] for name in names)) for run in runs]


def predict_mean(networks, X):
    """Return the mean (k, n) of the probabilities that Networks predict for X (n_in, n)."""
    return sum(softmax(logits(network, X)) for network in networks) / len(networks)


def _evaluate_ensemble(runs):
    """Return what the ensemble of `runs` reaches on the test images, beside its members."""
    X, Y = (np.load(runs[0][name], mmap_mode="r") for name in ("X_test", "Y_test"))
    members = load_members(runs)
    accuracies = [member.metrics["test_accuracy"] for member in members]
    P = predict_mean([member.build() for member in members], X)
    share, bins = accuracy(P, Y), calibration_bins(P, Y.argmax(axis=0))
    low, high = wilson_interval(share, Y.shape[1])
    return {
        "runs": len(runs),
        "test_accuracy": statistics.mean(accuracies),
        "test_accuracy_sd": statistics.stdev(accuracies),
        "ensemble_accuracy": share,
        "ensemble_accuracy_low": low,
        "ensemble_accuracy_high": high,
        "ensemble_loss": categorical_crossentropy(P, Y)[0],
        "ensemble_calibration_error": calibration_error(bins),
    }
