"""Configurations for tests: nested and flat, and what is wrong with one."""

from pathlib import Path

import pytest

from scratchnet.errors import ConfigError
from scratchnet.planning.config import OPTIONAL, resolve_runs
from scratchnet.planning.schema import VARIATIONS, load_schema, setting_schemas

CONFIG = Path(__file__).parents[2] / "config.yaml"
SETTINGS = setting_schemas(load_schema())
LEAVES = {key: leaf for key, leaf in SETTINGS.items() if key not in VARIATIONS}
DEFAULTS = {key: leaf["default"] for key, leaf in LEAVES.items()}
# What keys that mean something only beside others need.
BESIDE = {
    "model.convolutions": {
        "model.convolutions": [{"filters": 2, "kernel": 3, "pool": 1, "padding": "valid"}]
    },
    "model.activation": {"model.hidden": [5]},
    "model.dropout": {"model.hidden": [5]},
    **{
        f"augmentation.{name}": {f"augmentation.{name}": 0.25}
        for name in ("shift", "rotation", "scale", "shear", "elastic")
    },
    "augmentation.elastic_sigma": {"augmentation.elastic": 2.0},
    "training.replicas": {"training.replicas": 2},
    "training.class_weight": {"training.class_weight": "balanced"},
    "training.nesterov": {"training.momentum": 0.5},
    "training.decay_epochs": {"training.schedule": "step"},
    "training.decay_rate": {"training.schedule": "step"},
    "training.patience": {"validation_fraction": 0.1},
}
NOT_SWEEPABLE = (
    *("classes", "training.checkpoint_every"),
    *("download.", "export.", "predict.", "plots."),
)
SWEEPABLE = [key for key in LEAVES if not key.startswith(NOT_SWEEPABLE)]
SECTIONS = sorted({key.split(".")[0] for key in LEAVES if "." in key})


def nested(dotted, value):
    """{"training.seed": 1} as {"training": {"seed": 1}}, with what the key needs beside it."""
    return unflat(BESIDE.get(dotted, {}) | {dotted: value})


def unflat(settings):
    config = {}
    for dotted, value in settings.items():
        *sections, name = dotted.split(".")
        place = config
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return config


def run_of(changes=None):
    """The run that the defaults and `changes` make: without what does not apply there."""
    run = DEFAULTS | (changes or {}) | {"files": None}
    missing = {"test_fraction"} | {key for key in OPTIONAL if run[key] == DEFAULTS[key]}
    if not run["model.hidden"] and not run["model.convolutions"]:
        missing |= {"model.activation", "model.dropout"}
    if not run["augmentation.elastic"]:
        missing |= {"augmentation.elastic_sigma"}
    if run["training.optimizer"] == "adam":
        missing |= {"training.momentum", "training.nesterov"}
    if not run["training.momentum"]:
        missing |= {"training.nesterov"}
    if run["training.schedule"] == "constant":
        missing |= {"training.decay_epochs", "training.decay_rate"}
    return {key: value for key, value in run.items() if key not in missing}


def flat(config, prefix=""):
    """The reverse; a list or an empty section is a value."""
    found = {}
    for name, value in config.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def message_of(config):
    with pytest.raises(ConfigError) as caught:
        resolve_runs(config)
    return str(caught.value)


def problems_of(config):
    """The lines of the message: one for each problem."""
    first, *lines = message_of(config).splitlines()
    assert first == "the configuration is not valid:"
    return [line.strip() for line in lines]


def types_of(leaf):
    types = leaf.get("type", [])
    return [types] if isinstance(types, str) else types
