"""Finding a trained run by its name, with the files that are needed to use its network."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scratchnet.errors import ConfigError, shorten_list, show_name
from scratchnet.planning import paths
from scratchnet.planning.settings import read_settings
from scratchnet.planning.stage_settings import data_name
from scratchnet.planning.yaml_file import read_yaml

MAX_LISTED = 20  # runs in an error message
TRAIN_FIRST = "`snakemake --cores 4` trains one"


@dataclass(frozen=True)
class TrainedRun:
    """A run at one of its epochs.

    `name` is e.g. mnist-softmax-1a2b3c4d/epoch-0020. `files` maps checkpoint, manifest, metrics and
    X_test to their paths. `convolutions` are the settings of its convolution blocks, and
    `activation` is that of blocks and hidden layers, or None without any.
    """

    name: str
    files: Mapping[str, str]
    convolutions: Sequence[Mapping]
    activation: str | None


def find_run(root: str | Path, name: str) -> TrainedRun:
    """Return the trained run called `name`; results/ lies in the folder `root`.

    `name` is "latest", a run, or a run at one of its epochs, and may be a path that ends so. The
    last epoch is the default. Raises ConfigError if there is no such run, or if a file is missing.
    """
    parts = [part for part in Path(name).parts if not re.fullmatch(r"epoch-\d+|\.\.|/+", part)]
    run = parts[-1] if parts else ""
    latest = Path(root, paths.LATEST)
    if run == "latest" and latest.is_symlink():
        run = latest.readlink().name
    folder = Path(root, paths.RUN.format(run=run))
    if not run or not folder.is_dir():
        names = sorted(show_name(path.name) for path in folder.parent.glob("*/"))
        known = shorten_list(names, MAX_LISTED)
        raise ConfigError(
            f"there is no run named {show_name(run or name)} in {show_name(folder.parents[1])}; "
            + (f"there are {', '.join(known)}" if known else TRAIN_FIRST)
        )
    epoch = _find_epoch(root, run, name)
    settings = _read_settings_of_run(root, run, epoch)
    wildcards = {"run": run, "epoch": epoch, "data": data_name(settings)}
    patterns = {
        "checkpoint": paths.CHECKPOINT,
        "manifest": paths.MANIFEST,
        "metrics": paths.METRICS,
        "X_test": paths.ARRAYS["X_test"],
    }
    files = {
        role: str(Path(root, pattern.format(**wildcards))) for role, pattern in patterns.items()
    }
    missing = [path for path in files.values() if not Path(path).is_file()]
    if missing:
        lacking = " and ".join(map(show_name, missing))
        raise ConfigError(f"{show_name(run)} is incomplete: it lacks {lacking}")
    architecture = settings.get("model.convolutions", []), settings.get("model.activation")
    return TrainedRun(f"{run}/epoch-{epoch}", files, *architecture)


def _read_settings_of_run(root, run, epoch):
    path = Path(root, paths.RUN_CONFIG.format(run=run, epoch=epoch))
    if not path.is_file():
        raise ConfigError(f"{show_name(path)} is missing; `snakemake --cores 4` writes it")
    read_yaml(path)
    return read_settings(path)


def _find_epoch(root, run, name):
    """The epoch of `run` that `name` asks for, or else the last one that was evaluated."""
    metrics = Path(root).glob(paths.METRICS.format(run=run, epoch="*"))
    evaluated = sorted(path.parent.name for path in metrics)
    last = Path(name).name
    epoch = last if re.fullmatch(r"epoch-\d+", last) else (evaluated or [""])[-1]
    if epoch not in evaluated:
        shown = ", ".join(map(show_name, evaluated))
        raise ConfigError(
            f"{show_name(run)} has no {epoch or 'evaluated epoch'}; "
            + (f"it has {shown}" if evaluated else TRAIN_FIRST)
        )
    return epoch.removeprefix("epoch-")
