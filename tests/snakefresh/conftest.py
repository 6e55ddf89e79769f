"""Worlds that are run once, and copied for each test."""

import pytest
from toys import copy_toy, make_toy

from project import share_project


@pytest.fixture(scope="session")
def finished_toy(tmp_path_factory):
    return share_project(tmp_path_factory, "finished toy", lambda folder: make_toy(folder).run())


@pytest.fixture
def toy(finished_toy, tmp_path):
    """The workflow of toy/ with all its results; the test's own."""
    return copy_toy(finished_toy.folder, tmp_path / "a toy")


@pytest.fixture
def new_toy(tmp_path):
    """The workflow of toy/ without results; the test's own."""
    return make_toy(tmp_path / "a new toy")
