"""Large images: what is kept for plots, and the memory that evaluation and plots take, are bounded.

The data are 300 images in colour of 224 x 224 pixels, 180 MB, and a network with a hidden layer.
"""

import json

import numpy as np
import pytest

from samples import peak_of_process
from scratchnet.evaluation.thumbnails import shrink_image
from scratchnet.training.checkpoints import Checkpoint, save_checkpoint

SHAPE = (224, 224, 3)
HISTORY = {"loss": [1.0], "accuracy": [0.5], "val_loss": [], "val_accuracy": []}

# Each line of PROGRAMS is run by a process of its own: `files` is the folder.
START = "import sys, pathlib; files = pathlib.Path(sys.argv[1]); "
PROGRAMS = {
    "evaluate": (
        "from scratchnet.evaluation.evaluation import evaluate; "
        "tables = ('history', 'predictions', 'confusion', 'calibration'); "
        "outputs = {name: files / f'{name}.csv' for name in tables}; "
        "outputs |= {name: files / f'{name}.json' for name in "
        "('metrics', 'misclassified', 'weights')}; "
        "evaluate({name: files / f'{name}.npy' for name in ('X_test', 'Y_test')}, "
        "files / 'manifest.json', files / 'checkpoint.npz', "
        "{'classes': None, 'model.activation': 'relu'}, outputs)"
    ),
    "plot_misclassified": (
        "from scratchnet.evaluation.plots import plot_misclassified; "
        "plot_misclassified(files / 'misclassified.json', files / 'a.png', 'default', 5)"
    ),
    "plot_weights": (
        "from scratchnet.evaluation.plots import plot_weights; "
        "plot_weights(files / 'weights.json', files / 'b.png', 'default')"
    ),
    "predict": (
        "from scratchnet.predict.predictions import predict; "
        "network = {name: files / f'{name}.json' for name in ('manifest', 'metrics')}; "
        "network |= {'X_test': files / 'X_test.npy', 'checkpoint': files / 'checkpoint.npz'}; "
        "predict([files / 'own.npy'], 'auto', network, 'relu', files / 'own.csv', "
        "files / 'contact_sheet.json')"
    ),
    "plot_contact_sheet": (
        "from scratchnet.evaluation.plots import plot_contact_sheet; "
        "plot_contact_sheet(files / 'contact_sheet.json', files / 'c.png', 'default')"
    ),
    "make_demo": (
        "from scratchnet.predict.demo import make_demo; "
        "make_demo(files / 'checkpoint.npz', files / 'manifest.json', files / 'metrics.json', "
        "files / 'X_test.npy', files / 'Y_test.npy', 'relu', 'title', files / 'demo.html')"
    ),
}


def run(name, folder):
    """Run a program of PROGRAMS in `folder`, and return its peak memory in MB."""
    return peak_of_process(START + PROGRAMS[name], folder)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The folder of the results, and the peak memory of each of PROGRAMS in MB."""
    folder, rng = tmp_path_factory.mktemp("large images"), np.random.default_rng(0)
    n_pixels = int(np.prod(SHAPE))
    X = rng.random((n_pixels, 300), np.float32)
    labels = rng.integers(0, 2, 300)
    np.save(folder / "X_test.npy", np.asfortranarray(X))
    np.save(folder / "Y_test.npy", np.asfortranarray(np.eye(2, dtype=np.float32)[labels].T))
    np.save(folder / "own.npy", rng.integers(0, 256, (100, *SHAPE), np.uint8))
    manifest = {"classes": ["cat", "dog"], "image_shape": SHAPE, "minimum": 0, "maximum": 255}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    shapes = {"0.W": (60, n_pixels + 1), "1.W": (2, 61)}
    weights = {name: rng.normal(0, 0.01, s).astype(np.float32) for name, s in shapes.items()}
    save_checkpoint(folder / "checkpoint.npz", Checkpoint(weights, {}, HISTORY, {}))
    return folder, {name: run(name, folder) for name in PROGRAMS}


@pytest.mark.slow
def test_the_memory_of_large_images_is_bounded(measured):
    _, peaks = measured
    limits = {"evaluate": 500, "predict": 1000, "make_demo": 500}
    assert {name: mb for name, mb in peaks.items() if mb > limits.get(name, 250)} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["misclassified.json", "weights.json", "contact_sheet.json"])
def test_the_file_behind_a_plot_of_large_images_is_small(measured, name):
    folder, _ = measured
    assert (folder / name).stat().st_size < 15e6
    for image in json.loads((folder / name).read_text())["images"]:
        shape = np.shape(image["weights" if "weights" in image else "pixels"])
        assert shape == (56, 56, 3)


# ---- Shrinking.


@pytest.mark.parametrize("shape", [(28, 28), (64, 64), (1, 64), (32, 64, 3)])
def test_an_image_of_at_most_64_pixels_a_side_stays_as_it_is(shape):
    image = np.ones(shape, np.float32)
    assert shrink_image(image) is image


def test_blocks_of_pixels_become_their_means():
    image = np.arange(128 * 100.0).reshape(128, 100)
    small = shrink_image(image)
    assert small.shape == (64, 50)
    np.testing.assert_allclose(small, image.reshape(64, 2, 50, 2).mean(axis=(1, 3)))


def test_blocks_at_the_edge_are_the_means_of_fewer_pixels():
    image = np.random.default_rng(0).random((65, 129, 3))
    small = shrink_image(image)
    assert small.shape == (22, 43, 3)
    np.testing.assert_allclose(small[5, 7], image[15:18, 21:24].mean(axis=(0, 1)))
    np.testing.assert_allclose(small[-1, -1], image[63:, 126:].mean(axis=(0, 1)))


@pytest.mark.parametrize("shape", [(1, 1000), (5000, 3), (224, 224, 3), (65, 64)])
def test_the_longer_side_has_at_most_64_pixels(shape):
    small = shrink_image(np.full(shape, 0.5))
    assert max(small.shape[:2]) <= 64
    assert min(small.shape) >= 1
    np.testing.assert_allclose(small, 0.5)
