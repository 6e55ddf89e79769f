"""Fixtures that several test files share."""

import shutil

import pytest

from project import Project, copy_with_small_data


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A small project that has run to the end. Nobody changes it: `project` is a copy of it."""
    project = copy_with_small_data(tmp_path_factory.mktemp("finished") / "a project")
    project.run()
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A small project of the test's own, with all results there."""
    folder = tmp_path / "a project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder)


@pytest.fixture
def new_project(tmp_path):
    """A small project of the test's own, without results."""
    return copy_with_small_data(tmp_path / "a new project")
