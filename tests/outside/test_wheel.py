"""The library as a wheel, in a fresh environment with the dependencies that it states.

This needs a package index.
"""

import re
import subprocess
import sys
import zipfile

import pytest

from project import CHECKOUT

LIBRARY = CHECKOUT / "workflow/scripts/scratchnet"


def run(*command, **options):
    process = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, **options
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    run("git", "clone", "--quiet", CHECKOUT, source)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The Python of an environment in which the wheel is installed, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin/python", "-m", "pip", "install", "--quiet", wheel)
    return folder / "bin/python"


def test_the_wheel_has_all_packages_but_planning_and_what_they_need(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.relative_to(LIBRARY.parent).as_posix() for path in LIBRARY.rglob("*.py")}
    expected = {name for name in modules if not name.startswith("scratchnet/planning/")}
    assert {name for name in names if name.endswith(".py")} == expected
    assert "scratchnet/predict/demo.html" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_describes_itself(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
    text = archive.read(name).decode()
    assert "\nLicense-Expression: MIT\n" in text
    assert "\nRequires-Python: <3.14,>=3.11\n" in text
    assert (CHECKOUT / "README.md").read_text() in text


def test_every_module_can_be_imported(python, tmp_path):
    code = """
import importlib, pkgutil, scratchnet
for module in pkgutil.walk_packages(scratchnet.__path__, "scratchnet."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        print(module.name, "needs", error.name)
"""
    # The extra "workflow", for scripts of a pipeline.
    assert run(python, "-c", code, cwd=tmp_path) == "scratchnet.job needs snakefresh\n"


def test_the_network_of_ten_lines_learns_there(python, tmp_path):
    pages = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
    text = "\n".join(page.read_text() for page in pages)
    (block,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        if "train_epoch" in block
    )
    (folder,) = re.findall(r"results/data/mnist-[0-9a-f]{8}", block)[:1]
    data = tmp_path / folder
    data.mkdir(parents=True)
    make_arrays = f"""
import numpy as np
rng = np.random.default_rng(0)
labels = rng.integers(10, size=400)
X = (np.eye(10)[labels].repeat(79, axis=1)[:, :784].T / 2 + rng.random((784, 400)) / 2)
for name, array in (("X", X), ("Y", np.eye(10)[labels].T)):
    np.save(f"{data}/{{name}}_train.npy", np.asfortranarray(array, np.float32))
"""
    run(python, "-c", make_arrays)
    losses = re.findall(r"'loss': ([\d.e-]+)", run(python, "-c", block, cwd=tmp_path))
    assert float(losses[-1]) < 0.8 * float(losses[0])
