"""Comparing two runs, A and B: their metrics, and their answers to the same test images."""

import math
import statistics

from scratchnet.evaluation.summary import MEASURED

METRICS = (*MEASURED, "calibration_error")


def tabulate_metrics(a, b):
    """Return the rows (metric, value of A, value of B, difference) of two metrics.json as text."""
    rows = []
    for name in METRICS:
        if name in a or name in b:
            difference = f"{b[name] - a[name]:+.4f}" if name in a and name in b else ""
            rows.append((name, _format_metric(a, name), _format_metric(b, name), difference))
    return rows


def _format_metric(metrics, name):
    if name not in metrics:
        return ""
    text = f"{metrics[name]:.4f}"
    if f"{name}_interval" in metrics:
        low, high = metrics[f"{name}_interval"]
        text += f" ({low:.4f}-{high:.4f})"
    return text


def pair_predictions(a, b):
    """Return the rows of two predictions.csv side by side: the label, and both answers.

    Each row has image, label, a, a_probability, b and b_probability. Returns None if the test
    images are not the same.
    """
    if [row["label"] for row in a] != [row["label"] for row in b]:
        return None
    return [
        {"image": int(one["image"]), "label": one["label"]}
        | {"a": one["predicted"], "a_probability": float(one["probability"])}
        | {"b": other["predicted"], "b_probability": float(other["probability"])}
        for one, other in zip(a, b)
    ]


def count_right(pairs):
    """Return how many images (both, only A, only B, neither) classify right."""
    right = [(row["a"] == row["label"], row["b"] == row["label"]) for row in pairs]
    sides = ((True, True), (True, False), (False, True), (False, False))
    return tuple(right.count(side) for side in sides)


def mcnemar_test(only_a, only_b):
    """Return the p-value of McNemar's exact test, two-sided.

    If both networks are equally good, each of the images that only one classifies right is A's or
    B's with the probability 1/2: p is the probability that they are divided at least as unevenly.
    """
    n = only_a + only_b
    tail = math.fsum(
        math.exp(math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2))
        for i in range(min(only_a, only_b) + 1)
    )
    return min(1.0, 2 * tail)


def difference_interval(only_a, only_b, n):
    """Return the 95 % confidence interval [low, high] of the accuracy of B minus that of A.

    `n` is the number of images, which both have classified. The interval is that of Agresti and Min
    (2005) for matched pairs: Wald's, with half an image added to each of the four counts.
    """
    a, b, n = only_a + 0.5, only_b + 0.5, n + 2
    centre = (b - a) / n
    half = statistics.NormalDist().inv_cdf(0.975) * math.sqrt(a + b - (b - a) ** 2 / n) / n
    return [max(-1.0, centre - half), min(1.0, centre + half)]


def describe_difference(pairs):
    """Return lines of text: how many images each classifies right, and whether it may be chance."""
    both, only_a, only_b, neither = count_right(pairs)
    low, high = difference_interval(only_a, only_b, len(pairs))
    p = mcnemar_test(only_a, only_b)
    verdict = (
        "More than chance in the choice of the test images."
        if p < 0.05
        else "Chance in the choice of the test images may be all there is to it."
    )
    return [
        f"Of {len(pairs):,} test images, {both:,} are right in both, {only_a:,} only in A, "
        f"{only_b:,} only in B, {neither:,} in neither.",
        f"B - A of the accuracy: {(only_b - only_a) / len(pairs):+.4f}, "
        f"95 % interval {low:+.4f} to {high:+.4f}.",
        f"McNemar's exact test: p = {p:.2g}. {verdict}",
    ]
