"""Fixtures that several test files share."""

import shutil

import numpy as np
import pytest
from PIL import Image

from project import Project, copy_with_small_data, write_own_npz


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A small project that has run to the end. Nobody changes it: `project` is a copy of it."""
    project = copy_with_small_data(tmp_path_factory.mktemp("finished") / "a project")
    project.run()
    return project


@pytest.fixture(scope="session")
def finished_deep(tmp_path_factory):
    """A project like `finished`, of one's own data, in which every setting applies."""
    project = copy_with_small_data(tmp_path_factory.mktemp("finished") / "a deep project")
    write_own_npz(project.folder / "own.npz")
    project.configure(
        {
            "dataset": "own.npz",
            "validation_fraction": 0.25,
            "model": {"hidden": [5]},
            "training": {"epochs": 4, "batch_size": 25, "momentum": 0.9, "schedule": "step"},
        }
    )
    project.run()
    return project


@pytest.fixture(scope="session")
def finished_sweep(tmp_path_factory):
    """A project like `finished`, with two runs and the pictures of each."""
    project = copy_with_small_data(tmp_path_factory.mktemp("finished") / "a sweep")
    project.configure({"sweep": {"training.seed": [0, 1]}})
    project.run("plots")
    return project


@pytest.fixture(scope="session")
def finished_on_request(finished, tmp_path_factory):
    """A project like `finished`, with all that is made on request."""
    project = copy_of(finished, tmp_path_factory.mktemp("finished"))
    images = project.folder / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    for name in ("one", "two", "three"):
        Image.fromarray(rng.integers(0, 256, (6, 5), np.uint8)).save(images / f"{name}.png")
    project.configure({"predict": {"images": "images"}})
    project.run("demo", "parity", "export", "predict")
    return project


def copy_of(finished, tmp_path):
    folder = tmp_path / "a project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder)


@pytest.fixture
def project(finished, tmp_path):
    """A small project of the test's own, with all results there."""
    return copy_of(finished, tmp_path)


@pytest.fixture
def deep_project(finished_deep, tmp_path):
    """Like `project`, a copy of `finished_deep`."""
    return copy_of(finished_deep, tmp_path)


@pytest.fixture
def sweep_project(finished_sweep, tmp_path):
    """Like `project`, a copy of `finished_sweep`."""
    return copy_of(finished_sweep, tmp_path)


@pytest.fixture
def project_on_request(finished_on_request, tmp_path):
    """Like `project`, a copy of `finished_on_request`."""
    return copy_of(finished_on_request, tmp_path)


@pytest.fixture
def new_project(tmp_path):
    """A small project of the test's own, without results."""
    return copy_with_small_data(tmp_path / "a new project")
