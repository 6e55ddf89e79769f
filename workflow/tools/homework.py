"""Grade homework: find the best run in a table of `make runs FORMAT=csv`, and repeat it."""

import csv
import os
import re
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import yaml
from snakemake.utils import update_config

from scratchnet.data.registry import DATASETS
from scratchnet.errors import ConfigError, escape, show_name
from scratchnet.files import read_csv, read_json, write_text
from scratchnet.planning import paths
from scratchnet.planning.runs import Runs
from scratchnet.planning.yaml_file import read_yaml

CHECKOUT = Path(__file__).resolve().parents[2]
DOWNLOADED = CHECKOUT / paths.RESULTS / "data"
# What homework may set. Other keys name files, or ask for many runs.
KEYS = ("augmentation", "dataset", "model", "standardize", "training", "validation_fraction")
ACCURACIES = ("validation_accuracy", "test_accuracy")
TOLERANCE = 0.0005  # between processors
SECONDS = 600  # of a run
MEMORY, FILE_SIZE = 4_000_000_000, 1_000_000_000  # bytes
MAX_SIZE = {".csv": 1_000_000, ".yaml": 10_000}  # bytes
UNREADABLE = (OSError, ValueError, LookupError, TypeError, RecursionError, csv.Error)


def grade_homework(name, folder, work):
    """Return the columns about NAME.csv and NAME.yaml in `folder`; repeat the run in `work`.

    They are the best run that is claimed, its accuracies, and whether the configuration gives it.
    """
    row = dict.fromkeys(("run", *ACCURACIES, "repeated"), "")
    table, settings = folder / f"{name}.csv", folder / f"{name}.yaml"
    if not table.exists() and not settings.exists():
        return row
    try:
        row |= find_best(table)
    except UNREADABLE as error:
        return row | {"repeated": f"no table of runs: {describe(error)}"}
    try:
        repeated = repeat(settings, row["run"], work)
    except (ConfigError, yaml.YAMLError, *UNREADABLE) as error:
        return row | {"repeated": f"no: {describe(error)}"}
    return row | {"repeated": compare(row, repeated)}


def describe(error):
    return " ".join(escape(str(error), keep="\n").split())[:300]


def check_file(path):
    if not path.is_file() or path.stat().st_size > MAX_SIZE[path.suffix]:
        raise ValueError(f"{show_name(path.name)} is missing, no file, or too large")


def find_best(path):
    """Return the name and the accuracies of the run with the highest validation accuracy."""
    check_file(path)
    best = {"validation_accuracy": -1}
    for found in read_csv(path):
        if not found["validation_accuracy"]:
            continue
        row = {name: float(found[name]) if found[name] else "" for name in ACCURACIES}
        if not all(value == "" or 0 <= value <= 1 for value in row.values()):
            raise ValueError(f"an accuracy in {show_name(path.name)} is not between 0 and 1")
        if row["validation_accuracy"] > best["validation_accuracy"]:
            best = {"run": found["run"]} | row
    if not re.fullmatch(paths.FOLDER_NAME, best.get("run", "")):
        raise ValueError(f"{show_name(path.name)} has no run with a validation accuracy")
    return best


def read_settings(path):
    """Return the settings in a learner's file. Raises ConfigError if it asks for more than a run.

    Other errors are those of YAML that is damaged.
    """
    check_file(path)
    # A few aliases of aliases can stand for millions of values.
    tokens = yaml.scan(path.read_text("utf-8"), yaml.CSafeLoader)
    if any(isinstance(token, yaml.AliasToken) for token in tokens):
        raise ConfigError(f"{show_name(path.name)} has aliases (*): write the values")
    settings = read_yaml(path)
    if others := [show_name(key) for key in settings if key not in KEYS]:
        raise ConfigError(f"homework may not set {', '.join(others)}, but {', '.join(KEYS)}")
    if settings.get("dataset", "mnist") not in DATASETS:
        raise ConfigError("homework may not name a dataset of one's own")
    return settings


def repeat(path, run, work):
    """Return what was measured of the run that the configuration `path` gives.

    If that is not called `run`, raises ConfigError, and nothing is trained. Results go to the
    folder `work`. Raises ValueError if the training fails, or is not finished in time.
    """
    settings = read_settings(path)
    dataset = settings.get("dataset", "mnist")
    config = read_yaml(CHECKOUT / "config.yaml")
    update_config(config, settings)
    update_config(config, {"dataset": dataset, "sweep": None, "search": None})
    if (DOWNLOADED / dataset).is_dir():
        update_config(config, {"download": {"folder": str(DOWNLOADED / dataset)}})
    (place,) = Runs(config).wildcards
    if place["run"] != run:
        raise ConfigError(f"it gives {place['run']}")
    write_text(work / "config.yaml", yaml.safe_dump(config))
    metrics = paths.METRICS.format(**place)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            CHECKOUT / "Snakefile",
            "--directory",
            work,
            "--cores",
            "1",
            "--quiet",
            "all",
            "--",
            metrics,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=set_limits,
    )
    try:
        _, said = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise ValueError(f"not finished after {SECONDS} seconds") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # also what it has started
        process.wait()
    if process.returncode:
        raise ValueError(said.strip().rpartition("\n")[2])
    return read_json(work / metrics)


def set_limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))


def compare(claimed, repeated):
    """Return "yes", or what the accuracies of the repeated run are where others are claimed."""
    different = [
        f"{name} {repeated[name]:.4f}"
        for name in ACCURACIES
        if claimed[name] != "" and not abs(claimed[name] - repeated[name]) <= TOLERANCE
    ]
    return f"no: {', '.join(different)}" if different else "yes"
