"""The schema of the configuration: defaults, allowed values, and what a mistake means in words.

Allowed values and defaults are defined in `schemas/config.schema.yaml` and nowhere else.
"""

import difflib
import json
import math
import sys
from functools import cache
from pathlib import Path

# Where Jupyter is installed, jsonschema finds this package, for a format that is not used here.
# Importing it takes over a second. None means: it cannot be imported.
sys.modules.setdefault("rfc3987_syntax", None)

import jsonschema  # noqa: E402
import yaml  # noqa: E402

from scratchnet.errors import escape_bytes  # noqa: E402

SCHEMA = Path(__file__).parents[3] / "schemas" / "config.schema.yaml"
VARIATIONS = ("sweep", "search")  # the sections that make several runs of a configuration
SWEEPABLE = (
    "dataset",
    "image",
    "test_fraction",
    "validation_fraction",
    "standardize",
    "model",
    "augmentation",
    "training",
)
NOT_SWEEPABLE = ("training.checkpoint_every",)  # it changes no result
# The sections of what a search draws from. Its trials share the data, and its rungs are the epochs.
SEARCHABLE = ("model", "augmentation", "training")
NOT_SEARCHABLE = (*NOT_SWEEPABLE, "training.epochs", "training.patience")


@cache
def load_schema():
    """Return the JSON schema of the configuration, with sweep and search spelled out."""
    schema = yaml.load(SCHEMA.read_text(encoding="utf-8"), yaml.CSafeLoader)
    section = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: {"type": "array", "minItems": 1, "uniqueItems": True, "items": leaf}
            for key, leaf in setting_schemas(schema).items()
            if key.split(".")[0] in SWEEPABLE and key not in NOT_SWEEPABLE
        },
    }
    schema["properties"]["sweep"] |= section | {"type": ["object", "array"], "items": section}
    schema["properties"]["search"]["properties"]["space"]["properties"] = {
        key: _distribution_schema(leaf)
        for key, leaf in setting_schemas(schema).items()
        if key.split(".")[0] in SEARCHABLE and key not in NOT_SEARCHABLE
    }
    return schema


def _distribution_schema(leaf):
    """Return the schema of what a search draws the values of a setting from."""
    kinds = {"choice": {"type": "array", "minItems": 1, "uniqueItems": True, "items": leaf}}
    if {"integer", "number"} & {*_types(leaf)}:
        bounds = {"type": "array", "minItems": 2, "maxItems": 2, "items": leaf}
        kinds |= {"uniform": bounds, "log_uniform": bounds}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": kinds,
        "minProperties": 1,
        "maxProperties": 1,
    }


def setting_schemas(schema, prefix=""):
    """Return {dotted key: schema} of all settings; `sweep` and `search` count as one setting."""
    found = {}
    for name, part in schema["properties"].items():
        if "properties" in part and name not in VARIATIONS:
            found |= setting_schemas(part, f"{prefix}{name}.")
        else:
            found[prefix + name] = part
    return found


def fill_in_defaults(value, schema):
    """Return `value` with defaults filled in, and numbers converted to the type in the schema.

    Keys come in the order of the schema. Some numbers arrive as text: YAML reads 1e-3 as text, and
    Snakemake's --config every nested value.
    """
    if isinstance(value, list) and "items" in schema:
        return [fill_in_defaults(item, schema["items"]) for item in value]
    if "properties" in schema:
        if value in (None, "null"):  # every line is commented out; --config sweep=null
            value = {}
        if not isinstance(value, dict):
            return value
        if not value and "default" in schema:  # a sweep or a search that is not asked for
            return schema["default"]
        parts = schema["properties"]
        missing = {
            name: part.get("default", {})
            for name, part in parts.items()
            if name not in value
            and ("default" in part or (part["type"] == "object" and "minProperties" not in part))
        }
        known = {
            name: fill_in_defaults((missing | value)[name], part)
            for name, part in parts.items()
            if name in missing | value
        }
        return known | {name: item for name, item in value.items() if name not in parts}
    types = _types(schema)
    if value == "null" and ("null" in types or None in schema.get("enum", ())):
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


def _find_duplicates(validator, unique, values, schema):
    """Yield an error if a list has the same value twice: the check of uniqueItems, in linear time.

    That of jsonschema compares every pair where the values cannot be sorted.
    """
    if unique and isinstance(values, list) and len({*map(repr, values)}) < len(values):
        yield jsonschema.ValidationError("the same value twice")


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {"uniqueItems": _find_duplicates}
)


def explain_error(error):
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
                shown = _shorten(str(name)) if str(name).isprintable() else format_value(name)
                problem = _explain_unknown_key(str(name), known, path)
                yield f"{path}{'.' if path else ''}{shown}: {problem}"
    elif error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                allowed = _allowed(error.schema["properties"][name])
                yield f"{path}.{name}: is missing; it must be {allowed}"
    else:
        value, allowed = error.instance, _allowed(error.schema)
        yield f"{path or 'config'}: {format_value(value)} is not allowed; it must be {allowed}"


def _explain_unknown_key(name, known, path):
    """Return what is wrong with the key `name` of the section `path`, which has `known` keys."""
    settings = setting_schemas(load_schema())
    is_swept, is_searched = path.startswith("sweep"), path.startswith("search")
    if name in settings and is_swept and name not in VARIATIONS:
        return "cannot be swept, because no training depends on it; set it outside of the sweep"
    if name in settings and path == "search.space":
        return "cannot be searched; set it outside of the search"
    if name in settings and "." in name:
        section, key = name.split(".")
        return f"unknown key; did you mean {section}: {{{key}: ...}}?"
    # A key may be in the wrong section, or without its section.
    nearby = known if is_swept or is_searched else settings
    places = {key.rsplit(".", 1)[-1]: key for key in nearby}
    places |= {key: key for key in known}
    close = difflib.get_close_matches(name, places, n=1)
    if close:
        return f"unknown key; did you mean {places[close[0]]}?"
    return f"unknown key; known keys are {', '.join(known)}"


def format_value(value):
    """Return `value` as in config.yaml, on one line of moderate length."""
    try:
        text = escape_bytes(json.dumps(value, ensure_ascii=False, default=str))
        return _shorten(text if text.isprintable() else json.dumps(value, default=str))
    except (TypeError, ValueError):  # a date as a key; a list in itself
        return _shorten(repr(value))


def _shorten(text):
    return text if len(text) <= 80 else f"{text[:77]}..."


def _allowed(schema):
    """Return what a schema allows, in words."""
    if "enum" in schema:
        return "one of " + ", ".join(str(value or "null") for value in schema["enum"])
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
        elif words and kind == "array" and _types(schema["items"]) == ["object"]:
            words.append("a list of such sections")
        elif kind == "array":
            lengths = {1: "a list of one or more", 2: "a list of two"}
            text = lengths.get(schema.get("minItems"), "a list")
            text += f", each item {_allowed(schema['items'])}"
            words.append(text + (", without duplicates" if schema.get("uniqueItems") else ""))
        elif kind == "object":
            some = "one of " if "maxProperties" in schema else "one or more of "
            some = some if "minProperties" in schema else ""
            words.append(f"a section with {some}the keys " + ", ".join(schema["properties"]))
        else:
            words.append({"null": "null", "string": "text", "boolean": "true or false"}[kind])
    return ", or ".join(words)
