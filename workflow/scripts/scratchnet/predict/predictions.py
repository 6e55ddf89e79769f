"""Predict images with a trained network; write a table and the data of a contact sheet."""

import numpy as np

from scratchnet.data.image_reader import read_image, read_pixels
from scratchnet.data.user_data import check_hash
from scratchnet.errors import DataError, escape, shorten_list, show_name
from scratchnet.evaluation.thumbnails import shrink_image
from scratchnet.files import hash_file, write_csv, write_json
from scratchnet.nn.layers import softmax
from scratchnet.nn.metrics import logits
from scratchnet.pixel_range import restore_pixels, standardize
from scratchnet.predict.drawings import measure_drawing_style
from scratchnet.predict.image_files import is_array
from scratchnet.predict.image_input import match_scale, read_arrays, to_network_input
from scratchnet.progress import progress

BACKGROUNDS = {"dark": 0, "light": 1, "auto": None}
MAX_SHOWN = 100  # on the contact sheet
MAX_NAMED = 10  # unreadable files in the error message
MAX_SCALE = 10  # an image file is read at up to this many times the network's width or height
STYLE_SAMPLES = 1_000  # test images from which the drawing style is measured
STYLE_PIXELS = 20_000_000  # at most, in these images together


def predict(images, background, network, X_test, run, hashes, predictions, contact_sheet):
    """Predict the class of each of `images`, the paths of image files or of one file of arrays.

    `background` is a key of BACKGROUNDS. `network` is a TrainedNetwork, `run` its name, and
    `X_test` the path of its test images, which show how digits are drawn. `hashes` maps paths to
    the sha256 that the files had when the predictions were planned. Writes `predictions` (.csv),
    with a row for each image, a column for each probability, and the run with its test accuracy;
    and `contact_sheet` (.json), with the first images as the network received them (large ones are
    shrunk). Raises DataError, which names the files that cannot be read, or that have changed.
    """
    classes, shape = network.classes, network.image_shape
    X_test = np.load(X_test, mmap_mode="r")
    n = min(STYLE_SAMPLES, max(1, STYLE_PIXELS // len(X_test)))
    pixel_range = network.pixel_range
    drawn = restore_pixels(X_test[:, :n], pixel_range)
    style = measure_drawing_style(drawn.T.reshape(-1, *shape))

    def to_column(image):
        if "image_files" in network.manifest and not is_array(images[0]):
            return standardize(image.ravel(), pixel_range)
        paper = BACKGROUNDS[background]
        if paper is None and is_array(images[0]) and list(image.shape) == shape:
            paper = style["background"]  # raw images, like those of the dataset
        return standardize(to_network_input(image, shape, style, paper).ravel(), pixel_range)

    names, columns = _read_columns(images, network.manifest, to_column)
    X = np.array(columns, dtype=np.float32).T
    P = softmax(logits(network.build(), X))
    for path, sha256 in hashes.items():
        check_hash(show_name(path), sha256, hash_file(path))
    by = {"run": run, "test_accuracy": network.metrics["test_accuracy"]}
    _write_table(predictions, names, classes, P, by)
    shown = (restore_pixels(x.reshape(shape), pixel_range) for x in X.T[:MAX_SHOWN])
    _write_contact_sheet(contact_sheet, names, classes, P, shown, by)


def _read_columns(paths, manifest, to_column):
    """Return the names of the images in the files `paths`, and `to_column` of each image.

    In names, control characters and bytes that are not valid UTF-8 are escaped. Only one image file
    is in memory at a time. Raises DataError, which lists unreadable files.
    """
    if is_array(paths[0]):
        arrays = read_arrays(paths[0], manifest["minimum"], manifest["maximum"])
        return range(len(arrays)), [to_column(image) for image in arrays]
    columns, problems = [], []
    for path in progress("reading images", iterable=paths):
        try:
            columns.append(to_column(_read_file(path, manifest)))
        except DataError as error:
            problems.append(str(error))
    if problems:
        lines = shorten_list(problems, MAX_NAMED)
        raise DataError("\n  ".join(["some files are not images:", *lines]))
    return [escape(path) for path in paths], columns


def _read_file(path, manifest):
    """Return the image in a file, scaled to 0 to 1.

    For a network that was trained on image files, it is read as these were.
    """
    height, width, *channels = manifest["image_shape"]
    if "image_files" in manifest:
        white = manifest["image_files"]["white"]
        pixels = read_pixels(path, (height, width), bool(channels), white)
        minimum, maximum = manifest["minimum"], manifest["maximum"]
        return np.subtract(pixels, minimum, dtype=np.float32) / (maximum - minimum)
    image, white = read_image(path, MAX_SCALE * max(height, width))
    return match_scale(show_name(path), image, white, manifest)


def _write_table(path, names, classes, P, by):
    """Write a row for each of the images `names`, with probabilities P (classes, n)."""
    write_csv(
        path,
        ["image", "predicted", "probability", *(f"p_{name}" for name in classes), *by],
        (
            [name, classes[i], *p[[i]].round(6), *p.round(6), *by.values()]
            for name, i, p in zip(names, P.argmax(axis=0), P.T)
        ),
    )


def _write_contact_sheet(path, names, classes, P, images, by):
    """Write how many images there are, and `images`, the first of them, with their predictions."""
    shown = [
        {
            "image": str(name),
            "predicted": classes[i],
            "probability": round(float(p[i]), 6),
            "pixels": shrink_image(image).astype(float).round(4).tolist(),
        }
        for name, i, p, image in zip(names, P.argmax(axis=0), P.T, images)
    ]
    write_json(path, {**by, "count": len(names), "images": shown}, indent=None)
