"""A network that never predicts a rare class: the end of the run and the report say so."""

import re

import numpy as np
import pytest

from scratchnet.files import read_json


def make_images(labels):
    """Noise, with one bright pixel in the images of the label 1."""
    images = np.random.default_rng(0).integers(0, 200, (len(labels), 4, 4), np.uint8)
    images[np.asarray(labels) == 1, 0, 0] = 255
    return images


def configure(project, y_test, **training):
    """Write own data of two classes; of the training images, every 20th is of the rare one."""
    y_train = [1, *[0] * 19] * 10
    arrays = {"y_train": y_train, "x_train": make_images(y_train)}
    arrays |= {"y_test": y_test, "x_test": make_images(y_test)}
    np.savez(project.folder / "own.npz", **arrays)
    settings = {"dataset": "own.npz", "classes": ["usual", "rare"]}
    project.configure(settings | {"training": {"learning_rate": 0.1, **training}})


@pytest.mark.slow
def test_what_the_accuracy_hides_is_said_at_the_end_of_a_run_and_in_the_report(new_project):
    configure(new_project, [1, *[0] * 19] * 5, epochs=2)
    output = new_project.run()
    header, row = re.search(r"\n(folder .*)\n(results/runs/.*)\n", output).groups()
    shown = dict(zip(header.split(), re.sub(r" \(.*?\)", "", row).split()))
    assert (shown["test_accuracy"], shown["test_balanced_accuracy"]) == ("0.9500", "0.5000")
    assert shown["test_macro_f1"] == "0.4872"
    assert "\nNote:   classes never predicted: rare\n" in output
    new_project.run("--report", "report.html")
    report = (new_project.folder / "report.html").read_text()
    assert "classes never predicted: rare" in report
    assert "test_balanced_accuracy" in report


@pytest.mark.slow
def test_balanced_weights_find_the_rare_class(new_project):
    configure(new_project, [0, 1] * 50, epochs=30, class_weight="balanced")
    output = new_project.run()
    assert "Note:" not in output
    assert "test_balanced_accuracy" not in output  # the test classes are balanced
    metrics = read_json(new_project.run_folder / "epoch-0030/metrics.json")
    assert metrics["per_class"][1]["recall"] > 0.8


@pytest.mark.slow
def test_classes_without_test_images_are_named(new_project):
    configure(new_project, [0] * 50)
    assert "\nNote:   classes without test images: rare\n" in new_project.run()
