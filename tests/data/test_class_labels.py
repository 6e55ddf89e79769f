"""Which labels are classes: each has training images, and a share of what is held out."""

from collections import Counter

import numpy as np
import pytest

from scratchnet.data.preprocessing import assign_samples, share_out
from scratchnet.data.raw_splits import RawSplit
from scratchnet.errors import DataError


def split_of(labels, name="x_train"):
    return RawSplit(name, np.zeros((len(labels), 1, 1), np.uint8), np.asarray(labels))


def counted(labels, test_fraction, validation_fraction, test=None):
    """How many images of each class each part has: {part: {label: n}}."""
    splits = {"train": split_of(labels)} | ({"test": split_of(test)} if test is not None else {})
    samples = assign_samples(splits, test_fraction, validation_fraction)
    return {
        part: dict(sorted(Counter(split.labels[indices].tolist()).items()))
        for part, (split, indices) in samples.items()
    }


# ---- Splits are stratified.


def test_each_class_has_its_share_of_each_part():
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3], [100, 40, 40, 20]))
    assert counted(labels, 0.1, 0.5) == {
        "train": {0: 45, 1: 18, 2: 18, 3: 9},
        "validation": {0: 45, 1: 18, 2: 18, 3: 9},
        "test": {0: 10, 1: 4, 2: 4, 3: 2},
    }


@pytest.mark.parametrize("text", [False, True])
def test_the_test_images_of_few_images_have_all_classes(text):
    """40 images in 4 classes: of random choices of 15 %, 55 % miss a class."""
    labels = [*"abcd"] * 10 if text else [0, 1, 2, 3] * 10
    found = counted(labels, 0.15, 0.15)
    assert found["test"].keys() == found["validation"].keys() == {*labels}
    assert [sum(found[part].values()) for part in found] == [29, 5, 6]


@pytest.mark.parametrize("fraction", [1e-9, 0.01, 0.3])
@pytest.mark.parametrize("n_classes", [2, 10, 300])
def test_any_fraction_leaves_an_image_of_each_class_in_each_part(n_classes, fraction):
    labels = np.arange(3 * n_classes) % n_classes
    found = counted(labels, fraction, fraction)
    assert all(len(found[part]) == n_classes for part in found)
    assert found == dict.fromkeys(found, dict.fromkeys(range(n_classes), 1))


def test_a_class_of_one_image_keeps_it_for_training_and_one_of_two_gives_one_to_the_tests():
    labels = [0] * 20 + [1] * 2 + [2]
    assert counted(labels, 0.2, 0.2) == {
        "train": {0: 12, 1: 1, 2: 1},
        "validation": {0: 4},
        "test": {0: 4, 1: 1},
    }


def test_the_choice_within_a_class_is_random_and_stays_the_same():
    labels = np.arange(1000) % 2
    _, indices = assign_samples({"train": split_of(labels)}, 0.02, 0.0)["test"]
    assert indices.tolist() == [
        6,
        14,
        26,
        84,
        91,
        95,
        126,
        132,
        273,
        325,
        431,
        463,
        464,
        529,
        578,
        602,
        725,
        735,
        848,
        877,
    ]


@pytest.mark.parametrize(
    ("counts", "n", "expected"),
    [
        ([10, 10, 10, 10], 6, [2, 2, 1, 1]),
        ([70, 20, 10], 10, [7, 2, 1]),
        ([66, 17, 17], 10, [6, 2, 2]),
        ([97, 2, 1], 10, [9, 1, 0]),
        ([5, 5], 9, [4, 4]),
        ([99, 99], 0, [1, 1]),
        ([1, 1], 1, [0, 0]),
    ],
)
def test_largest_remainders(counts, n, expected):
    assert share_out(np.array(counts), n).tolist() == expected


@pytest.mark.parametrize(("test", "validation"), [(0.15, 0.0), (0.15, 0.1), (0.001, 0.001)])
def test_too_few_images_are_refused_in_a_sentence(test, validation):
    with pytest.raises(DataError, match="2 images are too few to set some aside for testing"):
        counted([0, 1], test, validation)


def test_without_two_images_of_any_class_there_are_no_validation_images():
    with pytest.raises(DataError, match="4 images are too few to set some aside for validation"):
        counted([0, 0, 1, 1], 0.5, 0.1)


# ---- Labels of the test images.

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 2, 2), np.uint8)


def own(train, test):
    train, test = np.resize(train, 20), np.resize(test, 20)
    return {"x_train": IMAGES, "y_train": train, "x_test": IMAGES, "y_test": test}


UNKNOWN = {
    "counted from 1": ([0, 1, 2, 3], [1, 2, 3, 4], r"has: 4 \(5 images\)\. .* have 0, 1, 2, 3\."),
    "text in another case": (["cat", "dog"], ["Cat", "dog"], r"has: Cat \(10 images\)\. "),
    "two of them": ([0, 1], [0, 7, 1, 9], r"has: 7 \(5 images\), 9 \(5 images\)\. "),
    "longer text": (["ox", "cow"], ["ox", "elephant"], r"has: elephant \(10 images\)\. "),
}


@pytest.mark.parametrize(("train", "test", "words"), UNKNOWN.values(), ids=UNKNOWN)
def test_labels_of_test_images_alone_are_refused_with_their_counts(
    preprocessed_npz, outputs, train, test, words
):
    with pytest.raises(DataError, match=r"x_test has labels that no training image " + words):
        preprocessed_npz(own(train, test))
    assert [*outputs["manifest"].parent.iterdir()] == []


def test_of_many_unknown_labels_some_are_named(preprocessed_npz):
    with pytest.raises(DataError, match=r"11 \(1 images\), and 4 more\. The .* have 0, 1\. "):
        preprocessed_npz(own([0, 1], np.arange(1, 16)))
