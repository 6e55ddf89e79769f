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
    OF_OWN_DATA,
    SECTIONS,
    SWEEPABLE,
    message_of,
    nested,
    problems_of,
    types_of,
    unflat,
)
from hostile import HARMLESS, HOSTILE, assert_is_harmless
from scratchnet.errors import ConfigError
from scratchnet.planning.config import resolve_runs
from scratchnet.planning.paths import epoch_name

# ---- Values that are not allowed, made from the schema so that no key is left out.


def bad_values(leaf):
    """Values that `leaf` does not allow, each with what the message must say is allowed."""
    if "enum" in leaf:
        allowed = "one of " + ", ".join(value or "null" for value in leaf["enum"])
        values = ["no such thing", 1, True, [], {}, *([] if None in leaf["enum"] else [None])]
        return [(value, allowed) for value in values]
    types = types_of(leaf)
    if "array" in types:
        others = [1] * (leaf.get("minItems", 1) - 1)
        items = [([value, *others], "") for value, _ in bad_values(leaf["items"])]
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
    texts = ("text", "", "nan", "inf", "-inf", "1e400", "0x10", "1:30")
    values += [(value, kind) for value in (*texts, math.nan, math.inf, -math.inf, 10**400)]
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
    if "null" in types:
        return [*values, ("Null and void", "or null")]
    return [*values, (None, kind), ("null", kind)]


@pytest.mark.parametrize("key", LEAVES)
def test_a_bad_value_is_explained_and_in_a_sweep_with_its_place(key):
    for value, allowed in bad_values(LEAVES[key]):
        section = {key: [DEFAULTS[key], value]}
        configs = {"": nested(key, value)}
        if key in SWEEPABLE:
            configs |= {"sweep.": {"sweep": section}, "sweep[1].": {"sweep": [{}, section]}}
        for place, config in configs.items():
            (problem,) = problems_of(config)
            where = re.escape(f"{place}{key}") + (r"\[1\]" if place else "")
            assert re.match(rf"{where}(\[0\])?: .* is not allowed; it must be .", problem)
            assert allowed in problem


@pytest.mark.parametrize("key", sorted(LEAVES.keys() - OF_OWN_DATA))
def test_every_bound_itself_is_allowed(key):
    """And a value has the type that the schema says, in whichever it is written."""
    kinds = {"integer": int, "number": float, "null": type(None), "array": list, "boolean": bool}
    leaf = LEAVES[key]
    types = {kinds.get(kind, str) for kind in types_of(leaf)} or {str}
    bounds = [leaf[bound] for bound in ("minimum", "maximum") if bound in leaf]
    for value in [*bounds, *leaf.get("enum", []), leaf["default"]]:
        (run,) = resolve_runs(nested(key, value))
        found = run.get(key, leaf["default"])
        assert found == value or value is None
        assert key not in run or type(found) in types


def test_the_names_of_epochs_have_four_digits():
    assert len(epoch_name(LEAVES["training.epochs"]["maximum"])) == len(epoch_name(1)) == 4


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_is_none_is_explained_by_its_keys(section):
    keys = ", ".join(key.split(".")[1] for key in LEAVES if key.startswith(f"{section}."))
    for value in (5, "text", [], True):
        problem = f"{section}: {json.dumps(value)} is not allowed; it must be a section with the "
        assert problems_of({section: value}) == [f"{problem}keys {keys}"]


@pytest.mark.parametrize("config", [[], "text", 5])
def test_a_config_that_is_no_mapping_is_explained(config):
    (problem,) = problems_of(config)
    assert problem.startswith(f"config: {json.dumps(config)} is not allowed; it must be a section")


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


# ---- Keys that do not exist.

UNKNOWN = {
    "datset": "did you mean dataset?",
    "trainig": "did you mean training?",
    "training.epoch": "did you mean epochs?",
    "training.learningrate": "did you mean learning_rate?",
    "plots.stile": "did you mean style?",
    "epochs": "did you mean training.epochs?",
    "epoch": "did you mean training.epochs?",
    "folder": "did you mean download.folder?",
    "training.hidden": "did you mean model.hidden?",
    "training.validation_fraction": "did you mean validation_fraction?",
    "model.xyz": "known keys are "
    + ", ".join(key.split(".")[1] for key in LEAVES if key.startswith("model.")),
}


@pytest.mark.parametrize("key", UNKNOWN)
def test_an_unknown_key_is_named_with_what_may_be_meant(key):
    assert problems_of(unflat({key: 1})) == [f"{key}: unknown key; {UNKNOWN[key]}"]


def test_a_key_with_a_dot_or_of_a_number_is_unknown():
    (problem,) = problems_of({"training.epochs": 3})
    assert problem == "training.epochs: unknown key; did you mean training: {epochs: ...}?"
    (problem,) = problems_of({7: 1})
    assert problem.startswith("7: unknown key; known keys are dataset, image, classes, ")


def test_a_long_name_of_an_unknown_key_is_shortened():
    (problem,) = problems_of({"x" * 3000: 1})
    assert len(problem) < 300


# ---- Convolutions.


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ("5", ': "5" is not allowed; it must be a list, each item a section with the keys filters'),
        ([{"filters": 2}], "[0].kernel: is missing; it must be a whole number at least 1 and "),
        ([None], "[0].filters: is missing; "),
        ([{"filters": 2, "kernl": 3, "kernel": 3}], "[0].kernl: unknown key; did you mean kernel?"),
        ([{"filters": 2, "kernel": "x"}], '[0].kernel: "x" is not allowed; it must be a whole'),
    ],
)
def test_a_mistake_in_a_convolution_block_is_explained_with_its_place(blocks, problem):
    first, *_ = problems_of({"model": {"convolutions": blocks}})
    assert first.startswith(f"model.convolutions{problem}")
    first, *_ = problems_of({"sweep": {"model.convolutions": [blocks]}})
    assert first.startswith(f"sweep.model.convolutions[0]{problem}")


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
    name = f"train-images-idx{images.ndim}-ubyte{'.gz' * (form == 'gz')}"
    with (gzip.open if form == "gz" else open)(tmp_path / name, "wb") as file:
        file.write(header + images.tobytes())
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("form", ["npz", "idx", "gz"])
@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1), (6, 9, 3)], ids=str)
def test_the_size_of_ones_own_images_is_known_before_anything_runs(tmp_path, form, shape):
    own = {"dataset": str(images_of(tmp_path, form, shape))}
    (found,) = problems_of(own | {"model": {"convolutions": [{"filters": 2, "kernel": 7}]}})
    assert found == (
        "model.convolutions[0].kernel: 7 x 7 is larger than the 6 x 9 pixels that reach it, "
        "of images of 6 x 9"
    )
    assert resolve_runs(own | {"model": {"convolutions": [{"filters": 2, "kernel": 6}]}})


@pytest.mark.parametrize("content", [b"", b"no zip file", b"PK\x03\x04"])
def test_the_size_of_unreadable_images_is_left_to_the_job(tmp_path, content):
    (tmp_path / "own.npz").write_bytes(content)
    own = {"dataset": str(tmp_path / "own.npz")}
    assert resolve_runs(own | {"model": {"convolutions": [{"filters": 2, "kernel": 29}]}})


# ---- All problems at once.

WRONG = {
    "datset": "mnist",
    "validation_fraction": 2,
    "model": {"hidden": [0, "wide"], "activaton": "relu"},
    "training": {"epochs": 0, "learning_rate": "fast"},
    "sweep": {"training.seed": [0, -1]},
    "plots": [],
}


def test_all_problems_are_told_at_once_in_short_lines_for_people():
    problems = problems_of(WRONG)
    assert [problem.split(":")[0] for problem in problems] == [
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
    assert max(map(len, problems)) < 150
    for word in ("schema", "additionalProperties", "exclusiveMinimum", "$", "{'"):
        assert word not in message_of(WRONG)


@pytest.mark.parametrize("n", [20, 21, 20_000])
def test_of_many_problems_the_first_are_listed(n):
    problems = problems_of({f"key{i}": 1 for i in range(n)})
    assert len(problems) == min(n, 21)
    assert (problems[-1] == "and more") == (n > 20)


def test_a_problem_of_many_runs_is_told_once():
    config = {"sweep": {"training.patience": [3, 4], "training.seed": [*range(20)]}}
    (problem,) = problems_of(config)
    assert problem.startswith("training.patience: early stopping needs validation images")
    config = {"sweep": {"dataset": ["no such", "nor such", "mnist"], "training.seed": [0, 1]}}
    assert len(problems_of(config)) == 2


def test_more_runs_than_anybody_can_train_are_refused_before_they_are_made():
    sweep = {f"training.{key}": list(range(1, 101)) for key in ("seed", "epochs", "batch_size")}
    assert message_of({"sweep": sweep}) == "the sweep has 1000000 runs; at most 10000 are possible"


# ---- Text that may do harm.


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
