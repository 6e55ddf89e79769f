"""Preprocessing: the arrays are the images and labels, scaled, flat, and in the right order."""

import hashlib
import json

import numpy as np
import pytest

import samples
from samples import CLASSES, HEIGHT, N_TEST, N_TRAIN, WIDTH
from scratchnet import preprocessing
from scratchnet.errors import DataError
from scratchnet.preprocessing import prepare, split_validation

RAW = samples.make_arrays()
NAMES = [f"{kind}_{split}" for split in ("train", "validation", "test") for kind in "XY"]
PIXELS = HEIGHT * WIDTH
SOURCE = {"source": "somewhere", "sha256": {"a": "b"}}


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    source = folder / "source.json"
    source.write_text(json.dumps(SOURCE))
    return samples.write_idx(folder) | {"source": source}


@pytest.fixture
def outputs(tmp_path):
    paths = {name: tmp_path / "out" / f"{name}.npy" for name in NAMES}
    return paths | {"manifest": tmp_path / "out" / "manifest.json"}


@pytest.fixture
def prepared(raw, outputs):
    """A function of the validation fraction that prepares the tiny dataset.

    It returns the arrays, memory-mapped as training maps them, and the manifest.
    """

    def run(fraction=0.0):
        prepare(raw, CLASSES, fraction, outputs)
        arrays = {name: np.load(outputs[name], mmap_mode="r") for name in NAMES}
        return arrays, json.loads(outputs["manifest"].read_text())

    return run


def replace_raw(path, array):
    path.write_bytes(samples.idx_bytes(array))


def assert_scaled(X, images, minimum, maximum):
    flat = images.transpose(1, 2, 0).reshape(-1, len(images)).astype(np.float64)
    expected = (flat - minimum) / (maximum - minimum)
    np.testing.assert_allclose(X, expected, rtol=np.finfo(np.float32).eps)


@pytest.mark.parametrize("split", ["train", "test"])
def test_pixels_are_flattened_and_scaled_by_the_training_images(prepared, split):
    arrays, _ = prepared()
    assert_scaled(arrays[f"X_{split}"], RAW[f"{split}_images"], 10, 200)


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_column_is_an_image_row_by_row(prepared, split):
    arrays, _ = prepared()
    column = arrays[f"X_{split}"][:, 4] * 190 + 10
    np.testing.assert_allclose(column, RAW[f"{split}_images"][4].ravel(), atol=1e-4)


def test_training_pixels_go_from_0_to_1(prepared):
    X = prepared()[0]["X_train"]
    assert (X.min(), X.max()) == (0, 1)


@pytest.mark.parametrize("split", ["train", "test"])
def test_labels_are_one_hot(prepared, split):
    arrays, _ = prepared()
    labels = RAW[f"{split}_labels"]
    expected = [[float(label == c) for label in labels] for c in range(10)]
    np.testing.assert_array_equal(arrays[f"Y_{split}"], expected)


@pytest.mark.parametrize("fraction", [0.0, 0.25])
@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_in_fortran_order(prepared, outputs, name, fraction):
    prepared(fraction)
    with outputs[name].open("rb") as file:
        np.lib.format.read_magic(file)
        _, fortran_order, _ = np.lib.format.read_array_header_1_0(file)
    assert fortran_order


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_of_single_precision(prepared, name):
    assert prepared(0.25)[0][name].dtype == np.float32


SHAPES = {
    0.0: {"train": N_TRAIN, "validation": 0, "test": N_TEST},
    0.25: {"train": 45, "validation": 15, "test": N_TEST},
    0.9: {"train": 6, "validation": 54, "test": N_TEST},
}


@pytest.mark.parametrize("fraction", SHAPES)
@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_each_array_has_a_column_for_each_sample(prepared, split, fraction):
    arrays, _ = prepared(fraction)
    n = SHAPES[fraction][split]
    assert arrays[f"X_{split}"].shape == (PIXELS, n)
    assert arrays[f"Y_{split}"].shape == (len(CLASSES), n)


@pytest.fixture
def halves():
    return split_validation(N_TRAIN, 0.25)


def test_training_and_validation_together_are_everything_once(halves):
    np.testing.assert_array_equal(np.sort(np.concatenate(halves)), np.arange(N_TRAIN))


def test_training_and_validation_keep_the_order_of_the_images(halves):
    assert all((np.diff(half) > 0).all() for half in halves)


def test_the_validation_images_are_drawn_from_everywhere(halves):
    _, validation = halves
    assert validation.min() < N_TRAIN / 4
    assert validation.max() >= N_TRAIN * 3 / 4


def test_the_split_is_always_the_same(halves):
    again = split_validation(N_TRAIN, 0.25)
    assert [half.tolist() for half in again] == [half.tolist() for half in halves]


def test_without_validation_every_image_is_for_training():
    train, validation = split_validation(5, 0.0)
    assert (train.tolist(), validation.tolist()) == ([0, 1, 2, 3, 4], [])


def test_the_split_of_the_arrays_is_that_of_the_indices(prepared, halves):
    arrays, manifest = prepared(0.25)
    for split, indices in zip(("train", "validation"), halves):
        images = RAW["train_images"][indices]
        assert_scaled(arrays[f"X_{split}"], images, manifest["minimum"], manifest["maximum"])
        labels = arrays[f"Y_{split}"].argmax(axis=0)
        np.testing.assert_array_equal(labels, RAW["train_labels"][indices])


def test_the_scale_is_that_of_the_training_part_alone(prepared, raw, halves):
    images = RAW["train_images"].copy()
    images[halves[1][0], 0, 0], images[halves[1][1], 0, 0] = 0, 255
    replace_raw(raw["train_images"], images)
    arrays, manifest = prepared(0.25)
    part = images[halves[0]]
    assert (manifest["minimum"], manifest["maximum"]) == (part.min(), part.max())
    assert (arrays["X_validation"].min() < 0, arrays["X_validation"].max() > 1) == (True, True)


def test_the_manifest_describes_the_arrays_as_they_are(prepared, outputs):
    arrays, manifest = prepared(0.25)
    assert manifest["arrays"] == {
        name: {
            "shape": list(array.shape),
            "dtype": "float32",
            "sha256": hashlib.sha256(outputs[name].read_bytes()).hexdigest(),
        }
        for name, array in arrays.items()
    }


def test_the_manifest_names_source_scale_and_classes(prepared):
    _, manifest = prepared()
    del manifest["arrays"]
    assert manifest == SOURCE | {
        "classes": list(CLASSES),
        "image_shape": [HEIGHT, WIDTH],
        "minimum": 10,
        "maximum": 200,
    }


def test_nothing_but_the_outputs_remains(prepared, outputs):
    prepared(0.25)
    assert sorted(outputs["manifest"].parent.iterdir()) == sorted(outputs.values())


@pytest.mark.parametrize("size", [1, 7, 45, 46])
def test_the_slices_in_which_it_is_done_make_no_difference(prepared, outputs, monkeypatch, size):
    prepared(0.25)
    at_once = {name: path.read_bytes() for name, path in outputs.items()}
    monkeypatch.setattr(preprocessing, "SLICE", size)
    prepared(0.25)
    assert {name: path.read_bytes() for name, path in outputs.items()} == at_once


def test_twice_the_same_is_the_same_bytes(prepared, outputs):
    prepared(0.25)
    first = {name: path.read_bytes() for name, path in outputs.items()}
    prepared(0.25)
    assert {name: path.read_bytes() for name, path in outputs.items()} == first


FAULTS = {
    "label out of range": ("test_labels", np.full(N_TEST, 10, np.uint8)),
    "too few labels": ("train_labels", RAW["train_labels"][:-1]),
    "no images": ("test_images", np.zeros((0, HEIGHT, WIDTH), np.uint8)),
    "test images of another size": ("test_images", np.zeros((N_TEST, 7, WIDTH), np.uint8)),
    "training images of one colour": (
        "train_images",
        np.full((N_TRAIN, HEIGHT, WIDTH), 7, np.uint8),
    ),
}


@pytest.mark.parametrize(("key", "array"), FAULTS.values(), ids=FAULTS)
def test_bad_raw_files_are_refused(prepared, raw, key, array):
    replace_raw(raw[key], array)
    with pytest.raises(DataError):
        prepared()


def fail(*_):
    raise RuntimeError("midway")


@pytest.mark.parametrize("step", ["write_pixels", "write_one_hot"])
@pytest.mark.parametrize("last", [0, 2])
def test_a_failure_midway_leaves_nothing(prepared, outputs, monkeypatch, step, last):
    calls, real = iter(range(3)), getattr(preprocessing, step)
    monkeypatch.setattr(
        preprocessing, step, lambda *args: (fail if next(calls) == last else real)(*args)
    )
    with pytest.raises(RuntimeError, match="midway"):
        prepared()
    assert [*outputs["manifest"].parent.iterdir()] == []


def test_a_bad_note_of_the_source_leaves_nothing(prepared, raw, outputs):
    raw["source"].write_text("{")
    with pytest.raises(ValueError):
        prepared()
    assert not any(path.exists() for path in outputs.values())


def test_a_failure_leaves_earlier_arrays_as_they_were(prepared, outputs, raw):
    prepared()
    before = {name: path.read_bytes() for name, path in outputs.items()}
    replace_raw(raw["test_labels"], np.full(N_TEST, 10, np.uint8))
    with pytest.raises(DataError):
        prepared(0.25)
    assert {name: path.read_bytes() for name, path in outputs.items()} == before
