"""A network for images of 2 x 2 pixels that classifies an image by its bright pixel.

Each logit is 10 times a pixel, so predictions can be worked out by hand.
"""

import json

import numpy as np

from scratchnet.evaluation.trained_network import TrainedNetwork
from scratchnet.training.checkpoints import Checkpoint, save_checkpoint

CLASSES = ["A", "B", "C", "D"]
BY_PIXEL = {"0.W": np.eye(4, 5, dtype=np.float32) * 10}
HISTORY = {"loss": [1.5], "accuracy": [0.5], "val_loss": [], "val_accuracy": []}


def make_network(
    folder,
    activation=None,
    convolutions=(),
    weights=BY_PIXEL,
    classes=CLASSES,
    X_test=None,
    shape=(2, 2),
    best=None,
    **standardization,
):
    """Write the files of a run with these `weights`; return its network, and the path of X_test.

    `standardization` has the mean and std of its manifest, if its arrays are standardised.
    """
    paths = {
        "checkpoint": folder / "epoch-0001.npz",
        "manifest": folder / "manifest.json",
        "metrics": folder / "metrics.json",
    }
    manifest = {"image_shape": shape, "minimum": 0, "maximum": 255, "classes": classes}
    save_checkpoint(paths["checkpoint"], Checkpoint(weights, {}, HISTORY, best or {}))
    paths["manifest"].write_text(json.dumps(manifest | standardization))
    metrics = {"test_accuracy": 0.5, "per_class": [{"class": name} for name in classes]}
    paths["metrics"].write_text(json.dumps(metrics))
    X_test = np.eye(np.prod(shape), dtype=np.float32) if X_test is None else X_test
    np.save(folder / "X_test.npy", X_test)
    settings = {"model.activation": activation, "model.convolutions": convolutions}
    network = TrainedNetwork.load(**paths, settings=settings)
    return {"network": network, "X_test": folder / "X_test.npy"}
