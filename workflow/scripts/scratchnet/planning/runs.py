"""The runs that a configuration asks for, and which results belong to which run."""

from collections.abc import Mapping
from copy import copy
from functools import cache
from pathlib import Path

from scratchnet.errors import ConfigError
from scratchnet.planning import paths
from scratchnet.planning.config import resolve_runs, resolve_search, swept_keys, value_of
from scratchnet.planning.search import make_search
from scratchnet.planning.stage_settings import (
    NETWORK,
    data_name,
    identity,
    run_name,
    short_hash,
)

# The wildcards that tell which run a result belongs to, the most telling first.
FOLDERS = ("run", "data", "dataset", "sweep", "search")


class Runs:
    """The runs of a configuration, whose results/ lies in the folder `root`.

    `settings` has the settings of each run, flat by dotted key; `wildcards` has the wildcards of
    its results. `rows` has the lines of the summary: the run, its folder, its values of the `swept`
    keys, and the paths of what was measured. `sweep` is the folder in which they are compared.
    `epochs` has the epochs that are asked for, by run: of a trial, those of all rungs. `search` is
    None, or the Search whose trials the runs are. Raises ConfigError where the configuration is not
    valid.
    """

    def __init__(self, config, root=""):
        self.settings = resolve_runs(config)
        self.swept = swept_keys(config)
        places = [
            {
                "dataset": settings["dataset"],
                "data": data_name(settings),
                "run": run_name(settings),
                "epoch": paths.epoch_name(settings["training.epochs"]),
            }
            for settings in self.settings
        ]
        _check_names(self.settings, places)
        self.rows = [
            _summary_row(settings, place, self.swept, root)
            for settings, place in zip(self.settings, places)
        ]
        self.sweep = sweep_name(self.swept, self.rows)
        section = resolve_search(config)
        self.search = make_search(section, self.rows) if section else None
        group = {"search": self.search.name} if self.search else {"sweep": self.sweep}
        self.wildcards = [place | group for place in places]
        self.epochs = {place["run"]: set() for place in places}
        for place in places:
            self.epochs[place["run"]] |= {int(place["epoch"]), *(section.get("epochs", []))}
        self._index = {
            place[kind]: i
            for i, place in enumerate(self.wildcards)
            for kind in FOLDERS
            if kind in place
        }
        self._together = self._put_together()
        self.only, self._ranked = cache(self.only), cache(self._ranked)

    def settings_of(self, wildcards: Mapping) -> dict:
        """Return the settings of the run, or of all runs, that a result belongs to.

        Raises ConfigError where the result belongs to another configuration.
        """
        if not wildcards:
            return self._together
        index = self._index_of(wildcards)
        if "search" in wildcards:
            return self._ranked(int(wildcards.get("rung", len(self.search.rungs))))
        return self._together if "sweep" in wildcards else self.settings[index]

    def only(self, run: str):
        """Return these Runs with `run` alone: what is said of a search once its winner is known."""
        one, i = copy(self), self._index[run]
        one.settings, one.rows, one.wildcards = (
            [self.settings[i]],
            [self.rows[i]],
            [self.wildcards[i]],
        )
        one._together = one._put_together()
        return one

    def describe(self, run: str) -> str:
        """Return what sets a run apart from the others: "learning_rate 0.1, seed 2"; or its name.

        Settings that do not apply to it are left out, and its epochs: with others it is the same.
        """
        swept = {k: v for k, v in self.rows[self._index[run]]["swept"].items() if v is not None}
        swept.pop("training.epochs", None)
        return describe_settings(swept) or run

    def _put_together(self):
        """Return the settings of stages that put all runs together: those that all share, and the
        runs.
        """
        networks = [{key: run[key] for key in NETWORK if key in run} for run in self.settings]
        together = {"rows": self.rows, "runs": self.settings, "networks": networks}
        return self.settings[0] | together

    @property
    def has_best(self):
        """Whether there is a run to point at: the only one, or the best on validation images."""
        validated = [run for run in self.settings if run["validation_fraction"]]
        return len(self.settings) == 1 or self.search is not None or len(validated) > 1

    def _ranked(self, rung):
        """The settings of the stages that rank trials, up to a rung."""
        return self.settings[0] | {
            "trials": self.search.trials,
            "rungs": self.search.rungs[:rung],
            "axes": self.search.axes,
            "runs": self.settings,
        }

    def all_wildcards(self, wildcards: Mapping) -> dict:
        """Return `wildcards` with all others of the same run."""
        if {"run", "data", "dataset"}.isdisjoint(wildcards):
            return dict(wildcards)
        return self.wildcards[self._index_of(wildcards)] | wildcards

    def _index_of(self, wildcards):
        kind = next(kind for kind in FOLDERS if kind in wildcards)
        if (folder := wildcards[kind]) not in self._index:
            names = dict.fromkeys(place[kind] for place in self.wildcards if kind in place)
            raise ConfigError(
                f"{folder} belongs to another configuration; the present one has {', '.join(names)}"
            )
        return self._index[folder]


def _check_names(runs, places):
    """Raise ConfigError if two runs would share a folder although they differ in its settings.

    The hash in a name is short, so this can happen by chance.
    """
    for stage, kind in (("preprocess", "data"), ("train", "run")):
        found = {}
        for settings, place in zip(runs, places):
            own, name = identity(stage, settings), place[kind]
            other = found.setdefault(name, own)
            if own != other:
                differences = (
                    f"{key}: {other[part].get(key)} and {own[part].get(key)}"
                    for part in own
                    for key in own[part] | other[part]
                    if own[part].get(key) != other[part].get(key)
                )
                raise ConfigError(
                    f"two runs would have the same folder {name}, by chance. They differ in "
                    f"{'; '.join(differences)}. Leave one of them out, or change one of these "
                    "values slightly"
                )


def sweep_name(swept: list, rows: list) -> str:
    """Return the folder in which `rows` are compared, e.g. learning_rate-seed-1a2b3c4d."""
    names = [key.rsplit(".", 1)[-1] for key in swept]
    return "-".join([*names, short_hash(rows)])


def _summary_row(settings, place, swept, root):
    def path(pattern):
        return str(Path(root, pattern.format(**place)))

    return {
        "run": place["run"],
        "folder": path(paths.EPOCH),
        "swept": {key: abbreviate(value_of(key, settings)) for key in swept},
        "metrics": path(paths.METRICS),
        "history": path(paths.HISTORY),
        "record": path(paths.TRAINING_RECORD),
    }


def describe_settings(settings: Mapping) -> str:
    """Return settings {dotted key: value} as a name: "learning_rate 0.1, momentum 0.9"."""

    def shown(value):
        if isinstance(value, float):  # a search draws 17 digits
            return str(float(f"{value:.4g}"))
        return str(value)

    return ", ".join(f"{key.rpartition('.')[2]} {shown(value)}" for key, value in settings.items())


def abbreviate(value):
    """Return a swept `value` as the summary shows it; convolutions are 6@5x5/2 for pool: 2."""
    if not isinstance(value, list) or not any(isinstance(item, dict) for item in value):
        return value
    return ", ".join(
        f"{block['filters']}@{block['kernel']}x{block['kernel']}"
        + (f"/{block['pool']}" if block["pool"] > 1 else "")
        + (f" {block['pooling'].replace('_', ' ')}" if "pooling" in block else "")
        + (f" stride {block['stride']}" if "stride" in block else "")
        + (" same" if block["padding"] == "same" else "")
        for block in value
    )
