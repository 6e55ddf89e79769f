"""The user's own data: files are found by name, and identified by content."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from samples import FILES, npz
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
    "without numbers": [f"{a}-{b}.idx" for a in ("train", "test") for b in ("images", "labels")],
    "with numbers alone": [
        "train_images.idx3",
        "train_labels.idx1",
        "test_images.idx3.gz",
        "test_labels.idx1",
    ],
    "images first": [f"{b}-{a}.idx" for a in ("train", "test") for b in ("images", "labels")],
    "in upper case": [name.upper() + ".GZ" for name in MNIST],
    "some compressed": [MNIST[0] + ".gz", MNIST[1], MNIST[2] + ".gz", MNIST[3]],
}


@pytest.mark.parametrize("names", NAMINGS.values(), ids=NAMINGS)
@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("kind", [str, Path])
def test_idx_files_are_found_by_name_and_those_of_the_test_split_may_be_missing(
    folder, names, n, kind
):
    fill(folder, names[:n])
    expected = {role: folder / name for role, name in zip(FILES, names[:n])}
    assert find_files(kind(folder)) == expected


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


def test_files_with_other_names_are_ignored(folder):
    fill(folder, [*MNIST, *OTHERS])
    assert {*find_files(folder).values()} == {folder / name for name in MNIST}
    assert {find_role(folder / name) for name in OTHERS} == {None}


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
    named, examples = str(caught.value).split(";")
    assert "train-images-idx3-ubyte" in examples
    assert [role for role in FILES if role in named] == missing


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", ["mine.npz", "X.NPZ", "y.Npz"])
def test_an_npz_file_is_a_whole_dataset(folder, kind, name):
    fill(folder, [name])
    assert find_files(kind(folder / name)) == {"npz": folder / name}


def test_a_path_may_be_relative_or_start_with_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(folder)
    fill(folder, ["mine.npz", "~no_such_user.npz", *MNIST])
    assert find_files("~/mine.npz") == {"npz": folder / "mine.npz"}
    assert find_files("~")["train_images"] == folder / MNIST[0]
    assert {role: path.name for role, path in find_files(".").items()} == FILES
    assert [str(path) for path in find_files("~no_such_user.npz").values()] == ["~no_such_user.npz"]


NOWHERE = ["~no_such_user/x.npz", "~no_such_user", "\0", "loop", "loop/x.npz", "a{1}"]


@pytest.mark.parametrize("path", [*NOWHERE, "nowhere.npz", "nowhere", "there.zip", "there"])
def test_a_path_that_leads_to_no_npz_file_and_no_folder_is_refused(folder, monkeypatch, path):
    monkeypatch.chdir(folder)
    fill(folder, ["there.zip", "there"])
    (folder / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match=r"no such \.npz file, and no such folder"):
        find_files(path)


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
    fill(folder, MNIST)
    files = find_files(folder)
    assert has_test_split(files)
    assert not has_test_split({role: files[role] for role in ("train_images", "train_labels")})


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


def test_the_hash_of_one_file_is_what_sha256sum_prints_wherever_it_is(folder, tmp_path):
    for path in (folder / "mine.npz", tmp_path / "other.npz"):
        path.write_bytes(b"anything")
        found = hash_contents(find_files(path))
        assert found == hashlib.sha256(b"anything").hexdigest()


def test_the_location_the_names_and_the_order_of_files_do_not_matter(filled, tmp_path):
    copies = {}
    for role, path in reversed(filled.items()):
        copies[role] = tmp_path / role / f"other-{path.name}"
        copies[role].parent.mkdir()
        shutil.copy(path, copies[role])
    assert hash_contents(copies) == hash_contents(filled)
    assert len(hash_contents(filled)) == 64


@pytest.mark.parametrize("role", FILES)
@pytest.mark.parametrize("position", [0, 7, -1])
def test_changing_any_byte_changes_the_hash(filled, role, position):
    before = hash_contents(filled)
    content = bytearray(filled[role].read_bytes())
    content[position] ^= 1
    filled[role].write_bytes(content)
    assert hash_contents(filled) != before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("train_images", "test_images"),
        ("train_labels", "test_labels"),
        ("train_images", "train_labels"),
    ],
)
def test_exchanged_roles_or_no_test_files_change_the_hash(filled, one, other):
    exchanged = filled | {one: filled[other], other: filled[one]}
    train = {role: path for role, path in filled.items() if "train" in role}
    assert len({hash_contents(files) for files in (filled, exchanged, train)}) == 3


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
