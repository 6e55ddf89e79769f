"""Sweeps: which runs a configuration has, and in which order."""

import json

import pytest

from configs import DEFAULTS, LEAVES, SWEEPABLE, problems_of, run_of
from scratchnet.planning.config import (
    describe_runs,
    resolve_runs,
    swept_keys,
)

# ---- The runs.


def runs_of(sweep, *keys, **others):
    """The values that the runs of a sweep have for `keys`; None where a key does not apply."""
    return [tuple(map(run.get, keys)) for run in resolve_runs({"sweep": sweep, **others})]


def test_a_sweep_has_a_run_for_each_combination_sorted_by_its_values():
    sweep = {"training.seed": [2, 0], "training.learning_rate": [0.1, 0.01]}
    found = runs_of(sweep, "training.learning_rate", "training.seed")
    assert found == [(0.01, 0), (0.01, 2), (0.1, 0), (0.1, 2)]


def test_a_list_of_sections_has_the_combinations_of_each():
    sweep = [
        {"training.seed": [1, 2], "training.momentum": 0.5},
        {"training.learning_rate": "1e-3"},
    ]
    keys = ("training.learning_rate", "training.momentum", "training.seed")
    assert runs_of(sweep, *keys) == [(0.001, 0.0, 0), (0.01, 0.5, 1), (0.01, 0.5, 2)]
    assert swept_keys({"sweep": sweep}) == sorted(keys)


@pytest.mark.parametrize("sweep", [None, {}, [], [{}], [None], "null"], ids=str)
def test_an_empty_sweep_is_one_run(sweep):
    assert len(resolve_runs({"sweep": sweep})) == 1
    assert swept_keys({"sweep": sweep}) == []


def test_a_product_in_which_something_does_not_apply_has_that_run_once():
    sweep = {"training.optimizer": ["sgd", "adam"], "training.momentum": [0, 0.9]}
    found = runs_of(sweep, "training.optimizer", "training.momentum")
    assert sorted(found, key=str) == [("adam", None), ("sgd", 0.0), ("sgd", 0.9)]


def test_values_of_several_kinds_are_sorted():
    sweep = {"training.patience": [5, None, 2], "model.hidden": [[30], [], ["7", 5]]}
    found = runs_of(sweep, "model.hidden", "training.patience", validation_fraction=0.1)
    assert found == [(hidden, n) for hidden in ([], [7, 5], [30]) for n in (None, 2, 5)]


def test_convolutions_can_be_swept_and_are_sorted_by_their_numbers():
    def block(filters, kernel=3):
        return {"filters": filters, "kernel": kernel, "pool": 1, "padding": "valid"}

    values = [[block(16), block(4)], [], [block(8, 5)], [block(8)]]
    found = runs_of({"model.convolutions": values}, "model.convolutions")
    assert found == [(None,), ([block(8)],), ([block(8, 5)],), ([block(16), block(4)],)]


def test_a_sweep_changes_nothing_but_its_keys():
    runs = resolve_runs({"training": {"epochs": 3, "seed": 9}, "sweep": {"training.seed": [1, 2]}})
    assert runs == [run_of({"training.epochs": 3, "training.seed": seed}) for seed in (1, 2)]


# ---- Mistakes.


@pytest.mark.parametrize("key", LEAVES)
def test_whatever_a_training_depends_on_can_be_swept_and_nothing_else(key):
    section = {key: [DEFAULTS[key]]}
    for place, sweep in {"sweep": section, "sweep[1]": [{}, section]}.items():
        if key in SWEEPABLE:
            assert resolve_runs({"sweep": sweep}) == [run_of()]
        else:
            assert problems_of({"sweep": sweep}) == [
                f"{place}.{key}: cannot be swept, because no training depends on it; "
                "set it outside of the sweep"
            ]


WHOLE = "is not allowed; it must be a whole number"
MISTAKES = {
    "training.sed": ([1], ": unknown key; did you mean training.seed?"),
    **dict.fromkeys(("sweep", "training", "classes_"), ([1], ": unknown key; ")),
    "training.seed": (
        [],
        ": [] is not allowed; it must be a list of one or more, each item a whole",
    ),
    "training.batch_size": (None, f"[0]: null {WHOLE}"),
    "training.epochs": ({"a": 1}, f'[0]: {{"a": 1}} {WHOLE}'),
    "training.decay_epochs": ("many", f'[0]: "many" {WHOLE}'),
    "model.hidden": ([128], "[0]: 128 is not allowed; it must be a list"),
}


@pytest.mark.parametrize("key", MISTAKES)
def test_a_mistake_in_a_sweep_is_explained(key):
    values, problem = MISTAKES[key]
    (found,) = problems_of({"sweep": {key: values}})
    assert found.startswith(f"sweep.{key}{problem}")


def test_a_single_value_stands_for_a_list_of_one():
    assert resolve_runs({"sweep": {"training.seed": 1}}) == [run_of({"training.seed": 1})]


@pytest.mark.parametrize("values", [[1, 1], [1, "1"], [1, 1.0], [0, 1, 2, "1e0"]], ids=str)
def test_a_value_twice_in_a_sweep_is_refused(values):
    (problem,) = problems_of({"sweep": {"training.seed": values}})
    assert problem.startswith("sweep.training.seed: ")
    assert problem.endswith(", without duplicates")


@pytest.mark.parametrize("value", ["text", 5])
def test_a_sweep_that_is_no_section_is_refused(value):
    (problem,) = problems_of({"sweep": value})
    assert problem.startswith(f"sweep: {json.dumps(value)} is not allowed; it must be a section")
    assert problem.endswith(", or a list of such sections")


# ---- What it comes to.

RATES = {"uniform": [0.25, 0.5]}
DESCRIBED = [
    ({}, ""),
    ({"sweep": "null"}, ""),
    (
        {"sweep": {"model.hidden": [[8], []], "training.seed": [*range(12)]}},
        "sweep: 24 runs; model.hidden: [], [8]; "
        "training.seed: 0, 1, 2, 3, 4, 5, 6, 7, 8, and 3 more",
    ),
    (
        {"sweep": {"training.l2": [0.0, 0.1], "training.clip_norm": [None]}},
        "sweep: 2 runs; training.clip_norm: null; training.l2: 0.0, 0.1",
    ),
    (
        {"sweep": [{"training.optimizer": "adam", "training.momentum": [0, 0.5]}]},
        'sweep: 1 run; training.momentum: does not apply; training.optimizer: "adam"',
    ),
    (
        {"validation_fraction": 0.1, "search": {"space": {"training.momentum": RATES}}},
        'search: 27 trials; training.momentum: {"uniform": [0.25, 0.5]}',
    ),
    (
        {"validation_fraction": 0.1, "search": {"trials": 9, "space": {"model.dropout": RATES}}},
        'search: 9 trials, only 1 of them different; model.dropout: {"uniform": [0.25, 0.5]}',
    ),
]


@pytest.mark.parametrize(("config", "line"), DESCRIBED)
def test_what_a_sweep_or_a_search_comes_to_is_said_in_a_line(config, line):
    assert describe_runs(config, resolve_runs(config)) == line
