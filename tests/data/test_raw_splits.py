"""Raw splits: images and labels of any kind are opened unchanged, or an error says why not."""

import re
import shutil
import struct
from types import SimpleNamespace

import numpy as np
import pytest

import samples
from hostile import HARMLESS, HOSTILE, assert_is_harmless
from samples import flipped, gzipped, idx_bytes, npy_header, npz, zipped
from scratchnet.data.raw_splits import open_raw_splits
from scratchnet.data.user_data import has_test_split, read_classes, read_image_shape
from scratchnet.errors import DataError

N = 8
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (N, 3, 5), np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9, 2, 6], np.uint8)
TRAIN = {"x_train": IMAGES, "y_train": LABELS}
BOTH = TRAIN | {"x_test": IMAGES[::-1].copy(), "y_test": LABELS[::-1].copy()}
ROLES = {
    "x_train": "train_images",
    "y_train": "train_labels",
    "x_test": "test_images",
    "y_test": "test_labels",
}


@pytest.fixture
def folders(tmp_path):
    """The folder of the files, and the one into which they may be unpacked."""
    paths = tmp_path / "mine", tmp_path / "temporary"
    for path in paths:
        path.mkdir()
    return paths


@pytest.fixture
def open_npz(folders):
    """A function that opens a .npz file, given as bytes or as {name: array}."""
    mine, temporary = folders

    def run(content):
        path = mine / "mine.npz"
        path.write_bytes(content if isinstance(content, bytes) else npz(content))
        return open_raw_splits({"npz": path}, temporary)

    return run


@pytest.fixture
def open_idx_files(folders):
    """A function that opens IDX files, given as {name in ROLES: array or bytes}."""
    mine, temporary = folders

    def run(contents, pack=bytes, ending=""):
        files = {}
        for name, content in contents.items():
            files[ROLES[name]] = mine / (ROLES[name] + ending)
            content = content if isinstance(content, bytes) else idx_bytes(content)
            files[ROLES[name]].write_bytes(pack(content))
        return open_raw_splits(files, temporary)

    return run


@pytest.fixture(params=["npz", "npz not compressed", "IDX", "IDX .gz"])
def opened(request, open_npz, open_idx_files):
    """A function that opens {name: array} from a container, for each kind of container."""
    return {
        "npz": open_npz,
        "npz not compressed": lambda arrays: open_npz(npz(arrays, np.savez)),
        "IDX": open_idx_files,
        "IDX .gz": lambda arrays: open_idx_files(arrays, gzipped, ".gz"),
    }[request.param]


def assert_split(split, images, labels):
    np.testing.assert_array_equal(split.images, images, strict=True)
    np.testing.assert_array_equal(split.labels, labels, strict=True)


# ---- Valid data.


def test_both_splits_are_opened_and_their_names_say_where_the_images_come_from(opened, folders):
    splits = opened(BOTH)
    assert list(splits) == ["train", "test"]
    assert_split(splits["train"], IMAGES, LABELS)
    assert_split(splits["test"], IMAGES[::-1], LABELS[::-1])
    mine = sorted(path.name for path in folders[0].iterdir())  # nothing is unpacked there
    expected = "mine.npz: x_train" if mine == ["mine.npz"] else mine[2]
    assert len(mine) in {1, len(ROLES)} and "train" in expected
    assert splits["train"].name == f"{folders[0]}/{expected}"


SHAPES = [(N, 1, 1), (N, 9, 1), (N, 28, 28), (N, 3, 4), (N, 2, 3, 3), (1, 3, 5), (N, 3, 5, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_images_may_have_any_size_and_may_be_in_colour(opened, shape):
    """They are memory-mapped and read-only. A channel axis of length 1 is dropped."""
    images = RNG.integers(0, 256, shape, np.uint8)
    splits = opened({"x_train": images, "y_train": LABELS[: len(images)]})
    assert list(splits) == ["train"]
    expected = images[..., 0] if shape[3:] == (1,) else images
    assert_split(splits["train"], expected, LABELS[: len(images)])
    assert isinstance(splits["train"].images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        splits["train"].images[0, 0, 0] = 1


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_may_come_first(opened, channels):
    images = RNG.integers(0, 256, (N, channels, 5, 6), np.uint8)
    splits = opened({"x_train": images, "y_train": LABELS})
    expected = images[:, 0] if channels == 1 else images.transpose(0, 2, 3, 1)
    assert_split(splits["train"], expected, LABELS)


@pytest.mark.parametrize(
    ("dtype", "white"), [("u1", 255), ("u2", 65535), ("f4", 1), ("f8", 255), ("i4", 255)]
)
@pytest.mark.parametrize("first", [True, False])
def test_transparent_pixels_are_white(open_npz, dtype, white, first):
    """Of all colours, beneath: half black, and opaque."""
    images = np.zeros((N, 5, 6, 4), dtype)
    images[:, :2, :, 3], images[:, 2, :, 3], images[:, 0] = white, white / 5, white
    images[:, 3, :, 0] = white
    expected = np.full((N, 5, 6, 3), white, dtype)
    expected[:, 1], expected[:, 2] = 0, round(white * 4 / 5, 6 if dtype == "f4" else 0)
    stored = images.transpose(0, 3, 1, 2) if first else images
    (split,) = open_npz({"x_train": stored, "y_train": LABELS}).values()
    np.testing.assert_allclose(split.images, expected, rtol=1e-6)
    assert split.images.dtype == dtype


def test_one_hot_labels_are_numbered(open_npz):
    one_hot = np.eye(10, dtype=np.float32)[LABELS]
    assert_split(
        open_npz({"x_train": IMAGES, "y_train": one_hot})["train"], IMAGES, LABELS.astype(int)
    )


NAMES = {
    "in upper case": {"X_train": "train", "y_train": "train", "X_test": "test", "y_test": "test"},
    "of a whole": {"X": "train", "y": "train"},
    "of a whole in lower case": {"x": "train", "y": "train", "names": None},
    "of a training split beside others": {"x_train": "train", "y_train": "train", "x": None},
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_arrays_may_have_other_names(open_npz, folders, names):
    arrays = {name: LABELS if name.startswith("y") else IMAGES for name in names}
    splits = open_npz(arrays)
    assert [*splits] == [*dict.fromkeys(split for split in names.values() if split)]
    for split in splits.values():
        assert_split(split, IMAGES, LABELS)
    files = {"npz": folders[0] / "mine.npz"}
    assert has_test_split(files) == ("test" in splits)
    assert read_image_shape(files) == IMAGES.shape[1:]
    assert read_classes(files) == sorted({*map(str, LABELS)})


def test_splits_with_and_without_a_channel_axis_match(opened):
    splits = opened(BOTH | {"x_test": IMAGES[..., None]})
    assert splits["test"].images.shape == splits["train"].images.shape


@pytest.mark.parametrize("container", ["npz", "IDX", "IDX .gz"])
def test_opening_uses_little_memory(folders, container):
    mine, temporary = folders
    images, labels = np.zeros((4_000, 40, 50), np.uint8), np.zeros(4_000, np.uint8)
    if container == "npz":
        files = {"npz": mine / "mine.npz"}
        np.savez_compressed(files["npz"], x_train=images, y_train=labels)
    else:
        files = {"train_images": mine / "images", "train_labels": mine / "labels"}
        for path, array in zip(files.values(), (images, labels)):
            path.write_bytes((gzipped if ".gz" in container else bytes)(idx_bytes(array)))
    assert samples.peak_memory(lambda: open_raw_splits(files, temporary)) < images.nbytes / 8


TEXT = np.array(["cat", "mouse", "dog", "cat"] * 2)
# Labels as they are stored, and what they become, if anything else.
VALID_LABELS = {
    "1 to 26": (np.array([1, 26, 3, 4, 5, 6, 7, 8]), None),
    "negative": (np.array([-1, 1] * 4), None),
    "far apart": (np.array([0, 10**12] * 4), None),
    "of 16 bits": (np.array([1, 65535] * 4, np.uint16), None),
    "big-endian": (np.arange(8).astype(">i4"), None),
    "text": (TEXT, None),
    "text beyond ASCII": (np.array(["は", "ü"] * 4), None),
    **{f"the text {text}": (np.array([text, *"abababa"]), None) for text in HARMLESS},
    "booleans": (np.array([True, False] * 4), None),
    "unsigned of 64 bits": (LABELS.astype(np.uint64), LABELS.astype(np.int64)),
    "unsigned of 64 bits, big-endian": (LABELS.astype(">u8"), LABELS.astype(np.int64)),
    **{
        f"integral {name}": (LABELS.astype(name), LABELS.astype(np.int64))
        for name in ("float16", "float32", "float64")
    },
    "a column": (LABELS[:, None], LABELS),
    "a column of text": (TEXT[:, None], TEXT),
    "a column of floats": (LABELS[:, None].astype(float), LABELS.astype(np.int64)),
}


@pytest.mark.parametrize(("stored", "expected"), VALID_LABELS.values(), ids=VALID_LABELS)
def test_labels_are_integers_or_text(open_npz, stored, expected):
    split = open_npz({"x_train": IMAGES, "y_train": stored})["train"]
    assert_split(split, IMAGES, stored if expected is None else expected)


LABELS_THAT_MATCH = {
    "integers of two sizes": (LABELS, LABELS.astype(np.int64)),
    "signed and unsigned": (LABELS.astype(np.int64), LABELS.astype(np.uint64)),
    "integers and integral floats": (LABELS, LABELS.astype(np.float32)),
    "text of two lengths": (LABELS.astype("U1"), LABELS.astype("U9")),
}


@pytest.mark.parametrize(("train", "test"), LABELS_THAT_MATCH.values(), ids=LABELS_THAT_MATCH)
def test_labels_of_one_kind_match(open_npz, train, test):
    splits = open_npz({"x_train": IMAGES, "y_train": train, "x_test": IMAGES, "y_test": test})
    np.testing.assert_array_equal(splits["train"].labels, splits["test"].labels)


@pytest.mark.parametrize(
    "dtype", [bool, np.int8, np.uint16, np.int64, np.float16, np.float32, np.float64, ">i2"]
)
def test_pixels_may_be_numbers_of_any_type(open_npz, dtype):
    images = IMAGES.astype(dtype)
    assert_split(open_npz({"x_train": images, "y_train": LABELS})["train"], images, LABELS)


@pytest.mark.parametrize("shape", [(N, 3, 5), (N, 3, 5, 3), (N, 3, 5, 1)])
def test_arrays_in_fortran_order_are_equivalent_and_others_are_ignored(open_npz, shape):
    images = RNG.integers(0, 256, shape, np.uint8)
    fortran = {"x_train": np.asfortranarray(images), "y_train": np.asfortranarray(LABELS[:, None])}
    others = {"note": np.array("by hand"), "x_valid": IMAGES[:2], "names": np.array(["a", "b"])}
    splits = open_npz(others | fortran)
    assert list(splits) == ["train"]
    assert_split(splits["train"], images[..., 0] if shape[-1] == 1 else images, LABELS)


# ---- Invalid data.


def of_images(name, shape):
    return (
        rf"{name} has the shape \({shape}\); images must have \(n, height, width\), "
        r"or \(n, height, width, 3\) for colour"
    )


def of_labels(name, shape):
    return rf"{name} has the shape \({shape}\); labels must have \(n,\), one for each image"


def no_numbers(name, dtype):
    return rf"{name} has elements of type {dtype}; pixels must be numbers"


def no_integers(name, dtype):
    return rf"{name} has elements of type {dtype}; labels must be integers or text"


def other_size(train, test):
    return rf"x_train has images of {train} pixels, but \S*mine.npz: x_test of {test}; give them"


def other_kind(train, test):
    return rf"x_train has {train} as labels, but \S*mine.npz: x_test has {test}; use one kind"


# What -1 becomes without its sign.
TOO_LARGE = np.array([0, 1, -1, 1] * 2).astype(np.uint64)
TEXT_LABELS = LABELS.astype(str)


# What is changed in the arrays of both splits (None: taken away), and the words of the error.
FAULTS = {
    "no training images": ({"x_train": None}, "there is no x_train, only x_test, y_test, y_train"),
    "no training labels": ({"y_train": None}, "there is no y_train, only x_test, x_train, y_test"),
    "no test images": ({"x_test": None}, "there is no x_test, only x_train, y_test, y_train"),
    "no test labels": ({"y_test": None}, "there is no y_test, only x_test, x_train, y_train"),
    "flat images": ({"x_train": IMAGES.reshape(N, 15)}, of_images("x_train", "8, 15")),
    "flat test images": ({"x_test": IMAGES.reshape(N, 15)}, of_images("x_test", "8, 15")),
    "five colours": ({"x_train": np.zeros((N, 5, 5, 5))}, of_images("x_train", "8, 5, 5, 5")),
    "a table of pixels": (
        {"x_train": np.zeros((N, 784))},
        of_images("x_train", "8, 784")
        + r"\. This is a table: save pixels with \.reshape\(-1, 28, 28\), and other features, as "
        r"images of one row, with \.reshape\(-1, 1, 784\)",
    ),
    "a table": ({"x_train": np.zeros((N, 30))}, r".* \.reshape\(-1, height, width\), and"),
    "two colours": ({"x_train": np.zeros((N, 5, 5, 2))}, of_images("x_train", "8, 5, 5, 2")),
    "videos": ({"x_train": np.zeros((N, 2, 5, 5, 3))}, of_images("x_train", "8, 2, 5, 5, 3")),
    "a scalar as images": ({"x_train": np.array(3)}, of_images("x_train", "")),
    "labels of several classes": (
        {"y_train": np.eye(N) + np.eye(N)[0]},
        of_labels("y_train", "8, 8"),
    ),
    "labels of no class": ({"y_test": np.eye(N, 3)}, of_labels("y_test", "8, 3")),
    "labels in a row": ({"y_train": LABELS[None]}, of_labels("y_train", "1, 8")),
    "a scalar as labels": ({"y_train": np.array(3)}, of_labels("y_train", "")),
    "text as images": ({"x_train": np.full((N, 2, 2), "a")}, no_numbers("x_train", "<U1")),
    "complex images": ({"x_train": IMAGES * 1j}, no_numbers("x_train", "complex128")),
    "images of fields": (
        {"x_train": np.zeros((N, 2, 2), [("r", "u1")])},
        no_numbers("x_train", ".*"),
    ),
    "dates": ({"x_test": np.zeros((N, 3, 5), "M8[s]")}, no_numbers("x_test", r"datetime64\[s\]")),
    "fractional labels": ({"y_train": LABELS + 0.5}, no_integers("y_train", "float64")),
    "one fractional label": (
        {"y_train": np.array([0, 1, 2, 3, 4, 5, 6, 7.25], np.float32)},
        no_integers("y_train", "float32"),
    ),
    "not a number": (
        {"y_train": np.array([np.nan] + [1.0] * 7)},
        no_integers("y_train", "float64"),
    ),
    "no exact integers": ({"y_train": LABELS + 2.0**53}, no_integers("y_train", "float64")),
    "complex labels": ({"y_test": LABELS * 1j}, no_integers("y_test", "complex128")),
    "bytes as labels": ({"y_train": LABELS.astype("S1")}, no_integers("y_train", r"\|S1")),
    "no images at all": (
        {"x_train": IMAGES[:0], "y_train": LABELS[:0]},
        r"x_train has the shape \(0, 3, 5\): it is empty",
    ),
    "no rows": ({"x_train": IMAGES[:, :0]}, r"x_train has the shape \(8, 0, 5\): it is empty"),
    "no labels at all": ({"y_train": LABELS[:0]}, "x_train has 8 images, but y_train has 0 labels"),
    "a label too many": ({"x_test": IMAGES[1:]}, "x_test has 7 images, but y_test has 8 labels"),
    "transposed": ({"x_test": IMAGES.transpose(0, 2, 1)}, other_size("3 x 5", "5 x 3")),
    "in colour": ({"x_test": np.zeros((N, 3, 5, 3))}, other_size("3 x 5", "3 x 5 x 3")),
    "numbers and text": ({"y_test": TEXT_LABELS}, other_kind("integers", "text")),
    "text and integral floats": (
        {"y_train": TEXT_LABELS, "y_test": LABELS.astype(float)},
        other_kind("text", "integers"),
    ),
    "booleans and numbers": ({"y_train": LABELS > 3}, other_kind("booleans", "integers")),
    "of 64 bits without a sign": (
        {"y_train": TOO_LARGE},
        r"y_train has the label 18446744073709551615; labels must be below 2\*\*63, or text",
    ),
    "whole texts": (
        {"y_train": LABELS.astype("U5000")},
        r"y_train has labels of up to 5000 characters; .* 1000",
    ),
}


@pytest.mark.parametrize(("changes", "words"), FAULTS.values(), ids=FAULTS)
def test_an_invalid_array_is_refused_with_its_file_and_name(open_npz, folders, changes, words):
    arrays = {name: array for name, array in (BOTH | changes).items() if array is not None}
    with pytest.raises(DataError, match=f"^{re.escape(str(folders[0]))}/mine.npz: {words}"):
        open_npz(arrays)


IDX_FAULTS = {
    "images for labels": (
        {"y_train": IMAGES},
        "train_labels{}: not an IDX file .* in 1 dimensions",
    ),
    "labels for images": ({"x_test": LABELS}, "test_images{}: not an IDX file .* in 3 or 4 dim"),
    "not an IDX file": ({"x_train": b"<html>"}, "train_images{}: not an IDX file"),
    "a byte too few": ({"y_train": idx_bytes(LABELS)[:-1]}, "train_labels{}: its header"),
    "no images": ({"x_test": IMAGES[:0], "y_test": LABELS[:0]}, "test_images{}: .* 0 x 3 x 5"),
    "five colours": (
        {"x_train": np.zeros((N, 5, 5, 5), "u1")},
        r"train_images{} has the shape \(8,",
    ),
    "a label too few": (
        {"y_train": LABELS[1:]},
        r"train_images{} has 8 images, but \S*/train_labels{} has 7 labels",
    ),
    "test images of another size": (
        {"x_test": IMAGES[:, :, :4]},
        r"train_images{} has images of 3 x 5 pixels, but \S*/test_images{} of 3 x 4",
    ),
}


@pytest.mark.parametrize(("changes", "words"), IDX_FAULTS.values(), ids=IDX_FAULTS)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_an_invalid_idx_file_is_refused_with_its_name(
    open_idx_files, folders, changes, words, ending
):
    words = words.replace("{}", re.escape(ending))
    with pytest.raises(DataError, match=f"^{re.escape(str(folders[0]))}/{words}"):
        open_idx_files(BOTH | changes, gzipped if ending else bytes, ending)


NOT_PRINTABLE = {
    "damaged npz": {"npz": b"text"},
    "npz without labels": {"npz": npz({"x_train": IMAGES})},
    "damaged IDX": {"train_images": b"text", "train_labels": idx_bytes(LABELS)},
    "damaged gz": {"train_images": gzipped(b"text"), "train_labels": idx_bytes(LABELS)},
    "cut gz": {"train_images": gzipped(idx_bytes(IMAGES))[:-9], "train_labels": idx_bytes(LABELS)},
    "a label too few": {"train_images": idx_bytes(IMAGES), "train_labels": idx_bytes(LABELS[1:])},
}


@pytest.mark.parametrize("contents", NOT_PRINTABLE.values(), ids=NOT_PRINTABLE)
def test_a_name_that_does_not_print_is_shown_in_one_line(folders, contents):
    files = {role: folders[0] / f"a\n{role}" for role in contents}
    for role, path in files.items():
        path.write_bytes(contents[role])
    with pytest.raises(DataError, match=r'^"\S*/a\\n\w+"') as caught:
        open_raw_splits(files, folders[1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("dtype", ["<U40", ">U40"])
def test_labels_with_control_characters_are_refused(open_npz, bad, dtype):
    labels = np.array(["a", "b", f"c{bad}c", *"abcab"], dtype)
    with pytest.raises(DataError, match=r"y_train has the label .* control characters") as caught:
        open_npz(TRAIN | {"y_train": labels})
    assert_is_harmless(str(caught.value))


@pytest.mark.parametrize("code", [0x110000, 0xFFFFFFFF])
@pytest.mark.parametrize("order", "<>")
def test_labels_that_are_no_text_are_refused(open_npz, code, order):
    labels = np.array([65, 66, 67, code] * 2, f"{order}u4").view(f"{order}U1")
    with pytest.raises(DataError, match="y_train has text that is not Unicode"):
        open_npz(TRAIN | {"y_train": labels})


@pytest.mark.parametrize("bad", [*HOSTILE.values()][:-4], ids=[*HOSTILE][:-4])
@pytest.mark.parametrize("content", [samples.npy(IMAGES), b"damaged"], ids=["another", "damaged"])
def test_names_in_an_archive_are_shown_without_control_characters(open_npz, bad, content):
    with pytest.raises(DataError) as caught:
        open_npz(zipped({f"{bad}x.npy": content}))
    assert_is_harmless(str(caught.value))


def test_of_many_names_in_an_archive_a_few_are_shown(open_npz):
    with pytest.raises(DataError, match=r"only x0, .* and 990 more$"):
        open_npz(zipped({f"x{i}.npy": samples.npy(LABELS) for i in range(1000)}))


# The middle of a file lies well within the images.
DAMAGE = {
    "bit-flipped": lambda content: flipped(content, len(content) // 2),
    "cut in half": lambda content: content[: len(content) // 2],
    "cut by a byte": lambda content: content[:-1],
    "cut to its first bytes": lambda content: content[:4],
}
MANY = {"x_train": RNG.integers(0, 256, (60, 6, 5), np.uint8), "y_train": np.zeros(60, np.uint8)}


@pytest.mark.parametrize("damage", [*DAMAGE.values(), lambda content: b""], ids=[*DAMAGE, "empty"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_npz_is_refused_with_its_name(open_npz, damage, save):
    with pytest.raises(DataError, match=r"mine\.npz cannot be read: "):
        open_npz(damage(npz(MANY, save)))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", MANY)
def test_a_damaged_gz_is_refused_with_its_name(open_idx_files, name, damage):
    contents = {each: gzipped(idx_bytes(array)) for each, array in MANY.items()}
    contents[name] = damage(contents[name])
    with pytest.raises(DataError, match=rf"{ROLES[name]}\.gz is damaged: "):
        open_idx_files(contents, ending=".gz")


@pytest.mark.parametrize(
    "content",
    [
        b"x_train,y_train",
        zipped({"README": b"about"}),
        zipped({"x_train.npy": b""}),
        zipped({"x_train.npy": npy_header((1 << 20, 1 << 10, 1 << 10)) + bytes(99)}),
    ],
    ids=["text", "a zip of something else", "an empty member", "terabytes"],
)
def test_a_file_that_is_not_an_npz_is_refused_with_its_name(open_npz, content):
    with pytest.raises(DataError, match=r"mine\.npz cannot be read: "):
        open_npz(content)


# ---- Malicious files.

TRAPS = {
    "array of objects": lambda trap: npy_header((N,), "|O") + trap,
    "array of one object": lambda trap: npy_header((), "|O") + trap,
    "bare pickle": lambda trap: trap,
}


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
@pytest.mark.parametrize(
    "name", ["x_train.npy", "y_train.npy", "y_test", "note.npy", "note.pkl", None]
)
def test_nothing_in_an_npz_or_in_its_place_is_unpickled(open_npz, tmp_path, name, trap):
    trace = tmp_path / "unpickled"
    content = trap(samples.pickle_that_makes(trace))
    arrays = {f"{each}.npy": samples.npy(array) for each, array in TRAIN.items()}
    with pytest.raises(DataError, match=r"mine\.npz"):
        open_npz(zipped(arrays | {name: content}) if name else content)
    assert not trace.exists()


def test_a_gz_is_not_unpacked_beyond_its_data(open_idx_files, folders):
    bomb = gzipped(idx_bytes(MANY["x_train"]) + bytes(50_000_000))
    contents = {"x_train": bomb, "y_train": gzipped(idx_bytes(MANY["y_train"]))}
    with pytest.raises(DataError, match=r"its header promises 60 x 6 x 5 values, .* the file has"):
        open_idx_files(contents, ending=".gz")
    assert sum(path.stat().st_size for path in folders[1].iterdir()) < 10_000


def test_a_gz_that_would_fill_the_disk_is_refused(open_idx_files, folders):
    header = struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**10, 2**10)
    contents = {"x_train": gzipped(header + bytes(1000)), "y_train": gzipped(b"")}
    with pytest.raises(
        DataError, match=r"\.gz unpacks to 2251799813685265 bytes, but the disk has"
    ):
        open_idx_files(contents, ending=".gz")
    assert sum(path.stat().st_size for path in folders[1].iterdir()) == 0


def test_an_npz_that_would_fill_the_disk_is_refused(open_npz, folders, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10_000))
    with pytest.raises(DataError, match=r"mine\.npz unpacks to \d+ bytes, .* has room for 10000"):
        open_npz(npz({"x_train": np.zeros((99, 40, 50), np.uint8)}, np.savez_compressed))
    assert not [*folders[1].iterdir()]


@pytest.mark.parametrize("name", ["../x_train.npy", "/x_train.npy", "a/../../x_train.npy"])
def test_members_with_paths_outside_the_archive_are_written_to_the_folder_only(
    open_npz, folders, name
):
    before = sorted(folders[0].parent.rglob("*"))
    with pytest.raises(DataError, match="there is no x_train"):
        open_npz(zipped({name: samples.npy(IMAGES), "y_train.npy": samples.npy(LABELS)}))
    new = {*folders[0].parent.rglob("*")} - {*before} - {folders[0] / "mine.npz"}
    assert all(path.parent == folders[1] for path in new)
