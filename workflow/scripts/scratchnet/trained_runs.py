"""A run that was trained before, found by its name: what is needed to use its network."""

import re
from dataclasses import dataclass
from pathlib import Path

from scratchnet import pipeline
from scratchnet.config import check_yaml
from scratchnet.errors import ConfigError
from scratchnet.settings import read_settings


@dataclass(frozen=True)
class TrainedRun:
    """A run at one of its epochs, called e.g. mnist-softmax-1a2b3c4d/epoch-0020.

    `files` maps checkpoint, manifest, metrics and X_test to their paths; `activation` is that of
    the hidden layers, or None without any.
    """

    name: str
    files: dict
    activation: str | None


def find_run(results, name):
    """The TrainedRun called `name` in the folder `results`.

    That is "latest", a run, or a run at one of its epochs; otherwise the last one is taken. A path
    is as good as its last parts. Raises ConfigError where there is no such run, or not all of it.
    """
    results = Path(results)
    parts = [part for part in Path(name).parts if not re.fullmatch(r"epoch-\d+|\.\.|/+", part)]
    run = parts[-1] if parts else ""
    if run == "latest" and (results / "latest").is_symlink():
        run = (results / "latest").readlink().name
    folder = results / f"runs/{run}"
    if not run or not folder.is_dir():
        known = sorted(path.name for path in results.glob("runs/*/"))
        raise ConfigError(
            f"there is no run {run or name} in {results}; "
            + (f"there are {', '.join(known)}" if known else "`snakemake --cores 4` trains one")
        )
    if not (folder / "config.yaml").is_file():
        raise ConfigError(f"{folder}/config.yaml is missing; `snakemake --cores 4` makes it")
    epochs = sorted(path.parent.name for path in folder.glob("epoch-*/metrics.json"))
    epoch = Path(name).name if re.fullmatch(r"epoch-\d+", Path(name).name) else (epochs or [""])[-1]
    if epoch not in epochs:
        raise ConfigError(
            f"{folder} has no {epoch or 'tested epoch'}; "
            + (f"it has {', '.join(epochs)}" if epochs else "`snakemake --cores 4` makes one")
        )
    check_yaml(folder / "config.yaml")
    settings = read_settings(folder / "config.yaml")
    data = results / "data" / pipeline.data_name(settings)
    files = {
        "checkpoint": folder / f"checkpoints/{epoch}.npz",
        "manifest": data / "manifest.json",
        "metrics": folder / epoch / "metrics.json",
        "X_test": data / "X_test.npy",
    }
    missing = [str(path) for path in files.values() if not path.is_file()]
    if missing:
        raise ConfigError(f"of {run}, {' and '.join(missing)} is missing")
    return TrainedRun(
        f"{run}/{epoch}",
        {role: str(path) for role, path in files.items()},
        settings.get("model.activation"),
    )
