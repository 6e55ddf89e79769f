"""The configuration: validated, completed with defaults, and expanded into runs."""

import difflib
import itertools
import json
import math
from functools import cache

from scratchnet.data import user_data
from scratchnet.errors import CONTROL_CHARACTERS, ConfigError, shorten_list
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
from scratchnet.planning.stage_settings import AUGMENTATION


def _has_layers(run):
    return run["model.hidden"] or run["model.convolutions"]


def _are_files(run):
    return run["files"] and "folder" in run["files"]


# Settings that have an effect only beside certain others. Otherwise they are left out of a run:
# changing them makes nothing stale, and runs that differ in nothing else are one run.
APPLIES = {
    "test_fraction": lambda run: run["files"] and not user_data.has_test_split(run["files"]),
    "image.size": _are_files,
    "image.mode": _are_files,
    "image.skip_damaged": _are_files,
    "model.activation": _has_layers,
    "model.normalization": _has_layers,
    "model.dropout": _has_layers,
    "augmentation.elastic_sigma": lambda run: run["augmentation.elastic"],
    "training.momentum": lambda run: run["training.optimizer"] == "sgd",
    "training.nesterov": lambda run: (
        run["training.optimizer"] == "sgd" and run["training.momentum"]
    ),
    "training.beta_1": lambda run: run["training.optimizer"] == "adam",
    "training.beta_2": lambda run: run["training.optimizer"] == "adam",
    "training.rho": lambda run: run["training.optimizer"] == "rmsprop",
    "training.epsilon": lambda run: run["training.optimizer"] in ("adam", "rmsprop"),
    "training.decay_epochs": lambda run: run["training.schedule"] != "constant",
    "training.decay_rate": lambda run: run["training.schedule"] != "constant",
}

# Settings that are left out of a run at their default, too: they came later than the others, and so
# the names of runs from before stay. A new setting belongs here.
LEFT_OUT_AT_DEFAULT = (
    "image.size",
    "image.mode",
    "image.skip_damaged",
    "standardize",
    "model.convolutions",
    "model.normalization",
    "training.replicas",
    *(key for key in AUGMENTATION if key != "augmentation.elastic_sigma"),
    "training.class_weight",
    "training.label_smoothing",
    "training.l2",
    "training.beta_1",
    "training.beta_2",
    "training.rho",
    "training.epsilon",
    "training.clip_norm",
    "training.warmup_epochs",
)

HASHES = ".snakemake/scratchnet"  # of image files; may be deleted at any time
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
    content = config.get("content") if isinstance(config, dict) else None
    config = _complete(config)
    leaves = setting_schemas(load_schema())
    base = {key: _get(config, key) for key in leaves if key not in VARIATIONS}
    asked = [base | values for values in _variations(config)]
    _raise_if_any(problem for run in asked for problem in _find_problems(run, content))
    runs = {}
    for run in asked:
        if not run["model.initializer"]:
            run["model.initializer"] = choose_initializer(run)
        blocks = [_without_idle_options(block) for block in run["model.convolutions"]]
        run |= {"model.convolutions": blocks} | _dataset_settings(run["dataset"])
        run = leave_out_idle_settings(run)
        runs.setdefault(json.dumps({**run, "files": None}, sort_keys=True), run)
    keys = [] if config["search"] else swept_keys(config)  # trials stay in their order
    return sorted(runs.values(), key=lambda run: [sort_key(value_of(key, run)) for key in keys])


def value_of(key, run):
    """Return the value of the setting `key` in a `run` of `resolve_runs`, also if it is left out.

    It is None where the setting does not apply.
    """
    return (_defaults() | run)[key] if _applies(key, run) else None


def _applies(key, run):
    return key not in APPLIES or APPLIES[key](_defaults() | run)


@cache
def _defaults():
    leaves = setting_schemas(load_schema())
    return {key: leaf["default"] for key, leaf in leaves.items() if key not in VARIATIONS}


def describe_runs(config, runs):
    """Return what the sweep or the search of `config` comes to, as a line; "" without one.

    `runs` are those of `resolve_runs`. Snakemake may have merged `config` from several files.
    """
    if search := resolve_search(config):
        text = f"search: {search['trials']} trials"
        if len(runs) < search["trials"]:
            text += f", only {len(runs)} of them different"
        parts = [f"{key}: {format_value(values)}" for key, values in search["space"].items()]
    else:
        text, parts = f"sweep: {len(runs)} run{'s' * (len(runs) > 1)}", []
        for key in swept_keys(config):
            values = dict.fromkeys(
                format_value(value_of(key, run)) for run in runs if _applies(key, run)
            )
            parts.append(f"{key}: {', '.join(shorten_list([*values], 9)) or 'does not apply'}")
    return "; ".join([text, *parts]) if parts else ""


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


def choose_initializer(run):
    """Return the initializer for the activation of `run`; without one, the notebook's."""
    if not (run["model.hidden"] or run.get("model.convolutions")):
        return "random_normal"
    return "glorot_uniform" if run["model.activation"] in ("sigmoid", "tanh") else "he_uniform"


def leave_out_idle_settings(run):
    """Return `run` without the settings that have no effect, or are left out at their default."""
    return {
        key: value
        for key, value in run.items()
        if _applies(key, run) and not (key in LEFT_OUT_AT_DEFAULT and value == _defaults()[key])
    }


def _without_idle_options(block):
    """Return a convolution block without the options that have no effect."""
    if block["pooling"] == "global_average":
        block = block | {"pool": 1}
    elif block["pool"] == 1:
        block = block | {"pooling": "max"}
    defaults = {"stride": 1, "pooling": "max"}  # left out, as they are newer than the others
    return {name: value for name, value in block.items() if defaults.get(name) != value}


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
        yield (
            "search: there is a sweep as well; leave one of them out, or switch it off with "
            "--config sweep=null (or search=null)"
        )
    if not config["validation_fraction"]:
        yield "search: trials are ranked on validation images; set validation_fraction above 0"


def _sections(sweep):
    """Return a sweep as a list of sections {dotted key: list of values}."""
    sections = sweep if isinstance(sweep, list) else [sweep]
    return [section for section in sections if isinstance(section, dict)] or [{}]


def _as_lists(sweep):
    """Return `sweep` with each value that is not a list as a list of one."""
    if isinstance(sweep, list):
        return [_as_lists(part) for part in sweep]
    if not isinstance(sweep, dict):
        return sweep
    return {key: value if isinstance(value, list) else [value] for key, value in sweep.items()}


def sort_key(value):
    """Return a key that sorts missing settings first, then numbers, lists, and text."""
    if value is None:
        return (0,)
    if isinstance(value, list):
        value = [[*item.items()] if isinstance(item, dict) else item for item in value]
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
        content = user_data.hash_contents(files, HASHES)
    except (ConfigError, OSError) as error:
        close = difflib.get_close_matches(dataset, public, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        if dataset.isdecimal():
            hint = "; of a name like 007, --config makes a number: write dataset=./007"
        raise ConfigError(
            f"{format_value(dataset)} is neither one of {', '.join(public)} nor a path to your own "
            f"data: {error}{hint}"
        ) from None
    return {
        "dataset": user_data.dataset_label(dataset),
        "content": content,
        "files": {role: str(path) for role, path in files.items()},
    }


def _find_problems(run, content):
    """Yield what is wrong with settings that the schema allows, and with the data that they name.

    `content` is the hash that the data must have, or None.
    """
    for name in run["classes"] or []:
        if CONTROL_CHARACTERS.search(name):
            yield f"classes: {format_value(name)} has control characters"
    if run["training.patience"] and not run["validation_fraction"]:
        yield (
            "training.patience: early stopping needs validation images; "
            "set validation_fraction above 0"
        )
    smallest = 2 * run["training.replicas"]
    if run["model.normalization"] == "batch" and run["training.batch_size"] < smallest:
        yield (
            "model.normalization: batch needs more than one image, in each replica: raise "
            f"training.batch_size to {smallest} at least"
        )
    try:
        data = _dataset_settings(run["dataset"])
    except ConfigError as error:
        yield f"dataset: {error}"
        return
    yield from find_miscounted_classes(run | data)
    if run["model.convolutions"]:
        yield from _oversized_windows(run, data["files"])
    if content not in (None, data.get("content")):
        yield (
            f"content: {format_value(data['dataset'])} has another content than the data of these "
            "settings; leave this key out to use it nevertheless"
        )


def _oversized_windows(run, files):
    """Yield which kernel or pooling window is larger than its image, if the images are known."""
    convolutions, shape = run["model.convolutions"], PUBLIC_IMAGE_SHAPE
    if files:
        is_resized = run["image.size"] and "folder" in files
        shape = run["image.size"] if is_resized else user_data.read_image_shape(files)
    if shape:
        try:
            block_shapes(shape, convolutions)
        except ValueError as error:
            yield f"model.convolutions{error}, of images of {shape[0]} x {shape[1]}"


def _raise_if_any(problems):
    """Raise ConfigError, which lists the first of `problems`, an iterable, if there are any."""
    problems = [*dict.fromkeys(problems)]
    if problems:
        lines = sorted(problems[:MAX_PROBLEMS])
        lines += ["and more"] * (len(problems) > MAX_PROBLEMS)
        raise ConfigError("\n  ".join(["the configuration is not valid:", *lines]))


def _get(config, dotted):
    for name in dotted.split("."):
        config = config[name]
    return config
