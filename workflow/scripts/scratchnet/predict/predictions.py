"""Predictions of a trained network for images: a table, and the data of a contact sheet."""

import numpy as np

from scratchnet.errors import DataError, shorten_list
from scratchnet.evaluation.class_names import read_class_names
from scratchnet.files import read_json, write_csv, write_json
from scratchnet.nn.layers import softmax
from scratchnet.nn.metrics import logits
from scratchnet.nn.network import build_mlp
from scratchnet.predict.drawings import measure_drawing_style
from scratchnet.predict.image_files import is_array
from scratchnet.predict.image_input import read_arrays, read_image, to_network_input
from scratchnet.progress import progress
from scratchnet.training.checkpoints import load_checkpoint

BACKGROUNDS = {"dark": 0, "light": 1, "auto": None}
MAX_SHOWN = 100  # on the contact sheet
MAX_NAMED = 10  # files that cannot be read
MAX_SCALE = 10  # pixels of an image file for each pixel of the network, along a side
SAMPLES = 1_000  # test images from which the style of drawings is measured


def predict(images, background, network, activation, predictions, contact_sheet):
    """Predict the class of each of `images`, the paths of image files or of one file of arrays.

    `background` is a key of BACKGROUNDS. `network` maps checkpoint, manifest, metrics and X_test
    to the paths of a run's files, and `activation` is that of its hidden layers. Writes
    `predictions` (.csv), with a row for each image and a column for each probability, and
    `contact_sheet` (.json), with the first images as the network received them. Raises DataError,
    which names the files that cannot be read.
    """
    manifest, classes = read_json(network["manifest"]), read_class_names(network["metrics"])
    shape = manifest["image_shape"]
    X_test = np.load(network["X_test"], mmap_mode="r")
    style = measure_drawing_style(X_test[:, :SAMPLES].T.reshape(-1, *shape))

    def to_column(image):
        paper = BACKGROUNDS[background]
        if paper is None and is_array(images[0]) and list(image.shape) == shape:
            paper = style["background"]  # raw data like those of the dataset
        return to_network_input(image, shape, style, paper).ravel()

    names, columns = _read_columns(images, manifest, to_column)
    X = np.array(columns, dtype=np.float32).T
    P = softmax(
        logits(build_mlp(load_checkpoint(network["checkpoint"]).trained.values(), activation), X)
    )
    predicted = P.argmax(axis=0)
    write_csv(
        predictions,
        ["image", "predicted", "probability", *(f"p_{name}" for name in classes)],
        (
            [name, classes[i], *p[[i]].round(6), *p.round(6)]
            for name, i, p in zip(names, predicted, P.T)
        ),
    )
    shown = [
        {
            "image": str(name),
            "predicted": classes[i],
            "probability": round(float(p[i]), 6),
            "pixels": x.reshape(shape).astype(float).round(4).tolist(),
        }
        for name, i, p, x in zip(names[:MAX_SHOWN], predicted, P.T, X.T)
    ]
    write_json(contact_sheet, {"count": len(names), "images": shown}, indent=None)


def _read_columns(paths, manifest, to_column):
    """Return the names of the images in the files `paths`, and the result of `to_column` for each.

    Only one image file is in memory at a time.
    """
    if is_array(paths[0]):
        arrays = read_arrays(paths[0], manifest["minimum"], manifest["maximum"])
        return range(len(arrays)), [to_column(image) for image in arrays]
    longest = MAX_SCALE * max(manifest["image_shape"][:2])
    columns, problems = [], []
    for path in progress("reading images", iterable=paths):
        try:
            columns.append(to_column(read_image(path, longest)))
        except DataError as error:
            problems.append(str(error))
    if problems:
        lines = shorten_list(problems, MAX_NAMED)
        raise DataError("\n  ".join(["some files are not images:", *lines]))
    return paths, columns
