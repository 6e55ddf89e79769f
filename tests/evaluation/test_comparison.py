"""Two runs compared: what the test images say, and what may be chance."""

from math import comb

import numpy as np
import pytest

from scratchnet.evaluation.comparison import (
    count_right,
    describe_difference,
    difference_interval,
    mcnemar_test,
    pair_predictions,
    tabulate_metrics,
)
from scratchnet.evaluation.comparison_plots import plot_both_histories, plot_changed


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 0), (0, 6), (5, 5), (10, 25), (400, 461)])
def test_mcnemar_is_the_binomial_test_of_the_images_that_only_one_has_right(a, b):
    tail = sum(comb(a + b, i) for i in range(min(a, b) + 1))
    expected = min(1, 2 * tail / 2 ** (a + b))
    assert mcnemar_test(a, b) == mcnemar_test(b, a) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_has_no_limit_of_size():
    assert mcnemar_test(0, 100_000) == 0
    assert mcnemar_test(100_000, 100_000) == 1
    assert mcnemar_test(99_000, 101_000) == pytest.approx(7.83e-06, rel=0.01)  # normal: z = 4.47


def test_the_interval_of_the_difference_holds_it_as_often_as_it_says():
    rng, shares = np.random.default_rng(0), (0.9, 0.03, 0.05, 0.02)
    counts = rng.multinomial(500, shares, size=4000)
    found = [difference_interval(only_a, only_b, 500) for _, only_a, only_b, _ in counts]
    assert np.mean([low <= 0.02 <= high for low, high in found]) == pytest.approx(0.95, abs=0.015)


def predictions(labels, predicted):
    return [
        {"image": str(i), "label": label, "predicted": answer, "probability": "0.5"}
        for i, (label, answer) in enumerate(zip(labels, predicted))
    ]


def test_answers_are_paired_by_image():
    pairs = pair_predictions(predictions("aabbc", "aabcc"), predictions("aabbc", "abbbb"))
    assert count_right(pairs) == (2, 2, 1, 0)
    assert pairs[3] == {
        "image": 3,
        "label": "b",
        "a": "c",
        "a_probability": 0.5,
        "b": "b",
        "b_probability": 0.5,
    }
    first, second, third = describe_difference(pairs)
    assert first.startswith("Of 5 test images, 2 are right in both, 2 only in A, 1 only in B, 0 in")
    assert second.startswith("B - A of the accuracy: -0.2000, 95 % interval ")
    assert third.startswith("McNemar's exact test: p = 1. Chance ")
    assert pair_predictions(predictions("ab", "ab"), predictions("ba", "ab")) is None


def test_metrics_that_one_run_lacks_have_no_difference():
    a = {"train_loss": 0.5, "test_accuracy": 0.9, "test_accuracy_interval": [0.89, 0.91]}
    assert tabulate_metrics(a, {"train_loss": 0.25, "validation_loss": 0.75}) == [
        ("train_loss", "0.5000", "0.2500", "-0.2500"),
        ("validation_loss", "", "0.7500", ""),
        ("test_accuracy", "0.9000 (0.8900-0.9100)", "", ""),
    ]


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_pictures_are_drawn_with_one_side_empty_and_with_one_epoch(tmp_path, style):
    history = [{"epoch": "1", "loss": "0.5", "accuracy": "0.9"}]
    longer = [row | {"val_loss": "0.6", "val_accuracy": "0.8"} for row in history * 2]
    plot_both_histories([history, longer], ["one", "two"], tmp_path / "history.png", style)
    pairs = pair_predictions(predictions("ab$", "abc"), predictions("ab$", "ab$"))
    asked = []

    def pixels_of(index):
        asked.append(index)
        return np.zeros((5, 6))

    plot_changed(pairs, pixels_of, ["one", "two"], tmp_path / "changed.png", style)
    assert asked == [2]
    assert {path.name for path in tmp_path.iterdir()} == {"history.png", "changed.png"}
