"""Fixtures that several test files share."""

import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

from project import Project, copy_with_small_data, share_project, write_own_npz

# As for most users: what a program prints into a pipe, it has to flush.
os.environ.pop("PYTHONUNBUFFERED", None)
# What nohup or a script starts in the background ignores these signals; programs in tests do not.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    """Take every nth test with DOSE=n."""
    if dose := int(os.environ.get("DOSE", "0")):
        is_slow = config.option.markexpr == "slow"
        wanted = [item for item in items if not is_slow or item.get_closest_marker("slow")]
        items[:] = wanted[::dose]


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A small project that has run to the end, with what was printed; `project` is a copy of it."""

    def make(folder):
        (folder / "output").write_text(copy_with_small_data(folder).run())

    return share_project(tmp_path_factory, "finished", make)


@pytest.fixture(scope="session")
def finished_deep(tmp_path_factory):
    """A project like `finished` with the user's own data, in which every setting applies."""

    def make(folder):
        project = copy_with_small_data(folder)
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

    return share_project(tmp_path_factory, "finished deep", make)


@pytest.fixture(scope="session")
def finished_sweep(tmp_path_factory):
    """A project like `finished` with two runs and the plots of each."""

    def make(folder):
        project = copy_with_small_data(folder)
        project.configure({"sweep": {"training.seed": [0, 1]}})
        project.run("plots")

    return share_project(tmp_path_factory, "finished sweep", make)


@pytest.fixture(scope="session")
def finished_search(tmp_path_factory):
    """A project like `finished` with a search of three trials, of which one goes on."""

    def make(folder):
        project = copy_with_small_data(folder)
        space = {
            "training.learning_rate": {"log_uniform": [0.01, 1.0]},
            "model.hidden": {"choice": [[], [6]]},
        }
        search = {"trials": 3, "space": space, "epochs": [1, 2], "keep": 0.5}
        project.configure({"validation_fraction": 0.25, "search": search})
        (folder / "output").write_text(project.run("--cores", "1"))

    return share_project(tmp_path_factory, "finished search", make)


@pytest.fixture(scope="session")
def finished_on_request(finished, tmp_path_factory):
    """A project like `finished` with everything that is made on request."""

    def make(folder):
        shutil.copytree(finished.folder, folder, symlinks=True)
        project, images = Project(folder), folder / "images"
        images.mkdir()
        rng = np.random.default_rng(0)
        for name in ("one", "two", "three"):
            Image.fromarray(rng.integers(0, 256, (6, 5), np.uint8)).save(images / f"{name}.png")
        project.configure({"predict": {"images": "images"}})
        project.run("demo", "lesson", "explain", "parity", "export", "bundle", "predict")

    return share_project(tmp_path_factory, "finished on request", make)


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
def search_project(finished_search, tmp_path):
    """Like `project`, a copy of `finished_search`."""
    return copy_of(finished_search, tmp_path)


@pytest.fixture
def project_on_request(finished_on_request, tmp_path):
    """Like `project`, a copy of `finished_on_request`."""
    return copy_of(finished_on_request, tmp_path)


@pytest.fixture
def new_project(tmp_path):
    """A small project of the test's own, without results."""
    return copy_with_small_data(tmp_path / "a new project")
