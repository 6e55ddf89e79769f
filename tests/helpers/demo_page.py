"""Demo pages for tests: of random networks, and what the open page computes."""

import json
import math

import numpy as np

from random_networks import with_random_normalization
from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.nn.network import build_network, initial_filters, initial_weights
from scratchnet.nn.shapes import block_shapes
from scratchnet.predict.demo import make_demo
from scratchnet.training.checkpoints import Checkpoint, save_checkpoint

CLASSES = [*"0123456789"]
SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.5, 0.65), (0.45, 0.85)]
ZERO = [(0.5 + 0.2 * math.sin(t / 10), 0.5 - 0.3 * math.cos(t / 10)) for t in range(64)]


def make_page(
    folder,
    hidden=(),
    activation=None,
    shape=(8, 7),
    classes=CLASSES,
    background=0,
    convolutions=(),
    normalization=None,
    n=1000,
    **standardization,
):
    """A page of a random network and n random test images; returns its path, the network and X.

    `standardization` has the mean and std of the manifest, if the arrays are standardised.
    """
    rng = np.random.default_rng(0)
    n_in = math.prod(shape)
    features = math.prod(block_shapes(shape, convolutions)[-1])
    weights = [
        *initial_filters(shape, convolutions, "glorot_uniform", rng),
        *initial_weights(features, len(classes), hidden, "glorot_uniform", rng),
    ]
    for W in weights:
        W *= 3  # probabilities of all sizes
        W[:, -1] = rng.normal(size=len(W))
    weights = with_random_normalization(weights, normalization, rng)
    network = build_network(weights, shape, convolutions, activation)
    X = rng.random((n_in, n), np.float32)
    if background:
        X = 1 - X**4
    save_checkpoint(folder / "c.npz", Checkpoint(network.weights(), {}, {"loss": [1.0]}))
    (folder / "manifest.json").write_text(json.dumps({"image_shape": shape} | standardization))
    metrics = {"test_accuracy": 0.5, "per_class": [{"class": name} for name in classes]}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    if standardization:
        X = (X - standardization["mean"]) / standardization["std"]
    np.save(folder / "X.npy", np.asfortranarray(X))
    np.save(folder / "Y.npy", np.eye(len(classes), dtype=np.float32)[:, rng.integers(0, 2, n)])
    make_demo(
        TrainedNetwork.load(
            folder / "c.npz",
            folder / "manifest.json",
            folder / "metrics.json",
            {"model.convolutions": convolutions, "model.activation": activation},
        ),
        X_test=folder / "X.npy",
        Y_test=folder / "Y.npy",
        title="a-network",
        page=folder / "demo.html",
    )
    return folder / "demo.html", network, X


def predictions(driver, X):
    """What the open page makes of X (pixels, n): probabilities (classes, n)."""
    script = "return arguments[0].map((pixels) => Array.from(predict(Float64Array.from(pixels))))"
    return np.array(driver.execute_script(script, X.T.tolist())).T


def normalised(driver, ink):
    """What the page makes of a drawing (height, width), 0 to 1."""
    script = "return Array.from(normaliseDrawing(Float64Array.from(arguments[0]), arguments[1]))"
    image = driver.execute_script(script, ink.ravel().tolist(), ink.shape[1])
    shape = driver.execute_script("return [HEIGHT, WIDTH]")
    return np.array(image).reshape(shape)
