"""The configuration: validated, completed with defaults, and expanded into runs."""

import difflib
import itertools
from functools import cache
from pathlib import Path

import jsonschema
import yaml

from scratchnet.data import user_data
from scratchnet.errors import ConfigError
from scratchnet.fingerprint.values import canonical
from scratchnet.nn.shapes import block_shapes
from scratchnet.planning.schema import (
    explain_error,
    fill_in_defaults,
    format_value,
    load_schema,
    setting_schemas,
)
from scratchnet.planning.stages import DISTORTIONS

# Settings that have an effect only together with certain others. Otherwise they are left out of a
# run: changing them makes nothing stale, and runs that differ in nothing else are one run.
APPLIES = {
    "test_fraction": lambda run: run.get("files") and not user_data.has_test_split(run["files"]),
    "model.activation": lambda run: run["model.hidden"] or run["model.convolutions"],
    "model.dropout": lambda run: run["model.hidden"] or run["model.convolutions"],
    "augmentation.elastic_sigma": lambda run: run["augmentation.elastic"],
    "training.momentum": lambda run: run["training.optimizer"] == "sgd",
    "training.nesterov": lambda run: run.get("training.momentum"),
    "training.decay_epochs": lambda run: run["training.schedule"] != "constant",
    "training.decay_rate": lambda run: run["training.schedule"] != "constant",
}

# Settings that are left out of a run while they are off: [], null or 0. They came later than
# others, and the runs of before have kept their names.
OPTIONAL = ("model.convolutions", *DISTORTIONS)

PUBLIC_IMAGE_SHAPE = (28, 28)  # of all public datasets

# The settings that are text, and may look like numbers: a class or a folder called 007.
NAMES = ("classes", "dataset", "folder", "images", "run")


def read_yaml(path):
    """Return the keys and values in a YAML file; {} if it is empty or has only comments.

    Raises ConfigError, which names the line, if the file is not valid YAML, has a key twice (YAML
    would silently keep the last one), has a name that YAML would rewrite (010 is 8), or has
    something else than keys and values.
    """
    try:
        loader = yaml.CSafeLoader(Path(path).read_text(encoding="utf-8"))
        node = loader.get_single_node()
        content = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}"
        raise ConfigError(f"{path} is not valid YAML: {where}: {error.problem}") from None
    except (ValueError, yaml.YAMLError) as error:  # a date such as 2024-13-45, among others
        raise ConfigError(f"{path} is not valid YAML: {error}") from None
    problems = [*_find_repeated_keys(node, set()), *_find_rewritten_names(node, None, set())]
    if problems:
        raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems))
    if not isinstance(content, dict | None):
        raise ConfigError(f"{path} must consist of keys and values: training: {{epochs: 5}}")
    return content or {}


def _find_repeated_keys(node, seen):
    """Yield a line about each key that a mapping in a YAML node has more than once."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))  # an alias stands for a node that was there before
    first_lines = {}
    for item in node.value:
        key, value = item if isinstance(node, yaml.MappingNode) else (None, item)
        if isinstance(key, yaml.ScalarNode):
            line = key.start_mark.line + 1
            if key.value in first_lines:
                yield f"{key.value} is given twice, in lines {first_lines[key.value]} and {line}"
            first_lines[key.value] = line
        yield from _find_repeated_keys(value, seen)


def _find_rewritten_names(node, key, seen):
    """Yield a line about each number below one of NAMES that would be another text than written.

    `key` is the key that the YAML node belongs to.
    """
    if isinstance(node, yaml.CollectionNode) and id(node) not in seen:
        seen.add(id(node))
        for item in node.value:
            name, value = (item[0].value, item[1]) if isinstance(item, tuple) else (key, item)
            yield from _find_rewritten_names(value, name, seen)
    elif isinstance(node, yaml.ScalarNode) and isinstance(key, str) and key in NAMES:
        is_number = node.tag.endswith((":int", ":float"))
        if is_number and node.value != str(value := yaml.safe_load(node.value)):
            yield (
                f"{key}: {node.value} in line {node.start_mark.line + 1} would be read as {value}. "
                f'Write it in quotes: "{node.value}"'
            )


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
    config = fill_in_defaults(config, schema)
    problems = [
        problem
        for error in jsonschema.Draft202012Validator(schema).iter_errors(config)
        for problem in explain_error(error)
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
            else:
                problems += _oversized_windows_in(run)
            for key, applies in APPLIES.items():
                if not applies(run):
                    del run[key]
            for key in OPTIONAL:
                if not run[key]:
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
    if isinstance(value, list):
        value = [[*item.values()] if isinstance(item, dict) else item for item in value]
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
        content = user_data.hash_contents(files)
    except (ConfigError, OSError) as error:
        close = difflib.get_close_matches(dataset, public, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ConfigError(
            f"{format_value(dataset)} is neither one of {', '.join(public)} nor a path to your own "
            f"data: {error}{hint}"
        ) from None
    return {
        "dataset": user_data.dataset_label(dataset),
        "content": content,
        "files": {role: str(path) for role, path in files.items()},
    }


def _conflicts_in(run):
    """Yield what is wrong with the combination of settings, each of which is allowed."""
    if run["training.patience"] and not run["validation_fraction"]:
        yield (
            "training.patience: early stopping needs validation images; "
            "set validation_fraction above 0"
        )


def _oversized_windows_in(run):
    """Yield which kernel or pooling window is larger than its image, if the images are known."""
    if not run["model.convolutions"]:
        return
    files = run["files"]
    shape = user_data.read_image_shape(files) if files else PUBLIC_IMAGE_SHAPE
    if shape:
        try:
            block_shapes(shape, run["model.convolutions"])
        except ValueError as error:
            yield f"model.convolutions{error}, of images of {shape[0]} x {shape[1]}"


def _raise_if_any(problems):
    if problems:
        lines = sorted(dict.fromkeys(problems))
        raise ConfigError("\n  ".join(["the configuration is not valid:", *lines]))


def _get(config, dotted):
    for name in dotted.split("."):
        config = config[name]
    return config
