"""The runs in results/, whatever configuration asked for them: their settings, how they differ."""

from snakefresh.records import read_record, record_path

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from scratchnet.planning import paths
from scratchnet.planning.config import APPLIES, choose_initializer, value_of
from scratchnet.planning.runs import abbreviate
from scratchnet.planning.settings import read_settings
from scratchnet.planning.stage_settings import READS

# What reading a file of a run may raise if somebody has edited it, or a disk has damaged it.
DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError)
DAMAGE += (yaml.YAMLError, zipfile.BadZipFile)


def last_epoch(root: str | Path, run: str) -> str | None:
    """Return the last epoch of a run that was evaluated, or else trained; None without any.

    It is a wildcard, e.g. "0020"; results/ lies in the folder `root`.
    """
    for pattern in (paths.METRICS, paths.CHECKPOINT):
        before, after = pattern.format(run=run, epoch="*").split("*")
        found = sorted(map(str, Path(root).glob(f"{before}{'[0-9]' * 4}{after}")))
        if found:
            return found[-1].removesuffix(after)[-4:]
    return None


def read_stored_settings(root: str | Path, run: str, epoch: str) -> dict:
    """Return the settings of a run by dotted key, as its evaluation wrote them, or its records.

    A value is None where the setting does not apply. What is null in config.yaml is "null".

    Raises OSError or ValueError if there are none.
    """
    path = Path(root, paths.RUN_CONFIG.format(run=run, epoch=epoch))
    if path.exists():
        settings = read_settings(path)
    else:
        record = _read_record(root, paths.CHECKPOINT.format(run=run, epoch=epoch))
        (array,) = record["wiring"]["inputs"]["X_train"]
        first = paths.ARRAYS["X_train"].format(data=Path(array).parent.name)
        settings = _read_record(root, first)["settings"] | record["settings"]
    return {key: _value(key, settings) for key in READS["evaluate"]}


def _read_record(root, output):
    path = record_path(Path(root, output))
    if not (record := read_record(path)):
        raise ValueError(f"{path} is missing or damaged")
    return record


def _value(key, settings):
    if key == "content":
        return settings.get(key)
    automatic = key == "model.initializer" and settings.get(key) == choose_initializer(settings)
    value = settings[key] if key in settings else value_of(key, {"files": None} | settings)
    if automatic or (value is None and key not in APPLIES):
        return "null"
    return abbreviate(value)


def differing_settings(runs: Sequence[Mapping]) -> dict:
    """Return the settings in which `runs` differ, {dotted key: value of each run}.

    `runs` are those of `read_stored_settings`. That a setting applies to some of them only is no
    difference by itself: what else differs is why.
    """
    found = {}
    for key in runs[0]:
        values = [run[key] for run in runs]
        applying = [value for value in values if value is not None]
        if any(value != applying[0] for value in applying):
            found[key] = values
    return found
