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
from scratchnet.errors import DataError

N = 8
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (N, 3, 5), np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9, 2, 6], np.uint8)
TRAIN = {"x_train": IMAGES, "y_train": LABELS}
TEST = {"x_test": IMAGES[::-1].copy(), "y_test": LABELS[::-1].copy()}
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

    def run(contents, pack=lambda content: content, ending=""):
        files = {}
        for name, content in contents.items():
            files[ROLES[name]] = mine / (ROLES[name] + ending)
            content = content if isinstance(content, bytes) else idx_bytes(content)
            files[ROLES[name]].write_bytes(pack(content))
        return open_raw_splits(files, temporary)

    return run


CONTAINERS = ["npz", "npz not compressed", "IDX", "IDX .gz"]


@pytest.fixture(params=CONTAINERS)
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


def test_both_splits_are_opened(opened):
    splits = opened(TRAIN | TEST)
    assert list(splits) == ["train", "test"]
    assert_split(splits["train"], IMAGES, LABELS)
    assert_split(splits["test"], IMAGES[::-1], LABELS[::-1])


def test_without_test_images_there_is_no_test_split(opened):
    assert list(opened(TRAIN)) == ["train"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (28, 28), (3, 4), (2, 3, 3), (7, 5, 3)])
def test_images_may_have_any_size_and_may_be_in_colour(opened, shape):
    images = RNG.integers(0, 256, (N, *shape), np.uint8)
    split = opened({"x_train": images, "y_train": LABELS})["train"]
    assert_split(split, images, LABELS)


def test_a_single_image_is_enough(opened):
    split = opened({"x_train": IMAGES[:1], "y_train": LABELS[:1]})["train"]
    assert_split(split, IMAGES[:1], LABELS[:1])


def test_a_channel_axis_of_length_1_is_dropped(opened):
    split = opened({"x_train": IMAGES[..., None], "y_train": LABELS})["train"]
    assert_split(split, IMAGES, LABELS)


def test_splits_with_and_without_a_channel_axis_match(opened):
    splits = opened(TRAIN | TEST | {"x_test": IMAGES[..., None]})
    assert splits["test"].images.shape == splits["train"].images.shape


def test_images_are_memory_mapped_and_read_only(opened):
    images = opened(TRAIN)["train"].images
    assert isinstance(images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0, 0, 0] = 1


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


def test_nothing_is_unpacked_beside_the_files(opened, folders):
    opened(TRAIN | TEST)
    assert len([*folders[0].iterdir()]) in {1, len(ROLES)}


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


@pytest.mark.parametrize("dtype", [np.uint64, ">u8"])
def test_unsigned_labels_of_64_bits_become_signed(open_npz, dtype):
    split = open_npz({"x_train": IMAGES, "y_train": LABELS.astype(dtype)})["train"]
    assert_split(split, IMAGES, LABELS.astype(np.int64))


LABEL_KINDS = {
    "1 to 26": np.array([1, 26, 3, 4, 5, 6, 7, 8]),
    "negative": np.array([-1, 1, -1, 1, -1, 1, -1, 1]),
    "far apart": np.array([0, 10**12] * 4),
    "of 16 bits": np.array([1, 65535] * 4, np.uint16),
    "big-endian": np.arange(8).astype(">i4"),
    "text": np.array(["cat", "mouse", "dog", "cat"] * 2),
    "text beyond ASCII": np.array(["は", "ü"] * 4),
    "booleans": np.array([True, False] * 4),
}


@pytest.mark.parametrize("labels", LABEL_KINDS.values(), ids=LABEL_KINDS)
def test_labels_are_returned_unchanged(open_npz, labels):
    assert_split(open_npz({"x_train": IMAGES, "y_train": labels})["train"], IMAGES, labels)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_integers_stored_as_floats_become_integers(open_npz, dtype):
    split = open_npz({"x_train": IMAGES, "y_train": LABELS.astype(dtype)})["train"]
    assert_split(split, IMAGES, LABELS.astype(np.int64))


@pytest.mark.parametrize("labels", [LABELS, LABEL_KINDS["text"], LABELS.astype(float)])
def test_labels_may_be_a_column(open_npz, labels):
    column, flat = (
        open_npz({"x_train": IMAGES, "y_train": each})["train"].labels
        for each in (labels[:, None], labels)
    )
    np.testing.assert_array_equal(column, flat, strict=True)
    assert column.shape == (N,)


@pytest.mark.parametrize(
    "dtype", [bool, np.int8, np.uint16, np.int64, np.float16, np.float32, np.float64, ">i2"]
)
def test_pixels_may_be_numbers_of_any_type(open_npz, dtype):
    images = IMAGES.astype(dtype)
    assert_split(open_npz({"x_train": images, "y_train": LABELS})["train"], images, LABELS)


@pytest.mark.parametrize("shape", [(N, 3, 5), (N, 3, 5, 3), (N, 3, 5, 1)])
def test_arrays_in_fortran_order_are_equivalent(open_npz, shape):
    images = RNG.integers(0, 256, shape, np.uint8)
    fortran = {"x_train": np.asfortranarray(images), "y_train": np.asfortranarray(LABELS[:, None])}
    expected = images[..., 0] if shape[-1] == 1 else images
    assert_split(open_npz(fortran)["train"], expected, LABELS)


def test_other_arrays_are_ignored(open_npz):
    others = {"note": np.array("by hand"), "x_valid": IMAGES[:2], "names": np.array(["a", "b"])}
    assert list(open_npz(others | TRAIN)) == ["train"]


@pytest.mark.parametrize("container", ["npz", "IDX", "IDX .gz"])
def test_the_name_of_a_split_says_where_its_images_come_from(
    container, open_npz, open_idx_files, folders
):
    splits, expected = {
        "npz": lambda: (open_npz(TRAIN), "mine.npz: x_train"),
        "IDX": lambda: (open_idx_files(TRAIN), "train_images"),
        "IDX .gz": lambda: (open_idx_files(TRAIN, gzipped, ".gz"), "train_images.gz"),
    }[container]()
    assert splits["train"].name == f"{folders[0]}/{expected}"


# ---- Invalid data.

OF_IMAGES = (
    r"has the shape \({}\); images must have \(n, height, width\), "
    r"or \(n, height, width, 3\) for colour"
)
OF_LABELS = r"has the shape \({}\); labels must have \(n,\), one for each image"
BOTH = TRAIN | TEST
FAULTS = {
    "no training images": ({"y_train": LABELS}, "there is no x_train, only y_train"),
    "no training labels": ({"x_train": IMAGES}, "there is no y_train, only x_train"),
    "other names": ({"x": IMAGES, "y": LABELS}, "there is no x_train, only x, y"),
    "no test images": (
        TRAIN | {"y_test": LABELS},
        "there is no x_test, only x_train, y_test, y_train",
    ),
    "no test labels": (
        TRAIN | {"x_test": IMAGES},
        "there is no y_test, only x_test, x_train, y_train",
    ),
    "flat images": (TRAIN | {"x_train": IMAGES.reshape(N, 15)}, f"x_train {OF_IMAGES}"),
    "flat test images": (BOTH | {"x_test": IMAGES.reshape(N, 15)}, f"x_test {OF_IMAGES}"),
    "colours first": (TRAIN | {"x_train": np.zeros((N, 3, 5, 5))}, f"x_train {OF_IMAGES}"),
    "four colours": (TRAIN | {"x_train": np.zeros((N, 5, 5, 4))}, f"x_train {OF_IMAGES}"),
    "two colours": (TRAIN | {"x_train": np.zeros((N, 5, 5, 2))}, f"x_train {OF_IMAGES}"),
    "videos": (TRAIN | {"x_train": np.zeros((N, 2, 5, 5, 3))}, f"x_train {OF_IMAGES}"),
    "a scalar as images": (TRAIN | {"x_train": np.array(3)}, f"x_train {OF_IMAGES}"),
    "one-hot labels": (TRAIN | {"y_train": np.eye(N)}, f"y_train {OF_LABELS}"),
    "one-hot test labels": (BOTH | {"y_test": np.eye(N)}, f"y_test {OF_LABELS}"),
    "labels in a row": (TRAIN | {"y_train": LABELS[None]}, f"y_train {OF_LABELS}"),
    "a scalar as labels": (TRAIN | {"y_train": np.array(3)}, f"y_train {OF_LABELS}"),
    "text as images": (
        TRAIN | {"x_train": np.full((N, 2, 2), "a")},
        "x_train has elements of type <U1; pixels must be numbers",
    ),
    "complex images": (
        TRAIN | {"x_train": IMAGES * 1j},
        "x_train has elements of type complex128; pixels must be numbers",
    ),
    "images with named fields": (
        TRAIN | {"x_train": np.zeros((N, 2, 2), [("r", "u1"), ("g", "u1")])},
        "x_train has elements of type .*; pixels must be numbers",
    ),
    "dates as test images": (
        BOTH | {"x_test": np.zeros((N, 3, 5), "M8[s]")},
        r"x_test has elements of type datetime64\[s\]; pixels must be numbers",
    ),
    "fractional labels": (
        TRAIN | {"y_train": LABELS + 0.5},
        "y_train has elements of type float64; labels must be integers or text",
    ),
    "one fractional label": (
        TRAIN | {"y_train": np.array([0, 1, 2, 3, 4, 5, 6, 7.25], np.float32)},
        "y_train has elements of type float32; labels must be integers or text",
    ),
    "a label that is not a number": (
        TRAIN | {"y_train": np.array([np.nan] + [1.0] * 7)},
        "y_train has elements of type float64; labels must be integers or text",
    ),
    "complex labels": (
        BOTH | {"y_test": LABELS * 1j},
        "y_test has elements of type complex128; labels must be integers or text",
    ),
    "bytes as labels": (
        TRAIN | {"y_train": LABELS.astype("S1")},
        r"y_train has elements of type \|S1; labels must be integers or text",
    ),
    "no images at all": (
        TRAIN | {"x_train": IMAGES[:0], "y_train": LABELS[:0]},
        r"x_train has the shape \(0, 3, 5\): it is empty",
    ),
    "no rows": (
        TRAIN | {"x_train": IMAGES[:, :0]},
        r"x_train has the shape \(8, 0, 5\): it is empty",
    ),
    "no test images at all": (
        BOTH | {"x_test": IMAGES[:0], "y_test": LABELS[:0]},
        r"x_test has the shape \(0, 3, 5\): it is empty",
    ),
    "no labels at all": (
        TRAIN | {"y_train": LABELS[:0]},
        "x_train has 8 images, but y_train has 0 labels",
    ),
    "a label too few": (
        TRAIN | {"y_train": LABELS[1:]},
        "x_train has 8 images, but y_train has 7 labels",
    ),
    "a test label too many": (
        BOTH | {"x_test": IMAGES[1:]},
        "x_test has 7 images, but y_test has 8 labels",
    ),
    "test images of another size": (
        BOTH | {"x_test": IMAGES[:, :, :4]},
        r"x_train has images of 3 x 5 pixels, but \S*mine.npz: x_test of 3 x 4",
    ),
    "test images transposed": (
        BOTH | {"x_test": IMAGES.transpose(0, 2, 1)},
        r"x_train has images of 3 x 5 pixels, but \S*mine.npz: x_test of 5 x 3",
    ),
    "test images in colour": (
        BOTH | {"x_test": np.zeros((N, 3, 5, 3))},
        r"x_train has images of 3 x 5 pixels, but \S*mine.npz: x_test of 3 x 5 x 3; give them",
    ),
    "numbers as labels, and text": (
        BOTH | {"y_test": LABELS.astype(str)},
        r"x_train has integers as labels, but \S*mine.npz: x_test has text; use one kind",
    ),
    "text as labels, and integral floats": (
        BOTH | {"y_train": LABELS.astype(str), "y_test": LABELS.astype(float)},
        r"x_train has text as labels, but \S*mine.npz: x_test has integers; use one kind",
    ),
    "booleans as labels, and numbers": (
        BOTH | {"y_train": LABELS > 3},
        r"x_train has booleans as labels, but \S*mine.npz: x_test has integers; use one kind",
    ),
    "a label of 64 bits that is -1 without its sign": (
        TRAIN | {"y_train": np.array([0, 1, -1, 1, 0, 1, 0, 1]).astype(np.uint64)},
        r"y_train has the label 18446744073709551615; labels must be below 2\*\*63, or text",
    ),
}
SHAPES = {
    "flat images": "8, 15",
    "flat test images": "8, 15",
    "colours first": "8, 3, 5, 5",
    "four colours": "8, 5, 5, 4",
    "two colours": "8, 5, 5, 2",
    "videos": "8, 2, 5, 5, 3",
    "a scalar as images": "",
    "one-hot labels": "8, 8",
    "one-hot test labels": "8, 8",
    "labels in a row": "1, 8",
    "a scalar as labels": "",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_invalid_array_is_refused_with_its_file_and_name(open_npz, folders, fault):
    arrays, words = FAULTS[fault]
    words = words.replace("{}", SHAPES.get(fault, ""))
    with pytest.raises(DataError, match=f"^{re.escape(str(folders[0]))}/mine.npz: {words}"):
        open_npz(arrays)


IDX_FAULTS = {
    "images where labels should be": (
        TRAIN | {"y_train": IMAGES},
        "train_labels{}: not an IDX file of unsigned bytes in 1 dimensions",
    ),
    "labels where images should be": (
        BOTH | {"x_test": LABELS},
        "test_images{}: not an IDX file of unsigned bytes in 3 or 4 dimensions",
    ),
    "not an IDX file": (TRAIN | {"x_train": b"<html>"}, "train_images{}: not an IDX file"),
    "a byte too few": (TRAIN | {"y_train": idx_bytes(LABELS)[:-1]}, "train_labels{}: its header"),
    "no images": (
        BOTH | {"x_test": IMAGES[:0], "y_test": LABELS[:0]},
        "test_images{}: its header says 0 x 3 x 5",
    ),
    "four colours": (
        TRAIN | {"x_train": np.zeros((N, 5, 5, 4), np.uint8)},
        r"train_images{} has the shape \(8, 5, 5, 4\)",
    ),
    "a label too few": (
        TRAIN | {"y_train": LABELS[1:]},
        r"train_images{} has 8 images, but \S*/train_labels{} has 7 labels",
    ),
    "test images of another size": (
        BOTH | {"x_test": IMAGES[:, :, :4]},
        r"train_images{} has images of 3 x 5 pixels, but \S*/test_images{} of 3 x 4",
    ),
}


@pytest.mark.parametrize(("contents", "words"), IDX_FAULTS.values(), ids=IDX_FAULTS)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_an_invalid_idx_file_is_refused_with_its_name(
    open_idx_files, folders, contents, words, ending
):
    words = words.replace("{}", re.escape(ending))
    with pytest.raises(DataError, match=f"^{re.escape(str(folders[0]))}/{words}"):
        open_idx_files(contents, gzipped if ending else bytes, ending)


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


TEXT = {"x_train": IMAGES, "y_train": np.array([*"abababab"])}


@pytest.mark.parametrize("bad", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("dtype", ["<U40", ">U40"])
def test_labels_with_control_characters_are_refused(open_npz, bad, dtype):
    labels = np.array(["a", "b", f"c{bad}c", *"abcab"], dtype)
    with pytest.raises(DataError, match=r"y_train has the label .* control characters") as caught:
        open_npz(TEXT | {"y_train": labels})
    assert_is_harmless(str(caught.value))


@pytest.mark.parametrize("label", HARMLESS)
def test_all_other_text_may_be_a_label(open_npz, label):
    labels = np.array([label, *"abababa"])
    assert_split(open_npz(TEXT | {"y_train": labels})["train"], IMAGES, labels)


@pytest.mark.parametrize("code", [0x110000, 0xFFFFFFFF])
@pytest.mark.parametrize("order", "<>")
def test_labels_that_are_no_text_are_refused(open_npz, code, order):
    labels = np.array([65, 66, 67, code] * 2, f"{order}u4").view(f"{order}U1")
    with pytest.raises(DataError, match="y_train has text that is not Unicode"):
        open_npz(TEXT | {"y_train": labels})


def test_labels_that_are_whole_texts_are_refused(open_npz):
    with pytest.raises(DataError, match=r"y_train has labels of up to 5000 characters; .* 1000"):
        open_npz(TEXT | {"y_train": TEXT["y_train"].astype("U5000")})


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
    ],
    ids=["text", "a zip of something else", "an empty member"],
)
def test_a_file_that_is_not_an_npz_is_refused_with_its_name(open_npz, content):
    with pytest.raises(DataError, match=r"mine\.npz cannot be read: "):
        open_npz(content)


def test_a_header_that_claims_terabytes_is_refused(open_npz):
    with pytest.raises(DataError, match=r"mine\.npz cannot be read: x_train: "):
        open_npz(zipped({"x_train.npy": npy_header((1 << 20, 1 << 10, 1 << 10)) + bytes(99)}))


# ---- Malicious files.

TRAPS = {
    "array of objects": lambda trap: npy_header((N,), "|O") + trap,
    "array of one object": lambda trap: npy_header((), "|O") + trap,
    "bare pickle": lambda trap: trap,
}


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS)
@pytest.mark.parametrize("name", ["x_train.npy", "y_train.npy", "y_test", "note.npy", "note.pkl"])
def test_nothing_in_an_npz_is_unpickled(open_npz, tmp_path, name, trap):
    trace = tmp_path / "unpickled"
    arrays = {f"{each}.npy": samples.npy(array) for each, array in TRAIN.items()}
    with pytest.raises(DataError, match=r"mine\.npz"):
        open_npz(zipped(arrays | {name: trap(samples.pickle_that_makes(trace))}))
    assert not trace.exists()


def test_a_pickle_in_place_of_an_npz_is_not_unpickled(open_npz, tmp_path):
    trace = tmp_path / "unpickled"
    with pytest.raises(DataError, match=r"mine\.npz cannot be read: "):
        open_npz(samples.pickle_that_makes(trace))
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
