"""A small workflow in a folder of its own, and what a person would do with it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

from project import CHECKOUT, snakemake

HERE = Path(__file__).parent
# The folder in which the engine lies.
ENGINE = Path(os.environ.get("SNAKEFRESH", CHECKOUT / "workflow/scripts"))

# As in an environment that is activated.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

ALL = ["clean", "fit", "title", "draw"]

# Of the rules of these workflows, each says its name, its wildcards and why it runs.
MESSAGE = re.compile(r"^Job \d+: ([\w .-]+?)(?: \((.*)\))?$", re.MULTILINE)
SAME = re.compile(r"the same as before: (\S+)")  # (of several outputs the first)


# What Snakemake prints of any run.
USUAL = re.compile(
    r"\s*$|\[|Finished|Select|Execute|\d+ of|Reasons|SNAKEMAKE|===|Using|Provided|Rules claim|"
    r"Assuming|  [A-Z][\w ()]+: |Building|[\w]+ +(count|\d+)$|Job stats|Complete log|Elapsed|----"
)


def shortened(output):
    """What Snakemake printed, without what it always prints."""
    return "\n" + "\n".join(line for line in output.splitlines() if not USUAL.match(line))


class Toy:
    """The workflow in `folder`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.cut_off = set()  # the results of those jobs of the last run that found nothing to do

    def __truediv__(self, path):
        return self.folder / path

    def snakemake(self, *arguments, env=None):
        """Run Snakemake as a person would; returns the finished process, its output as text."""
        env = {"PYTHONPATH": str(ENGINE), "PATH": PATH} | (env or {})
        return snakemake(self.folder, "--cores", "1", *arguments, env=env)

    def run(self, *arguments, **options):
        """Run Snakemake, which must succeed; returns {job that ran: why}."""
        process = self.snakemake(*arguments, **options)
        self.output = process.stdout + process.stderr
        assert process.returncode == 0, shortened(self.output)
        self.cut_off = {*SAME.findall(self.output)}
        return dict(MESSAGE.findall(self.output))

    def plan(self, *arguments, **options):
        """{job that would run: why}."""
        return self.run("--dry-run", *arguments, **options)

    def fails(self, *arguments, **options):
        """Run Snakemake, which must fail; returns all that it printed."""
        process = self.snakemake(*arguments, **options)
        assert process.returncode == 1, shortened(process.stdout + process.stderr)
        return process.stdout + process.stderr

    def plans(self, *stages):
        """Whether just these jobs would run."""
        plan = self.plan()
        assert sorted(plan) == sorted(stages), plan
        return True

    def makes(self, *stages):
        """Whether a run makes just these, and leaves nothing to do."""
        jobs, cut_off = self.run(), self.cut_off
        assert sorted(jobs) == sorted(stages), jobs
        assert self.plans()
        self.cut_off = cut_off
        return True

    def program(self, *arguments):
        """Run `python -m snakefresh`; returns the finished process, its output as text."""
        return subprocess.run(
            [sys.executable, "-m", "snakefresh", *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ENGINE)},
            capture_output=True,
            text=True,
        )

    def start(self, *arguments):
        """Start Snakemake in a process group of its own, which the caller ends."""
        with open(self.folder / "started.log", "w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "snakemake", "--cores", "1", *map(str, arguments)],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(ENGINE)},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, path, process):
        """Wait until a running workflow has made this file."""
        end = time.monotonic() + 60
        while not (self.folder / path).exists():
            assert time.monotonic() < end and process.poll() is None, self.read("started.log")
            time.sleep(0.02)

    def kill(self, process):
        """End a running workflow and its jobs with SIGKILL."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.run("--unlock")

    def results(self):
        """{path: content} of all results, without what is hidden."""
        top = self.folder / "results"
        names = {path.relative_to(top): path for path in sorted(top.rglob("*")) if path.is_file()}
        hidden = {name for name in names if any(part.startswith(".") for part in name.parts)}
        return {str(name): names[name].read_bytes() for name in names if name not in hidden}

    def read(self, path):
        return (self.folder / path).read_text()

    def write(self, path, text):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def append(self, path, text):
        self.write(path, self.read(path) + text)

    def replace(self, path, old, new):
        """Replace a text that is there once."""
        text = self.read(path)
        assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
        self.write(path, text.replace(old, new))

    def set(self, **settings):
        """Change keys of config.yaml."""
        self.write(
            "config.yaml", yaml.safe_dump(yaml.safe_load(self.read("config.yaml")) | settings)
        )

    def delete(self, path):
        (self.folder / path).unlink()

    def record(self, path):
        """The record beside a result."""
        path = self.folder / path
        return path.with_name(f".{path.name}.record")


# Edits, for tables: each is a function of a workflow and the folder that its paths are in.


def replace(path, old, new):
    return lambda toy, folder="": toy.replace(Path(folder, path), old, new)


def append(path, text):
    return lambda toy, folder="": toy.append(Path(folder, path), text)


def write(path, text=""):
    return lambda toy, folder="": toy.write(Path(folder, path), text)


def delete(path):
    return lambda toy, folder="": toy.delete(Path(folder, path))


def both(*edits):
    def edit(toy, folder=""):
        for each in edits:
            each(toy, folder)

    return edit


def copy_toy(source, folder):
    """A copy of a workflow, with its results if it has some."""
    shutil.copytree(source, folder, symlinks=True)
    return Toy(folder)


def make_toy(folder):
    """The workflow of toy/, without results."""
    return copy_toy(HERE / "toy", folder)


def make_workflow(folder, files):
    """A workflow of these {path: text}."""
    toy = Toy(folder)
    for path, text in files.items():
        toy.write(path, text)
    return toy
