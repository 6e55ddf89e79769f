"""The configuration: defaults, numbers however they are written, datasets, settings of a run."""

import errno
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from configs import (
    BESIDE,
    CONFIG,
    DEFAULTS,
    LEAVES,
    SECTIONS,
    SWEEPABLE,
    flat,
    nested,
    problems_of,
    run_of,
    types_of,
    unflat,
)
from scratchnet.data.registry import DATASETS
from scratchnet.planning.config import APPLIES, OPTIONAL, resolve_runs, swept_keys
from scratchnet.planning.paths import WILDCARDS
from scratchnet.planning.runs import Runs
from scratchnet.planning.schema import (
    SCHEMA,
    VARIATIONS,
    format_value,
    load_schema,
    setting_schemas,
)
from scratchnet.planning.settings import read_settings, write_settings

# ---- Defaults.


def test_the_shipped_config_spells_out_every_default():
    shipped = flat(yaml.safe_load(CONFIG.read_text()))
    assert shipped == DEFAULTS | {"sweep": {}, "search": {}}


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
    schema = schema.get("items", schema)
    words = [*schema.get("enum", []), *schema.get("examples", [])]
    words += [f"above {schema[k]}" for k in ("exclusiveMinimum",) if k in schema]
    words += [f"below {schema[k]}" for k in ("exclusiveMaximum",) if k in schema]
    words += [schema[k] for k in ("minimum", "maximum") if k in schema]
    for word in ("null" if word is None else str(word) for word in words):
        assert re.search(rf"(?<![\w.]){re.escape(word)}(?!\.?\w)", comment), word


EMPTY = {
    "nothing": {},
    "null": None,
    "the shipped one": yaml.safe_load(CONFIG.read_text()),
    "empty sections": {section: {} for section in [*SECTIONS, *VARIATIONS]},
    "sections with every line commented out": dict.fromkeys([*SECTIONS, *VARIATIONS]),
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
        ("classes", [0, 1.5, *"abcdefgh"], ["0", "1.5", *"abcdefgh"]),
        ("classes", "null", None),
    ],
)
def test_a_value_is_read_as_it_is_meant(key, written, meant):
    value = resolve_runs(nested(key, written))[0][key]
    assert (value, type(value)) == (meant, type(meant))


def test_a_convolution_block_has_the_order_and_the_defaults_of_the_schema():
    (run,) = resolve_runs({"model": {"convolutions": [{"pool": "2", "kernel": 5, "filters": 6.0}]}})
    expected = {"filters": 6, "kernel": 5, "pool": 2, "padding": "valid"}
    assert [[*block.items()] for block in run["model.convolutions"]] == [[*expected.items()]]


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


# For every key: two values, the first of which no condition has. Any key may be edited at any time.
VALUES = {
    "dataset": ["fashion_mnist", "kmnist"],
    "classes": [[*"abcdefghij"], [*"klmnopqrst"]],
    "test_fraction": [0.3, 0.4],
    "validation_fraction": [0.3, 0.4],
    "download.folder": ["here", "there"],
    "download.timeout": [3.0, 4.0],
    "model.convolutions": [
        [{"filters": 2, "kernel": 1, "pool": 1, "padding": "valid"}],
        [{"filters": 3, "kernel": 1, "pool": 1, "padding": "valid"}],
    ],
    "model.hidden": [[7], [8, 9]],
    "model.activation": ["tanh", "sigmoid"],
    "model.dropout": [0.3, 0.4],
    "model.initializer": ["he_uniform", "glorot_uniform"],
    "augmentation.shift": [1.0, 2.0],
    "augmentation.rotation": [1.0, 2.0],
    "augmentation.scale": [0.3, 0.4],
    "augmentation.shear": [1.0, 2.0],
    "augmentation.elastic": [1.0, 2.0],
    "augmentation.elastic_sigma": [1.0, 2.0],
    "training.epochs": [3, 4],
    "training.batch_size": [30, 40],
    "training.replicas": [3, 4],
    "training.class_weight": ["balanced", None],
    "training.optimizer": ["sgd", "adam"],
    "training.learning_rate": [0.3, 0.4],
    "training.momentum": [0.3, 0.4],
    "training.nesterov": [False, True],
    "training.weight_decay": [0.3, 0.4],
    "training.schedule": ["step", "cosine"],
    "training.decay_epochs": [3, 4],
    "training.decay_rate": [0.3, 0.4],
    "training.patience": [3, 4],
    "training.seed": [3, 4],
    "training.checkpoint_every": [3, 4],
    "export.raw_pixels": [False, True],
    "predict.images": ["here", "there"],
    "predict.run": ["this", "that"],
    "predict.background": ["light", "dark"],
    "plots.misclassified": [3, 4],
    "plots.style": ["dark_background", "default"],
    "plots.format": ["png", "svg"],
}
# Settings, and the keys that do not apply to them. Each condition overrides ALL_APPLY.
ALL_APPLY = {
    "dataset": "training alone.npz",
    "validation_fraction": 0.1,
    "model.hidden": [5],
    "augmentation.elastic": 3.0,
    "training.momentum": 0.5,
    "training.schedule": "step",
}
CONDITIONS = {
    "all keys apply": ({}, set()),
    "a public dataset": ({"dataset": "mnist"}, {"test_fraction"}),
    "an npz with test images": ({"dataset": "both.npz"}, {"test_fraction"}),
    "IDX files without test images": ({"dataset": "training alone"}, set()),
    "IDX files with test images": ({"dataset": "both"}, {"test_fraction"}),
    "softmax regression": ({"model.hidden": []}, {"model.activation", "model.dropout"}),
    "convolutions alone": (
        {"model.hidden": [], "model.convolutions": [{"filters": 2, "kernel": 1}]},
        set(),
    ),
    "adam": ({"training.optimizer": "adam"}, {"training.momentum", "training.nesterov"}),
    "no elastic distortion": ({"augmentation.elastic": 0}, {"augmentation.elastic_sigma"}),
    "plain sgd": ({"training.momentum": 0.0}, {"training.nesterov"}),
    "cosine": ({"training.schedule": "cosine"}, set()),
    "a constant learning rate": (
        {"training.schedule": "constant"},
        {"training.decay_epochs", "training.decay_rate"},
    ),
}


@pytest.fixture
def own_datasets(tmp_path, monkeypatch):
    """A working directory with datasets of one's own, with and without test images."""
    monkeypatch.chdir(tmp_path)
    train = {"x_train": np.zeros((10, 1, 1)), "y_train": np.arange(10)}
    test = {"x_test": np.zeros((10, 1, 1)), "y_test": np.arange(10)}
    np.savez("training alone.npz", **train)
    np.savez("both.npz", **train, **test)
    for name, roles in {"training alone": ["train"], "both": ["train", "test"]}.items():
        Path(name).mkdir()
        for role in roles:
            Path(name, f"{role}-images.idx").write_text(role)
            Path(name, f"{role}-labels.idx").write_text(role)


def test_every_key_has_values():
    assert VALUES.keys() == LEAVES.keys()


@pytest.mark.parametrize("key", VALUES)
@pytest.mark.parametrize(("condition", "idle"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_key_counts_where_it_applies_and_nowhere_else(own_datasets, condition, idle, key):
    base = ALL_APPLY | condition
    (one,), (other,) = (resolve_runs(unflat(base | {key: value})) for value in VALUES[key])
    assert (one != other) == (key not in idle)
    assert (key in one) == (key not in idle)


@pytest.mark.parametrize("key", [key for key in VALUES if key in SWEEPABLE])
@pytest.mark.parametrize(("condition", "idle"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_sweep_over_a_key_has_two_runs_where_it_applies(own_datasets, condition, idle, key):
    sweep = {"sweep": {key: VALUES[key]}}
    runs = Runs(unflat(ALL_APPLY | condition) | sweep)
    assert len(runs.settings) == (1 if key in idle else 2)
    places = {(place["run"], place["epoch"]) for place in runs.wildcards}
    assert len(places) == len(runs.settings)


def test_patience_needs_validation_images():
    (problem,) = problems_of({"training": {"patience": 3}})
    assert problem.startswith("training.patience: early stopping needs validation images")
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


NAMES = [
    *(
        "set{1}",
        "{x}",
        "{{",
        "a b",
        "line\nbreak",
        "tab\t",
        "it's",
        'q"',
        "-n",
        "--config=a",
        "größe 数",
    ),
    *(
        "100%s",
        "%(x)s",
        "$HOME",
        "`x`",
        "a\\b",
        "*",
        "[a]",
        "~no_such_user",
        "#x",
        "a;b&c|d",
        "x" * 250,
    ),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("place", ["{}.npz", "{}.NPZ", "in {}/x.npz", "{}"])
def test_a_dataset_may_have_any_path(folder, name, place):
    path = Path(place.replace("{}", name[:240]))
    path.parent.mkdir(exist_ok=True)
    if path.suffix.lower() == ".npz":
        path.write_bytes(b"any content")
    else:
        path.mkdir()
        (path / "train-images.idx").write_bytes(b"any content")
        (path / "train-labels.idx").write_bytes(b"any content")
    (run,) = resolve_runs({"dataset": str(path)})
    assert {str(path), str(path / "train-images.idx")} & {*run["files"].values()}
    (place,) = Runs({"dataset": str(path)}).wildcards
    for folder in ("run", "data"):
        assert re.fullmatch(WILDCARDS[folder], place[folder])
        assert len(place[folder]) < 200


@pytest.mark.parametrize(
    "dataset",
    ["~no_such_user/x.npz", "no{1}", "a\nb", "loop", "\0", "-m", "%s", "x" * 300],
)
def test_a_dataset_that_is_not_there_is_explained_in_one_line(folder, dataset):
    (folder / "loop").symlink_to("loop")
    (problem,) = problems_of({"dataset": dataset})
    assert problem.startswith(f"dataset: {format_value(dataset)} is neither one of mnist, ")


@pytest.mark.parametrize("dataset", ["locked.npz", "locked"])
def test_a_dataset_that_may_not_be_read_is_explained_in_one_line(folder, monkeypatch, dataset):
    """The tests may run as root, who may read everything."""
    (folder / "locked.npz").write_bytes(b"any content")
    (folder / "locked").mkdir()

    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    (problem,) = problems_of({"dataset": dataset})
    assert problem.startswith(f'dataset: "{dataset}" is neither one of mnist, ')
    assert problem.endswith(f"Permission denied: '{dataset}'")


def test_a_folder_without_idx_files_is_explained(folder):
    (folder / "images").mkdir()
    (problem,) = problems_of({"dataset": "images"})
    assert "the folder has no IDX file of the train_images and train_labels" in problem


# ---- Ready-made configurations.


@pytest.mark.parametrize("path", sorted((SCHEMA.parents[1] / "configs").glob("*.yaml")), ids=str)
def test_a_ready_made_configuration_is_right_and_says_all_that_matters(path):
    config = yaml.safe_load(path.read_text())
    said = {*flat({**config, "sweep": None}), *swept_keys(config)}
    if "search" in config:
        said.add("training.epochs")  # those of the last rung
    assert said >= {*OPTIONAL}
    for run in resolve_runs(config):
        sections = ("model", "augmentation", "training")
        silent = {key for key in run if key.split(".")[0] in sections} - said
        assert silent <= {"training.checkpoint_every", "training.nesterov"}


# ---- What is written for a run reads back as the same run.


CHANGES = [
    {},
    {"training.learning_rate": 1e-5, "model.hidden": [300, 100]},
    {"download.folder": "null or not: #1", "training.checkpoint_every": 5},
    BESIDE["model.convolutions"],
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
