"""Large images and many classes: what is kept of them, and the memory they take, are bounded.

One dataset has 300 images in colour of 224 x 224 pixels, 180 MB, and a network with a hidden layer.
The other has 3,000 images of 8 x 8 pixels of 1,800 classes, as if each person had one: a matrix of
all pairs of classes has 3 million cells.
"""

import itertools
import json
import math

import numpy as np
import pytest

from measured_stages import PROGRAMS, run
from scratchnet.evaluation.class_names import MAX_CLASSES
from scratchnet.evaluation.evaluation import compute_results, tabulate_confusion
from scratchnet.evaluation.thumbnails import shrink_image
from scratchnet.files import read_csv, read_json
from scratchnet.nn.network import build_mlp
from scratchnet.training.checkpoints import Checkpoint, save_checkpoint

K, N = 1_800, 3_000
HISTORY = {"loss": [1.0], "accuracy": [0.5], "val_loss": [], "val_accuracy": []}


def one_hot(labels, k):
    return (labels == np.arange(k)[:, None]).astype(np.float32)


def measure(folder, shape, n, k, scale, hidden=()):
    """Return `folder`, in which PROGRAMS have run on random data, and the peak of each in MB."""
    rng = np.random.default_rng(0)
    n_pixels = math.prod(shape)
    np.save(folder / "X_test.npy", np.asfortranarray(rng.random((n_pixels, n), np.float32)))
    np.save(folder / "Y_test.npy", np.asfortranarray(one_hot(rng.integers(0, k, n), k)))
    np.save(folder / "own.npy", rng.integers(0, 256, (100, *shape), np.uint8))
    manifest = {"classes": [f"person {i}" for i in range(k)], "image_shape": shape}
    manifest |= {"minimum": 0, "maximum": 255}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    sizes = [n_pixels, *hidden, k]
    weights = {
        f"{i}.W": rng.normal(0, scale, (b, a + 1)).astype(np.float32)
        for i, (a, b) in enumerate(itertools.pairwise(sizes))
    }
    save_checkpoint(folder / "checkpoint.npz", Checkpoint(weights, {}, HISTORY, {}))
    return folder, {name: run(name, folder) for name in PROGRAMS}


@pytest.fixture(scope="module")
def large_images(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("images"), (224, 224, 3), 300, 2, 0.01, hidden=(60,))


@pytest.fixture(scope="module")
def many_classes(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("classes"), (8, 8), N, K, 1)


@pytest.mark.slow
def test_the_memory_of_large_images_is_bounded_and_the_files_behind_plots_are_small(large_images):
    folder, peaks = large_images
    limits = {"evaluate": 500, "predict": 1000, "make_demo": 500}
    assert {name: mb for name, mb in peaks.items() if mb > limits.get(name, 250)} == {}
    for name in ("misclassified.json", "weights.json", "contact_sheet.json"):
        assert (folder / name).stat().st_size < 15e6
        for image in read_json(folder / name)["images"]:
            shape = np.shape(image["weights" if "weights" in image else "pixels"])
            assert shape == (56, 56, 3)


@pytest.mark.slow
def test_the_memory_of_many_classes_is_bounded_and_the_results_are_small(many_classes):
    folder, peaks = many_classes
    assert {name: mb for name, mb in peaks.items() if mb > 500} == {}
    made = [path for path in folder.iterdir() if path.suffix != ".npy"]
    assert [path.name for path in made if path.stat().st_size > 5e6] == []


@pytest.mark.slow
def test_the_most_probable_classes_of_a_mistake_are_stored(many_classes):
    folder, _ = many_classes
    predictions = read_csv(folder / "predictions.csv")
    for mistake in read_json(folder / "misclassified.json")["images"]:
        expected = float(predictions[mistake["image"]]["probability"])
        assert max(mistake["probabilities"].values()) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("k", [MAX_CLASSES, MAX_CLASSES + 1])
def test_results_by_pairs_of_classes_are_complete_up_to_a_bound(k):
    rng = np.random.default_rng(0)
    W, X = rng.normal(0, 1, (k, 65)).astype(np.float32), rng.random((64, N), np.float32)
    state, classes = Checkpoint({"0.W": W}, {}, HISTORY, {}), [f"c{i:03}" for i in range(k)]
    Y = one_hot(rng.integers(0, k, N), k)
    found = compute_results(build_mlp([W], None), state, X, Y, classes, [8, 8])
    is_complete = k <= MAX_CLASSES
    rows = list(found["confusion"])
    assert len(rows) == k * k if is_complete else len(rows) <= N
    assert sum(row["images"] for row in rows) == N
    assert ("confusion_matrix" in found["metrics"]) == is_complete
    assert len(found["metrics"]["per_class"]) == k
    assert len(found["weights"]["images"]) == min(k, MAX_CLASSES)
    for mistake in found["misclassified"]["images"]:
        shown = mistake["probabilities"]
        assert len(shown) in ({k} if is_complete else {MAX_CLASSES, MAX_CLASSES + 1})
        assert {mistake["label"], mistake["predicted"]} <= {*shown}
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


# ---- Shrinking.


@pytest.mark.parametrize("shape", [(28, 28), (64, 64), (1, 64), (32, 64, 3)])
def test_an_image_of_at_most_64_pixels_a_side_stays_as_it_is(shape):
    image = np.ones(shape, np.float32)
    assert shrink_image(image) is image


@pytest.mark.parametrize(
    ("shape", "block"),
    [((128, 100), 2), ((65, 129, 3), 3), ((1, 1000), 16), ((5000, 3), 79), ((65, 64), 2)],
)
def test_blocks_of_pixels_become_their_means_with_fewer_pixels_at_the_edge(shape, block):
    image = np.random.default_rng(0).random(shape)
    small = shrink_image(image)
    rows, columns = (-(-side // block) for side in shape[:2])
    assert small.shape == (rows, columns, *shape[2:])
    for i, j in np.ndindex(rows, columns):
        pixels = image[i * block : (i + 1) * block, j * block : (j + 1) * block]
        np.testing.assert_allclose(small[i, j], pixels.mean(axis=(0, 1)))
