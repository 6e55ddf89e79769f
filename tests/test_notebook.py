"""The main job on the real 70,000 images: the default configuration is the notebook."""

import json
from pathlib import Path

import numpy as np
import pytest

from browser import NEEDED, chromium, complaints, drag, visit
from demo_page import SEVEN, ZERO, normalised, predictions
from project import CHECKOUT, copy_workflow
from reference import notebook_softmax_backward
from scratchnet.nn.batches import generate_batches
from scratchnet.nn.layers import Dense, softmax
from scratchnet.nn.losses import categorical_crossentropy
from scratchnet.nn.metrics import logits
from scratchnet.nn.network import build_mlp, initial_weights
from scratchnet.planning.settings import read_settings
from scratchnet.predict import drawings
from scratchnet.random_streams import random_stream
from scratchnet.training.checkpoints import load_checkpoint

# The notebook's own run: the loss of each of its 20 epochs, and the accuracy on the test images.
NOTEBOOK_LOSS = [
    1.442402,
    0.849283,
    0.683426,
    0.602557,
    0.553313,
    0.519562,
    0.494687,
    0.475379,
    0.459935,
    0.447142,
    0.436330,
    0.427059,
    0.419007,
    0.411885,
    0.405593,
    0.399913,
    0.394804,
    0.390118,
    0.385812,
    0.381864,
]
NOTEBOOK_ACCURACY = 0.9035

# Digits as they are drawn with a mouse, as shares of the paper.
DRAWINGS = {
    0: ZERO,
    1: [(0.5, 0.2), (0.5, 0.8)],
    7: SEVEN,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folders of the default run with the seeds 0, 1 and 2, made from the real images."""
    project = copy_workflow(tmp_path_factory.mktemp("real"))
    arguments = ["--config", "sweep={training.seed: [0, 1, 2]}"]
    downloaded = CHECKOUT / "results" / "data" / "mnist"
    if downloaded.is_dir():
        arguments.append(f"download={{folder: {downloaded}}}")
    project.run(*arguments)
    project.run("demo", *arguments)
    folders = {}
    for config in project.results.glob("runs/*/epoch-0020/config.yaml"):
        folders[read_settings(config)["training.seed"]] = config.parent
    assert sorted(folders) == [0, 1, 2]
    return folders


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_loss_of_every_epoch_is_the_notebooks(runs, seed):
    loss = np.loadtxt(runs[seed] / "history.csv", delimiter=",", skiprows=1)[:, 1]
    # Before the weights settle, their random start shows; a fresh order of the images hardly does.
    tolerance = np.interp(np.arange(1, 21), [1, 2, 10, 20], [0.03, 0.01, 0.005, 0.005])
    assert (np.abs(loss - NOTEBOOK_LOSS) <= tolerance).all()


@pytest.mark.parametrize(
    ("backward", "expected"),
    [(lambda A, dA: A * (dA - (A * dA).sum(axis=0)), 0.3818), (notebook_softmax_backward, 0.5243)],
    ids=["right", "the notebook's"],
)
def test_the_notebooks_efficient_softmax_ends_at_a_higher_loss(runs, backward, expected):
    (X,) = runs[0].parents[2].glob("data/mnist-*/X_train.npy")
    X, Y = np.load(X), np.load(X.with_name("Y_train.npy"))
    (W,) = initial_weights(len(X), len(Y), [], "random_normal", random_stream(0, "weights"))
    dense = Dense(W)
    for epoch in range(1, 21):
        losses = []
        for x, y in generate_batches(X, Y, 200, random_stream(0, "shuffling", epoch)):
            A = softmax(dense.forward(x))
            loss, dA = categorical_crossentropy(A, y)
            dense.fill_grads(backward(A, dA))
            W -= 0.01 * dense.grads["W"]
            losses.append(loss)
    assert np.mean(losses) == pytest.approx(expected, abs=0.0005)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_accuracy_on_the_test_images_is_the_notebooks(runs, seed):
    metrics = json.loads((runs[seed] / "metrics.json").read_text())
    assert metrics["test_accuracy"] == pytest.approx(NOTEBOOK_ACCURACY, abs=0.004)


def test_other_seeds_are_other_runs(runs):
    losses = {(folder / "history.csv").read_text() for folder in runs.values()}
    assert len(losses) == 3


def test_results_tell_the_machine_that_made_them(runs):
    record = runs[0].parent / "checkpoints/epoch-0020.json"
    environment = json.loads(record.read_text())["environment"]
    assert environment["numpy"] == np.__version__
    assert environment["blas_threads"] == 1


@NEEDED
def test_the_page_recognises_digits_that_are_drawn(runs, tmp_path):
    with chromium(tmp_path) as driver:
        visit(driver, runs[0] / "demo.html")
        for digit, points in DRAWINGS.items():
            drag(driver, "paper", points)
            answer = driver.find_element("id", "answer").text
            assert answer.startswith(f"The network says {digit} "), digit
            driver.find_element("id", "clear").click()
        assert complaints(driver) == []


@NEEDED
def test_the_page_computes_what_numpy_computes_for_a_thousand_test_images(runs, tmp_path):
    (X,) = runs[0].parents[2].glob("data/mnist-*/X_test.npy")
    X = np.load(X, mmap_mode="r")[:, :1000]
    (W,) = load_checkpoint(runs[0].parent / "checkpoints/epoch-0020.npz").trained.values()
    expected = softmax(logits(build_mlp([W], None), X))
    with chromium(tmp_path) as driver:
        visit(driver, runs[0] / "demo.html")
        np.testing.assert_allclose(predictions(driver, X), expected, rtol=0, atol=1e-5)
        drawn = enlarged(X[:, :1])[0]
        same = drawings.normalise_drawing(
            drawn, drawings.measure_drawing_style(X.T.reshape(-1, 28, 28)), 28, 28
        )
        np.testing.assert_allclose(normalised(driver, drawn), same, rtol=0, atol=0.02)


def enlarged(X):
    """Images (784, n) as large as drawings are on the page, (n, 280, 280)."""
    return np.kron(X.T.reshape(-1, 28, 28), np.ones((1, 10, 10)))


def test_enlarged_like_drawings_the_test_images_come_back_as_they_were(runs):
    """Drawings are brought into MNIST's own form, on the page and in `snakemake predict`."""
    (X,) = runs[0].parents[2].glob("data/mnist-*/X_test.npy")
    X = np.load(X, mmap_mode="r")[:, :300]
    (W,) = load_checkpoint(runs[0].parent / "checkpoints/epoch-0020.npz").trained.values()
    network = build_mlp([W], None)
    drawing = drawings.measure_drawing_style(X.T.reshape(-1, 28, 28))
    again = np.array(
        [drawings.normalise_drawing(ink, drawing, 28, 28).ravel() for ink in enlarged(X)]
    ).T
    assert abs(again - X).mean() < 0.01
    same = network.forward(again.astype(np.float32)).argmax(axis=0)
    assert (same == network.forward(X).argmax(axis=0)).mean() > 0.985


FASHION = Path("/usr/share/datasets/fashion-mnist")


@pytest.mark.slow
@pytest.mark.skipif(not FASHION.exists(), reason="needs: apt install dataset-fashion-mnist")
def test_the_ready_made_fashion_network_learns_real_clothes(tmp_path):
    project = copy_workflow(tmp_path)
    project.run(
        "--configfile",
        "workflow/configs/fashion.yaml",
        "--config",
        "training={epochs: 2}",
        "sweep={training.seed: [0]}",
    )
    (folder,) = project.results.glob("runs/fashion_mnist-mlp-256-*/epoch-0002")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test_accuracy"] > 0.84  # what softmax regression comes to
    assert metrics["per_class"][9]["class"] == "boot"
    assert json.loads((project.results / "data/fashion_mnist/source.json").read_text())[
        "source"
    ] == str(FASHION)
