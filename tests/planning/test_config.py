"""The configuration: defaults, numbers however written, and every mistake explained at once."""

import datetime
import hashlib
import json
import math
import re
from pathlib import Path

import pytest
import yaml

from scratchnet.data.registry import DATASETS
from scratchnet.errors import ConfigError
from scratchnet.planning.config import (
    APPLIES,
    SCHEMA,
    check_yaml,
    load_schema,
    resolve_runs,
    setting_schemas,
    swept_keys,
)
from scratchnet.planning.settings import read_settings, write_settings

CONFIG = Path(__file__).parents[2] / "config.yaml"
LEAVES = {key: leaf for key, leaf in setting_schemas(load_schema()).items() if key != "sweep"}
DEFAULTS = {key: leaf["default"] for key, leaf in LEAVES.items()}
# What keys that mean something only beside others need.
BESIDE = {
    "model.activation": {"model.hidden": [5]},
    "model.dropout": {"model.hidden": [5]},
    "training.nesterov": {"training.momentum": 0.5},
    "training.decay_epochs": {"training.schedule": "step"},
    "training.decay_rate": {"training.schedule": "step"},
    "training.patience": {"validation_fraction": 0.1},
}
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
    missing = {"test_fraction"}
    if not run["model.hidden"]:
        missing |= {"model.activation", "model.dropout"}
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


# ---- Defaults.


def test_the_shipped_config_spells_out_every_default():
    shipped = flat(yaml.safe_load(CONFIG.read_text()))
    assert shipped == DEFAULTS | {"sweep": {}}


def test_the_shipped_config_has_the_keys_in_the_order_of_the_schema():
    assert [*flat(yaml.safe_load(CONFIG.read_text()))] == [*setting_schemas(load_schema())]


def comment_on(key):
    """What the shipped config.yaml says of a key: beside it, and in the lines above it."""
    *sections, name = key.split(".")
    text, comments = CONFIG.read_text(), []
    if sections:
        text = text[re.search(rf"^{sections[0]}:", text, re.MULTILINE).end() :]
    lines = text.splitlines()
    at = next(
        i for i, line in enumerate(lines) if line.startswith(f"{'  ' * len(sections)}{name}:")
    )
    comments.append(lines[at].partition("#")[2])
    while at and lines[at - 1].startswith("#"):
        at -= 1
        comments.insert(0, lines[at])
    return " ".join(comments)


@pytest.mark.parametrize("key", LEAVES)
def test_the_shipped_config_says_what_is_allowed(key):
    schema, comment = LEAVES[key], comment_on(key)
    assert comment.strip()
    schema = schema.get("items", schema) if key != "sweep" else {}
    words = [*schema.get("enum", []), *schema.get("examples", [])]
    words += [f"above {schema[k]}" for k in ("exclusiveMinimum",) if k in schema]
    words += [f"below {schema[k]}" for k in ("exclusiveMaximum",) if k in schema]
    words += [schema[k] for k in ("minimum", "maximum") if k in schema]
    for word in map(str, words):
        assert re.search(rf"(?<![\w.]){re.escape(word)}(?!\.?\w)", comment), word


EMPTY = {
    "nothing": {},
    "null": None,
    "the shipped one": yaml.safe_load(CONFIG.read_text()),
    "empty sections": {section: {} for section in [*SECTIONS, "sweep"]},
    "sections with every line commented out": dict.fromkeys([*SECTIONS, "sweep"]),
}


@pytest.mark.parametrize("config", EMPTY.values(), ids=EMPTY)
def test_what_is_left_out_has_its_default(config):
    assert resolve_runs(config) == [run_of()]


@pytest.mark.parametrize("key", [key for key, leaf in LEAVES.items() if "type" in leaf])
def test_a_default_is_of_the_type_that_the_schema_says(key):
    kinds = {"integer": int, "number": float, "null": type(None), "string": str, "array": list}
    kinds["boolean"] = bool
    if key != "test_fraction":
        value = resolve_runs(unflat(BESIDE.get(key, {})))[0][key]
        assert type(value) in [kinds[kind] for kind in types_of(LEAVES[key])]


def test_one_key_leaves_the_others_at_their_defaults():
    assert resolve_runs({"training": {"seed": 7}}) == [run_of({"training.seed": 7})]


def test_the_config_that_is_given_is_not_changed():
    config = {"training": {"learning_rate": "1e-3"}, "sweep": {"training.seed": ["1", "2"]}}
    resolve_runs(config)
    assert config == {"training": {"learning_rate": "1e-3"}, "sweep": {"training.seed": ["1", "2"]}}


# ---- Numbers and null as people write them.


@pytest.mark.parametrize(
    ("key", "written", "meant"),
    [
        ("training.learning_rate", "1e-3", 0.001),
        ("training.learning_rate", "0.1", 0.1),
        ("training.learning_rate", 1, 1.0),
        ("training.learning_rate", "1", 1.0),
        ("training.momentum", "0", 0.0),
        ("validation_fraction", ".5", 0.5),
        ("download.timeout", "2.5", 2.5),
        ("training.epochs", 20.0, 20),
        ("training.epochs", "20", 20),
        ("training.epochs", "2e1", 20),
        ("training.batch_size", "1e3", 1000),
        ("training.seed", "4294967295", 4294967295),
        ("training.checkpoint_every", 5.0, 5),
        ("training.checkpoint_every", "5", 5),
        ("training.checkpoint_every", "null", None),
        ("training.checkpoint_every", None, None),
        ("download.folder", "null", None),
        ("download.folder", "1e3", "1e3"),
        ("model.hidden", ["300", 100.0], [300, 100]),
        ("model.hidden", [], []),
        ("training.nesterov", "true", True),
        ("training.nesterov", "False", False),
        ("training.patience", "3", 3),
        ("classes", [0, 1.5, "x"], ["0", "1.5", "x"]),
        ("classes", "null", None),
    ],
)
def test_a_value_is_read_as_it_is_meant(key, written, meant):
    value = resolve_runs(nested(key, written))[0][key]
    assert (value, type(value)) == (meant, type(meant))


def test_the_numbers_in_a_list_are_whole_numbers():
    widths = resolve_runs({"model": {"hidden": ["300", 100.0]}})[0]["model.hidden"]
    assert [type(width) for width in widths] == [int, int]


def test_text_in_nested_values_is_read_too():
    config = {
        "training": {"epochs": "3", "learning_rate": "0.5", "checkpoint_every": "null"},
        "model": {"hidden": ["30"]},
        "sweep": {"training.seed": ["0", "1"]},
    }
    expected = {"training.epochs": 3, "training.learning_rate": 0.5, "model.hidden": [30]}
    assert resolve_runs(config) == [run_of(expected | {"training.seed": seed}) for seed in (0, 1)]


# ---- Values that are not allowed, made from the schema so that no key is left out.


def types_of(leaf):
    types = leaf.get("type", [])
    return [types] if isinstance(types, str) else types


def bad_values(leaf):
    """Values that `leaf` does not allow, each with what the message must say is allowed."""
    if "enum" in leaf:
        allowed = "one of " + ", ".join(leaf["enum"])
        return [(value, allowed) for value in ("no such thing", 1, True, None, [], {})]
    types = types_of(leaf)
    if "array" in types:
        items = [([value], "") for value, _ in bad_values(leaf["items"])]
        others = [True, {"a": 1}] + ([] if "string" in types else ["text", 1])
        others += [] if "null" in types else [None]
        return [(value, "a list") for value in others] + items
    if types == ["boolean"]:
        return [(value, "true or false") for value in ("yes", 1, 0, None, [True], {"a": 1})]
    values = [({"a": 1}, ""), ([1], ""), (True, ""), (False, "")]
    if "string" in types:
        return [(value, "text") for value, _ in values]
    kind = "a whole number" if "integer" in types else "a number"
    values += [("text", kind), ("", kind), ("nan", kind), ("inf", kind), ("-inf", kind)]
    values += [(math.nan, kind), (math.inf, kind), (-math.inf, kind)]
    step = 1 if "integer" in types else 1e-6
    for bound, allowed, beyond in (
        ("minimum", "at least", -step),
        ("maximum", "at most", step),
        ("exclusiveMinimum", "above", 0),
        ("exclusiveMaximum", "below", 0),
    ):
        if bound in leaf:
            values.append((leaf[bound] + beyond, f"{allowed} {leaf[bound]}"))
            values.append((str(leaf[bound] + beyond), f"{allowed} {leaf[bound]}"))
    if "integer" in types:
        values += [(1.5, "a whole number"), ("1.5", "a whole number")]
    if "null" not in types:
        values += [(None, kind), ("null", kind)]
    else:
        values.append(("Null and void", "or null"))
    return values


BAD = [
    pytest.param(key, value, allowed, id=f"{key}={value!r}")
    for key, leaf in LEAVES.items()
    for value, allowed in bad_values(leaf)
]
NOT_SWEEPABLE = ("classes", "download.", "export.", "predict.", "plots.")
SWEEPABLE = [key for key in LEAVES if not key.startswith(NOT_SWEEPABLE)]


@pytest.mark.parametrize(("key", "value", "allowed"), BAD)
def test_a_bad_value_is_explained(key, value, allowed):
    (problem,) = problems_of(nested(key, value))
    assert re.match(rf"{re.escape(key)}(\[0\])?: .* is not allowed; it must be .", problem)
    assert allowed in problem


@pytest.mark.parametrize(
    ("key", "value", "allowed"), [bad for bad in BAD if bad.values[0] in SWEEPABLE]
)
@pytest.mark.parametrize("form", ["sections", "a list of sections"])
def test_a_bad_value_is_refused_in_a_sweep_with_its_place(form, key, value, allowed):
    section = {key: [DEFAULTS[key], value]}
    sweep, place = (section, "sweep") if form == "sections" else ([{}, section], r"sweep\[1\]")
    (problem,) = problems_of({"sweep": sweep})
    assert re.match(rf"{place}\.{re.escape(key)}\[1\](\[0\])?: ", problem)
    assert allowed in problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dataset", "no such dataset"),
        ("test_fraction", 0),
        ("validation_fraction", -0.01),
        ("validation_fraction", 0.91),
        ("download.timeout", 0),
        ("model.hidden", [0]),
        ("model.activation", "no such function"),
        ("model.dropout", -0.01),
        ("model.dropout", 1),
        ("model.initializer", "no such distribution"),
        ("training.weight_decay", -0.1),
        ("training.schedule", "no such schedule"),
        ("training.decay_epochs", 0),
        ("training.decay_rate", 1.01),
        ("training.patience", 0),
        ("training.epochs", 0),
        ("training.epochs", 10_000),  # a checkpoint's name has four digits
        ("training.batch_size", 0),
        ("training.optimizer", "no such rule"),
        ("training.learning_rate", 0),
        ("training.momentum", -0.01),
        ("training.momentum", 1),
        ("training.seed", -1),
        ("training.seed", 1 << 32),
        ("training.checkpoint_every", 0),
        ("plots.misclassified", 0),
        ("plots.misclassified", 101),
        ("plots.format", "jpg"),
        ("plots.style", "no such style"),
    ],
)
def test_the_limits_are_where_they_should_be(key, value):
    (problem,) = problems_of(nested(key, value))
    assert problem.startswith(key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("validation_fraction", 0.9),
        ("download.timeout", 600.0),
        ("model.hidden", [1, 4096]),
        ("training.epochs", 9999),
        ("training.batch_size", 60_000),
        ("training.learning_rate", 1e-12),
        ("training.momentum", 0.999),
        ("training.seed", (1 << 32) - 1),
        ("training.checkpoint_every", 9999),
        ("plots.misclassified", 100),
        ("plots.format", "svg"),
    ],
)
def test_what_is_within_the_limits_is_allowed(key, value):
    assert resolve_runs(nested(key, value)) == [run_of({key: value})]


@pytest.mark.parametrize("key", ["training.seed", "training.learning_rate"])
@pytest.mark.parametrize("value", [10**400, "1e400"], ids=["digits", "text"])
def test_a_number_beyond_all_floats_is_refused(key, value):
    (problem,) = problems_of(nested(key, value))
    assert problem.startswith(f"{key}: ")


@pytest.mark.parametrize("key", sorted(LEAVES.keys() - {"test_fraction"}))
def test_every_bound_itself_is_allowed(key):
    leaf = LEAVES[key]
    bounds = [leaf[bound] for bound in ("minimum", "maximum") if bound in leaf]
    allowed = bounds + leaf.get("enum", []) + [leaf["default"]]
    assert [resolve_runs(nested(key, value))[0][key] for value in allowed] == allowed


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("value", [5, "text", [], True])
def test_a_section_that_is_none_is_explained_by_its_keys(section, value):
    (problem,) = problems_of({section: value})
    keys = ", ".join(key.split(".")[1] for key in LEAVES if key.startswith(f"{section}."))
    assert (
        problem
        == f"{section}: {json.dumps(value)} is not allowed; it must be a section with the keys "
        + keys
    )


@pytest.mark.parametrize("config", [[], "text", 5])
def test_a_config_that_is_no_mapping_is_explained(config):
    (problem,) = problems_of(config)
    assert problem.startswith(f"config: {json.dumps(config)} is not allowed; it must be a section")


# ---- Keys that do not exist.


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"datset": "mnist"}, "datset: unknown key; did you mean dataset?"),
        ({"trainig": {"epochs": 5}}, "trainig: unknown key; did you mean training?"),
        (
            {"training": {"epoch": 5}},
            "training.epoch: unknown key; did you mean epochs?",
        ),
        (
            {"training": {"learningrate": 5}},
            "training.learningrate: unknown key; did you mean learning_rate?",
        ),
        ({"plots": {"stile": "default"}}, "plots.stile: unknown key; did you mean style?"),
        (
            {"sweep": {"training.sed": [1]}},
            "sweep.training.sed: unknown key; did you mean training.seed?",
        ),
        (
            {"model": {"xyz": 1}},
            "model.xyz: unknown key; known keys are hidden, activation, dropout, initializer",
        ),
        (
            {7: 1},
            "7: unknown key; known keys are dataset, classes, test_fraction, "
            "validation_fraction, download, model, training, sweep, export, predict, plots",
        ),
    ],
)
def test_an_unknown_key_is_named_with_what_may_be_meant(config, problem):
    assert problems_of(config) == [problem]


# ---- All problems at once.

WRONG = {
    "datset": "mnist",
    "validation_fraction": 2,
    "model": {"hidden": [0, "wide"], "activaton": "relu"},
    "training": {"epochs": 0, "learning_rate": "fast"},
    "sweep": {"training.seed": [0, -1]},
    "plots": [],
}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        ("näher", '"näher"'),
        (datetime.date(2026, 1, 2), '"2026-01-02"'),
        ([0.5] * 100, "[" + "0.5, " * 15 + "0..."),  # 80 characters
    ],
)
def test_a_value_is_shown_as_it_would_be_written(value, shown):
    (problem,) = problems_of({"training": {"epochs": value}})
    assert problem.startswith(f"training.epochs: {shown} is not allowed; ")


NO_YAML = {
    "a tab": ("training:\n\tepochs: 3\n", "line 2, column 1: found character that cannot start"),
    "an open list": ("a: 1\nb: [1, 2\nc: d: e\n", "line 3, column 2: did not find"),
    "two mappings in a line": ("a: b: c\n", "line 1, column 5: mapping values are not allowed"),
    "a quote without end": ('a: "b\n', "line 2, column 1: found unexpected end of stream"),
    "a control character": ("a: \0\n", "control characters are not allowed"),
}


@pytest.mark.parametrize(("text", "problem"), NO_YAML.values(), ids=NO_YAML)
def test_of_a_file_that_is_no_yaml_the_line_is_named(tmp_path, text, problem):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(f"{path} is not valid YAML: ")) as caught:
        check_yaml(path)
    assert problem in str(caught.value)


def test_a_file_in_another_encoding_is_explained(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes("classes: [größer, kleiner]\n".encode("latin-1"))
    with pytest.raises(
        ConfigError, match="is not valid YAML: 'utf-8' codec can't decode byte 0xf6"
    ):
        check_yaml(path)


def test_all_problems_are_told_at_once():
    assert [problem.split(":")[0] for problem in problems_of(WRONG)] == [
        "datset",
        "model.activaton",
        "model.hidden[0]",
        "model.hidden[1]",
        "plots",
        "sweep.training.seed[1]",
        "training.epochs",
        "training.learning_rate",
        "validation_fraction",
    ]


@pytest.mark.parametrize(
    "word", ["jsonschema", "schema", "additionalProperties", "exclusiveMinimum", "$", "{'"]
)
def test_a_message_is_made_for_people(word):
    assert word not in message_of(WRONG)


def test_a_problem_takes_one_short_line():
    assert max(map(len, problems_of(WRONG))) < 150


# ---- Sweeps.


def test_a_sweep_has_a_run_for_each_combination_sorted_by_its_values():
    runs = resolve_runs({"sweep": {"training.seed": [2, 0], "training.learning_rate": [0.1, 0.01]}})
    assert [(run["training.learning_rate"], run["training.seed"]) for run in runs] == [
        (0.01, 0),
        (0.01, 2),
        (0.1, 0),
        (0.1, 2),
    ]


def test_a_list_of_sections_has_the_combinations_of_each():
    section = {"training.seed": [1, 2], "training.momentum": 0.5}
    other = {"training.learning_rate": "1e-3"}
    keys = ("training.learning_rate", "training.momentum", "training.seed")
    runs = [tuple(run[key] for key in keys) for run in resolve_runs({"sweep": [section, other]})]
    assert runs == [(0.001, 0.0, 0), (0.01, 0.5, 1), (0.01, 0.5, 2)]
    assert swept_keys({"sweep": [section, other]}) == sorted(keys)


@pytest.mark.parametrize("sweep", [None, {}, [], [{}]], ids=str)
def test_an_empty_sweep_is_one_run(sweep):
    assert len(resolve_runs({"sweep": sweep})) == 1
    assert swept_keys({"sweep": sweep}) == []


def test_a_product_in_which_something_does_not_apply_has_that_run_once():
    runs = resolve_runs(
        {"sweep": {"training.optimizer": ["sgd", "adam"], "training.momentum": [0, 0.9]}}
    )
    found = [(run["training.optimizer"], run.get("training.momentum")) for run in runs]
    assert sorted(found, key=str) == [("adam", None), ("sgd", 0.0), ("sgd", 0.9)]


def test_values_of_several_kinds_are_sorted():
    sweep = {"training.patience": [5, None, 2], "model.hidden": [[30], [], [7, 5]]}
    runs = resolve_runs({"validation_fraction": 0.1, "sweep": sweep})
    assert [run["model.hidden"] for run in runs[::3]] == [[], [7, 5], [30]]
    assert [run["training.patience"] for run in runs[:3]] == [None, 2, 5]


def test_a_sweep_changes_nothing_but_its_keys():
    runs = resolve_runs({"training": {"epochs": 3}, "sweep": {"training.seed": [1, 2]}})
    assert runs == [run_of({"training.epochs": 3, "training.seed": seed}) for seed in (1, 2)]


def test_a_swept_value_takes_the_place_of_the_one_in_its_section():
    runs = resolve_runs({"training": {"seed": 9}, "sweep": {"training.seed": [1]}})
    assert [run["training.seed"] for run in runs] == [1]


def test_a_sweep_may_be_over_lists():
    runs = resolve_runs({"sweep": {"model.hidden": [[], ["300", 100]]}})
    assert [run["model.hidden"] for run in runs] == [[], [300, 100]]


@pytest.mark.parametrize("key", SWEEPABLE)
def test_whatever_a_training_depends_on_can_be_swept(key):
    assert resolve_runs({"sweep": {key: [DEFAULTS[key]]}}) == [run_of()]


@pytest.mark.parametrize(
    "key", [*(key for key in LEAVES if key not in SWEEPABLE), "sweep", "training"]
)
def test_whatever_it_does_not_depend_on_cannot_be_swept(key):
    (problem,) = problems_of({"sweep": {key: [1]}})
    assert problem.startswith(f"sweep.{key}: unknown key; ")


@pytest.mark.parametrize("values", [[1, 1], [1, "1"], [1, 1.0], [0, 1, 2, "1e0"]], ids=str)
def test_a_value_twice_in_a_sweep_is_refused(values):
    (problem,) = problems_of({"sweep": {"training.seed": values}})
    assert problem.startswith("sweep.training.seed: ")
    assert problem.endswith(", without duplicates")


def test_an_empty_list_in_a_sweep_is_refused():
    (problem,) = problems_of({"sweep": {"training.seed": []}})
    assert problem.startswith("sweep.training.seed: [] is not allowed; ")


def test_the_message_about_an_empty_list_says_that_it_must_not_be_empty():
    assert re.search(
        "at least one|one or more|not empty", message_of({"sweep": {"training.seed": []}})
    )


@pytest.mark.parametrize("value", [None, {"a": 1}, "many"])
def test_a_single_value_stands_for_a_list_of_one(value):
    assert resolve_runs({"sweep": {"training.seed": 1}}) == [run_of({"training.seed": 1})]
    (problem,) = problems_of({"sweep": {"training.seed": value}})
    assert problem.startswith(
        f"sweep.training.seed[0]: {json.dumps(value)} is not allowed; it must be a whole"
    )


def test_widths_of_hidden_layers_stand_in_a_list_of_their_own():
    (problem,) = problems_of({"sweep": {"model.hidden": [128]}})
    assert problem.startswith("sweep.model.hidden[0]: 128 is not allowed; it must be a list")


@pytest.mark.parametrize("value", ["text", 5])
def test_a_sweep_that_is_no_section_is_refused(value):
    (problem,) = problems_of({"sweep": value})
    assert problem.startswith(
        f"sweep: {json.dumps(value)} is not allowed; it must be a section with the keys"
    )
    assert problem.endswith(", or a list of such sections")


# ---- What does not apply.


@pytest.mark.parametrize("key", sorted(APPLIES.keys() - {"test_fraction"}))
def test_a_setting_that_does_not_apply_is_left_out(key):
    off = {"training.momentum": {"training.optimizer": "adam"}}.get(key, {})
    other = {"model.activation": "tanh", "training.nesterov": True}.get(key, 0.5)
    other = 7 if key == "training.decay_epochs" else other
    assert key not in resolve_runs(unflat(off))[0]
    assert resolve_runs(unflat(off | {key: other})) == resolve_runs(unflat(off))
    on = BESIDE.get(key, {})
    assert resolve_runs(unflat(on | {key: other}))[0][key] == other


def test_patience_needs_validation_images():
    (problem,) = problems_of({"training": {"patience": 3}})
    assert problem.startswith("training.patience: without validation images nothing says when")
    # Once, however many runs have it.
    sweep = {"training.patience": [3, 4], "training.seed": [0, 1]}
    assert len(problems_of({"sweep": sweep})) == 1


# ---- Datasets.


def test_the_schema_names_the_public_datasets():
    assert LEAVES["dataset"]["examples"] == list(DATASETS)


def test_a_misspelt_dataset_is_explained():
    (problem,) = problems_of({"dataset": "fashion-mnist"})
    assert problem.startswith('dataset: "fashion-mnist" is neither one of mnist, fashion_mnist, ')
    assert problem.endswith("; did you mean fashion_mnist?")


def test_bad_datasets_in_a_sweep_are_told_once_each():
    sweep = {"dataset": ["no such", "nor such", "mnist"], "training.seed": [0, 1]}
    assert len(problems_of({"sweep": sweep})) == 2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a dataset of one's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "My Data.npz").write_bytes(b"any content")
    return tmp_path


def test_ones_own_data_are_known_by_content_and_named_after_the_file(folder):
    (run,) = resolve_runs({"dataset": "My Data.npz"})
    assert (run["dataset"], run["files"]) == ("my_data", {"npz": "My Data.npz"})
    assert run["content"] == hashlib.sha256(b"any content").hexdigest()
    assert run["test_fraction"] == DEFAULTS["test_fraction"]


def test_a_folder_without_idx_files_is_explained(folder):
    (folder / "images").mkdir()
    (problem,) = problems_of({"dataset": "images"})
    assert "no IDX file in the folder is that of the train_images and train_labels" in problem


# ---- Ready-made configurations.


@pytest.mark.parametrize("path", sorted((SCHEMA.parents[1] / "configs").glob("*.yaml")), ids=str)
def test_a_ready_made_configuration_is_right_and_says_all_that_matters(path):
    config = yaml.safe_load(path.read_text())
    said = {*flat({**config, "sweep": None}), *swept_keys(config)}
    for run in resolve_runs(config):
        silent = {key for key in run if key.split(".")[0] in ("model", "training")} - said
        assert silent <= {"training.checkpoint_every", "training.nesterov"}


# ---- What is written for a run reads back as the same run.


CHANGES = [
    {},
    {"training.learning_rate": 1e-5, "model.hidden": [300, 100]},
    {"download.folder": "null or not: #1", "training.checkpoint_every": 5},
    {"download.folder": "µ"},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_written_settings_are_a_config_for_the_same_run(tmp_path, changes):
    settings = {key: value for key, value in run_of(changes).items() if key != "files"}
    write_settings(settings, tmp_path / "config.yaml")
    (run,) = resolve_runs(yaml.safe_load((tmp_path / "config.yaml").read_text()))
    assert run == settings | {"files": None}


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_written_settings_read_back_as_they_were(tmp_path, changes):
    settings = DEFAULTS | changes
    write_settings(settings, tmp_path / "config.yaml")
    assert read_settings(tmp_path / "config.yaml") == settings


def test_written_settings_are_in_the_order_of_the_schema(tmp_path):
    write_settings(DEFAULTS, tmp_path / "config.yaml")
    assert [*flat(yaml.safe_load((tmp_path / "config.yaml").read_text()))] == [*DEFAULTS]


@pytest.mark.parametrize("key", LEAVES)
def test_the_schema_describes_every_key(key):
    assert LEAVES[key]["description"].endswith(".")


def test_the_schema_says_where_editors_find_it():
    first = CONFIG.read_text().splitlines()[0]
    assert (CONFIG.parent / first.removeprefix("# yaml-language-server: $schema=")) == SCHEMA
