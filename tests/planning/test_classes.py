"""The number of names in `classes` is that of the classes, or nothing runs."""

import numpy as np
import pytest

import samples
from configs import problems_of
from scratchnet.data.registry import DATASETS
from scratchnet.planning.config import resolve_runs

LABELS = np.array([7, 7, 3, 3, 5, 5])


def own_npz(folder, labels=LABELS, **others):
    images = np.zeros((len(labels), 2, 2), np.uint8)
    content = samples.npz({"x_train": images, "y_train": labels, **others})
    (folder / "own.npz").write_bytes(content)
    return str(folder / "own.npz")


def own_idx(folder):
    samples.write_idx(folder)
    return str(folder)


def own_gz(folder):
    for path in samples.write_idx(folder).values():
        path.with_name(f"{path.name}.gz").write_bytes(samples.gzipped(path.read_bytes()))
        path.unlink()
    return str(folder)


OWN = {
    "integers": (own_npz, ["3", "5", "7"]),
    "text": (lambda folder: own_npz(folder, np.array([*"cabcab"])), [*"abc"]),
    "a column": (lambda folder: own_npz(folder, LABELS[:, None]), ["3", "5", "7"]),
    "IDX files": (own_idx, [*"0123456789"]),
    "IDX files, compressed": (own_gz, [*"0123456789"]),
    "in the test images, too": (lambda folder: own_npz(folder, y_test=np.array([9])), [*"3579"]),
}


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("more", [-1, 1])
def test_another_number_of_names_than_a_public_dataset_has_is_refused(dataset, more):
    n = len(DATASETS[dataset].classes)
    names = [f"name {i}" for i in range(n + more)]
    (problem,) = problems_of({"dataset": dataset, "classes": names})
    assert problem.startswith(f"classes: {n + more} names, but the dataset has {n}: ")


@pytest.mark.parametrize("dataset", DATASETS)
def test_as_many_names_as_a_public_dataset_has_are_accepted(dataset):
    names = [f"name {i}" for i in range(len(DATASETS[dataset].classes))]
    assert resolve_runs({"dataset": dataset, "classes": names})[0]["classes"] == names


@pytest.mark.parametrize(("write", "labels"), OWN.values(), ids=OWN)
def test_another_number_of_names_than_own_data_have_is_refused(tmp_path, write, labels):
    (problem,) = problems_of({"dataset": write(tmp_path), "classes": ["a", "b"]})
    assert problem == f"classes: 2 names, but the dataset has {len(labels)}: {', '.join(labels)}"


@pytest.mark.parametrize(("write", "labels"), OWN.values(), ids=OWN)
def test_as_many_names_as_own_data_have_are_accepted(tmp_path, write, labels):
    names = [f"name {label}" for label in labels]
    (run,) = resolve_runs({"dataset": write(tmp_path), "classes": names})
    assert run["classes"] == names


def test_of_many_classes_the_first_are_listed(tmp_path):
    labels = np.repeat(np.arange(5000), 2)
    (problem,) = problems_of({"dataset": own_npz(tmp_path, labels), "classes": ["ant", "bee"]})
    assert problem.startswith("classes: 2 names, but the dataset has 5000: 0, 1, 2, ")
    assert problem.endswith(", 18, 19, and 4980 more")


def test_each_dataset_of_a_sweep_is_compared(tmp_path):
    swept = {"dataset": ["mnist", own_npz(tmp_path)]}
    (problem,) = problems_of({"sweep": swept, "classes": [*"0123456789"]})
    assert problem == "classes: 10 names, but the dataset has 3: 3, 5, 7"


def test_labels_that_cannot_be_read_are_left_to_preprocessing(tmp_path):
    (tmp_path / "own.npz").write_bytes(b"no archive")
    assert resolve_runs({"dataset": str(tmp_path / "own.npz"), "classes": ["a", "b"]})
