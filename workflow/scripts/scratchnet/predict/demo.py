"""The demo page: one HTML file with a trained network, on which to draw.

`demo.html` beside this module is the page, and this module inserts the data. The page does the same
as `nn.network` and `nn.layers`, in JavaScript.
"""

import base64
import json
from pathlib import Path

import numpy as np

from scratchnet.evaluation.class_names import read_class_names
from scratchnet.files import read_json, write_text
from scratchnet.predict.drawings import measure_drawing_style
from scratchnet.random_streams import random_stream
from scratchnet.training.checkpoints import load_checkpoint

PAGE = Path(__file__).with_name("demo.html")
SAMPLES = 100  # test images to show on the page


def make_demo(checkpoint, manifest, metrics, X_test, Y_test, activation, title, page):
    """Write `page` (.html) with the network of a checkpoint and some of the test images.

    The first five arguments are paths. `activation` is that of the hidden layers, or None.
    """
    shape = read_json(manifest)["image_shape"]
    X, Y = np.load(X_test, mmap_mode="r"), np.load(Y_test, mmap_mode="r")
    n = X.shape[1]
    chosen = np.sort(random_stream(0, "pictures").permutation(n)[:SAMPLES])
    X, Y = X[:, chosen].clip(0, 1), Y[:, chosen]
    data = {
        "title": title,
        "accuracy": read_json(metrics)["test_accuracy"],
        "tested": n,
        "classes": read_class_names(metrics),
        "shape": shape,
        "drawing": measure_drawing_style(X.T.reshape(-1, *shape)),
        "activation": activation,
        "layers": [
            {"shape": W.shape, "W": _base64(W.astype("<f4"))}
            for W in load_checkpoint(checkpoint).trained.values()
        ],
        "samples": {
            "labels": Y.argmax(axis=0).tolist(),
            "pixels": _base64((X.T * 255).round().astype(np.uint8)),
        },
    }
    # In a script element, "<" could end it.
    text = json.dumps(data).replace("<", "\\u003c")
    write_text(page, PAGE.read_text(encoding="utf-8").replace("{{ data }}", text))


def _base64(array):
    return base64.b64encode(np.ascontiguousarray(array)).decode()
