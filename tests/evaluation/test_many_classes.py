"""Many classes: what is made for them, and the memory that it takes, are bounded.

The data are 3,000 images of 8 x 8 pixels of 1,800 classes, as if each person had one. A matrix of
all pairs of classes has 3 million cells.
"""

import json

import numpy as np
import pytest

from measured_stages import PROGRAMS, run
from scratchnet.evaluation.class_names import MAX_CLASSES
from scratchnet.evaluation.evaluation import compute_results, tabulate_confusion
from scratchnet.files import read_csv, read_json
from scratchnet.nn.network import build_mlp
from scratchnet.training.checkpoints import Checkpoint, save_checkpoint

K, N = 1_800, 3_000
HISTORY = {"loss": [1.0], "accuracy": [0.5], "val_loss": [], "val_accuracy": []}


def make_data(k, n=N):
    """Return test images X, their labels, and the weights of a softmax regression."""
    rng = np.random.default_rng(0)
    X = rng.random((64, n), np.float32)
    return X, rng.integers(0, k, n), rng.normal(0, 1, (k, 65)).astype(np.float32)


def one_hot(labels, k):
    return (labels == np.arange(k)[:, None]).astype(np.float32)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The folder of the results, and the peak memory of each of PROGRAMS in MB."""
    folder = tmp_path_factory.mktemp("many classes")
    X, labels, W = make_data(K)
    np.save(folder / "X_test.npy", np.asfortranarray(X))
    np.save(folder / "Y_test.npy", np.asfortranarray(one_hot(labels, K)))
    np.save(folder / "own.npy", np.random.default_rng(0).integers(0, 256, (100, 8, 8), np.uint8))
    manifest = {"classes": [f"person {i}" for i in range(K)], "image_shape": [8, 8]}
    manifest |= {"minimum": 0, "maximum": 255}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    save_checkpoint(folder / "checkpoint.npz", Checkpoint({"0.W": W}, {}, HISTORY, {}))
    return folder, {name: run(name, folder) for name in PROGRAMS}


@pytest.mark.slow
def test_the_memory_of_many_classes_is_bounded(measured):
    _, peaks = measured
    assert {name: mb for name, mb in peaks.items() if mb > 500} == {}


@pytest.mark.slow
def test_the_results_of_many_classes_are_small(measured):
    folder, _ = measured
    sizes = {path.name: path.stat().st_size / 1e6 for path in folder.iterdir()}
    made = {name: mb for name, mb in sizes.items() if not name.endswith("npy")}
    assert {name: mb for name, mb in made.items() if mb > 5} == {}


def results_of(k):
    X, labels, W = make_data(k)
    state = Checkpoint({"0.W": W}, {}, HISTORY, {})
    classes = [f"c{i:03}" for i in range(k)]
    network = build_mlp([W], None)
    return compute_results(network, state, X, one_hot(labels, k), classes, [8, 8])


@pytest.mark.parametrize("k", [MAX_CLASSES, MAX_CLASSES + 1])
def test_results_by_pairs_of_classes_are_complete_up_to_a_bound(k):
    found = results_of(k)
    is_complete = k <= MAX_CLASSES
    rows = list(found["confusion"])
    assert len(rows) == k * k if is_complete else len(rows) <= N
    assert sum(row["images"] for row in rows) == N
    assert ("confusion_matrix" in found["metrics"]) == is_complete
    assert len(found["metrics"]["per_class"]) == k
    assert len(found["weights"]["images"]) == min(k, MAX_CLASSES)
    for mistake in found["misclassified"]["images"]:
        shown = mistake["probabilities"]
        assert len(shown) == min(k, MAX_CLASSES)
        assert mistake["predicted"] in shown
        assert list(shown) == sorted(shown)


def test_with_many_classes_the_pairs_that_occur_are_as_with_few():
    """There are 101 classes, of which 3 have images."""
    labels, predicted = np.array([0, 0, 0, 100, 7]), np.array([0, 0, 100, 7, 7])
    rows = list(tabulate_confusion(labels, predicted, [f"c{i}" for i in range(101)]))
    assert rows == [
        {"label": "c0", "predicted": "c0", "images": 2, "share": 0.666667},
        {"label": "c0", "predicted": "c100", "images": 1, "share": 0.333333},
        {"label": "c7", "predicted": "c7", "images": 1, "share": 1.0},
        {"label": "c100", "predicted": "c7", "images": 1, "share": 1.0},
    ]


@pytest.mark.slow
def test_the_most_probable_classes_of_a_mistake_are_stored(measured):
    folder, _ = measured
    predictions = read_csv(folder / "predictions.csv")
    for mistake in read_json(folder / "misclassified.json")["images"]:
        row = predictions[mistake["image"]]
        assert max(mistake["probabilities"].values()) == pytest.approx(
            float(row["probability"]), abs=2e-6
        )
