"""What a trained network takes images for: a table, and what a contact sheet of them shows."""

import numpy as np

from scratchnet.errors import DataError
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
DETAIL = 10  # pixels of an image file for one of the network's, along a side, and no more
SAMPLES = 1_000  # test images from which the form of drawings is taken


def predict(images, background, network, activation, predictions, contact_sheet):
    """Predict the class of each of `images`, the paths of image files or of one file of arrays.

    `background` is a key of BACKGROUNDS. `network` maps checkpoint, manifest, metrics and X_test
    to the paths of a run's files, and `activation` is that of its hidden layers. Writes
    `predictions` (.csv), with a row for each image and a column for each probability, and
    `contact_sheet` (.json), with the first images as the network got them. Raises DataError, which
    names the files that cannot be read.
    """
    manifest, metrics = read_json(network["manifest"]), read_json(network["metrics"])
    classes = [row["class"] for row in metrics["per_class"]]
    shape = manifest["image_shape"]
    X_test = np.load(network["X_test"], mmap_mode="r")
    drawing = measure_drawing_style(X_test[:, :SAMPLES].T.reshape(-1, *shape))

    def column(image):
        paper = BACKGROUNDS[background]
        if paper is None and is_array(images[0]) and list(image.shape) == shape:
            paper = drawing["background"]  # raw data like the dataset's: nothing is to be found out
        return to_network_input(image, shape, drawing, paper).ravel()

    names, columns = _read(images, manifest, column)
    X = np.array(columns, dtype=np.float32).T
    P = softmax(
        logits(build_mlp(load_checkpoint(network["checkpoint"]).trained.values(), activation), X)
    )
    first = P.argmax(axis=0)
    write_csv(
        predictions,
        ["image", "predicted", "probability", *(f"p_{name}" for name in classes)],
        (
            [name, classes[i], *p[[i]].round(6), *p.round(6)]
            for name, i, p in zip(names, first, P.T)
        ),
    )
    shown = [
        {
            "image": str(name),
            "predicted": classes[i],
            "probability": round(float(p[i]), 6),
            "pixels": x.reshape(shape).astype(float).round(4).tolist(),
        }
        for name, i, p, x in zip(names[:MAX_SHOWN], first, P.T, X.T)
    ]
    write_json(contact_sheet, {"count": len(names), "images": shown}, indent=None)


def _read(paths, manifest, column):
    """The names of the images in the files `paths`, and what the function `column` makes of each.

    Of the image files only one at a time is in memory.
    """
    if is_array(paths[0]):
        arrays = read_arrays(paths[0], manifest["minimum"], manifest["maximum"])
        return range(len(arrays)), [column(image) for image in arrays]
    longest = DETAIL * max(manifest["image_shape"][:2])
    columns, faults = [], []
    for path in progress("reading images", iterable=paths):
        try:
            columns.append(column(read_image(path, longest)))
        except DataError as error:
            faults.append(str(error))
    if faults:
        more = len(faults) - MAX_NAMED
        lines = faults[:MAX_NAMED] + ([f"and {more} more"] if more > 0 else [])
        raise DataError("\n  ".join(["some files are no images:", *lines]))
    return paths, columns
