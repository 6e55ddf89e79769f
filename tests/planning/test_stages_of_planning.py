"""Names of results depend on what they should depend on, and on nothing else."""

import re

import pytest

from scratchnet.planning.config import resolve_runs
from scratchnet.planning.schema import VARIATIONS, load_schema, setting_schemas
from scratchnet.planning.stages import READS, data_name, identity, previous_epoch, run_name

(DEFAULTS,) = resolve_runs({})
# A run in which every setting applies, that of one's own data included.
(FULL,) = resolve_runs(
    {
        "validation_fraction": 0.1,
        "model": {"convolutions": [{"filters": 2, "kernel": 3}], "hidden": [5]},
        "augmentation": dict.fromkeys(("shift", "rotation", "scale", "shear", "elastic"), 0.5),
        "training": {"momentum": 0.5, "schedule": "step", "patience": 3, "replicas": 2}
        | {"class_weight": "balanced"},
    }
)
FULL |= {"content": "a1b2", "test_fraction": 0.15}
RUN, DATA, NOTHING = {"run"}, {"data", "run"}, set()

# {key: (another value, the folders that move with it)}, worked out by hand.
MOVES = {
    "dataset": ("fashion", DATA),
    "content": ("c3d4", DATA),
    "classes": (["a", "b"], NOTHING),
    "test_fraction": (0.3, DATA),
    "validation_fraction": (0.2, DATA),
    "files": ({"npz": "elsewhere.npz"}, NOTHING),
    "download.folder": ("elsewhere", NOTHING),
    "download.timeout": (5.0, NOTHING),
    "model.convolutions": ([{"filters": 9, "kernel": 3}], RUN),
    "model.hidden": ([30], RUN),
    "model.activation": ("tanh", RUN),
    "model.dropout": (0.5, RUN),
    "model.initializer": ("he_uniform", RUN),
    **{
        f"augmentation.{name}": (0.75, RUN)
        for name in ("shift", "rotation", "scale", "shear", "elastic", "elastic_sigma")
    },
    "training.epochs": (30, NOTHING),
    "training.batch_size": (100, RUN),
    "training.replicas": (4, RUN),
    "training.class_weight": (None, RUN),
    "training.optimizer": ("adam", RUN),
    "training.learning_rate": (0.1, RUN),
    "training.momentum": (0.9, RUN),
    "training.nesterov": (True, RUN),
    "training.weight_decay": (0.1, RUN),
    "training.schedule": ("cosine", RUN),
    "training.decay_epochs": (3, RUN),
    "training.decay_rate": (0.5, RUN),
    "training.patience": (5, RUN),
    "training.seed": (1, RUN),
    "training.checkpoint_every": (5, NOTHING),
    "export.raw_pixels": (True, NOTHING),
    **{f"predict.{name}": (["other"], NOTHING) for name in ("images", "run", "background")},
    "plots.misclassified": (6, NOTHING),
    "plots.style": ("default", NOTHING),
    "plots.format": ("svg", NOTHING),  # another file
}
KEYS = [name for name in setting_schemas(load_schema()) if name not in VARIATIONS]


def test_every_setting_has_an_entry():
    assert set(MOVES) == set(FULL) == {*KEYS, "files", "content"}


def folders_that_move(one, other):
    names = {"data": data_name, "run": run_name}
    return {name for name, function in names.items() if function(one) != function(other)}


@pytest.mark.parametrize("name", MOVES)
def test_a_folder_moves_with_the_settings_that_its_content_depends_on(name):
    value, folders = MOVES[name]
    assert folders_that_move(FULL, FULL | {name: value}) == folders


def test_public_data_are_downloaded_and_ones_own_are_not():
    assert "download" in identity("train", DEFAULTS)
    assert "download" not in identity("train", FULL)


SWAPS = [
    ("training.batch_size", 7, "training.seed", 8, RUN),
    ("training.learning_rate", 0.5, "training.momentum", 0.25, RUN),
    ("validation_fraction", 0.5, "training.momentum", 0.25, DATA),
]


@pytest.mark.parametrize(("one", "a", "other", "b", "moves"), SWAPS)
def test_swapped_values_are_noticed(one, a, other, b, moves):
    before, after = DEFAULTS | {one: a, other: b}, DEFAULTS | {one: b, other: a}
    assert folders_that_move(before, after) == moves


def test_the_order_of_the_settings_makes_no_difference():
    backwards = dict(reversed(DEFAULTS.items()))
    assert folders_that_move(DEFAULTS, backwards) == NOTHING


def test_the_order_of_the_widths_makes_a_difference():
    wide, narrow = ({"model.hidden": widths} for widths in ([300, 100], [100, 300]))
    assert folders_that_move(DEFAULTS | wide, DEFAULTS | narrow) == {"run"}


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({}, "mnist-softmax-"),
        ({"model.hidden": [128]}, "mnist-mlp-128-"),
        ({"model.hidden": [300, 100]}, "mnist-mlp-300-100-"),
        ({"dataset": "fashion"}, "fashion-softmax-"),
        ({"model.hidden": [9] * 6}, "mnist-mlp-9-9-9-9-9-9-"),
        ({"model.hidden": [9] * 100}, "mnist-mlp-100-layers-"),
        ({"model.convolutions": [{"filters": 32}, {"filters": 64}]}, "mnist-conv-32-64-"),
        (
            {"model.convolutions": [{"filters": 6}], "model.hidden": [84]},
            "mnist-conv-6-mlp-84-",
        ),
    ],
)
def test_the_name_of_a_run_tells_dataset_and_network(settings, start):
    assert re.fullmatch(f"{start}[0-9a-f]{{8}}", run_name(DEFAULTS | settings))


@pytest.mark.parametrize("dataset", ["mnist", "fashion"])
def test_the_name_of_the_data_tells_the_dataset(dataset):
    assert re.fullmatch(f"{dataset}-[0-9a-f]{{8}}", data_name(DEFAULTS | {"dataset": dataset}))


def test_the_folders_of_the_defaults_keep_their_names():
    # Another name and everybody's results are made again: only with a reason.
    assert (data_name(DEFAULTS), run_name(DEFAULTS)) == ("mnist-a3a73168", "mnist-softmax-c79f3218")


def test_a_run_is_described_by_the_settings_in_its_identity():
    # `evaluate` writes its settings as those of the run.
    read = {key for part in identity("train", FULL).values() for key in part}
    assert {*READS["evaluate"]} & FULL.keys() == read | {"classes"}


# ---- Where training continues from.


@pytest.mark.parametrize(
    ("epoch", "checkpoint_every", "others", "expected"),
    [
        (20, None, (), 0),
        (20, None, {20}, 0),
        (20, None, {10}, 10),
        (20, None, {10, 15}, 15),
        (20, None, {30}, 0),
        (20, None, {10, 30}, 10),
        (1, None, (), 0),
        (20, 5, (), 15),
        (20, 6, (), 18),
        (20, 1, (), 19),
        (20, 19, (), 19),
        (20, 20, (), 0),
        (20, 21, (), 0),
        (21, 20, (), 20),
        (1, 1, (), 0),
        (2, 1, (), 1),
        (20, 5, {17}, 17),
        (20, 5, {12}, 15),
        (20, 5, {15}, 15),
        (20, 5, {20, 25}, 15),
        (15, 5, {20}, 10),
        (3, 5, {2, 4}, 2),
    ],
)
def test_training_continues_from_the_last_checkpoint_before(
    epoch, checkpoint_every, others, expected
):
    assert previous_epoch(epoch, checkpoint_every, others) == expected
