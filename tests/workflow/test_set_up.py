"""The environment .venv: an incomplete or damaged one is never used."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from project import CHECKOUT

SET_UP = CHECKOUT / "workflow/tools/set_up.py"
OTHERS = sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))


class Folder:
    """A checkout with set_up.py and with requirements that need no network."""

    def __init__(self, path):
        self.path, self.python = path, path / ".venv/bin/python"
        (path / "workflow/tools").mkdir(parents=True)
        shutil.copy(SET_UP, path / "workflow/tools")
        for name in ("requirements-build.txt", "requirements.txt", "requirements-test.txt"):
            (path / name).write_text("# nothing\n")

    def set_up(self, *arguments, python=sys.executable, cwd=None):
        command = [python, self.path / "workflow/tools/set_up.py", *arguments]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)

    def succeed(self, *arguments, **options):
        """Set up, which must succeed; return whether .venv was made anew."""
        process = self.set_up(*arguments, **options)
        assert process.returncode == 0, process.stdout + process.stderr
        subprocess.run([self.python, "-m", "pip", "--version"], check=True, capture_output=True)
        assert not (self.path / ".venv-old").exists()
        return "Setting up .venv" in process.stdout


@pytest.fixture(scope="module")
def finished_folder(tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("set up") / "a checkout")
    assert folder.succeed()
    return folder


@pytest.fixture
def folder(finished_folder):
    """The folder at its place, with a copy of its environment to put back at the end."""
    saved = finished_folder.path.with_name("saved")
    shutil.copytree(finished_folder.path, saved, symlinks=True)
    yield finished_folder
    shutil.rmtree(finished_folder.path)
    saved.rename(finished_folder.path)


def test_nothing_is_done_twice(folder):
    assert not folder.succeed()
    assert folder.set_up().stdout == ""
    assert "requirements-test.txt" in folder.set_up("test").stdout
    assert folder.set_up("test").stdout == ""


def test_requirements_that_have_changed_are_installed(folder):
    (folder.path / "requirements.txt").write_text("# something else\n")
    assert "Installing what requirements.txt lists" in folder.set_up().stdout
    assert folder.set_up().stdout == ""


def remove_python(folder):
    folder.python.unlink()
    folder.python.symlink_to("/nowhere/python")


DAMAGES = {
    "its Python is gone": remove_python,
    "without pip": lambda folder: shutil.rmtree(
        next(folder.path.glob(".venv/lib/*/site-packages/pip"))
    ),
    "made by hand": lambda folder: (folder.path / ".venv/set-up.json").unlink(),
    "a damaged record": lambda folder: (folder.path / ".venv/set-up.json").write_text("{"),
    "an empty folder": lambda folder: (
        shutil.rmtree(folder.path / ".venv"),
        (folder.path / ".venv").mkdir(),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_environment_is_made_anew(folder, damage):
    damage(folder)
    assert folder.succeed()
    assert not folder.succeed()


@pytest.mark.slow
@pytest.mark.parametrize("move", [Path.rename, shutil.copytree], ids=["moved", "copied"])
def test_after_the_checkout_was_moved_or_copied_it_is_made_anew(folder, tmp_path, move):
    moved = Folder.__new__(Folder)
    moved.path, moved.python = tmp_path / "elsewhere", tmp_path / "elsewhere/.venv/bin/python"
    shutil.copytree(folder.path, moved.path, symlinks=True)
    assert moved.succeed()
    assert not moved.succeed()


@pytest.mark.slow
def test_an_environment_whose_making_was_killed_is_made_anew(folder):
    shutil.rmtree(folder.path / ".venv")
    command = [sys.executable, folder.path / "workflow/tools/set_up.py"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    while not folder.python.exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert folder.succeed()


@pytest.mark.slow
@pytest.mark.skipif(not OTHERS, reason="needs another Python, for example from pyenv")
def test_a_python_that_is_asked_for_replaces_another_one(folder):
    supported = [path for path in OTHERS if "/3.12" in str(path) or "/3.13" in str(path)]
    assert not folder.succeed(python=supported[0])
    assert folder.succeed("--this-python", python=supported[0])
    assert not folder.succeed("--this-python", python=supported[0])
    assert not folder.succeed()


@pytest.mark.skipif(not OTHERS, reason="needs another Python, for example from pyenv")
def test_other_versions_of_python_are_refused_in_one_sentence(tmp_path):
    folder = Folder(tmp_path / "a checkout")
    refused = [
        path
        for path in OTHERS
        if not any(f"/3.{minor}." in str(path) for minor in (11, 12, 13)) and "/2." not in str(path)
    ]
    for python in refused:
        process = folder.set_up(python=python)
        assert process.returncode == 1
        assert process.stderr.startswith("Python 3.11 to 3.13 is needed, this is 3.")
        assert process.stderr.count("\n") == 1
        assert not (folder.path / ".venv").exists()


def test_a_failed_installation_keeps_the_old_environment(folder):
    (folder.path / "requirements.txt").write_text("no-such-package @ file:///nowhere\n")
    (folder.path / ".venv/set-up.json").unlink()
    (folder.path / ".venv/mark").touch()
    process = folder.set_up()
    assert process.returncode == 1
    assert "The packages in requirements.txt could not be installed" in process.stderr
    assert "Traceback" not in process.stderr
    assert (folder.path / ".venv/mark").exists()
    assert not (folder.path / ".venv-old").exists()


def test_without_the_module_venv_it_is_said_how_to_get_it(tmp_path):
    """Debian's Python without python3-venv: `python3 -m venv` fails."""
    folder = Folder(tmp_path / "a checkout")
    start = tmp_path / "start"
    start.mkdir()
    (start / "sitecustomize.py").write_text("import sys; sys._base_executable = '/bin/false'\n")
    command = [sys.executable, folder.path / "workflow/tools/set_up.py"]
    environment = os.environ | {"PYTHONPATH": str(start)}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "apt install python3-venv" in process.stderr
    assert not (folder.path / ".venv").exists()


def test_a_checkout_that_cannot_be_written_is_named():
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    with TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        folder = Folder(Path(top) / "a checkout")
        folder.path.chmod(0o555)
        command = [
            shutil.which("python3", path="/usr/bin"),
            folder.path / "workflow/tools/set_up.py",
        ]
        process = subprocess.run(command, capture_output=True, text=True, check=False, **user)
        folder.path.chmod(0o755)
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    assert "The environment .venv cannot be set up" in process.stderr
