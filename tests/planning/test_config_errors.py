"""Every mistake in the configuration is explained, all of them at once."""

import datetime
import gzip
import json
import math
import os
import re
import struct

import numpy as np
import pytest

from configs import (
    DEFAULTS,
    LEAVES,
    SECTIONS,
    SWEEPABLE,
    message_of,
    nested,
    problems_of,
    run_of,
    types_of,
)
from hostile import HARMLESS, HOSTILE, assert_is_harmless
from scratchnet.errors import ConfigError
from scratchnet.planning.config import (
    OPTIONAL,
    resolve_runs,
)
from scratchnet.planning.yaml_file import read_yaml

# ---- Values that are not allowed, made from the schema so that no key is left out.


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
    if types == ["object"]:
        return [(value, "a section with the keys") for value in ("text", 1, True, [])]
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
        ("model.convolutions", [{"filters": 0, "kernel": 3}]),
        ("model.convolutions", [{"filters": 1, "kernel": 0}]),
        ("model.convolutions", [{"filters": 1, "kernel": 3, "pool": 0}]),
        ("model.convolutions", [{"filters": 1, "kernel": 3, "padding": "full"}]),
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
    off = leaf["default"] if key in OPTIONAL else None
    assert [resolve_runs(nested(key, value))[0].get(key, off) for value in allowed] == allowed


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
        ({"epochs": 3}, "epochs: unknown key; did you mean training.epochs?"),
        ({"epoch": 3}, "epoch: unknown key; did you mean training.epochs?"),
        ({"folder": "a"}, "folder: unknown key; did you mean download.folder?"),
        (
            {"training": {"hidden": [5]}},
            "training.hidden: unknown key; did you mean model.hidden?",
        ),
        (
            {"training": {"validation_fraction": 0.1}},
            "training.validation_fraction: unknown key; did you mean validation_fraction?",
        ),
        ({"sweep": {"epochs": [3]}}, "sweep.epochs: unknown key; did you mean training.epochs?"),
        (
            {"training.epochs": 3},
            "training.epochs: unknown key; did you mean training: {epochs: ...}?",
        ),
        (
            {"model": {"xyz": 1}},
            "model.xyz: unknown key; known keys are convolutions, hidden, activation, dropout, "
            "initializer",
        ),
        (
            {7: 1},
            "7: unknown key; known keys are dataset, classes, test_fraction, "
            "validation_fraction, download, model, augmentation, training, sweep, search, export, "
            "predict, plots",
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
        read_yaml(path)
    assert problem in str(caught.value)


def test_a_file_in_another_encoding_is_explained(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes("classes: [größer, kleiner]\n".encode("latin-1"))
    with pytest.raises(
        ConfigError, match="is not valid YAML: 'utf-8' codec can't decode byte 0xf6"
    ):
        read_yaml(path)


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        (5, ": 5 is not allowed; it must be a list, each item a section with the keys filters, "),
        ([{"filters": 2}], "[0].kernel: is missing; it must be a whole number at least 1 and "),
        ([None], "[0].filters: is missing; "),
        ([{"filters": 2, "kernl": 3, "kernel": 3}], "[0].kernl: unknown key; did you mean kernel?"),
        ([{"filters": 2, "kernel": "x"}], '[0].kernel: "x" is not allowed; it must be a whole'),
    ],
)
def test_a_mistake_in_a_convolution_block_is_explained_with_its_place(blocks, problem):
    first, *_ = problems_of({"model": {"convolutions": blocks}})
    assert first.startswith(f"model.convolutions{problem}")
    first, *_ = problems_of({"sweep": {"model.convolutions": [blocks if blocks != 5 else "5"]}})
    assert first.startswith("sweep.model.convolutions[0]")


TOO_LARGE = [
    ([{"filters": 2, "kernel": 29}], "[0].kernel: 29 x 29 is larger than the 28 x 28 pixels"),
    ([{"filters": 2, "kernel": 28, "pool": 2}], "[0].pool: 2 x 2 is larger than the 1 x 1 pixels"),
    (
        [{"filters": 2, "kernel": 5, "pool": 4}, {"filters": 2, "kernel": 7, "padding": "same"}],
        "[1].kernel: 7 x 7 is larger than the 6 x 6 pixels",
    ),
]


@pytest.mark.parametrize(("blocks", "problem"), TOO_LARGE)
def test_a_window_larger_than_the_images_is_named_before_anything_runs(blocks, problem):
    (found,) = problems_of({"model": {"convolutions": blocks}})
    assert found == f"model.convolutions{problem} that reach it, of images of 28 x 28"


def images_of(tmp_path, form, shape):
    """A dataset of one's own with images of `shape`, in the form of a file."""
    images = np.zeros((4, *shape), np.uint8)
    if form == "npz":
        np.savez(tmp_path / "own.npz", x_train=images, y_train=np.arange(4))
        return tmp_path / "own.npz"
    header = bytes([0, 0, 8, images.ndim]) + struct.pack(f">{images.ndim}I", *images.shape)
    with (gzip.open if form == "gz" else open)(
        tmp_path / f"train-images-idx{images.ndim}-ubyte{'.gz' * (form == 'gz')}", "wb"
    ) as file:
        file.write(header + images.tobytes())
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("form", ["npz", "idx", "gz"])
@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1), (6, 9, 3)], ids=str)
def test_the_size_of_ones_own_images_is_known_before_anything_runs(tmp_path, form, shape):
    config = {"dataset": str(images_of(tmp_path, form, shape))}
    blocks = [{"filters": 2, "kernel": 7}]
    (found,) = problems_of(config | {"model": {"convolutions": blocks}})
    assert found == (
        "model.convolutions[0].kernel: 7 x 7 is larger than the 6 x 9 pixels that reach it, "
        "of images of 6 x 9"
    )
    blocks = [{"filters": 2, "kernel": 6}]
    assert resolve_runs(config | {"model": {"convolutions": blocks}})


@pytest.mark.parametrize("content", [b"", b"no zip file", b"PK\x03\x04"])
def test_the_size_of_unreadable_images_is_left_to_the_job(tmp_path, content):
    (tmp_path / "own.npz").write_bytes(content)
    config = {"dataset": str(tmp_path / "own.npz")}
    assert resolve_runs(config | {"model": {"convolutions": [{"filters": 2, "kernel": 29}]}})


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


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("training: {epochs: 5}\nmodel: {}\ntraining: {seed: 1}\n", ["training", "1 and 3"]),
        ("training:\n  epochs: 5\n  seed: 1\n  epochs: 6\n", ["epochs", "2 and 4"]),
        ("sweep:\n  - {a: 1,\n     a: 2}\n", ["a", "2 and 3"]),
        ("a: {b: 1}\n'a': {b: 2}\n", ["a", "1 and 2"]),
        ("a: &x {b: 1, b: 2}\nc: *x\n", ["b", "1 and 1"]),
    ],
)
def test_a_key_that_is_given_twice_is_refused_with_both_lines(tmp_path, text, lines):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    key, where = lines
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    assert str(caught.value) == f"{path}: {key} is given twice, in lines {where}"


def test_all_keys_that_are_given_twice_are_listed(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\na: {b: 1, b: 2}\n")
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    assert str(caught.value).count("is given twice") == 2


def test_the_same_key_elsewhere_is_another_one(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\nb: {a: 2}\nc: [{a: 1}, {a: 1}]\n")
    assert read_yaml(path).keys() >= {"a"}


@pytest.mark.parametrize("text", ["", "\n", "# training:\n#   epochs: 5\n", "---\n", "null\n"])
def test_a_file_without_keys_is_an_empty_configuration(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    assert read_yaml(path) == {}


@pytest.mark.parametrize("text", ["[1, 2]\n", "training\n", "5\n"])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="must consist of keys and values"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("classes: [010, '011']\n", "classes: 010 in line 1 would be read as 8."),
        ("classes:\n- 1.10\n", "classes: 1.10 in line 2 would be read as 1.1."),
        ("classes: [1:30]\n", "classes: 1:30 in line 1 would be read as 90."),
        ("dataset: 007\n", "dataset: 007 in line 1 would be read as 7."),
        ("sweep: {dataset: [a, 0x10]}\n", "dataset: 0x10 in line 1 would be read as 16."),
        ("predict: {images: [1_0]}\n", "images: 1_0 in line 1 would be read as 10."),
    ],
)
def test_a_name_that_yaml_would_rewrite_is_refused(tmp_path, text, problem):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: {problem} Write it in quotes: ")


@pytest.mark.parametrize(
    "text", ["classes: ['010', \"011\"]\n", "classes: [8, 9.5]\n", "training: {seed: 010}\n"]
)
def test_names_in_quotes_and_other_numbers_are_kept(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    assert read_yaml(path)


@pytest.mark.parametrize("text", ["dataset: 2024-13-45\n", "training: {seed: 0b_}\n"])
def test_a_value_that_python_cannot_hold_is_refused_with_the_name_of_the_file(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(f"{path} is not valid YAML: ")):
        read_yaml(path)


def test_bytes_of_a_path_that_are_not_utf_8_are_escaped():
    """As from the command line."""
    with pytest.raises(ConfigError, match=re.escape(r'dataset: "fold\xe9r" is neither ')):
        resolve_runs({"dataset": os.fsdecode(b"fold\xe9r")})


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_class_names_with_control_characters_are_refused(name):
    (problem,) = problems_of({"classes": [*"abcdefghi", name]})
    assert re.match('classes: ".*" has control characters', problem)
    assert_is_harmless(problem)


def test_all_other_text_may_be_a_class_name():
    names = [*HARMLESS, "ten"]
    assert resolve_runs({"classes": names})[0]["classes"] == names


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("key", ["dataset", "training.optimizer", "trainig", "training"])
def test_no_message_about_a_value_has_control_characters(key, name):
    assert_is_harmless(message_of(nested(key, name)), is_one_line=False)
    assert_is_harmless(message_of({key: {name: name}}), is_one_line=False)


@pytest.mark.parametrize(
    "content",
    [
        r'{"\e[2J": 1, "\e[2J": 2}',
        r'"\e[2J"',
        r'- "\e[2J"',
        r'{"dataset": !!"\e[2J" 1}',
        r'*"\e[2J"',
    ],
)
def test_no_message_about_a_file_has_control_characters(tmp_path, content):
    path = tmp_path / "a\x1b[2J.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        read_yaml(path)
    assert_is_harmless(str(caught.value))
