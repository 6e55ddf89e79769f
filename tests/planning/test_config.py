"""The configuration: defaults, numbers however they are written, datasets, settings of a run."""

import errno
import hashlib
import re
import shutil
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import yaml

from configs import (
    ALL_APPLY,
    CONFIG,
    DEFAULTS,
    LEAVES,
    SECTIONS,
    SETTINGS,
    SWEEPABLE,
    flat,
    nested,
    other_values,
    problems_of,
    run_of,
    unflat,
)
from scratchnet.data.registry import DATASETS
from scratchnet.planning.config import resolve_runs, swept_keys
from scratchnet.planning.paths import WILDCARDS
from scratchnet.planning.runs import Runs
from scratchnet.planning.schema import (
    SCHEMA,
    VARIATIONS,
    format_value,
)
from scratchnet.planning.settings import read_settings, write_settings
from scratchnet.planning.stage_settings import AUGMENTATION
from scratchnet.planning.yaml_file import read_yaml

# ---- Defaults.


def test_the_shipped_config_spells_out_every_default_in_the_order_of_the_schema():
    shipped = flat(yaml.safe_load(CONFIG.read_text()))
    assert [*shipped.items()] == [(key, leaf["default"]) for key, leaf in SETTINGS.items()]


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
def test_the_schema_describes_each_key_and_the_shipped_config_says_what_is_allowed(key):
    schema, comment = LEAVES[key], comment_on(key)
    assert schema["description"].endswith(".")
    assert comment.strip()
    schema = schema.get("items", schema)
    words = [*(word or "null" for word in schema.get("enum", [])), *schema.get("examples", [])]
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


def test_text_in_nested_values_is_read_and_the_config_that_is_given_is_not_changed():
    config = {
        "training": {"epochs": "3", "learning_rate": "1e-3", "checkpoint_every": "null"},
        "model": {"hidden": ["30"]},
        "sweep": {"training.seed": ["0", "1"]},
    }
    before = deepcopy(config)
    changes = {"training.epochs": 3, "training.learning_rate": 0.001, "model.hidden": [30]}
    assert resolve_runs(config) == [run_of(changes | {"training.seed": seed}) for seed in (0, 1)]
    assert config == before


# ---- Numbers and null as people write them.


@pytest.mark.parametrize(
    ("key", "written", "meant"),
    [
        *(("training.learning_rate", written, 0.001) for written in ("1e-3", "0.001", ".001")),
        *(("training.momentum", written, 0.0) for written in (0, "0", "0.0")),
        *(("training.epochs", written, 20) for written in (20.0, "20", "2e1", "20.0", "020")),
        *(("training.checkpoint_every", written, 5) for written in (5.0, "5")),
        *(("training.checkpoint_every", written, None) for written in ("null", None)),
        *(("training.nesterov", written, True) for written in ("true", "True")),
        *(("training.nesterov", written, False) for written in ("false", "False")),
        ("training.seed", "4294967295", 4294967295),
        ("download.timeout", "2.5", 2.5),
        ("download.folder", "null", None),
        ("download.folder", "1e3", "1e3"),
        ("model.hidden", ["300", 100.0], [300, 100]),
        ("model.hidden", [], []),
        ("classes", [0, 1.5, *"abcdefgh"], ["0", "1.5", *"abcdefgh"]),
        ("classes", "null", None),
    ],
)
def test_a_value_is_read_as_it_is_meant(key, written, meant):
    assert repr(resolve_runs(nested(key, written))[0][key]) == repr(meant)


def test_a_convolution_block_has_the_order_and_the_defaults_of_the_schema():
    (run,) = resolve_runs({"model": {"convolutions": [{"pool": "2", "kernel": 5, "filters": 6.0}]}})
    (block,) = run["model.convolutions"]
    assert repr(block) == "{'filters': 6, 'kernel': 5, 'pool': 2, 'padding': 'valid'}"


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"stride": 1, "pooling": "max", "pool": 2}, {"pool": 2}),
        ({"stride": 2}, {"pool": 1, "stride": 2}),
        ({"pooling": "average"}, {"pool": 1}),
        ({"pooling": "average", "pool": 2}, {"pool": 2, "pooling": "average"}),
        ({"pooling": "global_average", "pool": 2}, {"pool": 1, "pooling": "global_average"}),
    ],
    ids=str,
)
def test_options_of_a_block_that_change_nothing_are_no_settings(options, kept):
    block = {"filters": 6, "kernel": 5}
    (run,) = resolve_runs({"model": {"convolutions": [block | options]}})
    assert run["model.convolutions"] == [block | {"padding": "valid"} | kept]


# ---- What does not apply.


# Settings, and the keys that do not apply to them. Each condition overrides ALL_APPLY.
CONDITIONS = {
    "all keys but those of other optimizers": ({}, set()),
    "a public dataset": ({"dataset": "mnist"}, {"test_fraction"}),
    "an npz with test images": ({"dataset": "both.npz"}, {"test_fraction"}),
    "IDX files without test images": ({"dataset": "training alone"}, set()),
    "IDX files with test images": ({"dataset": "both"}, {"test_fraction"}),
    "images without test images": ({"dataset": "images"}, set()),
    "images with test images": ({"dataset": "images of both"}, {"test_fraction"}),
    "softmax regression": (
        {"model.hidden": []},
        {"model.activation", "model.normalization", "model.dropout"},
    ),
    "convolutions alone": (
        {"model.hidden": [], "model.convolutions": [{"filters": 2, "kernel": 1}]},
        set(),
    ),
    "adam": ({"training.optimizer": "adam"}, set()),
    "rmsprop": ({"training.optimizer": "rmsprop"}, set()),
    "no elastic distortion": ({"augmentation.elastic": 0}, {"augmentation.elastic_sigma"}),
    "plain sgd": ({"training.momentum": 0.0}, {"training.nesterov"}),
    "cosine": ({"training.schedule": "cosine"}, set()),
    "a constant learning rate": (
        {"training.schedule": "constant"},
        {"training.decay_epochs", "training.decay_rate"},
    ),
}


# The settings that only some optimizers have.
OPTIMIZERS = {
    **dict.fromkeys(["training.momentum", "training.nesterov"], ("sgd",)),
    **dict.fromkeys(["training.beta_1", "training.beta_2"], ("adam",)),
    "training.rho": ("rmsprop",),
    "training.epsilon": ("adam", "rmsprop"),
}


@pytest.fixture
def own_datasets(tmp_path, monkeypatch):
    """A working directory with datasets of one's own, with and without test images."""
    monkeypatch.chdir(tmp_path)
    train = {"x_train": np.zeros((10, 28, 28)), "y_train": np.arange(10)}
    test = {"x_test": np.zeros((10, 28, 28)), "y_test": np.arange(10)}
    np.savez("training alone.npz", **train)
    np.savez("both.npz", **train, **test)
    for name, roles in {"training alone": ["train"], "both": ["train", "test"]}.items():
        Path(name).mkdir()
        for role in roles:
            Path(name, f"{role}-images.idx").write_text(role)
            Path(name, f"{role}-labels.idx").write_text(role)
    for place in ("images", "images of both/train", "images of both/test"):
        for label in "abcdefghij":
            Path(place, label).mkdir(parents=True)
            Path(place, label, "x.png").write_text(place)


@pytest.mark.parametrize(("condition", "idle"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_key_counts_where_it_applies_and_nowhere_else(own_datasets, condition, idle):
    base = {"dataset": "training alone.npz"} | ALL_APPLY | condition
    idle = idle | {key for key, own in OPTIMIZERS.items() if base["training.optimizer"] not in own}
    if not base["dataset"].startswith("images"):
        idle |= {key for key in LEAVES if key.startswith("image.")}
    for key, leaf in LEAVES.items():
        values = other_values(leaf)
        (one,), (other,) = (resolve_runs(unflat(base | {key: value})) for value in values)
        applies = key in one or key in other
        assert (key, one != other, applies) == (key, key not in idle, key not in idle)
        if key in SWEEPABLE:
            runs = Runs(unflat(base) | {"sweep": {key: values}})
            places = {(place["run"], place["epoch"]) for place in runs.wildcards}
            assert (key, len(places)) == (key, len(runs.settings)) == (key, 2 - (key in idle))


def test_what_is_off_is_no_setting_of_a_run():
    off = {"standardize", "model.convolutions", "model.normalization", "training.replicas"}
    off |= {"training.label_smoothing", "training.l2", "training.clip_norm"}
    off |= {"training.warmup_epochs"}
    off |= {key for key in LEAVES if key.startswith("augmentation.")}
    for optimizer, options in (("adam", {"beta_1", "beta_2"}), ("rmsprop", {"rho"})):
        (run,) = resolve_runs({"training": {"optimizer": optimizer}})
        defaults = {f"training.{name}" for name in options | {"epsilon"}}
        assert off | defaults <= LEAVES.keys() - run.keys()


def test_patience_needs_validation_images():
    (problem,) = problems_of({"training": {"patience": 3}})
    assert problem.startswith("training.patience: early stopping needs validation images")


def test_batch_normalization_needs_batches():
    config = {"model": {"normalization": "batch", "hidden": [5]}, "training": {"batch_size": 1}}
    (problem,) = problems_of(config)
    assert problem.startswith("model.normalization: batch needs more than one image")


# ---- Datasets.


def test_the_schema_names_the_public_datasets():
    assert LEAVES["dataset"]["examples"] == list(DATASETS)


def test_a_misspelt_dataset_is_explained():
    (problem,) = problems_of({"dataset": "fashion-mnist"})
    assert problem.startswith('dataset: "fashion-mnist" is neither one of mnist, fashion_mnist, ')
    assert problem.endswith("; did you mean fashion_mnist?")


def test_a_path_that_snakemake_took_for_a_number_is_explained(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (problem,) = problems_of({"dataset": 7})
    assert problem.endswith("; of a name like 007, --config makes a number: write dataset=./007")


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
    (folder / "copies").mkdir()
    shutil.copy("My Data.npz", "copies")
    sweep = {"dataset": ["My Data.npz", "copies/My Data.npz"]}
    assert resolve_runs({"sweep": sweep}) == [run]


NAMES = [
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
    (folder / "empty").mkdir()
    (problem,) = problems_of({"dataset": "empty"})
    assert "the folder has no images (.png, .jpg, .jpeg, .jpe, .webp, .gif, .bmp), and" in problem


# ---- Ready-made configurations.


@pytest.mark.parametrize("path", sorted((SCHEMA.parents[1] / "configs").glob("*.yaml")), ids=str)
def test_a_ready_made_configuration_is_right_and_says_all_that_matters(path):
    config = yaml.safe_load(path.read_text())
    said = {*flat({**config, "sweep": None}), *swept_keys(config)}
    if "search" in config:
        said.add("training.epochs")  # those of the last rung
    assert said >= {"standardize", "model.convolutions", "training.replicas", *AUGMENTATION} - {
        "augmentation.elastic_sigma"
    }
    for run in resolve_runs(config):
        sections = ("model", "augmentation", "training")
        silent = {key for key in run if key.split(".")[0] in sections} - said
        assert silent <= {"training.checkpoint_every", "training.nesterov"}


# ---- The settings of a run as a file.


CHANGES = [
    {},
    {"training.learning_rate": 1e-5, "model.hidden": [300, 100]},
    {"download.folder": "null or not: #1", "training.checkpoint_every": 5},
    {"model.convolutions": other_values(LEAVES["model.convolutions"])[0]},
    {"download.folder": "µ", "classes": ["010", "1:30", "yes", "2024-01-01"]},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_written_settings_read_back_as_they_were(tmp_path, changes):
    settings = DEFAULTS | changes
    write_settings(settings, tmp_path / "config.yaml")
    assert [*read_settings(tmp_path / "config.yaml").items()] == [*settings.items()]
    assert flat(read_yaml(tmp_path / "config.yaml")) == settings


def test_the_schema_says_where_editors_find_it():
    first = CONFIG.read_text().splitlines()[0]
    assert (CONFIG.parent / first.removeprefix("# yaml-language-server: $schema=")) == SCHEMA
