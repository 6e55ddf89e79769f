"""What is odd about a configuration is said before it runs."""

import re

import pytest

from scratchnet.planning.config import resolve_runs
from scratchnet.planning.notes import describe_plan


def notes(**training):
    config = {"training": training}
    return describe_plan(config, resolve_runs(config))


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"schedule": "step"}, "step never lowers the learning rate"),
        ({"schedule": "step", "decay_epochs": 19}, None),
        ({"schedule": "cosine", "decay_rate": 0, "epochs": 21}, "is 0 after 20 of 21 epochs"),
        ({"schedule": "cosine", "decay_rate": 0.1, "epochs": 21}, None),
        ({"schedule": "cosine", "decay_rate": 0}, None),
        ({"schedule": "cosine", "epochs": 19}, "ends after 19 of the 20 epochs"),
        ({"schedule": "exponential", "decay_rate": 0}, "is 0 after one step"),
        ({"schedule": "exponential", "epochs": 1}, None),
        ({"schedule": "constant", "epochs": 1}, None),
        ({"warmup_epochs": 20}, "ends after 20 of the 20 epochs in which the learning rate rises"),
        ({"warmup_epochs": 19}, None),
        (
            {"schedule": "step", "decay_epochs": 18, "warmup_epochs": 2},
            r"since epochs - warmup_epochs \(18\) is not above decay_epochs \(18\)",
        ),
        (
            {"schedule": "cosine", "warmup_epochs": 5},
            "ends after 15 of the 20 epochs in which the learning rate falls: .* to 15",
        ),
        (
            {"schedule": "cosine", "decay_epochs": 9, "decay_rate": 0, "warmup_epochs": 5},
            "is 0 after 14 of 20 epochs, .* set decay_epochs to 15 ",
        ),
        ({"schedule": "cosine", "decay_epochs": 15, "warmup_epochs": 5}, None),
    ],
    ids=str,
)
def test_a_schedule_that_hardly_anybody_wants_is_said(training, expected):
    found = notes(**training)
    assert [bool(re.search(expected, line)) for line in found] == [True] if expected else not found


def test_many_notes_are_shortened_and_each_is_said_once():
    config = {
        "training": {"schedule": "step"},
        "sweep": {"training.epochs": [*range(1, 9)], "training.seed": [0, 1]},
    }
    first, *others = describe_plan(config, resolve_runs(config))
    assert first.startswith("sweep: 16 runs; training.epochs: 1, 2, ")
    assert (len(others), others[-1]) == (6, "and 3 more")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ({}, "random_normal"),
        ({"hidden": [9]}, "he_uniform"),
        ({"hidden": [9], "activation": "tanh"}, "glorot_uniform"),
        *(
            ({"hidden": [9], "activation": activation}, "he_uniform")
            for activation in ("leaky_relu", "elu", "gelu")
        ),
        (
            {"convolutions": [{"filters": 2, "kernel": 3}], "activation": "sigmoid"},
            "glorot_uniform",
        ),
        ({"hidden": [9], "initializer": "random_normal"}, "random_normal"),
        ({"hidden": [9], "initializer": "null"}, "he_uniform"),
    ],
    ids=str,
)
def test_the_initializer_goes_by_the_network(model, expected):
    (run,) = resolve_runs({"model": model})
    assert run["model.initializer"] == expected
