"""Sweeps: which runs a configuration has, and in which order."""

import json
import re

import pytest

from configs import DEFAULTS, LEAVES, SWEEPABLE, message_of, problems_of, run_of
from scratchnet.planning.config import (
    describe_runs,
    resolve_runs,
    swept_keys,
)

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


@pytest.mark.parametrize("sweep", [None, {}, [], [{}], [None], "null"], ids=str)
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


def test_convolutions_can_be_swept_and_are_sorted_by_their_numbers():
    def block(filters, kernel=3):
        return {"filters": filters, "kernel": kernel, "pool": 1, "padding": "valid"}

    values = [[block(16), block(4)], [], [block(8, 5)], [block(8)]]
    runs = resolve_runs({"sweep": {"model.convolutions": values}})
    found = [run.get("model.convolutions") for run in runs]
    assert found == [None, [block(8)], [block(8, 5)], [block(16), block(4)]]


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


@pytest.mark.parametrize("key", [key for key in LEAVES if key not in SWEEPABLE])
@pytest.mark.parametrize("form", ["section", "list of sections"])
def test_whatever_it_does_not_depend_on_cannot_be_swept(key, form):
    section = {key: [DEFAULTS[key]]}
    (problem,) = problems_of({"sweep": section if form == "section" else [{}, section]})
    place = "sweep" if form == "section" else "sweep[1]"
    assert problem == (
        f"{place}.{key}: cannot be swept, because no training depends on it; "
        "set it outside of the sweep"
    )


@pytest.mark.parametrize("key", ["sweep", "training", "classes_", "trainin.seed"])
def test_what_is_no_setting_cannot_be_swept(key):
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
