"""The demo page: one HTML file to draw on, which contains a trained network.

The page is `demo.html` beside this module; this module inserts the data. The page computes in
JavaScript what `nn.network` and `nn.layers` compute.
"""

import base64
import json
from pathlib import Path

import numpy as np

from scratchnet.errors import ConfigError
from scratchnet.evaluation.class_names import MAX_CLASSES
from scratchnet.files import write_text
from scratchnet.nn.normalization import EPSILON
from scratchnet.pixel_range import restore_pixels
from scratchnet.predict.drawings import measure_drawing_style
from scratchnet.random_streams import random_stream

PAGE = Path(__file__).with_name("demo.html")
MAX_SAMPLES = 100  # test images on the page
MAX_SAMPLE_PIXELS = 2_000_000  # in these images together
MAX_SIZE = 200_000_000  # bytes of the weights on the page, which a browser has to load


def make_demo(network, X_test, Y_test, title, page):
    """Write `page` (.html), with a TrainedNetwork and some of the test images.

    `X_test` and `Y_test` are paths. Raises ConfigError if the network is too large for a page.
    """
    shape = network.image_shape
    size = sum(array.size for array in network.weights) * 4 * 4 // 3  # float32 in base64
    if size > MAX_SIZE:
        raise ConfigError(
            f"the demo page would have {size / 1e6:,.0f} MB, because it has all weights of the "
            f"network, and more than {MAX_SIZE / 1e6:.0f} are too many for a browser: train with "
            "smaller images or with fewer units in model.hidden"
        )
    X, Y = np.load(X_test, mmap_mode="r"), np.load(Y_test, mmap_mode="r")
    n = X.shape[1]
    n_samples = min(MAX_SAMPLES, max(1, MAX_SAMPLE_PIXELS // len(X)))
    chosen = np.sort(random_stream(0, "pictures").permutation(n)[:n_samples])
    X, Y = restore_pixels(X[:, chosen], network.pixel_range).clip(0, 1), Y[:, chosen]
    data = {
        "title": title,
        "epsilon": EPSILON,
        "accuracy": network.metrics["test_accuracy"],
        "tested": n,
        "classes": network.classes,
        "max_bars": MAX_CLASSES,
        "shape": shape,
        "pixel_range": network.pixel_range,
        "drawing": measure_drawing_style(X.T.reshape(-1, *shape)),
        "layers": [_describe_layer(layer) for layer in network.build().layers],
        "samples": {
            "labels": Y.argmax(axis=0).tolist(),
            "pixels": _base64((X.T * 255).round().astype(np.uint8)),
        },
    }
    # A "<" in the data could end the script element that contains them.
    text = json.dumps(data).replace("<", "\\u003c")
    write_text(page, PAGE.read_text(encoding="utf-8").replace("{{ data }}", text))


def _describe_layer(layer):
    """Return what the page needs to compute a layer."""
    options = ("shape", "output_shape", "kernel", "stride", "pads", "window")
    return {
        "kind": type(layer).__name__,
        **{name: getattr(layer, name) for name in options if hasattr(layer, name)},
        "arrays": {
            name: _base64(array.astype("<f4"))
            for name, array in (layer.params | layer.state).items()
        },
    }


def _base64(array):
    return base64.b64encode(np.ascontiguousarray(array)).decode()
