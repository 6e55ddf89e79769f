"""The configuration: read, checked, completed, and expanded into runs.

What is allowed, and every default, stands in `schemas/config.schema.yaml` and nowhere else.
"""

import difflib
import itertools
import math
from pathlib import Path

import jsonschema
import yaml

from scratchnet.errors import ConfigError

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"
SWEEPABLE = ("dataset", "validation_fraction", "model", "training")


def resolve(config):
    """The runs that `config` asks for: for each a flat {dotted key: value}, complete and checked.

    With a sweep there is one run for each combination of its values, otherwise there is one run.
    Raises ConfigError, which lists everything that is wrong.
    """
    schema = load_schema()
    config = _complete(config, schema)
    problems = [
        problem
        for error in jsonschema.Draft202012Validator(schema).iter_errors(config)
        for problem in _explain(error)
    ]
    if problems:
        raise ConfigError("\n  ".join(["the configuration is not right:", *sorted(problems)]))
    settings = {key: _get(config, key) for key in leaves(schema)}
    sweep = settings.pop("sweep")
    return [settings | dict(zip(sweep, values)) for values in itertools.product(*sweep.values())]


def load_schema():
    """The JSON schema of the configuration, with the keys of `sweep` spelled out."""
    schema = yaml.load(SCHEMA.read_text(encoding="utf-8"), yaml.CSafeLoader)
    sweep = schema["properties"]["sweep"]
    rules_for_all = sweep["additionalProperties"]
    sweep["properties"] = {
        key: rules_for_all | {"items": leaf}
        for key, leaf in leaves(schema).items()
        if key.split(".")[0] in SWEEPABLE
    }
    sweep["additionalProperties"] = False
    return schema


def leaves(schema, prefix=""):
    """{dotted key: its schema} for each setting; `sweep` counts as one."""
    found = {}
    for name, part in schema["properties"].items():
        if "properties" in part and name != "sweep":
            found |= leaves(part, f"{prefix}{name}.")
        else:
            found[prefix + name] = part
    return found


def _complete(value, schema):
    """`value` with defaults filled in, and with each number as the type that the schema says.

    Numbers arrive as text too: YAML reads 1e-3 as text, and so does Snakemake's --config whatever
    is nested.
    """
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
    if isinstance(value, list) and "items" in schema:
        return [_complete(item, schema["items"]) for item in value]
    if value == "null" and "null" in _types(schema):
        return None
    if {"integer", "number"} & {*_types(schema)} and not isinstance(value, bool):
        return _number(value, schema)
    return value


def _number(value, schema):
    """`value` as the number that it is or spells; unchanged where it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    except OverflowError:  # digits without end
        number = math.inf
    if not math.isfinite(number):
        return str(
            value
        )  # text is not allowed, so this is reported: there is no nan in JSON schema
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
    """What a validation error means: one line for each key that is wrong."""
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
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                yield f"{path}{'.' if path else ''}{name}: there is no such key; {hint}"
    else:
        value, allowed = error.instance, _allowed(error.schema)
        yield f"{path or 'config'}: {value!r} is not allowed; it must be {allowed}"


def _allowed(schema):
    """What a schema allows, in words."""
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
        elif kind == "array":
            text = "a list of one or more" if schema.get("minItems") else "a list"
            text += f", each item {_allowed(schema['items'])}"
            words.append(text + (" and no two the same" if schema.get("uniqueItems") else ""))
        elif kind == "object":
            words.append("a section with the keys " + ", ".join(schema["properties"]))
        else:
            words.append({"null": "null", "string": "text"}[kind])
    return ", or ".join(words)
