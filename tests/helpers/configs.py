"""Configurations for tests: nested and flat, and what is wrong with one."""

from pathlib import Path

import pytest

from scratchnet.errors import ConfigError
from scratchnet.planning.config import leave_out_idle_settings, resolve_runs
from scratchnet.planning.schema import VARIATIONS, load_schema, setting_schemas

CONFIG = Path(__file__).parents[2] / "config.yaml"
SETTINGS = setting_schemas(load_schema())
LEAVES = {key: leaf for key, leaf in SETTINGS.items() if key not in VARIATIONS}
DEFAULTS = {key: leaf["default"] for key, leaf in LEAVES.items()}
# Beside these, every setting applies to one's own data without test images ...
ALL_APPLY = {
    "validation_fraction": 0.1,
    "model.hidden": [5],
    "model.normalization": "layer",
    "augmentation.elastic": 3.0,
    "training.optimizer": "sgd",
    "training.momentum": 0.5,
    "training.schedule": "step",
    "training.class_weight": "balanced",
}
# ... except these, which apply beside another optimizer.
OPTIMIZER_OF = {
    **dict.fromkeys(["training.beta_1", "training.beta_2", "training.epsilon"], "adam"),
    "training.rho": "rmsprop",
}
OF_OWN_DATA = {"test_fraction", "image.size", "image.mode", "image.skip_damaged"}
NOT_SWEEPABLE = (
    "classes",
    "training.checkpoint_every",
    "download.",
    "export.",
    "predict.",
    "plots.",
)
SWEEPABLE = [key for key in LEAVES if not key.startswith(NOT_SWEEPABLE)]
SECTIONS = sorted({key.split(".")[0] for key in LEAVES if "." in key})


def other_values(leaf):
    """Return two values of a setting, from its schema; at most one of them switches it off."""
    if "examples" in leaf:
        return leaf["examples"][1:3]
    if "enum" in leaf:
        return sorted(leaf["enum"], key=lambda value: value is None)[:2]
    if leaf.get("uniqueItems"):  # of ten classes
        return [[*"abcdefghij"], [*"klmnopqrst"]]
    if "items" in leaf:
        n = leaf.get("minItems", 1)
        return [[value] * n for value in other_values(leaf["items"])]
    if "properties" in leaf:
        parts = leaf["properties"]
        return [dict(zip(parts, values)) for values in zip(*map(other_values, parts.values()))]
    kinds = {"integer": [3, 4], "number": [0.5, 0.6], "boolean": [False, True]}
    return kinds.get(types_of(leaf)[0], ["here", "there"])


def nested(dotted, value):
    """{"training.seed": 1} as {"training": {"seed": 1}}, with what the key needs beside it."""
    return unflat(beside(dotted) | {dotted: value})


def beside(dotted):
    """ALL_APPLY with the optimizer that has the setting."""
    return ALL_APPLY | {"training.optimizer": OPTIMIZER_OF.get(dotted, "sgd")}


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
    if not run["model.initializer"]:
        is_bounded = run["model.activation"] in ("sigmoid", "tanh")
        chosen = "glorot_uniform" if is_bounded else "he_uniform"
        has_layers = run["model.hidden"] or run["model.convolutions"]
        run["model.initializer"] = chosen if has_layers else "random_normal"
    return leave_out_idle_settings(run)


def flat(config, prefix=""):
    """The reverse of `unflat`; a list or an empty section is a value."""
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
