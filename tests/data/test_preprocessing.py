"""Preprocessing: images are scaled and flattened, labels are one-hot, and samples are assigned."""

import hashlib
import json
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import samples
from samples import HEIGHT, N_TEST, N_TRAIN, WIDTH
from scratchnet.data import preprocessing
from scratchnet.data.preprocessing import assign_samples, find_training_range, preprocess
from scratchnet.data.raw_splits import RawSplit
from scratchnet.data.user_data import hash_contents
from scratchnet.errors import DataError
from scratchnet.files import hash_file

RAW = samples.make_arrays()
PARTS = ("train", "validation", "test")
NAMES = [f"{kind}_{part}" for part in PARTS for kind in "XY"]
NAMES_OF_CLASSES = tuple("abcdefghij")


def preprocess_own(raw, test_fraction, validation_fraction, outputs):
    """Preprocess the files `raw` with their present content."""
    preprocess(raw, hash_contents(raw), test_fraction, validation_fraction, outputs)


def read(outputs):
    """The arrays, memory-mapped as in training, and the manifest."""
    arrays = {name: np.load(outputs[name], mmap_mode="r") for name in NAMES}
    return arrays, json.loads(outputs["manifest"].read_text())


def read_bytes(outputs):
    return {name: path.read_bytes() for name, path in outputs.items()}


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return samples.write_idx(folder)


@pytest.fixture
def preprocessed(raw, outputs):
    """A function of the validation fraction that preprocesses the tiny dataset, a download."""

    def run(fraction=0.0, **options):
        preprocess(raw, None, 0, fraction, outputs, NAMES_OF_CLASSES, **options)
        return read(outputs)

    return run


def replace_raw(path, array):
    path.write_bytes(samples.idx_bytes(array))


def assert_scaled(X, images, minimum, maximum):
    """Column i is image i, row by row."""
    flat = np.array([image.ravel() for image in images], np.float64).T
    expected = (flat - minimum) / (maximum - minimum)
    np.testing.assert_array_equal(X, expected.astype(np.float32), strict=True)


def one_hot(labels, classes):
    return np.array([[label == each for label in labels] for each in classes], np.float32)


# ---- Which samples are for training, validation and test.


def raw_split(n, name="x_train", labels=0):
    """Return a RawSplit of n images, of one class unless they have `labels`."""
    return RawSplit(name, np.zeros((n, 1, 1), np.uint8), np.resize(labels, n))


def assign(n_train, n_test, *fractions, labels=0):
    """Return {part: (name of the split, list of indices)}; None for no test split."""
    splits = {"train": raw_split(n_train, labels=labels)}
    if n_test is not None:
        splits["test"] = raw_split(n_test, "x_test")
    found = assign_samples(splits, *fractions)
    return {part: (split.name, indices.tolist()) for part, (split, indices) in found.items()}


def test_the_held_out_images_never_change_and_come_from_streams_of_their_own():
    assert assign(12, 2, 0.9, 0.25) == {
        "train": ("x_train", [0, 1, 2, 3, 4, 6, 7, 9, 11]),
        "validation": ("x_train", [5, 8, 10]),
        "test": ("x_test", [0, 1]),
    }
    assert assign(12, None, 0.25, 0.25) == {
        "train": ("x_train", [0, 1, 4, 5, 6, 7, 10]),
        "validation": ("x_train", [3, 9]),
        "test": ("x_train", [2, 8, 11]),
    }


@settings(max_examples=300, deadline=None, derandomize=True)
@given(n=st.integers(3, 300), test=st.floats(0, 0.4), validation=st.floats(0, 0.4))
def test_each_image_has_one_part_and_each_part_its_share(n, test, validation):
    for n_test in (None, 9):
        found = assign(n, n_test, test, validation)
        indices = {part: where for part, (_, where) in found.items()}
        assert all(where == sorted(where) for where in indices.values())
        if n_test:
            assert found.pop("test") == ("x_test", [*range(9)])
            held_out = 0
        else:
            held_out = len(indices["test"])
            assert held_out == max(1, round(n * test))
            assert indices["test"] == assign(n, None, test, 0)["test"][1]
        assert {name for name, _ in found.values()} == {"x_train"}
        assert sorted(chain(*(where for _, where in found.values()))) == [*range(n)]
        expected = max(1, round((n - held_out) * validation)) if validation else 0
        assert len(indices["validation"]) == expected


TOO_FEW = {
    "one image": (1, None, 0.15, 0.0),
    "one is left beside the test image": (2, None, 0.5, 0.5),
    "one image beside test images": (1, 9, 0.15, 0.9),
}


@pytest.mark.parametrize(("n", "n_test", "test", "validation"), TOO_FEW.values(), ids=TOO_FEW)
def test_too_few_images_are_refused_with_their_number(n, n_test, test, validation):
    with pytest.raises(DataError, match=f"x_train: {n} images are too few"):
        assign(n, n_test, test, validation)


# ---- The arrays.


@pytest.mark.parametrize("fraction", [0.0, 0.25])
def test_the_arrays_contain_the_assigned_samples_and_the_manifest_describes_them(
    preprocessed, outputs, fraction
):
    arrays, manifest = preprocessed(fraction)
    assigned = assign(N_TRAIN, N_TEST, 0, fraction, labels=RAW["train_labels"])
    for part, (name, indices) in assigned.items():
        split = name.removeprefix("x_")
        images, labels = (RAW[f"{split}_{kind}"][indices] for kind in ("images", "labels"))
        X, Y = arrays[f"X_{part}"], arrays[f"Y_{part}"]
        for name in (f"X_{part}", f"Y_{part}"):  # of an empty array, its flags say nothing
            assert b"'fortran_order': True" in outputs[name].read_bytes()
        np.testing.assert_array_equal(Y, one_hot(labels, range(10)).reshape(10, -1), strict=True)
        if indices:
            assert_scaled(X, images, 10, 200)
        else:
            assert (X.shape, X.dtype) == ((HEIGHT * WIDTH, 0), np.float32)
    assert manifest == {
        "labels": list(range(10)),
        "classes": [*NAMES_OF_CLASSES],
        "image_shape": [HEIGHT, WIDTH],
        "minimum": 10,
        "maximum": 200,
        "arrays": {
            name: {
                "shape": list(array.shape),
                "dtype": "float32",
                "sha256": hashlib.sha256(outputs[name].read_bytes()).hexdigest(),
            }
            for name, array in arrays.items()
        },
    }


def test_the_scale_depends_on_the_training_part_alone(preprocessed, raw):
    found = assign(N_TRAIN, N_TEST, 0, 0.25, labels=RAW["train_labels"])
    images, (one, other, *_) = RAW["train_images"].copy(), found["validation"][1]
    images[one, 0, 0], images[other, 0, 0] = 0, 255
    replace_raw(raw["train_images"], images)
    arrays, manifest = preprocessed(0.25)
    part = images[found["train"][1]]
    assert (manifest["minimum"], manifest["maximum"]) == (part.min(), part.max())
    assert arrays["X_validation"].min() < 0 and arrays["X_validation"].max() > 1


@pytest.mark.parametrize("size", [7, 5_000])
def test_standardised_training_images_have_the_mean_0_and_the_standard_deviation_1(
    preprocessed, monkeypatch, size
):
    monkeypatch.setattr(preprocessing, "CHUNK_SIZE", size)
    plain, before = preprocessed(0.25)
    plain = {name: plain[name].astype(np.float64) for name in NAMES}
    found, manifest = preprocessed(0.25, standardize=True)
    X = plain["X_train"]
    mean, std = manifest.pop("mean"), manifest.pop("std")
    assert (mean, std) == pytest.approx((X.mean(), X.std()), rel=1e-6)
    for part in PARTS:
        expected = (plain[f"X_{part}"] - X.mean()) / X.std()
        np.testing.assert_allclose(found[f"X_{part}"], expected, atol=1e-5)
    assert manifest | {"arrays": 0} == before | {"arrays": 0}


@pytest.mark.parametrize("lowest", [0, -1e300])
def test_pixels_of_any_scale_are_standardised(tmp_path, outputs, lowest):
    images = OWN * (-lowest / 255 or 1.0) + lowest
    raw = {"npz": tmp_path / "mine.npz"}
    raw["npz"].write_bytes(samples.npz(own([0, 1], images)))
    preprocess(raw, None, 0.25, 0, outputs, standardize=True)
    X = read(outputs)[0]["X_train"].astype(float)
    assert (X.mean(), X.std()) == pytest.approx((0, 1), abs=1e-5)


@pytest.mark.parametrize("size", [1, 7, 45, 46, 5_000])
def test_the_chunk_size_does_not_matter_and_the_bytes_are_the_same_again(
    preprocessed, outputs, monkeypatch, size
):
    preprocessed(0.25)
    at_once = read_bytes(outputs)
    monkeypatch.setattr(preprocessing, "CHUNK_SIZE", size)
    preprocessed(0.25)
    assert read_bytes(outputs) == at_once


@pytest.mark.parametrize("pack", [bytes, samples.gzipped])
def test_only_the_outputs_are_left(raw, outputs, pack):
    for path in raw.values():
        path.write_bytes(pack(path.read_bytes()))
    preprocess_own(raw, 0, 0.25, outputs)
    assert sorted(outputs["manifest"].parent.iterdir()) == sorted(outputs.values())


def test_class_names_of_a_source_are_ignored_if_their_number_differs(raw, preprocessed):
    for name in ("train_labels", "test_labels"):
        replace_raw(raw[name], RAW[name] % 5 * 2)
    assert preprocessed()[1]["classes"] == ["0", "2", "4", "6", "8"]


# ---- The user's own data: any labels, any pixels.

N = 40
OWN = np.random.default_rng(2).integers(0, 256, (N, 3, 5), np.uint8)


def own(labels, images=OWN, split="train"):
    return {f"x_{split}": images, f"y_{split}": np.resize(labels, len(images))}


# The labels of both splits, or of one; the classes, in ascending order; and their names.
LABELS = {
    "from 1": ([1, 2, 3], None, [1, 2, 3], ["1", "2", "3"]),
    "far apart": ([700, 5, -9], None, [-9, 5, 700], ["-9", "5", "700"]),
    "text": (["mouse", "cat", "dog"], None, ["cat", "dog", "mouse"], ["cat", "dog", "mouse"]),
    "integral floats": ([2.0, 0.0], None, [0, 2], ["0", "2"]),
    "booleans": ([True, False], None, [False, True], ["False", "True"]),
    "bytes": (np.array([255, 7], np.uint8), None, [7, 255], ["7", "255"]),
    "more in the training split": ([1, 2, 9], [1], [1, 2, 9], ["1", "2", "9"]),
    "longer text in the training split": (["oxen", "a"], ["a"], None, ["a", "oxen"]),
    "unsigned and signed": (np.array([0, 1], np.uint64), [0, 1], [0, 1], ["0", "1"]),
}


@pytest.mark.parametrize(("train", "test", "classes", "names"), LABELS.values(), ids=LABELS)
def test_the_classes_are_the_labels_that_occur_in_ascending_order(
    preprocessed_npz, train, test, classes, names
):
    test, classes = train if test is None else test, classes or names
    arrays, manifest = preprocessed_npz(own(train) | own(test, split="test"))
    assert (manifest["labels"], manifest["classes"]) == (classes, names)
    np.testing.assert_array_equal(arrays["Y_test"], one_hot(np.resize(test, N), classes))
    assert arrays["Y_train"].shape[0] == arrays["Y_validation"].shape[0] == len(classes)


def test_without_a_test_split_the_arrays_contain_the_assigned_samples(preprocessed_npz):
    labels = np.arange(N) // 3
    found, _ = preprocessed_npz(own(labels), 0.3, 0.25)
    assigned = assign(N, None, 0.3, 0.25, labels=labels)
    expected = {part: indices for part, (_, indices) in assigned.items()}
    train = OWN[expected["train"]]
    for part, indices in expected.items():
        assert found[f"Y_{part}"].argmax(axis=0).tolist() == labels[indices].tolist()
        assert_scaled(found[f"X_{part}"], OWN[indices], int(train.min()), int(train.max()))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 2), (4, 6, 3), (4, 6, 1)])
def test_images_of_any_shape_are_flattened_by_row_column_and_channel(preprocessed_npz, shape):
    images = np.random.default_rng(3).integers(0, 256, (N, *shape), np.uint8)
    images[:2].flat[0], images[:2].flat[-1] = 0, 255
    found, manifest = preprocessed_npz(own([0, 1], images) | own([0, 1], images, "test"), 0, 0)
    assert manifest["image_shape"] == [n for n in shape if n != 1 or len(shape) == 2]
    assert_scaled(found["X_test"], images, int(images.min()), int(images.max()))


@pytest.mark.parametrize(("low", "high"), [(0, 255), (10, 200), (254, 255)])
def test_every_byte_is_scaled_to_the_nearest_float32(preprocessed_npz, low, high):
    images = np.resize(np.array([low, high], np.uint8), (4, 16, 16))
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    found, _ = preprocessed_npz(own([0, 1], images) | own([0], every, "test"), 0, 0)
    assert_scaled(found["X_test"], every, low, high)


# The smallest and the largest pixel of the training images and of the test images.
SAME_SCALE = {
    "the same": (0, 255, 0, 255),
    "slightly beyond the training pixels": (10, 200, 0, 255),
    "ten times as large": (0, 10, 0, 100),
    "a tenth": (0, 100, 0, 10),
    "black": (0, 255, 0, 0),
    "fractions, which an interpolation carries beyond 0 and 1": (0.0, 1.0, -0.2, 1.2),
    "negative down to a quarter": (0, 8, -2, 8),
    "standardised": (-0.42, 2.8, -0.42, 3.9),
    "standardised, without a dark image": (-0.1, 2.8, 0.3, 2.5),
}
OTHER_SCALE = {
    "bytes and fractions": (0, 255, 0.0, 1.0),
    "fractions and bytes": (0.0, 1.0, 0, 255),
    "bytes and -1 to 1": (0, 255, -1.0, 1.0),
    "bytes and 16 bits": (0, 255, 0, 65535),
    "more than ten times as large": (0, 10, 0, 101),
    "0 to 1 and -1 to 1": (0.0, 1.0, -1.0, 1.0),
    "-1 to 1 and 0 to 1": (-1.0, 1.0, 0.0, 1.0),
    "negative beyond a quarter": (0.0, 8.0, -2.01, 8.0),
    "unsigned and signed bytes": (0, 255, -128, 127),
    "fractions and standardised": (0.0, 1.0, -0.42, 2.8),
}


def range_of_two(low, high, test_low, test_high):
    """The range of the training pixels, if training and test images have these ranges."""
    images, test = np.array([[[low, high]]]), np.array([[[test_low, test_high]]])
    splits = {"train": RawSplit("train", images, [0]), "test": RawSplit("test", test, [0])}
    return find_training_range({name: (split, np.array([0])) for name, split in splits.items()})


@pytest.mark.parametrize("ranges", SAME_SCALE.values(), ids=SAME_SCALE)
def test_test_pixels_may_have_a_somewhat_other_range(ranges):
    assert range_of_two(*ranges) == ranges[:2]


@pytest.mark.parametrize("ranges", OTHER_SCALE.values(), ids=OTHER_SCALE)
def test_test_pixels_of_another_scale_are_refused(ranges):
    low, high, test_low, test_high = ranges
    with pytest.raises(DataError) as caught:
        range_of_two(*ranges)
    assert str(caught.value) == (
        f"train has pixels from {low} to {high}, but test has pixels from {test_low} to "
        f"{test_high}; give both the same scale"
    )


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_boolean_pixels_are_the_numbers_0_and_1(preprocessed_npz, dtype):
    images = OWN > 127
    found, manifest = preprocessed_npz(
        own([0, 1], images) | own([0, 1], images.astype(dtype), "test")
    )
    assert json.dumps([manifest["minimum"], manifest["maximum"]]) == "[0, 1]"
    assert_scaled(found["X_test"], images, 0, 1)


PIXELS_OF = {
    "signed": (np.array([-128, 127, 0], np.int8), [0, 1, 128 / 255]),
    "of 16 bits": (np.array([0, 65535, 13107], np.uint16), [0, 1, 0.2]),
    "of 64 bits": (np.array([-(10**6), 10**6, 0]), [0, 1, 0.5]),
    "that are one number in float32": (np.array([0, 60, 15]) + 2**30, [0, 1, 0.25]),
    "half precision": (np.array([-1, 1, 0.5], np.float16), [0, 1, 0.75]),
    "single precision": (np.array([0, 0.1, 0.025], np.float32), [0, 1, 0.25]),
    "double precision": (np.array([-0.5, 1.5, 1.0]), [0, 1, 0.75]),
    "big-endian": (np.array([0, 1000, 250], ">i2"), [0, 1, 0.25]),
    "long double": (np.array([0, 255, 51], np.longdouble), [0, 1, 0.2]),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("pixels", "expected"), PIXELS_OF.values(), ids=PIXELS_OF)
def test_pixels_of_any_type_are_scaled_to_0_to_1(preprocessed_npz, pixels, expected):
    images = np.resize(pixels, (N, len(pixels), 1)).astype(pixels.dtype)
    found, manifest = preprocessed_npz(own([0, 1], images))
    for part in PARTS:
        np.testing.assert_allclose(found[f"X_{part}"][:, 0], expected, rtol=1e-6, atol=1e-7)
    assert (manifest["minimum"], manifest["maximum"]) == (pixels.min(), pixels.max())


# ---- Invalid data are refused, and nothing is left behind.

FAULTS = {
    "too few labels": ("train_labels", RAW["train_labels"][:-1], "60 images, .* 59 labels"),
    "no images": ("test_images", np.zeros((0, HEIGHT, WIDTH), np.uint8), "there is no data"),
    "constant training images": (
        "train_images",
        np.full((N_TRAIN, HEIGHT, WIDTH), 7, np.uint8),
        "train-images-idx3-ubyte: all pixels are 7, so there is nothing to learn",
    ),
}


@pytest.mark.parametrize(("key", "array", "words"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("pack", [bytes, samples.gzipped])
def test_invalid_raw_files_are_refused_and_nothing_is_left(
    preprocessed, raw, outputs, key, array, words, pack
):
    raw[key].write_bytes(pack(samples.idx_bytes(array)))
    with pytest.raises(DataError, match=words):
        preprocessed()
    assert [*outputs["manifest"].parent.iterdir()] == []


HALF = N // 2
OTHER_IMAGES = np.arange(1, N + 1)[:, None, None] * np.full((N, 3, 5), 7)
REFUSED = {
    "one class of text": (own(["cat"]), "x_train: all images have the label cat"),
    "one class": (own([3]), "x_train: all images have the label 3"),
    "constant training images": (
        own([0, 1], np.full((N, 3, 5), 7.5)) | own([0, 1], OTHER_IMAGES, "test"),
        r"x_train: all pixels are 7\.5",
    ),
    "numbers of images as labels": (
        own(np.arange(21)),
        "x_train: 40 images have 21 different labels",
    ),
    "numbers of images as labels of both splits": (
        own(np.arange(HALF), OWN[:HALF]) | own(np.arange(HALF, N), OWN[HALF:], "test"),
        "x_train: 40 images have 40 different labels",
    ),
    **{
        f"{bad} as a label": (own([0, 1, 0, bad]), "y_train .*labels must be integers or text")
        for bad in (np.inf, 1e300, 0.5)
    },
}


@pytest.mark.parametrize(("arrays", "words"), REFUSED.values(), ids=REFUSED)
def test_arrays_that_nothing_can_be_learned_from_are_refused_and_nothing_is_left(
    preprocessed_npz, outputs, arrays, words
):
    with pytest.raises(DataError, match=rf"mine\.npz: {words}"):
        preprocessed_npz(arrays)
    assert [*outputs["manifest"].parent.iterdir()] == []


def test_a_constant_image_among_others_is_accepted(preprocessed_npz):
    images = OWN.copy()
    images[THREE["train"][0]] = 0
    assert OWN.min() > 0 == preprocessed_npz(own([0, 1], images))[1]["minimum"]


THREE = {part: indices for part, (_, indices) in assign(N, None, 0.25, 0.25, labels=[0, 1]).items()}
TWO = {part: indices for part, (_, indices) in assign(N, N, 0, 0.25).items()}
# The array with the bad pixels, whether there is a test split, and the image they are in.
PLACES = {
    "first training image": ("x_train", True, TWO["train"][0]),
    "last training image": ("x_train", True, TWO["train"][-1]),
    "validation image": ("x_train", True, TWO["validation"][5]),
    "first test image": ("x_test", True, 0),
    "last test image": ("x_test", True, N - 1),
    "training image, without a test split": ("x_train", False, THREE["train"][8]),
    "validation image, without a test split": ("x_train", False, THREE["validation"][3]),
    "test image, without a test split": ("x_train", False, THREE["test"][4]),
}


@pytest.mark.parametrize("size", [4, 5_000])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("name", "with_test", "number"), PLACES.values(), ids=PLACES)
def test_a_pixel_that_is_not_finite_is_reported_and_nothing_is_left(
    preprocessed_npz, outputs, monkeypatch, name, with_test, number, value, size
):
    monkeypatch.setattr(preprocessing, "CHUNK_SIZE", size)
    images = OWN.astype(np.float32)
    arrays = own([0, 1], images) | (own([0, 1], images, "test") if with_test else {})
    arrays[name] = images.copy()
    arrays[name][number, 2, 1] = value
    words = rf"mine\.npz: {name}: image {number} has pixels that are not finite"
    with pytest.raises(DataError, match=words):
        preprocessed_npz(arrays)
    assert [*outputs["manifest"].parent.iterdir()] == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["nan", "1e4900"])  # the second is finite as a long double only
def test_the_first_of_several_images_that_are_not_finite_is_reported(preprocessed_npz, text):
    images = OWN.astype(np.longdouble)
    images[THREE["train"][3:]] = np.longdouble(text)
    with pytest.raises(
        DataError, match=f"image {THREE['train'][3]} has pixels that are not finite"
    ):
        preprocessed_npz(own([0, 1], images))


@pytest.mark.filterwarnings("error")
def test_pixels_whose_range_is_not_finite_are_refused(preprocessed_npz):
    images = (OWN.astype(float) - 128) * 1.3e306
    with pytest.raises(DataError, match=r"from -1\.\S+e\+308 to 1\.\S+e\+308, too far apart"):
        preprocessed_npz(own([0, 1], images))


CATS_AND_DOGS = np.resize(["cat", "dog"], N)
OBJECTS = {
    "text": ("y_train", own(CATS_AND_DOGS.astype(object))),
    "numbers": ("y_train", own(np.array([0, 1], object))),
    "images": ("x_train", own([0, 1], OWN.astype(object))),
}


@pytest.mark.parametrize(("name", "arrays"), OBJECTS.values(), ids=OBJECTS)
def test_objects_are_refused_with_what_to_do(preprocessed_npz, tmp_path, name, arrays):
    with pytest.raises(DataError) as caught:
        preprocessed_npz(arrays)
    assert str(caught.value) == (
        f"{tmp_path}/mine.npz: {name} has Python objects as elements, as columns of pandas do; "
        "save text with .astype(str), and numbers with .astype(int)"
    )


@pytest.mark.parametrize("kind", [object, "S3"])
def test_labels_saved_as_the_message_says_are_accepted(preprocessed_npz, kind):
    labels = CATS_AND_DOGS.astype(kind)
    with pytest.raises(DataError, match=r"save \S+ with \.astype\(str\)"):
        preprocessed_npz(own(labels))
    assert preprocessed_npz(own(labels.astype(str)))[1]["classes"] == ["cat", "dog"]


def fail(*_):
    raise RuntimeError("midway")


@pytest.mark.parametrize("step", ["write_pixels", "write_one_hot"])
@pytest.mark.parametrize("last", [0, 2])
def test_a_failure_midway_leaves_nothing(preprocessed, outputs, monkeypatch, step, last):
    calls, real = iter(range(3)), getattr(preprocessing, step)
    monkeypatch.setattr(
        preprocessing, step, lambda *args: (fail if next(calls) == last else real)(*args)
    )
    with pytest.raises(RuntimeError, match="midway"):
        preprocessed()
    assert [*outputs["manifest"].parent.iterdir()] == []


def test_an_image_that_is_not_finite_keeps_earlier_arrays(preprocessed_npz, outputs):
    images = OWN.astype(np.float32)
    preprocessed_npz(own([0, 1], images))
    before = read_bytes(outputs)
    images[THREE["test"][-1]] = np.nan  # in the array written last
    with pytest.raises(DataError):
        preprocessed_npz(own([0, 1], images / 2))
    assert read_bytes(outputs) == before


def test_own_files_that_have_changed_since_planning_are_refused(tmp_path, outputs):
    path = tmp_path / "mine.npz"
    path.write_bytes(samples.keras_npz())
    with pytest.raises(
        DataError, match=f"mine.npz changed .* was {'0' * 64}, and is {hash_file(path)}"
    ):
        preprocess({"npz": path}, "0" * 64, 0, 0.25, outputs)
    assert not any(path.exists() for path in outputs.values())


# ---- Memory does not grow with the dataset.

SIDE = 24  # pixels


def peak(folder, n, splits):
    """Return the peak of memory while n images in IDX files are preprocessed."""
    folder.mkdir()
    images = np.resize(np.arange(256, dtype=np.uint8), (n, SIDE, SIDE))
    labels = np.resize(np.arange(10, dtype=np.uint8), n)
    raw = {}
    for split in splits:
        raw[f"{split}_images"], raw[f"{split}_labels"] = folder / split, folder / f"{split} labels"
        replace_raw(raw[f"{split}_images"], images)
        replace_raw(raw[f"{split}_labels"], labels)
    outputs = {name: folder / f"{name}.npy" for name in NAMES}
    outputs["manifest"] = folder / "manifest.json"
    return samples.peak_memory(lambda: preprocess_own(raw, 0.25, 0.25, outputs))


@pytest.mark.parametrize("splits", [["train"], ["train", "test"]])
def test_ten_times_the_images_use_no_more_memory(tmp_path, monkeypatch, splits):
    monkeypatch.setattr(preprocessing, "CHUNK_SIZE", 1_000)
    few, many = (peak(tmp_path / str(n), n, splits) for n in (4_000, 40_000))
    # The index and the class of each image stay in memory; its pixels do not.
    assert many - few < 36_000 * SIDE * SIDE / 8


def test_large_images_use_no_more_memory(tmp_path, outputs):
    images = np.zeros((40, 1000, 1000), np.uint8)
    images[:, 0, 0] = 1
    np.savez_compressed(tmp_path / "large.npz", x_train=images, y_train=np.arange(40) % 2)
    raw = {"npz": tmp_path / "large.npz"}
    # In float32, all training images together would have 120 MB.
    assert samples.peak_memory(lambda: preprocess_own(raw, 0.25, 0, outputs)) < 100e6


def test_many_classes_use_no_more_memory(tmp_path):
    path, classes = tmp_path / "Y.npy", np.arange(8_000) % 4_000
    # All of Y has 128 MB, and a table of all classes 64 MB.
    assert samples.peak_memory(lambda: preprocessing.write_one_hot(path, classes, 4_000)) < 60e6
    Y = np.load(path, mmap_mode="r")
    assert Y.shape == (4_000, 8_000) and Y.flags.f_contiguous
    np.testing.assert_array_equal(Y.argmax(axis=0), classes)
    assert Y.sum() == 8_000
