"""Rare classes show: means over the classes, and names of those that are never predicted."""

import json

import numpy as np
import pytest

from scratchnet.evaluation.evaluation import mean_over_classes, measure_classes
from scratchnet.evaluation.summary import (
    OF_CLASSES,
    are_imbalanced,
    compare_points,
    describe_missing_classes,
    format_summary,
    summarize,
)
from scratchnet.files import read_csv


def means(labels, predicted, n_classes):
    per_class = measure_classes(np.asarray(labels), np.asarray(predicted), [*range(n_classes)])
    return mean_over_classes("recall", per_class), mean_over_classes("f1", per_class)


def test_a_class_that_is_never_predicted_halves_the_balanced_accuracy():
    """99 : 1, and everything predicted as the frequent class: the accuracy is 0.99."""
    recall, f1 = means([0] * 99 + [1], [0] * 100, 2)
    assert recall == 0.5
    assert f1 == pytest.approx((2 * 99 / 199 + 0) / 2)


# As balanced_accuracy_score and f1_score(average="macro") of scikit-learn 1.9 give them. The first
# two are the examples of its documentation.
BY_SCIKIT_LEARN = {
    "balanced accuracy": ([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1], 0.625, 0.625),
    "F1": ([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], 1 / 3, 0.8 / 3),
    "a class without images is predicted": ([0, 0, 1, 1], [0, 2, 1, 1], 0.75, (2 / 3 + 1) / 3),
    "a class is never predicted": ([0, 0, 0, 3], [0, 0, 0, 0], 0.5, 3 / 7),
}


@pytest.mark.parametrize(
    ("labels", "predicted", "recall", "f1"), BY_SCIKIT_LEARN.values(), ids=BY_SCIKIT_LEARN
)
def test_the_means_are_those_of_scikit_learn(labels, predicted, recall, f1):
    assert means(labels, predicted, 5) == (pytest.approx(recall), pytest.approx(f1))


def write_metrics(folder, *runs):
    """Write a metrics.json for each of `runs`, {class: (images, precision)}; return the paths."""
    paths = [folder / f"{i}.json" for i in range(len(runs))]
    for path, run in zip(paths, runs):
        rows = [{"class": name, "images": n, "precision": p} for name, (n, p) in run.items()]
        path.write_text(json.dumps({"per_class": rows}))
    return paths


@pytest.mark.parametrize(
    ("counts", "expected"),
    [((892, 1135), False), ((5, 10), False), ((5, 11), True), ((5, 0), True), ((7, 7), False)],
)
def test_classes_are_imbalanced_beyond_twice_the_images(tmp_path, counts, expected):
    equal = {"a": (3, 1.0), "b": (3, 1.0)}
    run = {name: (n, 1.0) for name, n in zip("ab", counts)}
    assert are_imbalanced(write_metrics(tmp_path, equal, run)) is expected


GOOD = {"ant": (5, 0.5), "bee": (5, 0.0), "cat": (5, 1.0)}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([GOOD], []),
        ([GOOD | {"bee": (5, None)}], ["classes never predicted: bee"]),
        ([GOOD | {"bee": (0, None)}], ["classes without test images: bee"]),
        ([GOOD | {"bee": (0, 0.0)}], ["classes without test images: bee"]),
        (
            [GOOD, GOOD | {"ant": (5, None), "cat": (5, None)}, GOOD | {"cat": (5, None)}],
            ["classes never predicted: ant (by 1 of 3 runs), cat (by 2 of 3 runs)"],
        ),
        ([GOOD | {"cat": (5, None)}] * 2, ["classes never predicted: cat"]),
    ],
)
def test_classes_that_are_missing_are_named(tmp_path, runs, expected):
    assert describe_missing_classes(write_metrics(tmp_path, *runs)) == expected


def test_of_many_missing_classes_the_first_are_named(tmp_path):
    (line,) = describe_missing_classes(
        write_metrics(tmp_path, {str(i): (1, None) for i in range(300)})
    )
    assert line == "classes never predicted: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 290 more"


def test_the_tables_of_runs_have_the_means(tmp_path):
    runs = []
    for i in range(2):
        measured = {"test_accuracy": 0.99, "test_balanced_accuracy": 0.5 + i / 10}
        paths = {name: tmp_path / f"{name}-{i}" for name in ("metrics", "record", "history")}
        paths["metrics"].write_text(json.dumps(measured | {"test_macro_f1": 0.25}))
        paths["record"].write_text("{}")
        paths["history"].write_text("epoch,loss\n1,0.5\n")
        runs.append({"run": f"r{i}", "folder": "f", "swept": {"training.seed": i}, **paths})
    summarize(runs, tmp_path / "summary.csv")
    rows = read_csv(tmp_path / "summary.csv")
    assert [[row[name] for name in OF_CLASSES] for row in rows] == [
        ["0.5", "0.25"],
        ["0.6", "0.25"],
    ]
    header, first, _ = format_summary(tmp_path / "summary.csv")
    assert dict(zip(header, first))["test_balanced_accuracy"] == "0.5000"
    compare_points(runs, tmp_path / "points.csv", tmp_path / "curves.csv")
    (point,) = read_csv(tmp_path / "points.csv")
    assert float(point["test_balanced_accuracy"]) == pytest.approx(0.55)
    assert float(point["test_balanced_accuracy_sd"]) == pytest.approx(0.005**0.5)
