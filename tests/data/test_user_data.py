"""The user's own data: files are found by name, and identified by content."""

import hashlib
import shutil
import subprocess

import numpy as np
import pytest

from samples import FILES, npz, write_idx
from scratchnet.data.raw_splits import open_raw_splits
from scratchnet.data.user_data import (
    dataset_label,
    find_files,
    find_role,
    has_test_split,
    hash_contents,
)
from scratchnet.errors import ConfigError


@pytest.fixture
def folder(tmp_path):
    """An empty folder, and others beside it."""
    path = tmp_path / "my data"
    path.mkdir()
    return path


def fill(folder, names):
    """Write a file with each name, which contains its name."""
    for name in names:
        (folder / name).write_text(name)


# ---- Finding files.

MNIST = [*FILES.values()]
TEMPLATES = {
    "MNIST's": "{}",
    "MNIST's .gz": "{}.gz",
    "EMNIST's": "emnist-letters-{}",
    "EMNIST's .gz": "emnist-bymerge-{}.gz",
    "with a prefix that has dots": "v1.2-{}",
}
NAMINGS = {
    **{kind: [template.format(name) for name in MNIST] for kind, template in TEMPLATES.items()},
    "with a dot": [name.replace("-idx", ".idx") for name in MNIST],
    "with a dot .gz": [name.replace("-idx", ".idx") + ".gz" for name in MNIST],
    "with test": [name.replace("t10k", "test") for name in MNIST],
    "without numbers": [
        "train-images.idx",
        "train-labels.idx",
        "test-images.idx",
        "test-labels.idx",
    ],
    "with numbers alone": [
        "train_images.idx3",
        "train_labels.idx1",
        "test_images.idx3.gz",
        "test_labels.idx1",
    ],
    "images first": ["images-train.idx", "labels-train.idx", "images-test.idx", "labels-test.idx"],
    "some compressed": [MNIST[0] + ".gz", MNIST[1], MNIST[2] + ".gz", MNIST[3]],
}


@pytest.mark.parametrize("names", NAMINGS.values(), ids=NAMINGS)
@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["text", "path"])
def test_idx_files_are_found_by_name(folder, names, kind):
    fill(folder, names)
    assert find_files(kind(folder)) == {role: folder / name for role, name in zip(FILES, names)}


@pytest.mark.parametrize("names", NAMINGS.values(), ids=NAMINGS)
def test_the_test_files_may_be_missing(folder, names):
    fill(folder, names[:2])
    assert find_files(folder) == {
        "train_images": folder / names[0],
        "train_labels": folder / names[1],
    }


OTHERS = [
    "README.md",
    "train-images.png",
    "train-images-idx3-ubyte.zip",
    "train-images-idx3-ubyte.gz.part",
    "train-images.txt",
    "images-idx3-ubyte",
    "train-idx3-ubyte",
    "emnist-letters-mapping.txt",
    "mnist.npz",
    ".DS_Store",
]


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_with_another_name_has_no_role(folder, name):
    assert find_role(folder / name) is None


def test_other_files_are_ignored(folder):
    fill(folder, [*MNIST, *OTHERS])
    assert {*find_files(folder).values()} == {folder / name for name in MNIST}


@pytest.mark.parametrize("role", FILES)
@pytest.mark.parametrize("second", ["{}.gz", "old-{}", "{}.idx"])
def test_two_files_for_one_role_are_refused_with_both_names(folder, role, second):
    name, other = FILES[role], second.format(FILES[role])
    fill(folder, [*MNIST, other])
    with pytest.raises(ConfigError) as caught:
        find_files(folder)
    assert str(caught.value) in {
        f"{a} and {b} may both be the {role}" for a, b in ((name, other), (other, name))
    }


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ([], ["train_images", "train_labels"]),
        (["train_labels"], ["train_images"]),
        (["train_images"], ["train_labels"]),
        (["train_images", "train_labels", "test_images"], ["test_labels"]),
        (["train_images", "train_labels", "test_labels"], ["test_images"]),
        (["train_images", "test_labels"], ["train_labels", "test_images"]),
        (["test_images", "test_labels"], ["train_images", "train_labels"]),
    ],
)
def test_exactly_the_missing_files_are_named(folder, present, missing):
    fill(folder, [FILES[role] for role in present])
    with pytest.raises(ConfigError) as caught:
        find_files(folder)
    named = str(caught.value).split(";")[0]
    assert [role for role in FILES if role in named] == missing


def test_an_error_about_missing_files_gives_example_names(folder):
    with pytest.raises(ConfigError, match="train-images-idx3-ubyte"):
        find_files(folder)


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["text", "path"])
def test_an_npz_file_is_a_whole_dataset(folder, kind):
    fill(folder, ["mine.npz"])
    assert find_files(kind(folder / "mine.npz")) == {"npz": folder / "mine.npz"}


def test_a_path_may_start_with_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    fill(folder, ["mine.npz", *MNIST])
    assert find_files("~/mine.npz") == {"npz": folder / "mine.npz"}
    assert find_files("~")["train_images"] == folder / MNIST[0]


def test_a_name_that_begins_with_a_tilde_may_be_a_files(folder, monkeypatch):
    monkeypatch.chdir(folder)
    fill(folder, ["~no_such_user.npz"])
    assert [str(path) for path in find_files("~no_such_user.npz").values()] == ["~no_such_user.npz"]


@pytest.mark.parametrize(
    "path", ["~no_such_user/x.npz", "~no_such_user", "\0", "loop", "loop/x.npz", "a{1}"]
)
def test_a_path_that_leads_nowhere_is_refused(folder, monkeypatch, path):
    monkeypatch.chdir(folder)
    (folder / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match=r"no such \.npz file, and no such folder"):
        find_files(path)


def test_endings_and_names_may_be_upper_case(folder):
    names = [name.upper() + ".GZ" for name in MNIST]
    fill(folder, ["X.NPZ", "y.Npz", *names])
    assert find_files(folder / "X.NPZ") == {"npz": folder / "X.NPZ"}
    assert find_files(folder / "y.Npz") == {"npz": folder / "y.Npz"}
    assert find_files(folder) == {role: folder / name for role, name in zip(FILES, names)}


def test_a_path_may_be_relative(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    fill(folder, MNIST)
    assert {role: path.name for role, path in find_files("my data").items()} == FILES


@pytest.mark.parametrize("name", ["nowhere.npz", "nowhere", "there.zip", "there"])
def test_a_path_that_is_neither_an_npz_file_nor_a_folder_is_refused(folder, name):
    fill(folder, ["there.zip", "there"])
    with pytest.raises(ConfigError, match=r"no such \.npz file, and no such folder"):
        find_files(folder / name)


def test_the_files_found_can_be_opened(folder, tmp_path):
    write_idx(folder)
    splits = open_raw_splits(find_files(folder), tmp_path)
    assert {name: split.images.shape for name, split in splits.items()} == {
        "train": (60, 6, 5),
        "test": (20, 6, 5),
    }


# ---- Whether there is a test split.

PIXELS = np.arange(12).reshape(3, 2, 2)
LABELS = np.arange(3)
TRAIN = {"x_train": PIXELS, "y_train": LABELS}
IN_NPZ = {
    "both": ({"x_test": PIXELS, "y_test": LABELS}, True),
    "images alone, which is an error": ({"x_test": PIXELS}, True),
    "labels alone, which is an error": ({"y_test": LABELS}, True),
    "none": ({}, False),
    "other names": ({"test": PIXELS, "x_tests": LABELS}, False),
}


@pytest.mark.parametrize(("others", "expected"), IN_NPZ.values(), ids=IN_NPZ)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_names_in_an_npz_tell_whether_it_has_a_test_split(folder, others, expected, save):
    (folder / "mine.npz").write_bytes(npz(TRAIN | others, save))
    assert has_test_split(find_files(folder / "mine.npz")) is expected


@pytest.mark.parametrize("content", [b"", b"text", npz(TRAIN)[:-9], b"PK\x05\x06" + bytes(99)])
def test_an_npz_that_cannot_be_read_has_none(folder, content):
    """Reading it, in preprocessing, tells what is wrong."""
    (folder / "mine.npz").write_bytes(content)
    assert not has_test_split(find_files(folder / "mine.npz"))


def test_idx_files_have_a_test_split_if_the_files_are_there(folder):
    write_idx(folder)
    assert has_test_split(find_files(folder))
    for name in (FILES["test_images"], FILES["test_labels"]):
        (folder / name).unlink()
    assert not has_test_split(find_files(folder))


@pytest.mark.parametrize("others", [{}, {"x_test": PIXELS, "y_test": LABELS}])
def test_a_test_split_is_there_if_one_is_opened(folder, tmp_path, others):
    (folder / "mine.npz").write_bytes(npz(TRAIN | others))
    files = find_files(folder / "mine.npz")
    assert has_test_split(files) == ("test" in open_raw_splits(files, tmp_path))


# ---- The name of a dataset.


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("mine.npz", "mine"),
        ("/a/b/mine.npz", "mine"),
        ("/a/b/mine", "mine"),
        ("/a/b/mine/", "mine"),
        ("~/My Own-Data.npz", "my_own_data"),
        ("Fruits 360 (v2).npz", "fruits_360_v2"),
        ("__a--b__.npz", "a_b"),
        ("a.b.npz", "a_b"),
        ("2024.npz", "2024"),
        ("../../x.npz", "x"),
        ("数据.npz", "data"),
        ("---.npz", "data"),
        ("..", "data"),
        (".", "data"),
        ("X.NPZ", "x"),
        ("set{1} 'a'\n$b%.npz", "set_1_a_b"),
        (f"{'x' * 250}.npz", "x" * 60),
        (f"{'x' * 59}-{'y' * 99}", "x" * 59),
    ],
)
def test_a_label_is_the_file_name_reduced_to_safe_characters(path, expected):
    assert dataset_label(path) == expected


# ---- The hash of a dataset.


@pytest.fixture
def filled(folder):
    """The files of a dataset in the folder, by role."""
    fill(folder, MNIST)
    return find_files(folder)


def test_the_hash_of_one_file_is_what_sha256sum_prints(folder):
    path = folder / "mine.npz"
    path.write_bytes(npz({"x_train": np.arange(99)}))
    assert hash_contents(find_files(path)) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="there is no sha256sum")
def test_sha256sum_agrees_with_the_hash_of_one_file(folder):
    path = folder / "mine.npz"
    path.write_bytes(npz({"x_train": np.arange(99)}))
    printed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout
    assert printed.split()[0] == hash_contents(find_files(path))


def test_the_hash_of_several_files_is_64_hexadecimal_digits(filled):
    assert len(hash_contents(filled)) == 64
    assert int(hash_contents(filled), 16)


def test_the_location_and_the_names_of_files_do_not_matter(filled, tmp_path):
    copies = {}
    for i, (role, path) in enumerate(filled.items()):
        copies[role] = tmp_path / str(i) / f"other-{path.name}"
        copies[role].parent.mkdir()
        shutil.copy(path, copies[role])
    assert hash_contents(copies) == hash_contents(filled)


def test_the_location_of_an_npz_file_does_not_matter(folder, tmp_path):
    fill(folder, ["mine.npz"])
    shutil.copy(folder / "mine.npz", tmp_path / "other.npz")
    assert hash_contents(find_files(folder / "mine.npz")) == hash_contents(
        find_files(tmp_path / "other.npz")
    )


def test_the_order_of_files_does_not_matter(filled):
    assert hash_contents(dict(reversed(filled.items()))) == hash_contents(filled)


@pytest.mark.parametrize("role", FILES)
@pytest.mark.parametrize("position", [0, 7, -1])
def test_changing_any_byte_changes_the_hash(filled, role, position):
    before = hash_contents(filled)
    content = bytearray(filled[role].read_bytes())
    content[position] ^= 1
    filled[role].write_bytes(content)
    assert hash_contents(filled) != before


def test_an_additional_byte_changes_the_hash(filled):
    before = hash_contents(filled)
    with filled["test_labels"].open("ab") as file:
        file.write(b"\0")
    assert hash_contents(filled) != before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("train_images", "test_images"),
        ("train_labels", "test_labels"),
        ("train_images", "train_labels"),
    ],
)
def test_exchanging_roles_changes_the_hash(filled, one, other):
    exchanged = filled | {one: filled[other], other: filled[one]}
    assert hash_contents(exchanged) != hash_contents(filled)


def test_without_the_test_files_the_hash_is_another(filled):
    train = {role: path for role, path in filled.items() if "train" in role}
    assert hash_contents(train) != hash_contents(filled)


def test_folders_hidden_files_and_parts_of_words_are_ignored(tmp_path):
    """As in an archive from Kaggle, unpacked on a Mac."""
    for name in ("contest-train-images-idx3-ubyte", "contest-train-labels-idx1-ubyte"):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / f"._{name}").write_bytes(b"x")
    (tmp_path / "train-images.idx3-ubyte").mkdir()
    files = find_files(tmp_path)
    assert {role: path.name for role, path in files.items()} == {
        "train_images": "contest-train-images-idx3-ubyte",
        "train_labels": "contest-train-labels-idx1-ubyte",
    }
