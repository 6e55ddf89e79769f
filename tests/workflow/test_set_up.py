"""The environment .venv: an incomplete or damaged one is never used."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from project import CHECKOUT

SET_UP = CHECKOUT / "workflow/tools/set_up.py"
OTHERS = sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))


GROUPS = '[dependency-groups]\nrun = ["small"]\ntest = ["{}"]\n'


def write_wheel(folder, name, version, files):
    """Write a wheel with these files, {path: content}; return its line for pip."""
    info = f"{name}-{version}.dist-info"
    about = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in (files | {f"{info}/{key}": about[key] for key in about}).items():
            archive.writestr(file, content)
    return f"{name}=={version} --hash=sha256:{sha256(path.read_bytes()).hexdigest()}\n"


class Folder:
    """A checkout with set_up.py and with packages that need no network."""

    def __init__(self, path):
        self.path, self.python = path, path / ".venv/bin/python"
        (path / "workflow/tools").mkdir(parents=True)
        shutil.copy(SET_UP, path / "workflow/tools")
        for name in ("requirements", "packages"):
            (path / name).mkdir()
        pip = metadata.distribution("pip")
        files = {
            str(file): file.read_binary()
            for file in pip.files
            if file.parts[0] == "pip" and file.suffix != ".pyc"
        }
        wheels = path / "packages"
        (path / "requirements/build.txt").write_text(write_wheel(wheels, "pip", pip.version, files))
        (path / "requirements/pins.txt").write_text(
            write_wheel(wheels, "small", "1.0", {"small.py": ""})
            + write_wheel(wheels, "other", "1.0", {"other.py": ""})
        )
        (path / "pyproject.toml").write_text(GROUPS.format("other"))

    def set_up(self, *arguments, python=sys.executable, env=()):
        command = [python, self.path / "workflow/tools/set_up.py", *arguments]
        settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "packages", "PIP_EXTRA_INDEX_URL": ""}
        environment = os.environ | settings | dict(env)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def packages(self):
        command = [self.python, "-I", "-m", "pip", "freeze", "--all"]
        process = subprocess.run(command, capture_output=True, text=True, check=True)
        return {line for line in process.stdout.splitlines() if not line.startswith("setuptools")}

    def succeed(self, *arguments, **options):
        """Set up, which must succeed; return whether .venv was made anew."""
        process = self.set_up(*arguments, **options)
        assert process.returncode == 0, process.stdout + process.stderr
        assert "small==1.0" in self.packages()
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
    assert "Installing packages to test" in folder.set_up("test").stdout
    assert "other==1.0" in folder.packages()
    assert folder.set_up("test").stdout == ""
    assert folder.set_up().stdout == ""


def test_a_package_that_was_removed_by_hand_comes_back(folder):
    command = [folder.python, "-m", "pip", "uninstall", "--yes", "--quiet", "small"]
    subprocess.run(command, check=True, capture_output=True)
    assert not folder.succeed()
    assert folder.set_up().stdout == ""


def test_a_version_that_has_changed_is_installed(folder):
    wheel = write_wheel(folder.path / "packages", "small", "2.0", {"small.py": ""})
    (folder.path / "requirements/pins.txt").write_text(wheel)
    assert "Installing packages to run" in folder.set_up().stdout
    assert "small==2.0" in folder.packages()
    assert folder.set_up().stdout == ""


def test_a_package_with_another_hash_is_refused(folder):
    write_wheel(folder.path / "packages", "other", "1.0", {"other.py": "not what is pinned"})
    process = folder.set_up("test")
    assert process.returncode == 1
    assert "DO NOT MATCH THE HASHES" in process.stderr
    assert "other==1.0" not in folder.packages()
    assert not folder.succeed()


def test_settings_for_other_purposes_send_no_package_elsewhere(folder, tmp_path):
    (tmp_path / "small.py").touch()
    (tmp_path / "pip.conf").write_text(f"[global]\ntarget = {tmp_path}\nuser = true\n")
    env = {"PIP_USER": "1", "PIP_DRY_RUN": "1", "PIP_NO_BINARY": ":all:"}
    env |= {"PIP_TARGET": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    env |= {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    process = folder.set_up("test", env=env)
    assert process.returncode == 0, process.stderr
    assert "other==1.0" in folder.packages()
    assert {path.name for path in tmp_path.iterdir()} == {"small.py", "pip.conf"}


def test_the_second_of_two_says_that_it_waits(folder):
    lock = os.open(folder.path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    command = [sys.executable, folder.path / "workflow/tools/set_up.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "Waiting for another command that is setting up .venv\n"
        os.close(lock)
        assert process.communicate()[0] == ""
    assert process.returncode == 0


def remove_python(folder):
    folder.python.unlink()
    folder.python.symlink_to("/nowhere/python")


DAMAGES = {
    "its Python is gone": remove_python,
    "without pip": lambda folder: shutil.rmtree(
        next(folder.path.glob(".venv/lib/*/site-packages/pip"))
    ),
    "its pyvenv.cfg is gone": lambda folder: (folder.path / ".venv/pyvenv.cfg").unlink(),
    "made by hand": lambda folder: (folder.path / ".venv/set-up.json").unlink(),
    "a damaged record": lambda folder: (folder.path / ".venv/set-up.json").write_text("{"),
    "an empty folder": lambda folder: (
        shutil.rmtree(folder.path / ".venv"),
        (folder.path / ".venv").mkdir(),
    ),
    "a link": lambda folder: (
        shutil.rmtree(folder.path / ".venv"),
        (folder.path / ".venv").symlink_to("/nowhere"),
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_if_it_is_ended_the_old_environment_stays(folder, number):
    (folder.path / ".venv/set-up.json").unlink()
    (folder.path / ".venv/mark").touch()
    command = [sys.executable, folder.path / "workflow/tools/set_up.py"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **options) as process:
        assert process.stdout.readline().startswith("Setting up .venv")
        process.send_signal(number)
        assert process.stderr.read() == "Stopping. The same command sets up .venv again.\n"
    assert process.returncode == 1
    assert (folder.path / ".venv/mark").exists()
    assert not (folder.path / ".venv-old").exists()


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
    (folder.path / "pyproject.toml").write_text(GROUPS.replace("small", "no-such-package"))
    (folder.path / ".venv/set-up.json").unlink()
    (folder.path / ".venv/mark").touch()
    process = folder.set_up()
    assert process.returncode == 1
    assert "The packages to run could not be installed" in process.stderr
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
