"""The configuration: validated, completed with defaults, and expanded into runs."""

import difflib
import itertools
import json
import math
from functools import cache

from scratchnet.data import user_data
from scratchnet.errors import CONTROL_CHARACTERS, ConfigError
from scratchnet.nn.shapes import block_shapes
from scratchnet.planning.classes import find_miscounted_classes
from scratchnet.planning.schema import (
    VARIATIONS,
    Validator,
    explain_error,
    fill_in_defaults,
    format_value,
    load_schema,
    setting_schemas,
)
from scratchnet.planning.search import draw_trials, find_mistakes
from scratchnet.planning.stages import DISTORTIONS
from scratchnet.planning.yaml_file import check_extent

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

# Settings that are left out of a run while they have their default. They came later than others,
# and the runs of before have kept their names.
OPTIONAL = ("model.convolutions", *DISTORTIONS, "training.replicas", "training.class_weight")

PUBLIC_IMAGE_SHAPE = (28, 28)  # of all public datasets
MAX_RUNS = 10_000  # of a sweep
MAX_PROBLEMS = 20  # in a message


def resolve_runs(config):
    """Return the settings of each run that `config` asks for: a list of flat {dotted key: value}.

    The settings are validated, and defaults are filled in. A sweep has one run for each
    combination of its values, and the runs are sorted by these values. A search has one run for
    each trial, in their order; equal trials are one run. For the user's own data,
    "dataset" is a label, "files" maps roles to paths, and "content" is a hash; a `config` that has
    this hash, such as the settings of a run, is refused for other data. Raises ConfigError, which
    lists the mistakes: all of them, or the first MAX_PROBLEMS.
    """
    check_extent(config, "the configuration")
    content = config.get("content") if isinstance(config, dict) else None
    config = _complete(config)
    leaves = setting_schemas(load_schema())
    base = {key: _get(config, key) for key in leaves if key not in VARIATIONS}
    runs, problems = {}, []
    for values in _variations(config):
        run = base | values
        problems += _conflicts_in(run)
        try:
            run |= _dataset_settings(run["dataset"])
        except ConfigError as error:
            problems.append(f"dataset: {error}")
        else:
            problems += [*_oversized_windows_in(run), *_other_content(run, content)]
            problems += find_miscounted_classes(run)
        run = _without_idle_settings(run, leaves)
        runs.setdefault(json.dumps({**run, "files": None}, sort_keys=True), run)
    _raise_if_any(problems)
    if config["search"]:
        return [*runs.values()]
    return sorted(
        runs.values(), key=lambda run: [_sort_key(run.get(key)) for key in swept_keys(config)]
    )


def _complete(config):
    """Return `config` with defaults filled in; raise ConfigError if it is not valid by itself."""
    schema = load_schema()
    if isinstance(config, dict):
        config = config | {"sweep": _as_lists(config.get("sweep"))}
        config.pop("content", None)  # in the settings of a run on own data
    config = fill_in_defaults(config, schema)
    _raise_if_any(
        problem
        for error in Validator(schema).iter_errors(config)
        for problem in explain_error(error)
    )
    _raise_if_any(_conflicts_between(config))
    return config


def _without_idle_settings(run, leaves):
    """Return `run` without settings that have no effect, and optional ones at their default."""
    run = dict(run)
    for key, applies in APPLIES.items():
        if not applies(run):
            del run[key]
    for key in OPTIONAL:
        if run[key] == leaves[key]["default"]:
            del run[key]
    return run


def resolve_search(config):
    """Return the section `search` of a valid `config` with its defaults; {} if there is none."""
    return fill_in_defaults(config.get("search"), load_schema()["properties"]["search"])


def swept_keys(config):
    """Return the dotted keys that the sweep or the search of `config` has values for, sorted."""
    space = resolve_search(config).get("space", {})
    return sorted({key for section in _sections(config.get("sweep")) for key in section} | {*space})


def _variations(config):
    """Yield the settings in which each run differs from the others, {dotted key: value}."""
    if search := config["search"]:
        leaves = setting_schemas(load_schema()).items()
        whole_numbers = {key for key, leaf in leaves if leaf.get("type") == "integer"}
        for values in draw_trials(search, whole_numbers):
            yield values | {"training.epochs": search["epochs"][-1]}
        return
    sections = _sections(config["sweep"])
    n_runs = sum(math.prod(map(len, section.values())) for section in sections)
    if n_runs > MAX_RUNS:
        raise ConfigError(f"the sweep has {n_runs} runs; at most {MAX_RUNS} are possible")
    for section in sections:
        for values in itertools.product(*section.values()):
            yield dict(zip(section, values))


def _conflicts_between(config):
    """Yield what is wrong with a search by itself, and beside the other sections."""
    if not config["search"]:
        return
    yield from find_mistakes(config["search"])
    if any(_sections(config["sweep"])):
        yield "search: there is a sweep as well; leave one of them out"
    if not config["validation_fraction"]:
        yield "search: trials are ranked on validation images; set validation_fraction above 0"


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
    """Yield what is wrong with settings that the schema allows."""
    for name in run["classes"] or []:
        if CONTROL_CHARACTERS.search(name):
            yield f"classes: {format_value(name)} has control characters"
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


def _other_content(run, content):
    """Yield that the data of `run` have not the hash `content`, if one is given."""
    if content not in (None, run.get("content")):
        yield (
            f"content: {format_value(run['dataset'])} has another content than the data of these "
            "settings; leave this key out to use it nevertheless"
        )


def _raise_if_any(problems):
    """Raise ConfigError, which lists the first of `problems`, an iterable, if there are any."""
    first = list(itertools.islice(problems, MAX_PROBLEMS + 1))
    if first:
        lines = sorted(dict.fromkeys(first[:MAX_PROBLEMS]))
        lines += ["and more"] * (len(first) > MAX_PROBLEMS)
        raise ConfigError("\n  ".join(["the configuration is not valid:", *lines]))


def _get(config, dotted):
    for name in dotted.split("."):
        config = config[name]
    return config
