"""Ensembles: mean probabilities, and what they reach beside their members."""

import json

import numpy as np
import pytest

from scratchnet.evaluation.ensembles import add_files, evaluate_ensembles
from scratchnet.evaluation.evaluation import wilson_interval
from scratchnet.files import read_csv
from scratchnet.training.checkpoints import Checkpoint, save_checkpoint

SETTINGS = {"model.activation": None}


@pytest.fixture
def sweep(tmp_path):
    """A function that writes three runs, of seeds 0 to 2 at two rates, and returns them."""
    rng = np.random.default_rng(0)
    X, Y = rng.random((4, 50), np.float32), np.eye(3, dtype=np.float32)[:, np.arange(50) % 3]
    np.save(tmp_path / "X_test.npy", X)
    np.save(tmp_path / "Y_test.npy", Y)
    manifest = {"image_shape": [2, 2], "minimum": 0, "maximum": 1}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    rows, weights = [], rng.normal(0, 3, (3, 3, 5)).astype(np.float32)
    for seed, (W, rate) in enumerate(zip(weights, (0.1, 0.1, 0.2))):
        save_checkpoint(tmp_path / f"{seed}.npz", Checkpoint({"0.W": W}, {}, {"loss": [1.0]}))
        measured = {"test_accuracy": 0.25 * seed, "per_class": []}
        (tmp_path / f"{seed}.json").write_text(json.dumps(measured))
        swept = {"training.learning_rate": rate, "training.seed": seed}
        rows.append({"swept": swept, "metrics": str(tmp_path / f"{seed}.json")})
    files = {
        "checkpoint": [tmp_path / f"{seed}.npz" for seed in range(3)],
        **{name: [tmp_path / f"{name}.npy"] * 3 for name in ("X_test", "Y_test")},
        "manifest": [tmp_path / "manifest.json"] * 3,
    }
    return add_files(rows, [SETTINGS] * 3, files), X, Y, weights


def test_a_point_with_several_seeds_has_the_mean_probabilities_of_its_runs(sweep, tmp_path):
    runs, X, Y, weights = sweep
    evaluate_ensembles(runs, tmp_path / "ensembles.csv")
    (row,) = read_csv(tmp_path / "ensembles.csv")  # the rate 0.2 has a single seed
    P = np.zeros((3, 50))
    for W in weights[:2]:
        E = np.exp(W[:, :-1] @ X + W[:, -1:])
        P += E / E.sum(axis=0) / 2
    accuracy = np.mean(P.argmax(axis=0) == Y.argmax(axis=0))
    low, high = wilson_interval(accuracy, 50)
    confidence, is_right = P.max(axis=0), P.argmax(axis=0) == Y.argmax(axis=0)
    bins = np.ceil(confidence * 10)
    gaps = [abs((confidence - is_right)[bins == i].sum()) for i in range(1, 11)]
    measured = {name: float(value) for name, value in row.items()}
    assert measured == {
        "training.learning_rate": 0.1,
        "runs": 2,
        "test_accuracy": 0.125,
        "test_accuracy_sd": pytest.approx(0.25 / 2**0.5),
        "ensemble_accuracy": accuracy,
        "ensemble_accuracy_low": low,
        "ensemble_accuracy_high": high,
        "ensemble_loss": pytest.approx(-np.log((P * Y).sum(axis=0)).mean(), rel=1e-5),
        "ensemble_calibration_error": pytest.approx(sum(gaps) / 50, abs=1e-5),
    }
