"""Training images that stay bytes in their file because as float32 they would be too large."""

import re
import sys

import numpy as np
import pytest

from scratchnet.data import preprocessing
from scratchnet.data.user_data import hash_contents
from scratchnet.evaluation.augmentation_plot import plot_augmentation
from scratchnet.files import read_json
from scratchnet.training import segments
from scratchnet.training.segments import ARRAYS, train_to_checkpoint

SETTINGS = {
    "model.hidden": [],
    "model.initializer": "random_normal",
    "augmentation.shift": 1.0,
    "training.batch_size": 7,
    "training.optimizer": "sgd",
    "training.learning_rate": 0.1,
    "training.schedule": "constant",
    "training.patience": None,
    "training.seed": 0,
}
N, SHAPE = 40, (4, 5)


@pytest.fixture(params=[False, True], ids=["from 0 to 1", "standardised"])
def pair(request, tmp_path, monkeypatch):
    """The outputs of preprocessing the same bytes: with the usual bound on the size, and with 0."""
    rng = np.random.default_rng(0)
    images = rng.integers(3, 250, (N, *SHAPE), np.uint8)
    np.savez(tmp_path / "own.npz", x=images, y=np.arange(N) % 2)
    raw = {"npz": tmp_path / "own.npz"}
    pair = []
    for max_size in (preprocessing.MAX_SIZE, 0):
        monkeypatch.setattr(preprocessing, "MAX_SIZE", max_size)
        names = (*ARRAYS, "X_test", "Y_test")
        outputs = {name: tmp_path / str(max_size) / f"{name}.npy" for name in names}
        outputs["manifest"] = tmp_path / str(max_size) / "manifest.json"
        standardize = request.param
        preprocessing.preprocess(
            raw, hash_contents(raw), 0.2, 0.2, outputs, standardize=standardize
        )
        pair.append(outputs)
    return pair


def test_only_training_images_stay_bytes(pair):
    usual, stored = pair
    X = np.load(stored["X_train"])
    assert X.dtype == np.uint8 and X.flags.f_contiguous
    assert read_json(stored.pop("manifest"))["arrays"]["X_train"]["dtype"] == "uint8"
    for name in stored.keys() - {"X_train"}:
        assert stored[name].read_bytes() == usual[name].read_bytes()


def test_training_gives_the_same_bits(pair, tmp_path):
    checkpoints = []
    for i, outputs in enumerate(pair):
        checkpoint = tmp_path / f"{i}.npz"
        train_to_checkpoint(
            name="run",
            data={name: outputs[name] for name in ARRAYS},
            manifest=outputs["manifest"],
            settings=SETTINGS,
            epochs=2,
            start=(),
            checkpoint=checkpoint,
            record=tmp_path / f"{i}.json",
        )
        checkpoints.append(checkpoint.read_bytes())
    assert checkpoints[0] == checkpoints[1]


def test_the_picture_of_augmentation_is_the_same(pair, tmp_path):
    pictures = [tmp_path / f"{i}.png" for i in range(2)]
    for outputs, picture in zip(pair, pictures):
        plot_augmentation(
            outputs["X_train"], outputs["manifest"], picture, "default", {"shift": 1.0}
        )
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the flags of a mapping")
def test_large_arrays_are_read_page_by_page(pair, monkeypatch):
    # Linux notes MADV_RANDOM as the flag rr of a mapping.
    path = str(pair[0]["X_train"])
    for large, is_random in ((segments.LARGE, False), (0, True)):
        monkeypatch.setattr(segments, "LARGE", large)
        array = segments.open_array(path)
        with open("/proc/self/smaps") as file:
            mapping = file.read().split(path)[1]
        flags = re.search(r"^VmFlags: (.*)$", mapping, re.MULTILINE)[1].split()
        assert ("rr" in flags) is is_random
        del array
