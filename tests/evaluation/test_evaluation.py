"""Evaluation, against results worked out by hand.

The network has 4 pixels and 4 classes. Each logit is 10 times its pixel, so it predicts the class
of the bright pixel: the images decide what is predicted.
"""

import json
import math

import numpy as np
import pytest

from scratchnet.evaluation import evaluation
from scratchnet.evaluation.calibration import calibration_bins, calibration_error, fit_temperature
from scratchnet.evaluation.evaluation import (
    describe_failure,
    evaluate,
    weight_images,
    wilson_interval,
)
from scratchnet.evaluation.feature_maps import describe_filters
from scratchnet.files import read_csv, read_json
from scratchnet.nn import metrics
from scratchnet.nn.layers import softmax
from scratchnet.nn.network import build_network
from scratchnet.nn.shapes import block_shapes
from scratchnet.training.checkpoints import Checkpoint, save_checkpoint

CLASSES = ["A", "B", "C", "D"]
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 0, 0, 1, 1, 0, 0, 3])
# C is never predicted, and there is no image of D.
CONFUSION = [[3, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0]]
PER_CLASS = [
    {"class": "A", "images": 4, "precision": 3 / 5, "recall": 3 / 4, "f1": 2 / 3},
    {"class": "B", "images": 2, "precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2},
    {"class": "C", "images": 2, "precision": None, "recall": 0.0, "f1": 0.0},
    {"class": "D", "images": 0, "precision": 0.0, "recall": None, "f1": 0.0},
]
WITHOUT_VALIDATION = {
    "loss": [1.5, 0.5],
    "accuracy": [0.25, 0.375],
    "val_loss": [],
    "val_accuracy": [],
}
WITH_VALIDATION = WITHOUT_VALIDATION | {"val_loss": [1.25, 0.75], "val_accuracy": [0.5, 0.625]}
OUTPUTS = {
    "metrics": "metrics.json",
    "history": "history.csv",
    "predictions": "predictions.csv",
    "confusion": "confusion.csv",
    "calibration": "calibration.csv",
    "misclassified": "misclassified.json",
    "weights": "weights.json",
}


def one_hot(labels):
    return np.asfortranarray(np.eye(4, dtype=np.float32)[np.array(labels, int)].T)


def dense(n_out, n_in, scale=1):
    """Return weights that pass pixel i on to output i, with biases of 0."""
    return (np.eye(n_out, n_in + 1) * (np.arange(n_in + 1) < n_in) * scale).astype(np.float32)


def write_checkpoint(path, weights, history=WITHOUT_VALIDATION, best=None):
    save_checkpoint(path, Checkpoint(weights, {}, history, best or {}))


SOFTMAX = {"0.W": dense(4, 4, 10)}
MLP = {"0.W": dense(5, 4), "1.W": dense(4, 5, 10)}


def make_files(
    folder,
    weights=SOFTMAX,
    history=WITHOUT_VALIDATION,
    images=PREDICTED,
    best=None,
    classes=None,
    settings=None,
    validation=([], []),
):
    """Evaluate a network in `folder`, and return the paths of all files read or written."""
    arrays = {"X_test": images, "Y_test": LABELS}
    arrays |= zip(("X_validation", "Y_validation"), validation)
    files = {
        **{name: folder / f"{name}.npy" for name in arrays},
        "manifest": folder / "manifest.json",
        "checkpoint": folder / "epoch-0002.npz",
        **{name: folder / file for name, file in OUTPUTS.items()},
    }
    for name, indices in arrays.items():
        np.save(files[name], one_hot(indices))
    files["manifest"].write_text(json.dumps({"classes": CLASSES, "image_shape": [2, 2]}))
    write_checkpoint(files["checkpoint"], weights, history, best)
    evaluate(
        data={name: files[name] for name in arrays},
        manifest=files["manifest"],
        checkpoint=files["checkpoint"],
        settings={"model.activation": "relu", "classes": classes} | (settings or {}),
        outputs={name: files[name] for name in OUTPUTS},
    )
    return files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("softmax"))


# ---- Metrics and predictions.


def test_the_metrics_are_those_of_the_training_history_and_the_test_images(files):
    assert read_json(files["metrics"]) == {
        "epochs": 2,
        "train_loss": 0.5,
        "train_accuracy": 0.375,
        # The loss of a correct prediction is -log(1 / (1 + 3 exp(-10))), that of a mistake 10 more,
        # and half of the predictions are mistakes.
        "test_loss": pytest.approx(math.log1p(3 * math.exp(-10)) + 5, rel=1e-6),
        "test_accuracy": 0.5,
        "test_accuracy_interval": wilson_interval(0.5, 8),
        "test_balanced_accuracy": pytest.approx(5 / 12),
        "test_macro_f1": pytest.approx(7 / 24),
        # Half of the predictions are correct, with a confidence of 0.999864 each.
        "calibration_error": pytest.approx(0.499864),
        "per_class": PER_CLASS,
        "confusion_matrix": CONFUSION,
    }
    assert "NaN" not in files["metrics"].read_text()  # it is strict JSON


@pytest.mark.parametrize(
    ("n_right", "n", "low", "high"),
    [
        (8, 10, 0.490, 0.943),
        (0, 20, 0.0, 0.161),
        (20, 20, 0.839, 1.0),
        (9038, 10000, 0.8979, 0.9094),
    ],
)
def test_the_interval_is_that_of_wilson(n_right, n, low, high):
    assert wilson_interval(n_right / n, n) == pytest.approx([low, high], abs=5e-4)


def test_validation_results_are_in_metrics_and_history_if_there_are_any(files, tmp_path):
    assert files["history"].read_text() == "epoch,loss,accuracy\n1,1.5,0.25\n2,0.5,0.375\n"
    files = make_files(tmp_path, history=WITH_VALIDATION)
    measured = read_json(files["metrics"])
    assert (measured["validation_loss"], measured["validation_accuracy"]) == (0.75, 0.625)
    assert files["history"].read_text() == (
        "epoch,loss,accuracy,val_loss,val_accuracy\n1,1.5,0.25,1.25,0.5\n2,0.5,0.375,0.75,0.625\n"
    )


PREDICTIONS = "".join(
    ["image,label,predicted,probability\n"]
    # 1 / (1 + 3 exp(-10)) = 0.9998638...
    + [f"{i},{'ABCD'[a]},{'ABCD'[b]},0.999864\n" for i, (a, b) in enumerate(zip(LABELS, PREDICTED))]
)


def test_the_predictions_have_a_row_for_each_image_with_a_hidden_layer_too(files, tmp_path):
    assert files["predictions"].read_text() == PREDICTIONS
    assert make_files(tmp_path, weights=MLP)["predictions"].read_text() == PREDICTIONS


@pytest.mark.parametrize("size", [1, 3, 7, 8])
def test_the_slice_size_does_not_change_the_results(files, tmp_path, monkeypatch, size):
    monkeypatch.setattr(metrics, "PREDICTION_BATCH", size)
    again = make_files(tmp_path)
    for name in OUTPUTS:
        assert again[name].read_bytes() == files[name].read_bytes()


def test_after_early_stopping_the_best_epoch_is_evaluated(tmp_path):
    """The last weights always predict A; the best ones are those of the other tests."""
    last = {"0.W": np.zeros((4, 5), np.float32)}
    history = {
        "loss": [1.5, 0.5, 0.4],
        "accuracy": [0.25, 0.375, 0.5],
        "val_loss": [1.25, 0.75, 0.875],
        "val_accuracy": [0.5, 0.625, 0.25],
    }
    files = make_files(tmp_path, weights=last, history=history, best=SOFTMAX)
    measured = read_json(files["metrics"])
    assert (measured["epochs"], measured["best_epoch"]) == (3, 2)
    assert (measured["train_loss"], measured["validation_loss"]) == (0.5, 0.75)
    assert measured["validation_accuracy"] == 0.625
    assert files["predictions"].read_text() == PREDICTIONS


def test_configured_class_names_are_in_every_result(tmp_path):
    names = ["ant", "bee", "cat", "dog"]
    files = make_files(tmp_path, classes=names)
    assert [row["class"] for row in read_json(files["metrics"])["per_class"]] == names
    assert files["predictions"].read_text().splitlines()[8].startswith("7,cat,dog,")
    assert {row["label"] for row in read_csv(files["confusion"])} == set(names)
    first = read_json(files["misclassified"])["images"][0]
    assert (first["label"], first["predicted"], [*first["probabilities"]]) == ("ant", "bee", names)
    assert [image["class"] for image in read_json(files["weights"])["images"]] == names


# ---- The data behind the plots.


def test_the_confusion_table_has_a_row_for_each_pair_with_its_share_of_the_label(files):
    rows = read_csv(files["confusion"])
    assert len(rows) == 16
    assert rows[0] == {"label": "A", "predicted": "A", "images": "3", "share": "0.75"}
    assert rows[11] == {"label": "C", "predicted": "D", "images": "1", "share": "0.5"}
    assert rows[15] == {"label": "D", "predicted": "D", "images": "0", "share": "0.0"}


def test_predictions_of_similar_confidence_share_a_calibration_bin():
    confidence = np.array([0.95, 0.91, 0.92, 0.3, 0.35, 1.0])
    P = np.stack([confidence, 1 - confidence])
    P[:, 3:5] = [[0.3, 0.35], [0.25, 0.3]]  # the rest belongs to other classes
    bins = calibration_bins(P, np.array([0, 0, 1, 0, 1, 0]))
    assert bins == [
        {"from": 0.2, "to": 0.3, "images": 1, "confidence": 0.3, "accuracy": 1.0},
        {"from": 0.3, "to": 0.4, "images": 1, "confidence": 0.35, "accuracy": 0.0},
        {"from": 0.9, "to": 1.0, "images": 4, "confidence": 0.945, "accuracy": 0.75},
    ]
    expected = (0.7 + 0.35 + 4 * (0.945 - 0.75)) / 6
    assert calibration_error(bins) == pytest.approx(expected)


def test_the_temperature_has_the_lowest_loss_on_the_images_that_it_is_fitted_to():
    rng = np.random.default_rng(0)
    Z = rng.normal(0, 1, (4, 3000))
    labels = (softmax(Z).cumsum(axis=0) < rng.random(3000)).sum(axis=0)  # drawn by softmax(Z)
    assert fit_temperature(Z, labels) == pytest.approx(1, abs=0.05)
    T = fit_temperature(5 * Z, labels)
    assert T / fit_temperature(Z, labels) == pytest.approx(5)

    def loss(temperature):
        return -np.log(softmax(5 * Z / temperature)[labels, np.arange(3000)]).mean()

    assert loss(T) < min(loss(0.99 * T), loss(1.01 * T))


@pytest.mark.parametrize(("shift", "T"), [(0, 0.01), (1, 100)])
def test_the_temperature_is_bounded_where_all_images_are_right_or_wrong(shift, T):
    labels = np.arange(40) % 4
    assert fit_temperature(3 * np.eye(4)[:, labels], (labels + shift) % 4) == pytest.approx(T)


def test_with_validation_images_calibration_is_measured_with_their_temperature(tmp_path):
    files = make_files(tmp_path, validation=(PREDICTED, LABELS))  # half of them are right
    metrics, rows = read_json(files["metrics"]), read_csv(files["calibration"])
    # Of 4 logits 10 / T, 0, 0, 0, the first is right for half of the images: p = 1 / 2.
    T = 10 / math.log(3)
    assert metrics["temperature"] == pytest.approx(T)
    assert metrics["calibration_error"] == pytest.approx(0.499864)
    assert metrics["scaled_calibration_error"] == pytest.approx(0, abs=1e-6)
    assert [float(row["temperature"]) for row in rows] == [1, pytest.approx(T)]
    assert [float(row["confidence"]) for row in rows] == pytest.approx([0.999864, 0.5])


def test_every_mistake_is_stored_with_its_pixels_and_probabilities(files):
    mistakes = read_json(files["misclassified"])
    assert mistakes["count"] == 4
    assert [image["image"] for image in mistakes["images"]] == [3, 5, 6, 7]
    last = mistakes["images"][-1]
    assert (last["label"], last["predicted"]) == ("C", "D")
    assert last["pixels"] == [[0, 0], [0, 1]]
    assert last["probabilities"] == {"A": 4.5e-05, "B": 4.5e-05, "C": 4.5e-05, "D": 0.999864}


def test_the_most_confident_mistakes_come_first_and_the_others_are_left_out(monkeypatch):
    monkeypatch.setattr(evaluation, "MAX_MISTAKES", 3)
    confidence = np.array([0.6, 0.9, 0.7, 0.9, 0.8])
    P = np.stack([confidence, 1 - confidence])
    labels = np.array([1, 1, 1, 1, 0])  # the last prediction is correct
    found = evaluation.rank_mistakes(np.zeros((4, 5)), P, labels, ["A", "B"], [2, 2])
    assert found["count"] == 4
    assert [image["image"] for image in found["images"]] == [1, 3, 2]


def test_without_hidden_layers_the_weights_of_each_class_are_an_image_without_the_bias():
    W = np.arange(20, dtype=np.float32).reshape(4, 5)
    assert weight_images([W], CLASSES, [2, 2]) == {
        "outputs": 4,
        "images": [
            {"class": name, "weights": row[:4].reshape(2, 2).tolist()}
            for name, row in zip(CLASSES, W)
        ],
    }


def test_the_most_influential_hidden_units_come_first_with_the_class_they_support_most():
    W = np.arange(15, dtype=float).reshape(3, 5)
    outgoing = np.array([[1, -5, 6, 9], [0, 4, 0, 9]])  # the last column is the bias
    found = weight_images([W, outgoing], ["A", "B"], [2, 2])
    assert found["outputs"] == 3
    assert [(image["unit"], image["class"]) for image in found["images"]] == [
        (1, "B"),  # sqrt(25 + 16) is more than 6
        (2, "A"),
        (0, "A"),
    ]
    assert found["images"][0]["weights"] == [[5, 6], [7, 8]]


def test_units_before_a_second_hidden_layer_have_no_class_and_at_most_max_units_are_stored():
    found = weight_images([np.ones((99, 5)), np.ones((2, 100)), np.ones((2, 3))], "AB", [2, 2])
    assert [image["unit"] for image in found["images"]] == [*range(evaluation.MAX_UNITS)]
    assert found["outputs"] == 99
    assert all("class" not in image for image in found["images"])


def test_weight_images_in_colour_keep_their_shape():
    (image,) = weight_images([np.arange(13.0)[None]], ["A"], [2, 2, 3])["images"]
    assert np.array(image["weights"]).shape == (2, 2, 3)


# ---- Convolutions

BLOCK = {"filters": 3, "kernel": 2, "pool": 2, "padding": "valid"}


def described(shape, n_filters=3, n_classes=2, labels=(1, 0, 1), activation="relu"):
    """Return what is stored of a random network, with the network and the images."""
    rng = np.random.default_rng(0)
    blocks = [BLOCK | {"filters": n_filters}]
    filters = rng.standard_normal((n_filters, 4 * (shape[2:] or [1])[0] + 1))
    output = np.prod(block_shapes(shape, blocks)[-1])
    dense = rng.standard_normal((n_classes, output + 1))
    network = build_network([filters, dense], shape, blocks, activation)
    X = rng.random((np.prod(shape), len(labels)))
    classes = [f"class {i}" for i in range(n_classes)]
    return describe_filters(network, X, np.array(labels), classes, shape), network, X


@pytest.mark.parametrize("activation", ["relu", "gelu"])  # before and after pooling
@pytest.mark.parametrize("shape", [[5, 6], [5, 6, 3]], ids=str)
def test_filters_are_stored_without_the_bias_with_maps_of_the_first_image_of_each_class(
    shape, activation
):
    found, network, X = described(shape, activation=activation)
    assert found["outputs"] == 3
    assert [image["filter"] for image in found["images"]] == [0, 1, 2]
    W = network.weights()["0.W"][:, :-1].reshape(3, 2, 2, *shape[2:])
    np.testing.assert_allclose([i["weights"] for i in found["images"]], W, atol=1e-4)
    convolution, first, second, _ = network.layers
    for row, name, i in zip(found["classes"], ("class 0", "class 1"), (1, 0), strict=True):
        assert row["class"] == name
        np.testing.assert_allclose(row["pixels"], X[:, i].reshape(shape), atol=1e-4)
        maps = second.forward(first.forward(convolution.forward(X[:, [i]])))
        expected = maps.reshape(2, 2, 3).transpose(2, 0, 1)
        assert 0 < (expected > 0).mean() < 1
        np.testing.assert_allclose(row["maps"], expected, atol=1e-4)


def test_images_beside_feature_maps_are_shown_as_they_were_before_standardisation():
    rng = np.random.default_rng(0)
    network = build_network([np.ones((3, 5)), np.ones((2, 13))], [5, 6], [BLOCK], "relu")
    X, labels = rng.random((30, 4)), np.array([1, 0, 1, 0])
    plain, found = (
        describe_filters(network, images, labels, ["a", "b"], [5, 6], pixel_range)
        for images, pixel_range in ((X, (0, 1)), ((X - 0.3) / 0.2, (-0.3 / 0.2, 0.7 / 0.2)))
    )
    for one, other in zip(plain["classes"], found["classes"], strict=True):
        np.testing.assert_allclose(one["pixels"], other["pixels"], atol=1e-3)
        assert one["maps"] != other["maps"]  # the network reads what is standardised


def test_classes_without_images_have_no_feature_maps_and_at_most_max_of_all_are_stored():
    found, _, _ = described([5, 6], n_classes=3, labels=(2, 0))
    assert [row["class"] for row in found["classes"]] == ["class 0", "class 2"]
    found, _, _ = described([5, 6], n_filters=40, n_classes=30, labels=range(30))
    assert (found["outputs"], len(found["images"]), len(found["classes"])) == (40, 16, 10)
    assert {len(row["maps"]) for row in found["classes"]} == {16}


def test_a_network_with_convolutions_is_evaluated(tmp_path):
    """Its only filter passes on the pixels, so it predicts what the network without it does."""
    block = {"filters": 1, "kernel": 1, "pool": 1, "padding": "valid"}
    weights = {"0.W": np.array([[1, 0]], np.float32), "1.W": SOFTMAX["0.W"]}
    files = make_files(tmp_path, weights, settings={"model.convolutions": [block]})
    (plain := tmp_path / "plain").mkdir()
    assert files["predictions"].read_bytes() == make_files(plain)["predictions"].read_bytes()
    assert read_json(files["weights"])["images"] == [{"filter": 0, "weights": [[1]]}]


# ---- Trainings that came to nothing.

GUESSING = math.log(10)


@pytest.mark.parametrize(
    ("losses", "beginning"),
    [
        ([GUESSING] * 20, "learned nothing: the loss stayed at 2.30"),
        ([2.31, 2.27, 2.2701], "learned nothing: the loss stayed at 2.27"),
        ([2.3, 2.2], None),
        ([2.31, 0.4], None),
        ([1.9, 10.1 * GUESSING], "the loss rose to 23; it is 2.30 for a network that guesses"),
        ([1.9, 9.4e29], "the loss rose to 9.4e+29"),
        ([1.9, 9.9 * GUESSING], None),
    ],
)
def test_a_training_that_came_to_nothing_is_named(losses, beginning):
    labels = np.arange(100) % 10
    found = describe_failure({"loss": losses}, labels, 0 * labels, 10)
    assert [note.startswith(beginning) for note in found] == [True] * bool(beginning)


def test_a_network_that_is_right_has_learned_something_whatever_its_loss():
    """With label smoothing of 0.9, the lowest loss is nearly that of a network that guesses."""
    labels = np.arange(100) % 10
    assert describe_failure({"loss": [2.302, 2.29]}, labels, labels, 10) == []
