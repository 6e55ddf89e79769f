"""A folder of image files: in folders named after their classes, or listed in labels.csv."""

import csv
import io
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scratchnet.data.image_listing import SUFFIXES, describe_files, is_image, list_files
from scratchnet.errors import ConfigError, shorten_list, show_name

TABLE = "labels.csv"
# What folders of splits may be called, in lower or upper case, and what is in a table.
SPLITS = {
    **dict.fromkeys(["train", "training"], "train"),
    **dict.fromkeys(["test", "testing"], "test"),
    **dict.fromkeys(["val", "valid", "validation"], "validation"),
}
INTEGER = re.compile("0|-?[1-9][0-9]{0,17}")
MAX_NAMED = 10  # files in a message


class Sample(NamedTuple):
    """An image file: its path in the folder, its class, and its split, a value of SPLITS."""

    file: str
    label: str
    split: str


class ImageFolder(NamedTuple):
    """The `samples` in a folder, those for training first, and what is `left_out`, in words.

    `files` are the paths in the folder of what decides which images they are: the image files, and
    the table if there is one.
    """

    samples: list[Sample]
    files: list[str]
    left_out: str


@lru_cache(maxsize=4)  # a plan asks more than once
def find_samples(folder: str) -> ImageFolder:
    """Return the images in `folder`: in train/CLASS and test/CLASS, in CLASS, or in a table.

    If there are no test images, those for validation are. Raises ConfigError if there are no
    images, or if their classes cannot be told.
    """
    top = os.path.join(folder, "")
    files = [path.removeprefix(top) for path in list_files(top)]
    images = [file for file in files if is_image(file)]
    if not images:
        raise ConfigError(
            f"the folder has no images ({', '.join(SUFFIXES)}), and no IDX files, which are "
            "called e.g. train-images-idx3-ubyte and train-labels-idx1-ubyte.gz"
        )
    table = [TABLE] if TABLE in files else []
    samples = _read_table(Path(folder, TABLE), {*images}) if table else _find_classes(images)
    if "test" not in {sample.split for sample in samples}:
        samples = [s._replace(split=s.split.replace("validation", "test")) for s in samples]
    unused = [sample for sample in samples if sample.split == "validation"]
    samples = [s for split in ("train", "test") for s in samples if s.split == split]
    if not samples or samples[0].split != "train":
        raise ConfigError("there are no training images")
    others = [file for file in files if not is_image(file) and file not in table]
    unlabelled = len(images) - len(samples) - len(unused)
    parts = [describe_files(others, len(files))] if others else []
    parts += [f"{unlabelled} images without a class"] if unlabelled else []
    if unused:
        n = len(unused)
        parts.append(f"{n} images for validation (validation_fraction sets training images aside)")
    return ImageFolder(samples, [*(s.file for s in samples), *table], " and ".join(parts))


def _find_classes(images):
    """Return the Samples among `images`, paths in the folder, by the folders that they are in."""
    places = [file.split(os.sep) for file in images]
    depths = {}
    for top, *rest in places:
        depths[top] = max(len(rest), depths.get(top, 0))
    folders = {top for top, depth in depths.items() if depth}
    splits = {top: SPLITS[top.lower()] for top in folders if top.lower() in SPLITS}
    has_splits = any(split == "train" and depths[top] > 1 for top, split in splits.items())
    if has_splits and (others := sorted(folders - splits.keys())):
        names = ", ".join(shorten_list([*map(show_name, others)], MAX_NAMED))
        raise ConfigError(
            f"there are images in {names} beside those in {' and '.join(sorted(splits))}: move "
            "them elsewhere"
        )
    if not folders or (splits.keys() == folders and not has_splits):
        raise ConfigError(
            "the images lie in no folders named after their classes: make such folders, or "
            f"{TABLE} in the folder, with the header file,label"
        )
    if len(folders) == 1 and not has_splits:
        (only,) = map(show_name, folders)
        raise ConfigError(
            f"all images lie in {only}, which would be the only class: name that folder if its "
            f"folders are the classes, or list the images in {TABLE}, with the header file,label"
        )
    if has_splits:
        return [
            Sample(file, place[1], splits[place[0]])
            for file, place in zip(images, places)
            if len(place) > 2
        ]
    return [
        Sample(file, place[0], "train") for file, place in zip(images, places) if len(place) > 1
    ]


def _read_table(path, images):
    """Return the Samples in the table `path`, a CSV file with the columns file, label and split.

    The last may be missing. `images` are the image files in the folder of the table.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{TABLE} is not in UTF-8: save it as CSV UTF-8") from None
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _read_samples(rows, delimiter, images)
    except csv.Error as error:
        raise ConfigError(
            f"{TABLE}: line {rows.line_num}: {error}; a quotation mark before it may not be closed"
        ) from None


def _read_samples(rows, delimiter, images):
    header = [name.strip().lower() for name in next(rows, [])]
    if not {"file", "label"} <= {*header}:
        raise ConfigError(
            f"the header of {TABLE} is {show_name(delimiter.join(header))}; it must have the "
            "columns file and label, and may have split"
        )
    samples, problems = {}, []
    for row in rows:
        values = dict(zip(header, [*map(str.strip, row), *[""] * len(header)]))
        if not any(values.values()):
            continue
        file, label = os.path.normpath(values["file"]), values["label"]
        split = SPLITS.get(values.get("split", "train").lower())
        if not values["file"]:
            problem = "there is no file"
        elif file not in images:
            problem = f"there is no image file {show_name(file)}"
        elif not label:
            problem = "there is no label"
        elif not split:
            said = show_name(values["split"]) or "empty"
            problem = f"the split is {said}, not train, test or validation"
        elif file in samples:
            problem = f"{show_name(file)} is listed twice"
        else:
            samples[file] = Sample(file, label, split)
            continue
        problems.append(f"line {rows.line_num}: {problem}")
    if problems:
        raise ConfigError(f"{TABLE}: {'; '.join(shorten_list(problems, MAX_NAMED))}")
    return [*samples.values()]


def read_labels(labels: Iterable[str]) -> np.ndarray:
    """Return names of classes as an array: of integers if all of them are, otherwise of text."""
    labels = [*labels]
    if all(INTEGER.fullmatch(label) for label in {*labels}):
        return np.array([*map(int, labels)], np.int64)
    return np.array(labels)
