"""A copy of the workflow in a folder of its own, and a dataset that takes seconds."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml
from PIL import Image

from samples import write_idx

CHECKOUT = Path(__file__).parents[2]
SOURCES = ("Snakefile", "config.yaml", "workflow", "profiles")

TARGETS = (
    "all",
    "plots",
    "demo",
    "lesson",
    "explain",
    "parity",
    "export",
    "ensemble",
    "bundle",
    "publish",
    "predict",
)

SMALL = {
    "download": {"folder": "raw"},
    "training": {"epochs": 4, "batch_size": 25},
}

# Appended to the copy's registry.py: the names stay, the files are others.
SMALL_DATASETS = """
import hashlib
from pathlib import Path

def _small(classes):
    folder = Path(__file__).parents[4] / "raw"
    sha256 = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    return Dataset(sha256=sha256, sources=(), max_file_size=100_000, classes=classes)


DATASETS["mnist"] = _small(tuple("0123456789"))
DATASETS["other"] = _small(tuple("abcdefghij"))
"""


class Project:
    """The workflow in `folder`, and what a person would do with it."""

    def __init__(self, folder):
        self.folder = Path(folder)

    @property
    def results(self):
        return self.folder / "results"

    @property
    def run_folder(self):
        """The folder of the only training run."""
        (folder,) = (self.results / "runs").iterdir()
        return folder

    def configure(self, settings):
        """Write a config.yaml of these nested settings, and the small ones beside them."""
        merged = deepcopy(SMALL)
        for name, value in settings.items():
            if isinstance(value, dict) and name in merged:
                merged[name] |= value
            else:
                merged[name] = value
        (self.folder / "config.yaml").write_text(yaml.safe_dump(merged))

    def snakemake(self, *arguments, cwd=None, env=None):
        """Run Snakemake as a person would; returns the finished process, its output as text."""
        return snakemake(cwd or self.folder, "--cores", "2", *arguments, env=env)

    def run(self, *arguments, **options):
        """Run Snakemake, which must succeed; returns all that it printed."""
        process = self.snakemake(*arguments, **options)
        output = process.stdout + process.stderr
        assert process.returncode == 0, output
        return output

    def train(self, *arguments):
        """Run as far as training."""
        return self.run("--omit-from", "evaluate", *arguments)

    def tool(self, name, *arguments, options=()):
        """Run a program of workflow/tools, as make does; returns the finished process.

        `options` are those of Python.
        """
        command = [sys.executable, *options, self.folder / "workflow/tools" / name, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def plan(self, *arguments, **options):
        """How often each rule would run: {rule: number of jobs}, without targets."""
        return planned(self.run("--dry-run", *arguments, **options))


def snakemake(folder, *arguments, env=None):
    """Run Snakemake in `folder`; returns the finished process, its output as text."""
    arguments = [*map(str, arguments)]
    with TemporaryDirectory() as temporary:
        stdout, stderr = Path(temporary, "stdout"), Path(temporary, "stderr")
        request = {
            "folder": str(folder),
            "arguments": arguments,
            "environment": env or {},
            "stdout": str(stdout),
            "stderr": str(stderr),
        }
        server = start_server()
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(
            ["snakemake", *arguments], code, stdout.read_text(), stderr.read_text()
        )


@cache
def start_server():
    """The process of snakemake_server.py, which ends with this one."""
    return subprocess.Popen(
        [sys.executable, CHECKOUT / "tests/helpers/snakemake_server.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def planned(output):
    """The jobs that Snakemake lists, {rule: number of jobs}, without targets."""
    if "Nothing to be done" in output:
        return {}
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", output, re.MULTILINE | re.DOTALL)
    jobs = Counter()
    for line in table[1].splitlines():
        rule, count = line.split()
        jobs[rule] += int(count)
    return {rule: n for rule, n in jobs.items() if rule not in TARGETS}


def copy_workflow(folder):
    """The workflow as it is in the checkout, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    return Project(folder)


# A statement without an effect: for the engine it is other code, as it may have one.
EDIT = "\nlen('An edit.')\n"
BLOCK = "\nwith stage_job("  # the last statement of a script


def append(path, text=EDIT):
    """Append `text` to a file; to a script, before its last statement."""
    source, block, work = path.read_text().partition(BLOCK)
    path.write_text(f"{source}{text}{block}{work}")


def set_key(project, key, value):
    """Change one key of the project's config.yaml."""
    path = project.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    *sections, name = key.split(".")
    place = config
    for section in sections:
        place = place.setdefault(section, {})
    place[name] = value
    path.write_text(yaml.safe_dump(config))


def write_own_npz(path, seed=0):
    """Write a dataset of one's own: 60 images of 3 classes, without a test half."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (60, 6, 5), np.uint8)
    np.savez(path, x_train=images, y_train=np.arange(60) % 3)


def write_own_images(folder, seed=0):
    """Write 60 images of 3 classes as PNG files, without a test half."""
    rng = np.random.default_rng(seed)
    for i in range(60):
        path = folder / "abc"[i % 3] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (6, 5), np.uint8)).save(path)


def copy_with_small_data(folder):
    """The workflow in `folder` with a small dataset of two names, mnist and other."""
    project = copy_workflow(folder)
    raw = folder / "raw"
    raw.mkdir()
    write_idx(raw)
    registry = folder / "workflow/scripts/scratchnet/data/registry.py"
    registry.write_text(registry.read_text() + SMALL_DATASETS)
    schema = folder / "workflow" / "schemas" / "config.schema.yaml"
    schema.write_text(schema.read_text().replace("      - kmnist\n", "      - other\n"))
    project.configure({})
    return project


def share_project(tmp_path_factory, name, make):
    """The project `name`, which the first test process that needs it makes for all of them.

    Nobody changes it, nor runs Snakemake in it.
    """
    top = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        top = top.parent  # the folder of all processes
    folder, done = top / name / "a project", top / f"{name} is done"
    with (top / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(folder)
            done.touch()
    return Project(folder)
