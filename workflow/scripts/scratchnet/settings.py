"""The settings of one run, flat by dotted key: {"training.epochs": 20, ...}; and as a YAML file."""

from pathlib import Path

import yaml

from scratchnet.files import write_text


def write_settings(settings, path):
    """Write flat `settings` as YAML of the shape of config.yaml."""
    nested = {}
    for key, value in settings.items():
        *sections, name = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    write_text(path, yaml.safe_dump(nested, sort_keys=False))


def read_settings(path):
    """The flat settings that `write_settings` wrote."""
    return _flatten(yaml.safe_load(Path(path).read_text(encoding="utf-8")))


def _flatten(nested, prefix=""):
    flat = {}
    for name, value in nested.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
