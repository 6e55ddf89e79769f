"""The configuration: validated, completed with defaults, and expanded into runs.

Allowed values and defaults are defined in `schemas/config.schema.yaml` and nowhere else.
"""

import difflib
import itertools
import json
import math
from functools import cache
from pathlib import Path

import jsonschema
import yaml

from scratchnet.data import user_data
from scratchnet.errors import ConfigError
from scratchnet.fingerprint.values import canonical

SCHEMA = Path(__file__).parents[3] / "schemas" / "config.schema.yaml"
SWEEPABLE = ("dataset", "test_fraction", "validation_fraction", "model", "training")

# Settings that have an effect only together with certain others. Otherwise they are left out of a
# run: changing them makes nothing stale, and runs that differ in nothing else are one run.
APPLIES = {
    "test_fraction": lambda run: "content" in run,
    "model.activation": lambda run: run["model.hidden"],
    "model.dropout": lambda run: run["model.hidden"],
    "training.momentum": lambda run: run["training.optimizer"] == "sgd",
    "training.nesterov": lambda run: run.get("training.momentum"),
    "training.decay_epochs": lambda run: run["training.schedule"] != "constant",
    "training.decay_rate": lambda run: run["training.schedule"] != "constant",
}


def check_yaml(path):
    """Raise ConfigError, which names the line, if the file `path` is not valid YAML."""
    try:
        yaml.load(Path(path).read_text(encoding="utf-8"), yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}"
        raise ConfigError(f"{path} is not valid YAML: {where}: {error.problem}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from None


def resolve_runs(config):
    """Return the settings of each run that `config` asks for: a list of flat {dotted key: value}.

    The settings are validated, and defaults are filled in. A sweep has one run for each
    combination of its values, and the runs are sorted by these values. For the user's own data,
    "dataset" is a label, "files" maps roles to paths, and "content" is a hash. Raises ConfigError,
    which lists every mistake.
    """
    schema = load_schema()
    if isinstance(config, dict):
        config = config | {"sweep": _as_lists(config.get("sweep"))}
    config = _complete(config, schema)
    problems = [
        problem
        for error in jsonschema.Draft202012Validator(schema).iter_errors(config)
        for problem in _explain(error)
    ]
    _raise_if_any(problems)
    base = {key: _get(config, key) for key in setting_schemas(schema) if key != "sweep"}
    runs = {}
    for section in _sections(config["sweep"]):
        for values in itertools.product(*section.values()):
            run = base | dict(zip(section, values))
            problems += _conflicts_in(run)
            try:
                run |= _dataset_settings(run["dataset"])
            except ConfigError as error:
                problems.append(f"dataset: {error}")
            for key, applies in APPLIES.items():
                if not applies(run):
                    del run[key]
            runs[canonical({**run, "files": None})] = run
    _raise_if_any(problems)
    return sorted(
        runs.values(), key=lambda run: [_sort_key(run.get(key)) for key in swept_keys(config)]
    )


def swept_keys(config):
    """Return the dotted keys that the sweep of `config` has values for, in alphabetical order."""
    return sorted({key for section in _sections(config.get("sweep")) for key in section})


def _sections(sweep):
    """Return a sweep as a list of sections {dotted key: list of values}."""
    return sweep if sweep and isinstance(sweep, list) else [sweep or {}]


def _as_lists(sweep):
    """Return `sweep` with each value that is not a list as a list of one."""
    if isinstance(sweep, list):
        return [_as_lists(part) for part in sweep]
    if not isinstance(sweep, dict):
        return sweep
    return {key: value if isinstance(value, list) else [value] for key, value in sweep.items()}


def _sort_key(value):
    """Return a key that sorts missing settings first, then numbers, lists, and text."""
    if value is None:
        return (0,)
    kinds = [(int, float), list, str]
    return next(i for i, kind in enumerate(kinds, start=1) if isinstance(value, kind)), value


@cache
def _dataset_settings(dataset):
    """Return the settings that follow from `dataset`: a public dataset, or a path of the user's.

    Raises ConfigError when it is neither.
    """
    public = load_schema()["properties"]["dataset"]["examples"]
    if dataset in public:
        return {"dataset": dataset, "files": None}
    try:
        files = user_data.find_files(dataset)
    except ConfigError as error:
        close = difflib.get_close_matches(dataset, public, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ConfigError(
            f"{_shown(dataset)} is neither one of {', '.join(public)} nor a path to your own data: "
            f"{error}{hint}"
        ) from None
    return {
        "dataset": user_data.dataset_label(dataset),
        "content": user_data.hash_contents(files),
        "files": {role: str(path) for role, path in files.items()},
    }


def _conflicts_in(run):
    """Yield what is wrong with the combination of settings, each of which is allowed."""
    if run["training.patience"] and not run["validation_fraction"]:
        yield (
            "training.patience: early stopping needs validation images; "
            "set validation_fraction above 0"
        )


def _raise_if_any(problems):
    if problems:
        lines = sorted(dict.fromkeys(problems))
        raise ConfigError("\n  ".join(["the configuration is not valid:", *lines]))


@cache
def load_schema():
    """Return the JSON schema of the configuration, with the keys of `sweep` spelled out."""
    schema = yaml.load(SCHEMA.read_text(encoding="utf-8"), yaml.CSafeLoader)
    section = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: {"type": "array", "minItems": 1, "uniqueItems": True, "items": leaf}
            for key, leaf in setting_schemas(schema).items()
            if key.split(".")[0] in SWEEPABLE
        },
    }
    schema["properties"]["sweep"] |= section | {"type": ["object", "array"], "items": section}
    return schema


def setting_schemas(schema, prefix=""):
    """Return {dotted key: schema} of all settings; `sweep` counts as one setting."""
    found = {}
    for name, part in schema["properties"].items():
        if "properties" in part and name != "sweep":
            found |= setting_schemas(part, f"{prefix}{name}.")
        else:
            found[prefix + name] = part
    return found


def _complete(value, schema):
    """Return `value` with defaults filled in, and numbers converted to the type in the schema.

    Some numbers arrive as text: YAML reads 1e-3 as text, and Snakemake's --config every nested
    value.
    """
    if isinstance(value, list) and "items" in schema:
        return [_complete(item, schema["items"]) for item in value]
    if "properties" in schema:
        if value is None:  # a section in which every line is commented out
            value = {}
        if not isinstance(value, dict):
            return value
        parts = schema["properties"]
        missing = {
            name: part.get("default", {})
            for name, part in parts.items()
            if name not in value and ("default" in part or part["type"] == "object")
        }
        return {
            name: _complete(item, parts[name]) if name in parts else item
            for name, item in (missing | value).items()
        }
    types = _types(schema)
    if value == "null" and "null" in types:
        return None
    if "boolean" in types and isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower(), value)
    if isinstance(value, bool):
        return value
    if {"integer", "number"} & {*types}:
        return _number(value, schema)
    if "string" in types and isinstance(value, (int, float)):  # a folder or a class called 7
        return str(value)
    return value


def _number(value, schema):
    """Return the number that `value` is or spells; any other value is returned as it is."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    except OverflowError:  # an integer too large for a float
        number = math.inf
    if not math.isfinite(number):
        return str(value)  # text, which validation rejects: JSON schema does not know nan
    if "number" in _types(schema):
        return number
    return int(number) if number.is_integer() else number


def _types(schema):
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else types


def _get(config, dotted):
    for name in dotted.split("."):
        config = config[name]
    return config


def _explain(error):
    """Yield a line for each key that a validation error is about."""
    path = ""
    for step in error.absolute_path:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else str(step)
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        for name in error.instance:
            if name not in known:
                close = difflib.get_close_matches(str(name), known, n=1)
                hint = (
                    f"did you mean {close[0]}?" if close else f"known keys are {', '.join(known)}"
                )
                shown = name if str(name).isprintable() else _shown(name)
                yield f"{path}{'.' if path else ''}{shown}: unknown key; {hint}"
    else:
        value, allowed = error.instance, _allowed(error.schema)
        yield f"{path or 'config'}: {_shown(value)} is not allowed; it must be {allowed}"


def _shown(value):
    """Return `value` as in config.yaml, on one line of moderate length."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    if not text.isprintable():
        text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _allowed(schema):
    """Return what a schema allows, in words."""
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    words = []
    for kind in _types(schema):
        if kind in ("integer", "number"):
            bounds = [
                f"{word} {schema[key]}"
                for key, word in (
                    ("minimum", "at least"),
                    ("exclusiveMinimum", "above"),
                    ("maximum", "at most"),
                    ("exclusiveMaximum", "below"),
                )
                if key in schema
            ]
            name = "a whole number" if kind == "integer" else "a number"
            words.append(" ".join([name, " and ".join(bounds)]))
        elif kind == "array" and _types(schema["items"]) == ["object"]:
            words.append("a list of such sections")
        elif kind == "array":
            text = "a list of one or more" if schema.get("minItems") else "a list"
            text += f", each item {_allowed(schema['items'])}"
            words.append(text + (", without duplicates" if schema.get("uniqueItems") else ""))
        elif kind == "object":
            words.append("a section with the keys " + ", ".join(schema["properties"]))
        else:
            words.append({"null": "null", "string": "text", "boolean": "true or false"}[kind])
    return ", or ".join(words)
