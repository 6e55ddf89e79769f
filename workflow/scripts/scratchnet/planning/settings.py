"""The settings of a run as a YAML file; in memory they are flat: {"training.epochs": 20, ...}."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from scratchnet.files import write_text


def write_settings(settings: Mapping, path: str | Path) -> None:
    """Write flat `settings` to `path` as YAML, nested as in config.yaml.

    Those of a run are a configuration that gives this run again. The `content` of own data is
    compared; `dataset` is a label then, and has to become a path.
    """
    nested = {}
    for key, value in settings.items():
        *sections, name = key.split(".")
        section_settings = nested
        for section in sections:
            section_settings = section_settings.setdefault(section, {})
        section_settings[name] = value
    write_text(path, yaml.safe_dump(nested, sort_keys=False))


def read_settings(path: str | Path) -> dict:
    """Return the flat settings in a file that `write_settings` wrote."""
    return _flatten(yaml.load(Path(path).read_text(encoding="utf-8"), yaml.CSafeLoader))


def _flatten(nested, prefix=""):
    flat = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
