"""Names of results depend on what they should depend on, and on nothing else."""

import re

import pytest

from configs import ALL_APPLY, LEAVES, OF_OWN_DATA, OPTIMIZER_OF, other_values, unflat
from scratchnet.planning.config import resolve_runs
from scratchnet.planning.stage_settings import READS, data_name, identity, previous_epoch, run_name

(DEFAULTS,) = resolve_runs({})
# A run in which every setting applies, those of one's own data and of all optimizers included.
(FULL,) = resolve_runs(
    unflat({key: other_values(leaf)[1] for key, leaf in LEAVES.items()} | ALL_APPLY)
)
FULL |= {"content": "a1b2"} | {key: LEAVES[key]["default"] for key in OF_OWN_DATA}
FULL |= dict.fromkeys(OPTIMIZER_OF, 0.5)
RUN, DATA, NOTHING = {"run"}, {"data", "run"}, set()


def folders_that_move(one, other):
    names = {"data": data_name, "run": run_name}
    return {name for name, function in names.items() if function(one) != function(other)}


@pytest.mark.parametrize("key", sorted(FULL))
def test_a_folder_moves_with_the_settings_that_its_content_depends_on(key):
    expected = NOTHING
    if key in ("dataset", "content", "validation_fraction", "standardize", *OF_OWN_DATA):
        expected = DATA
    elif key.startswith(("model.", "augmentation.", "training.")):
        # More epochs and other checkpoints are in the same folder.
        expected = NOTHING if key in ("training.epochs", "training.checkpoint_every") else RUN
    other = {"content": "c3d4", "files": {"npz": "elsewhere.npz"}}
    values = [other[key]] if key in other else other_values(LEAVES[key])
    value = next(value for value in values if value != FULL[key])
    assert folders_that_move(FULL, FULL | {key: value}) == expected


def test_every_setting_applies_to_one_run():
    assert FULL.keys() == {*LEAVES, "files", "content"}


def test_public_data_are_downloaded_and_ones_own_are_not():
    assert "download" in identity("train", DEFAULTS)
    assert "download" not in identity("train", FULL)


def test_swapped_values_are_noticed():
    for one, other, moves in (
        ("training.batch_size", "training.seed", RUN),
        ("training.learning_rate", "training.momentum", RUN),
        ("validation_fraction", "training.momentum", DATA),
    ):
        before, after = DEFAULTS | {one: 7, other: 8}, DEFAULTS | {one: 8, other: 7}
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
    assert re.fullmatch(f"{start.split('-')[0]}-[0-9a-f]{{8}}", data_name(DEFAULTS | settings))


def test_the_folders_of_the_defaults_keep_their_names():
    # Another name and everybody's results are made again: only with a reason.
    assert (data_name(DEFAULTS), run_name(DEFAULTS)) == ("mnist-a3a73168", "mnist-softmax-c79f3218")
    training = {"optimizer": "adam", "schedule": "cosine"}
    (run,) = resolve_runs({"model": {"hidden": [9]}, "training": training})
    assert run_name(run) == "mnist-mlp-9-77500804"


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
