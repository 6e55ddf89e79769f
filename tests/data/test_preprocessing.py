"""Preprocessing: images are scaled and flattened, labels are one-hot, and samples are assigned."""

import hashlib
import json
from itertools import chain

import numpy as np
import pytest

import samples
from samples import CLASSES, HEIGHT, N_TEST, N_TRAIN, WIDTH
from scratchnet.data import preprocessing
from scratchnet.data.preprocessing import assign_samples, preprocess
from scratchnet.data.raw_splits import RawSplit
from scratchnet.data.user_data import hash_contents
from scratchnet.errors import DataError
from scratchnet.files import hash_file

RAW = samples.make_arrays()
PARTS = ("train", "validation", "test")
NAMES = [f"{kind}_{part}" for part in PARTS for kind in "XY"]
PIXELS = HEIGHT * WIDTH
NAMES_OF_CLASSES = tuple("abcdefghij")


def preprocess_own(raw, test_fraction, validation_fraction, outputs):
    """Preprocess the files `raw` with their present content."""
    preprocess(raw, hash_contents(raw), test_fraction, validation_fraction, outputs)


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    return samples.write_idx(folder)


@pytest.fixture
def outputs(tmp_path):
    paths = {name: tmp_path / "out" / f"{name}.npy" for name in NAMES}
    return paths | {"manifest": tmp_path / "out" / "manifest.json"}


@pytest.fixture
def preprocessed(raw, outputs):
    """A function of the validation fraction that preprocesses the tiny dataset, a download.

    It returns the arrays, memory-mapped as in training, and the manifest.
    """

    def run(fraction=0.0, class_names=NAMES_OF_CLASSES):
        preprocess(raw, None, 0, fraction, outputs, class_names)
        arrays = {name: np.load(outputs[name], mmap_mode="r") for name in NAMES}
        return arrays, json.loads(outputs["manifest"].read_text())

    return run


@pytest.fixture
def preprocessed_npz(tmp_path, outputs):
    """Like `preprocessed`, for the arrays of the user's own .npz file."""

    def run(arrays, test_fraction=0.25, validation_fraction=0.25):
        (tmp_path / "mine.npz").write_bytes(samples.npz(arrays))
        preprocess_own({"npz": tmp_path / "mine.npz"}, test_fraction, validation_fraction, outputs)
        found = {name: np.load(outputs[name], mmap_mode="r") for name in NAMES}
        return found, json.loads(outputs["manifest"].read_text())

    return run


def replace_raw(path, array):
    path.write_bytes(samples.idx_bytes(array))


def assert_scaled(X, images, minimum, maximum):
    flat = images.transpose(1, 2, 0).reshape(-1, len(images)).astype(np.float64)
    expected = (flat - minimum) / (maximum - minimum)
    np.testing.assert_array_equal(X, expected.astype(np.float32), strict=True)


@pytest.mark.parametrize("part", ["train", "test"])
def test_pixels_are_flattened_and_scaled_by_the_training_images(preprocessed, part):
    arrays, _ = preprocessed()
    assert_scaled(arrays[f"X_{part}"], RAW[f"{part}_images"], 10, 200)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_column_is_an_image_flattened_by_rows(preprocessed, part):
    arrays, _ = preprocessed()
    column = arrays[f"X_{part}"][:, 4] * 190 + 10
    np.testing.assert_allclose(column, RAW[f"{part}_images"][4].ravel(), atol=1e-4)


def test_training_pixels_span_0_to_1(preprocessed):
    X = preprocessed()[0]["X_train"]
    assert (X.min(), X.max()) == (0, 1)


@pytest.mark.parametrize("part", ["train", "test"])
def test_labels_are_one_hot(preprocessed, part):
    arrays, _ = preprocessed()
    labels = RAW[f"{part}_labels"]
    expected = [[float(label == c) for label in labels] for c in range(10)]
    np.testing.assert_array_equal(arrays[f"Y_{part}"], expected)


@pytest.mark.parametrize("fraction", [0.0, 0.25])
@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_in_fortran_order(preprocessed, outputs, name, fraction):
    preprocessed(fraction)
    with outputs[name].open("rb") as file:
        np.lib.format.read_magic(file)
        _, fortran_order, _ = np.lib.format.read_array_header_1_0(file)
    assert fortran_order


@pytest.mark.parametrize("name", NAMES)
def test_the_file_contains_float32(preprocessed, name):
    assert preprocessed(0.25)[0][name].dtype == np.float32


SHAPES = {
    0.0: {"train": N_TRAIN, "validation": 0, "test": N_TEST},
    0.25: {"train": 45, "validation": 15, "test": N_TEST},
    0.9: {"train": 10, "validation": 50, "test": N_TEST},  # one training image of each class
}


@pytest.mark.parametrize("fraction", SHAPES)
@pytest.mark.parametrize("part", PARTS)
def test_each_array_has_a_column_for_each_sample(preprocessed, part, fraction):
    arrays, _ = preprocessed(fraction)
    n = SHAPES[fraction][part]
    assert arrays[f"X_{part}"].shape == (PIXELS, n)
    assert arrays[f"Y_{part}"].shape == (len(CLASSES), n)


def drawn(n, n_drawn, purpose):
    """Return which of n samples are drawn from the stream of a purpose, computed independently."""
    generator = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(purpose, 0)))
    return sorted(generator.permutation(n)[:n_drawn].tolist())


VALIDATION, TEST = 2, 5  # the positions of these purposes in random_streams.PURPOSES


def raw_split(n, name="x_train"):
    """Return a RawSplit of n images of one class."""
    return RawSplit(name, np.zeros((n, 1, 1), np.uint8), np.zeros(n, np.uint8))


def parts(splits, *fractions):
    """Return {part: list of indices}."""
    return {
        part: indices.tolist() for part, (_, indices) in assign_samples(splits, *fractions).items()
    }


# ---- With a test split: training and validation samples come from the training split.


@pytest.mark.parametrize(("n", "fraction"), [(60, 0.25), (7, 0.5), (60_000, 0.1), (1_000, 0.9)])
def test_the_validation_images_are_drawn_from_their_own_stream(n, fraction):
    found = parts({"train": raw_split(n), "test": raw_split(9)}, 0.15, fraction)
    expected = drawn(n, round(n * fraction), VALIDATION)
    assert found["validation"] == expected
    assert found["train"] == sorted({*range(n)} - {*expected})
    assert found["test"] == [*range(9)]


def test_the_validation_images_never_change():
    found = parts({"train": raw_split(12), "test": raw_split(1)}, 0.15, 0.25)
    assert found["validation"] == [5, 8, 10]


def test_each_part_comes_from_the_right_raw_split():
    train, test = raw_split(20), raw_split(9, "x_test")
    found = assign_samples({"train": train, "test": test}, 0.15, 0.25)
    assert [found[part][0] for part in PARTS] == [train, train, test]


def test_with_a_test_split_the_test_fraction_does_not_matter():
    splits = {"train": raw_split(20), "test": raw_split(9)}
    assert parts(splits, 0.9, 0.25) == parts(splits, 0, 0.25)


def test_without_validation_all_training_images_are_used():
    found = parts({"train": raw_split(5), "test": raw_split(2)}, 0.15, 0.0)
    assert found == {"train": [0, 1, 2, 3, 4], "validation": [], "test": [0, 1]}


# ---- Without a test split: all samples come from the training split.

FRACTIONS = [(0.15, 0.0), (0.15, 0.25), (0.5, 0.5), (0.9, 0.5), (0.01, 0.9)]
COUNTS = {
    (0.15, 0.0): (85, 0, 15),
    (0.15, 0.25): (64, 21, 15),
    (0.5, 0.5): (25, 25, 50),
    (0.9, 0.5): (5, 5, 90),
    (0.01, 0.9): (10, 89, 1),
}


@pytest.mark.parametrize("fractions", FRACTIONS)
def test_test_images_are_held_out_by_the_fraction(fractions):
    found = parts({"train": raw_split(100)}, *fractions)
    assert tuple(len(found[part]) for part in PARTS) == COUNTS[fractions]


@pytest.mark.parametrize("fractions", FRACTIONS)
def test_the_parts_are_disjoint_and_complete(fractions):
    found = parts({"train": raw_split(100)}, *fractions)
    assert sorted(chain.from_iterable(found.values())) == [*range(100)]


@pytest.mark.parametrize("fractions", FRACTIONS)
def test_each_part_keeps_the_order_of_the_images(fractions):
    found = parts({"train": raw_split(100)}, *fractions)
    assert all(indices == sorted(indices) for indices in found.values())


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9])
def test_the_test_images_do_not_depend_on_the_validation_fraction(fraction):
    assert parts({"train": raw_split(100)}, 0.15, fraction)["test"] == drawn(100, 15, TEST)


def test_the_test_images_are_drawn_from_the_whole_split():
    found = parts({"train": raw_split(100)}, 0.15, 0.0)["test"]
    assert found[0] < 25
    assert found[-1] >= 75


@pytest.mark.parametrize("n", [2, 3, 100])
@pytest.mark.parametrize("fraction", [0, 0.001])
def test_at_least_one_test_image_is_held_out(n, fraction):
    found = parts({"train": raw_split(n)}, fraction, 0.0)
    assert found["test"] == drawn(n, 1, TEST)
    assert len(found["train"]) == n - 1


def test_without_a_test_split_all_parts_come_from_the_training_split():
    train = raw_split(20)
    assert [each for each, _ in assign_samples({"train": train}, 0.15, 0.25).values()] == [
        train
    ] * 3


TOO_FEW = {
    "one image": (1, 0.15, 0.0),
    "one is left beside the test image": (2, 0.5, 0.5),
}


@pytest.mark.parametrize(("n", "test", "validation"), TOO_FEW.values(), ids=TOO_FEW)
def test_too_few_images_are_refused_with_their_number(n, test, validation):
    with pytest.raises(DataError, match=f"x_train: {n} images are too few"):
        assign_samples({"train": raw_split(n)}, test, validation)


def test_too_few_training_images_are_refused_with_a_test_split_too():
    with pytest.raises(DataError, match="x_train: 1 images are too few"):
        assign_samples({"train": raw_split(1), "test": raw_split(9)}, 0.15, 0.9)


# ---- The arrays.


@pytest.fixture
def train_and_validation():
    """The indices of the training and the validation images for a fraction of 0.25."""
    split = RawSplit("x_train", RAW["train_images"], RAW["train_labels"])
    found = parts({"train": split, "test": split}, 0, 0.25)
    return found["train"], found["validation"]


def test_the_arrays_contain_the_assigned_samples(preprocessed, train_and_validation):
    arrays, manifest = preprocessed(0.25)
    for part, indices in zip(("train", "validation"), train_and_validation):
        images = RAW["train_images"][indices]
        assert_scaled(arrays[f"X_{part}"], images, manifest["minimum"], manifest["maximum"])
        labels = arrays[f"Y_{part}"].argmax(axis=0)
        np.testing.assert_array_equal(labels, RAW["train_labels"][indices])


def test_the_scale_depends_on_the_training_part_alone(preprocessed, raw, train_and_validation):
    train, validation = train_and_validation
    images = RAW["train_images"].copy()
    images[validation[0], 0, 0], images[validation[1], 0, 0] = 0, 255
    replace_raw(raw["train_images"], images)
    arrays, manifest = preprocessed(0.25)
    part = images[train]
    assert (manifest["minimum"], manifest["maximum"]) == (part.min(), part.max())
    assert (arrays["X_validation"].min() < 0, arrays["X_validation"].max() > 1) == (True, True)


def test_the_manifest_describes_the_arrays(preprocessed, outputs):
    arrays, manifest = preprocessed(0.25)
    assert manifest["arrays"] == {
        name: {
            "shape": list(array.shape),
            "dtype": "float32",
            "sha256": hashlib.sha256(outputs[name].read_bytes()).hexdigest(),
        }
        for name, array in arrays.items()
    }


def test_the_manifest_contains_scale_labels_and_classes_and_not_where_they_come_from(preprocessed):
    _, manifest = preprocessed()
    del manifest["arrays"]
    assert manifest == {
        "labels": list(range(10)),
        "classes": [*NAMES_OF_CLASSES],
        "image_shape": [HEIGHT, WIDTH],
        "minimum": 10,
        "maximum": 200,
    }


def test_only_the_outputs_are_left(preprocessed, outputs):
    preprocessed(0.25)
    assert sorted(outputs["manifest"].parent.iterdir()) == sorted(outputs.values())


@pytest.mark.parametrize("size", [1, 7, 45, 46])
def test_the_chunk_size_does_not_matter(preprocessed, outputs, monkeypatch, size):
    preprocessed(0.25)
    at_once = {name: path.read_bytes() for name, path in outputs.items()}
    monkeypatch.setattr(preprocessing, "CHUNK_SIZE", size)
    preprocessed(0.25)
    assert {name: path.read_bytes() for name, path in outputs.items()} == at_once


def test_preprocessing_is_deterministic(preprocessed, outputs):
    preprocessed(0.25)
    first = {name: path.read_bytes() for name, path in outputs.items()}
    preprocessed(0.25)
    assert {name: path.read_bytes() for name, path in outputs.items()} == first


@pytest.mark.parametrize("packed", [False, True])
def test_unpacked_files_are_removed(raw, outputs, packed):
    if packed:
        for role in samples.FILES:
            raw[role].write_bytes(samples.gzipped(raw[role].read_bytes()))
    preprocess_own(raw, 0, 0.25, outputs)
    assert sorted(outputs["manifest"].parent.iterdir()) == sorted(outputs.values())


# ---- The user's own data: any labels, any pixels.

N = 40
OWN = np.random.default_rng(2).integers(0, 256, (N, 3, 5), np.uint8)


def own(labels, images=OWN):
    return {"x_train": images, "y_train": np.resize(labels, len(images))}


LABELS = {
    "from 1": ([1, 2, 3], [1, 2, 3], ["1", "2", "3"]),
    "far apart": ([700, 5, -9], [-9, 5, 700], ["-9", "5", "700"]),
    "text": (["mouse", "cat", "dog"], ["cat", "dog", "mouse"], ["cat", "dog", "mouse"]),
    "integral floats": ([2.0, 0.0], [0, 2], ["0", "2"]),
    "booleans": ([True, False], [False, True], ["False", "True"]),
    "bytes": (np.array([255, 7], np.uint8), [7, 255], ["7", "255"]),
}


@pytest.mark.parametrize(("labels", "ascending", "names"), LABELS.values(), ids=LABELS)
def test_the_classes_are_the_labels_that_occur_in_ascending_order(
    preprocessed_npz, labels, ascending, names
):
    _, manifest = preprocessed_npz(own(labels))
    assert (manifest["labels"], manifest["classes"]) == (ascending, names)


@pytest.mark.parametrize(("labels", "ascending", "_"), LABELS.values(), ids=LABELS)
def test_a_label_is_encoded_in_the_row_of_its_class(preprocessed_npz, labels, ascending, _):
    arrays = preprocessed_npz(own(labels) | {"x_test": OWN, "y_test": np.resize(labels, N)})[0]
    expected = [[float(label == each) for label in np.resize(labels, N)] for each in ascending]
    np.testing.assert_array_equal(arrays["Y_test"], expected)


def test_the_labels_of_both_splits_are_classes(preprocessed_npz):
    arrays = own([1, 2, 9]) | {"x_test": OWN, "y_test": np.resize([1], N)}
    found, manifest = preprocessed_npz(arrays)
    assert manifest["labels"] == [1, 2, 9]
    assert {found[f"Y_{part}"].shape[0] for part in PARTS} == {3}


def test_longer_text_labels_in_the_training_split_are_not_truncated(preprocessed_npz):
    test = {"x_test": OWN, "y_test": np.resize(["cat", "ox"], N)}
    found, manifest = preprocessed_npz(own(["ox", "elephant", "cat"]) | test)
    assert manifest["classes"] == ["cat", "elephant", "ox"]
    assert found["Y_test"].sum(axis=1).tolist() == [N / 2, 0, N / 2]


def test_signed_and_unsigned_labels_of_64_bits_make_integer_classes(preprocessed_npz):
    test = {"x_test": OWN, "y_test": np.resize([0, 1], N)}
    _, manifest = preprocessed_npz(own(np.array([0, 1], np.uint64)) | test)
    assert manifest["classes"] == ["0", "1"]


def test_class_names_of_a_source_are_ignored_if_their_number_differs(raw, preprocessed):
    replace_raw(raw["train_labels"], RAW["train_labels"] % 5 * 2)
    replace_raw(raw["test_labels"], RAW["test_labels"] % 5 * 2)
    assert preprocessed()[1]["classes"] == ["0", "2", "4", "6", "8"]


def test_without_a_test_split_the_arrays_contain_the_assigned_samples(preprocessed_npz):
    labels = np.arange(N) // 3
    found, _ = preprocessed_npz(own(labels), 0.3, 0.25)
    expected = parts({"train": RawSplit("x_train", OWN, labels)}, 0.3, 0.25)
    train = OWN[expected["train"]]
    for part, indices in expected.items():
        assert found[f"Y_{part}"].argmax(axis=0).tolist() == labels[indices].tolist()
        assert_scaled(found[f"X_{part}"], OWN[indices], int(train.min()), int(train.max()))


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 2), (4, 6, 3), (4, 6, 1)])
def test_images_of_any_shape_are_flattened_by_row_column_and_channel(preprocessed_npz, shape):
    images = np.random.default_rng(3).integers(0, 256, (N, *shape), np.uint8)
    images[:2].flat[0], images[:2].flat[-1] = 0, 255
    found, manifest = preprocessed_npz(
        own([0, 1], images) | {"x_test": images, "y_test": np.resize([0, 1], N)}, 0, 0
    )
    assert manifest["image_shape"] == [n for n in shape if n != 1 or len(shape) == 2]
    expected = np.array([image.ravel() for image in images]).T
    low, high = int(images.min()), int(images.max())
    scaled = ((expected.astype(float) - low) / (high - low)).astype(np.float32)
    np.testing.assert_array_equal(found["X_test"], scaled, strict=True)


@pytest.mark.parametrize(("low", "high"), [(0, 255), (10, 200), (254, 255)])
def test_every_byte_is_scaled_to_the_nearest_float32(preprocessed_npz, low, high):
    images = np.resize(np.array([low, high], np.uint8), (4, 16, 16))
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    test = {"x_test": every, "y_test": np.array([0])}
    found, _ = preprocessed_npz(own([0, 1], images) | test, 0, 0)
    expected = [[np.float32((byte - low) / (high - low))] for byte in range(256)]
    np.testing.assert_array_equal(found["X_test"], expected, strict=True)


# The smallest and the largest pixel of the training images and of the test images.
SAME_SCALE = {
    "the same": (0, 255, 0, 255),
    "slightly beyond the training pixels": (10, 200, 0, 255),
    "well beyond them": (0, 60, 0, 255),
    "darker": (0, 255, 0, 26),
    "black": (0, 255, 0, 0),
    "fractions, which an interpolation carries beyond 0 and 1": (0.0, 1.0, -0.2, 1.2),
    "negative down to a quarter": (0, 8, -2, 8),
    "standardised": (-0.42, 2.8, -0.42, 3.9),
    "standardised, without a dark image": (-0.1, 2.8, 0.3, 2.5),
}
OTHER_SCALE = {
    "bytes and fractions": (0, 255, 0.0, 1.0),
    "fractions and bytes": (0.0, 1.0, 0, 255),
    "bytes and dark fractions": (0, 255, 0.0, 0.3),
    "bytes and -1 to 1": (0, 255, -1.0, 1.0),
    "bytes and 16 bits": (0, 255, 0, 65535),
    "bytes and four bits": (0, 16, 0, 255),
    "0 to 1 and -1 to 1": (0.0, 1.0, -1.0, 1.0),
    "-1 to 1 and 0 to 1": (-1.0, 1.0, 0.0, 1.0),
    "negative beyond a quarter": (0.0, 8.0, -2.5, 8.0),
    "unsigned and signed bytes": (0, 255, -128, 127),
    "fractions and standardised": (0.0, 1.0, -0.42, 2.8),
}


def two_ranges(low, high, test_low, test_high):
    """Training and test images with these smallest and largest pixels."""
    images, test = np.resize([low, high], (N, 3, 5)), np.resize([test_low, test_high], (N, 3, 5))
    return own([0, 1], images) | {"x_test": test, "y_test": np.resize([0, 1], N)}


@pytest.mark.parametrize("ranges", SAME_SCALE.values(), ids=SAME_SCALE)
def test_test_pixels_may_have_a_somewhat_other_range(preprocessed_npz, ranges):
    manifest = preprocessed_npz(two_ranges(*ranges))[1]
    assert (manifest["minimum"], manifest["maximum"]) == ranges[:2]


@pytest.mark.parametrize("ranges", OTHER_SCALE.values(), ids=OTHER_SCALE)
def test_test_pixels_of_another_scale_are_refused_and_nothing_is_left(
    preprocessed_npz, outputs, ranges
):
    low, high, test_low, test_high = ranges
    with pytest.raises(DataError) as caught:
        preprocessed_npz(two_ranges(*ranges))
    message = str(caught.value).replace(str(outputs["manifest"].parents[1]), "")
    assert message == (
        f"/mine.npz: x_train has pixels from {low} to {high}, but /mine.npz: x_test has pixels "
        f"from {test_low} to {test_high}; give both the same scale"
    )
    assert [*outputs["manifest"].parent.iterdir()] == []


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_boolean_pixels_are_the_numbers_0_and_1(preprocessed_npz, dtype):
    images = OWN > 127
    arrays = own([0, 1], images) | {"x_test": images.astype(dtype), "y_test": np.resize([0, 1], N)}
    found, manifest = preprocessed_npz(arrays)
    assert json.dumps([manifest["minimum"], manifest["maximum"]]) == "[0, 1]"
    np.testing.assert_array_equal(found["X_test"], images.reshape(N, -1).T.astype(np.float32))


PIXELS_OF = {
    "booleans": (np.array([False, True]), [0, 1]),
    "signed": (np.array([-128, 127, 0], np.int8), [0, 1, 128 / 255]),
    "of 16 bits": (np.array([0, 65535, 13107], np.uint16), [0, 1, 0.2]),
    "of 64 bits": (np.array([-(10**6), 10**6, 0]), [0, 1, 0.5]),
    "half precision": (np.array([-1, 1, 0.5], np.float16), [0, 1, 0.75]),
    "single precision": (np.array([0, 0.1, 0.025], np.float32), [0, 1, 0.25]),
    "double precision": (np.array([-0.5, 1.5, 1.0]), [0, 1, 0.75]),
    "big-endian": (np.array([0, 1000, 250], ">i2"), [0, 1, 0.25]),
}


@pytest.mark.parametrize(("pixels", "expected"), PIXELS_OF.values(), ids=PIXELS_OF)
def test_pixels_of_any_type_are_scaled_to_0_to_1(preprocessed_npz, pixels, expected):
    images = np.resize(pixels, (N, len(pixels), 1)).astype(pixels.dtype)
    found, manifest = preprocessed_npz(own([0, 1], images))
    for part in PARTS:
        column = found[f"X_{part}"][:, 0]
        np.testing.assert_allclose(column, expected, rtol=1e-6, atol=1e-7)
    assert (manifest["minimum"], manifest["maximum"]) == (pixels.min(), pixels.max())


# ---- Invalid data are refused, and nothing is left behind.

FAULTS = {
    "too few labels": ("train_labels", RAW["train_labels"][:-1], "60 images, .* 59 labels"),
    "no images": ("test_images", np.zeros((0, HEIGHT, WIDTH), np.uint8), "there is no data"),
    "test images of another size": (
        "test_images",
        np.zeros((N_TEST, 7, WIDTH), np.uint8),
        "of 6 x 5 pixels, but .* of 7 x 5",
    ),
    "constant training images": (
        "train_images",
        np.full((N_TRAIN, HEIGHT, WIDTH), 7, np.uint8),
        "train-images-idx3-ubyte: all pixels are 7, so there is nothing to learn",
    ),
}


@pytest.mark.parametrize(("key", "array", "words"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("packed", [False, True])
def test_invalid_raw_files_are_refused_and_nothing_is_left(
    preprocessed, raw, outputs, key, array, words, packed
):
    replace_raw(raw[key], array)
    if packed:
        raw[key].write_bytes(samples.gzipped(raw[key].read_bytes()))
    with pytest.raises(DataError, match=words):
        preprocessed()
    assert [*outputs["manifest"].parent.iterdir()] == []


@pytest.mark.parametrize("label", ["cat", 3])
def test_a_single_class_is_refused_and_nothing_is_left(preprocessed_npz, outputs, label):
    with pytest.raises(DataError, match=rf"mine\.npz: x_train: all images have the label {label}"):
        preprocessed_npz(own([label]))
    assert [*outputs["manifest"].parent.iterdir()] == []


def test_a_constant_image_among_others_is_accepted(preprocessed_npz):
    images = OWN.copy()
    images[THREE["train"][0]] = 0
    assert OWN.min() > 0 == preprocessed_npz(own([0, 1], images))[1]["minimum"]


@pytest.mark.parametrize("value", [7, 7.5])
def test_constant_training_images_are_refused(preprocessed_npz, outputs, value):
    images = np.full((N, 3, 5), value)
    other = {"x_test": images * np.arange(1, N + 1)[:, None, None], "y_test": np.arange(N) % 2}
    with pytest.raises(DataError, match=rf"mine\.npz: x_train: all pixels are {value}"):
        preprocessed_npz(own([0, 1], images) | other)
    assert [*outputs["manifest"].parent.iterdir()] == []


BAD = [np.nan, np.inf, -np.inf]
THREE = parts({"train": RawSplit("x_train", OWN, np.resize([0, 1], N))}, 0.25, 0.25)
TWO = parts({"train": raw_split(N), "test": raw_split(N)}, 0, 0.25)
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
@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(("name", "with_test", "number"), PLACES.values(), ids=PLACES)
def test_a_pixel_that_is_not_finite_is_reported_and_nothing_is_left(
    preprocessed_npz, outputs, monkeypatch, name, with_test, number, value, size
):
    monkeypatch.setattr(preprocessing, "CHUNK_SIZE", size)
    images = OWN.astype(np.float32)
    arrays = own([0, 1], images)
    if with_test:
        arrays |= {"x_test": images, "y_test": arrays["y_train"]}
    arrays[name] = images.copy()
    arrays[name][number, 2, 1] = value
    words = rf"mine\.npz: {name}: image {number} has pixels that are not finite"
    with pytest.raises(DataError, match=words):
        preprocessed_npz(arrays)
    assert [*outputs["manifest"].parent.iterdir()] == []


def test_the_first_of_several_images_that_are_not_finite_is_reported(preprocessed_npz):
    images = OWN.astype(np.float64)
    images[THREE["train"][3:]] = np.nan
    with pytest.raises(DataError, match=f"image {THREE['train'][3]} "):
        preprocessed_npz(own([0, 1], images))


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


def test_a_failure_keeps_earlier_arrays(preprocessed, outputs, raw):
    preprocessed()
    before = {name: path.read_bytes() for name, path in outputs.items()}
    replace_raw(raw["test_labels"], np.zeros(N_TEST + 1, np.uint8))
    with pytest.raises(DataError):
        preprocessed(0.25)
    assert {name: path.read_bytes() for name, path in outputs.items()} == before


def test_an_image_that_is_not_finite_keeps_earlier_arrays(preprocessed_npz, outputs):
    images = OWN.astype(np.float32)
    preprocessed_npz(own([0, 1], images))
    before = {name: path.read_bytes() for name, path in outputs.items()}
    images[THREE["test"][-1]] = np.nan  # in the array written last
    with pytest.raises(DataError):
        preprocessed_npz(own([0, 1], images / 2))
    assert {name: path.read_bytes() for name, path in outputs.items()} == before


# ---- Memory does not grow with the dataset.

SIDE = 24  # pixels


def peak(folder, n, splits):
    """Return the peak of memory while n images in IDX files are preprocessed."""
    folder.mkdir()
    pixels, label = bytes(range(256)) * 3, bytes(range(10))
    raw = {}
    for split in splits:
        raw[f"{split}_images"], raw[f"{split}_labels"] = folder / split, folder / f"{split} labels"
        header = bytes([0, 0, 8, 3]) + b"".join(i.to_bytes(4, "big") for i in (n, SIDE, SIDE))
        with raw[f"{split}_images"].open("wb") as file:
            file.write(header)
            for _ in range(n):
                file.write(pixels[: SIDE * SIDE])
        header = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big")
        raw[f"{split}_labels"].write_bytes(header + (label * n)[:n])
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


def test_own_files_that_have_changed_since_planning_are_refused(tmp_path, outputs):
    path = tmp_path / "mine.npz"
    path.write_bytes(samples.keras_npz())
    with pytest.raises(
        DataError, match=f"mine.npz changed .* was {'0' * 64}, and is {hash_file(path)}"
    ):
        preprocess({"npz": path}, "0" * 64, 0, 0.25, outputs)
    assert not any(path.exists() for path in outputs.values())


def test_many_classes_use_no_more_memory(tmp_path):
    path, classes = tmp_path / "Y.npy", np.arange(8_000) % 4_000
    # All of Y has 128 MB, and a table of all classes 64 MB.
    assert samples.peak_memory(lambda: preprocessing.write_one_hot(path, classes, 4_000)) < 60e6
    Y = np.load(path, mmap_mode="r")
    assert Y.shape == (4_000, 8_000) and Y.flags.f_contiguous
    np.testing.assert_array_equal(Y.argmax(axis=0), classes)
    assert Y.sum() == 8_000


@pytest.mark.parametrize("n_classes", [21, 40])
@pytest.mark.parametrize("splits", ["train", "train and test"])
def test_labels_that_are_numbers_of_images_are_refused(preprocessed_npz, n_classes, splits):
    arrays = own(np.arange(n_classes))
    if splits != "train":
        half = N // 2
        arrays = {f"{name}_train": arrays[f"{name}_train"][:half] for name in "xy"} | {
            f"{name}_test": arrays[f"{name}_train"][half:] for name in "xy"
        }
    with pytest.raises(DataError, match=f"40 images have {n_classes} different labels") as caught:
        preprocessed_npz(arrays)
    assert "x_train" in str(caught.value)


def test_a_label_for_each_two_images_is_enough(preprocessed_npz):
    _, manifest = preprocessed_npz(own(np.arange(20)), 0.25, 0)
    assert len(manifest["classes"]) == 20


def test_pixels_with_many_digits_stay_distinct(tmp_path, outputs):
    """In float32, 2^30 and the next sixty integers are the same number."""
    images = (np.arange(120) + 2**30).reshape(4, 6, 5)
    np.savez(tmp_path / "wide.npz", x_train=images, y_train=np.arange(4) % 2)
    preprocess_own({"npz": tmp_path / "wide.npz"}, 0.25, 0, outputs)
    X = np.concatenate([np.load(outputs[f"X_{part}"]) for part in ("train", "test")], axis=1)
    assert len(np.unique(X)) == 120


@pytest.mark.parametrize("bad", [np.inf, 1e300, 0.5])
def test_labels_that_are_not_integers_are_refused(tmp_path, outputs, bad):
    images = np.arange(120, dtype=np.uint8).reshape(4, 6, 5)
    np.savez(tmp_path / "odd.npz", x_train=images, y_train=np.array([0, 1, 0, bad]))
    with pytest.raises(DataError, match="labels must be integers or text"):
        preprocess_own({"npz": tmp_path / "odd.npz"}, 0.25, 0, outputs)
