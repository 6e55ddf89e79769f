"""How the runs in results/ differ: what a person set, not what follows from it."""

import pytest

from scratchnet.planning import paths
from scratchnet.planning.config import resolve_runs
from scratchnet.planning.settings import write_settings
from scratchnet.planning.stage_settings import READS, run_name
from scratchnet.planning.stored_runs import differing_settings, last_epoch, read_stored_settings


def stored(tmp_path, config):
    """The settings of the only run of `config`, written and read as those of a run in results/."""
    (settings,) = resolve_runs(config)
    run = run_name(settings)
    kept = {key: settings[key] for key in READS["evaluate"] if key in settings}
    write_settings(kept, tmp_path / paths.RUN_CONFIG.format(run=run, epoch="0020"))
    return read_stored_settings(tmp_path, run, "0020")


ADAM = {"training": {"optimizer": "adam", "learning_rate": 0.001}}
DIFFERENCES = {
    "nothing": ({}, {"training": {"seed": 0}}, {}),
    "a value": ({}, {"training": {"seed": 3}}, {"training.seed": [0, 3]}),
    "what follows from hidden layers": (
        {},
        {"model": {"hidden": [8]}},
        {"model.hidden": [[], [8]]},
    ),
    "what follows from the optimizer": (
        {},
        ADAM,
        {"training.optimizer": ["sgd", "adam"], "training.learning_rate": [0.01, 0.001]},
    ),
    "weights that were chosen": (
        {"model": {"hidden": [8]}},
        {"model": {"hidden": [8], "initializer": "glorot_uniform"}},
        {"model.initializer": ["null", "glorot_uniform"]},
    ),
    "what is left out at its default": (
        {},
        {"training": {"clip_norm": 1.0}},
        {"training.clip_norm": ["null", 1.0]},
    ),
    "no early stopping": (
        {"validation_fraction": 0.1},
        {"validation_fraction": 0.1, "training": {"patience": 2}},
        {"training.patience": ["null", 2]},
    ),
    "convolutions": (
        {},
        {"model": {"convolutions": [{"filters": 6, "kernel": 5, "pool": 2}]}},
        {"model.convolutions": [[], "6@5x5/2"]},
    ),
}


@pytest.mark.parametrize(("one", "other", "expected"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_runs_differ_in_what_was_set(tmp_path, one, other, expected):
    runs = [stored(tmp_path, config) for config in (one, other)]
    assert differing_settings(runs) == expected


def test_the_epoch_of_a_run_is_the_last_that_was_evaluated_or_else_trained(tmp_path):
    def add(pattern, epoch):
        path = tmp_path / pattern.format(run="mnist-softmax-12345678", epoch=epoch)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    found = []
    for pattern, epoch in (
        (paths.CHECKPOINT, "0030"),
        (paths.CHECKPOINT, "0100"),
        (paths.METRICS, "0003"),
        (paths.METRICS, "0020"),
    ):
        add(pattern, epoch)
        found.append(last_epoch(tmp_path, "mnist-softmax-12345678"))
    assert found == ["0030", "0100", "0003", "0020"]
    assert last_epoch(tmp_path, "mnist-softmax-00000000") is None
