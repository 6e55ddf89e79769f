"""Searches: which trials a configuration has, its rungs, and what is wrong with it."""

import re
from statistics import mean

import pytest

from configs import LEAVES, beside, other_values, problems_of, run_of, unflat
from scratchnet.files import write_rows
from scratchnet.planning.config import resolve_runs, swept_keys
from scratchnet.planning.runs import Runs
from scratchnet.planning.search import read_promoted, read_ranked

RATE, HIDDEN, SIZE = "training.learning_rate", "model.hidden", "training.batch_size"
SPACE = {
    RATE: {"log_uniform": ["1e-3", 1]},
    HIDDEN: {"choice": [[], [8], ["16", 8]]},
    "model.dropout": {"uniform": [0, 0.5]},
}


def config_of(space=SPACE, **search):
    return {"validation_fraction": 0.1, "search": {"space": space, **search}}


def values_of(key, distribution, trials=400, **search):
    """What the trials have for one key."""
    runs = resolve_runs(config_of({key: distribution}, trials=trials, **search))
    return [run[key] for run in runs]


# ---- What is drawn.


def test_a_trial_is_a_run_with_the_drawn_values_and_the_epochs_of_the_last_rung():
    runs = resolve_runs(config_of(trials=6, epochs=[1, 3]))
    assert len(runs) == 6
    for run in runs:
        drawn = {key: run[key] for key in [*SPACE, "model.initializer"] if key in run}
        assert run == run_of({"validation_fraction": 0.1, "training.epochs": 3, **drawn})
    assert {tuple(run[HIDDEN]) for run in runs} <= {(), (8,), (16, 8)}


def test_the_trials_stay_what_they_are():
    # Other numbers and everybody's searches start anew: only with a reason.
    runs = resolve_runs(config_of(trials=3))
    assert [(run[RATE], run[HIDDEN], run.get("model.dropout")) for run in runs] == [
        (0.07939, [16, 8], 0.02109),
        (0.3269, [], None),
        (0.5147, [8], 0.1648),
    ]


def test_more_trials_and_more_rungs_only_add():
    few = Runs(config_of(trials=5, epochs=[1, 3])).wildcards
    many = Runs(config_of(trials=9, epochs=[1, 3, 5], keep=0.5)).wildcards
    assert [place["run"] for place in many[:5]] == [place["run"] for place in few]


def test_another_key_leaves_the_values_of_the_others():
    alone = resolve_runs(config_of({RATE: SPACE[RATE]}, trials=5))
    assert [run[RATE] for run in alone] == [run[RATE] for run in resolve_runs(config_of(trials=5))]


def test_another_seed_draws_other_values():
    assert set(values_of(RATE, SPACE[RATE])).isdisjoint(values_of(RATE, SPACE[RATE], seed=1)[:5])


def test_uniform_values_fill_their_range():
    values = values_of("training.momentum", {"uniform": [0.2, 0.6]})
    assert 0.2 <= min(values) < 0.21
    assert 0.59 < max(values) <= 0.6
    assert mean(values) == pytest.approx(0.4, abs=0.02)


def test_of_log_uniform_values_each_factor_is_as_likely():
    values = values_of(RATE, {"log_uniform": [0.001, 1]})
    assert 0.001 <= min(values) < max(values) <= 1
    for low in (0.001, 0.01, 0.1):
        assert sum(low <= value < 10 * low for value in values) / 400 == pytest.approx(
            1 / 3, abs=0.07
        )


def test_drawn_numbers_have_four_digits_and_stay_in_their_range():
    assert all(float(f"{value:.4g}") == value for value in values_of(RATE, SPACE[RATE]))
    for kind in ("uniform", "log_uniform"):  # more digits where four do not tell the ends apart
        values = values_of(RATE, {kind: [0.12345, 0.12346]})
        assert 0.12345 <= min(values) < 0.123451 < 0.123459 < max(values) <= 0.12346
        assert all(float(f"{value:.7g}") == value for value in values)
        assert len(set(values)) > 80


def test_a_range_may_be_as_wide_as_numbers_go():
    values = values_of(RATE, {"log_uniform": [1e-300, 1e300]})
    assert len(set(values)) == 400
    assert min(values) < 1e-290 < 1e290 < max(values)
    assert mean(value < 1 for value in values) == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("kind", ["uniform", "log_uniform"])
def test_whole_numbers_include_both_ends(kind):
    values = values_of("training.seed", {kind: [1, 4]}) + values_of(SIZE, {kind: [1, 4]})
    assert {type(value) for value in values} == {int}
    assert set(values) == {1, 2, 3, 4}


def test_equal_trials_are_one_run():
    runs = Runs(config_of({SIZE: {"choice": [10, 20]}}, trials=8))
    assert sorted(run[SIZE] for run in runs.settings) == [10, 20]
    assert [trial["trial"] for trial in runs.search.trials] == [1, 2]


def test_a_setting_that_does_not_apply_makes_no_difference():
    runs = resolve_runs(config_of({"model.dropout": {"uniform": [0, 0.5]}}))
    assert len(runs) == 1


# ---- The runs of a search.


def test_the_rungs_and_the_axes_of_a_search():
    search = Runs(config_of(trials=3, epochs=[1, "3", 9], keep="0.5")).search
    assert search.rungs == [(1, 0.5), (3, 0.5), (9, None)]
    assert search.epochs == [1, 3, 9]
    assert search.axes == {"model.dropout": "uniform", HIDDEN: "choice", RATE: "log_uniform"}
    assert search.trials[1]["values"] == {"model.dropout": None, HIDDEN: [], RATE: 0.3269}


def test_the_folder_of_a_search_is_named_after_its_keys_and_its_definition():
    def name(**search):
        return Runs(config_of(**search)).search.name

    assert re.fullmatch("dropout-hidden-learning_rate-[0-9a-f]{8}", name())
    others = [{"trials": 26}, {"keep": 0.5}, {"epochs": [1, 3]}, {"seed": 1}]
    assert len({name(), *(name(**other) for other in others)}) == 5
    assert name(trials=27, keep=0.34, epochs=[1, 3, 9, 27], seed=0) == name()


def test_a_trial_has_a_checkpoint_at_each_rung():
    runs = Runs(config_of(trials=2, epochs=[2, 5]))
    assert [*runs.epochs.values()] == [{2, 5}, {2, 5}]


def test_a_ranking_depends_on_all_trials_and_on_the_rungs_up_to_it():
    runs = Runs(config_of(trials=4, epochs=[1, 3]))
    first, last = (runs.settings_of({"search": runs.search.name, "rung": n}) for n in "12")
    assert (first["rungs"], last["rungs"]) == ([(1, 0.34)], runs.search.rungs)
    assert first["runs"] == last["runs"] == runs.settings
    assert runs.settings_of({"search": runs.search.name}) == last


def test_the_winner_alone():
    runs = Runs(config_of(trials=4))
    one = runs.only(runs.rows[2]["run"])
    assert (one.settings, one.rows) == ([runs.settings[2]], [runs.rows[2]])
    together = one.settings_of({})
    assert {**together, **runs.settings[2]} == together
    assert (together["rows"], together["runs"]) == (one.rows, one.settings)
    assert len(together["networks"]) == 1
    assert one.settings_of({}) is runs.only(runs.rows[2]["run"]).settings_of({})
    assert len(runs.settings) == 4


@pytest.mark.parametrize("search", [None, {}, "null"])  # the last is --config search=null
def test_without_a_search_there_is_none(search):
    assert Runs({"search": search}).search is None
    assert swept_keys({"search": search}) == []


def test_who_goes_on_is_read_from_a_ranking(tmp_path):
    rows = [{"run": run, "goes_on": on} for run, on in (("b", "yes"), ("a", "yes"), ("c", "no"))]
    write_rows(tmp_path / "rung-1.csv", rows)
    assert read_promoted(tmp_path / "rung-1.csv") == ["b", "a"]
    assert read_ranked(tmp_path / "rung-1.csv") == ["b", "a", "c"]


# ---- Mistakes.


MISTAKES = {
    "space": (None, ": {} is not allowed; it must be a section with one or more of the keys"),
    "trails": (3, ": unknown key; did you mean trials?"),
    "trials": (0, ": 0 is not allowed; it must be a whole number"),
    "keep": (0, ": 0.0 is not allowed; it must be a number above 0"),
    "epochs": ([], ": [] is not allowed; it must be a list of one or more"),
    "seed": (-1, ": -1 is not allowed"),
}
BAD_DISTRIBUTIONS = [
    (RATE, {}, ": {} is not allowed; it must be a section with one of the keys choice, "),
    (RATE, {"choice": [1], "uniform": [0.5, 1]}, ': {"choice": [1.0], "uniform": '),
    (RATE, {"loguniform": [0.1, 1]}, ".loguniform: unknown key; did you mean log_uniform?"),
    (RATE, 5, ": 5 is not allowed; it must be a section with one of the keys"),
    (RATE, {"uniform": [1]}, ".uniform: [1.0] is not allowed; it must be a list of two"),
    (RATE, {"uniform": [1, 2, 3]}, ".uniform: [1.0, 2.0, 3.0] is not allowed; "),
    (RATE, {"uniform": [2, 1]}, ".uniform: the first number must be below the second"),
    (RATE, {"uniform": [1, 1]}, ".uniform: the first number must be below the second"),
    ("model.dropout", {"uniform": [0, 1]}, ".uniform[1]: 1.0 is not allowed"),
    ("model.dropout", {"log_uniform": [0, 0.5]}, ".log_uniform: both numbers must be above 0"),
    (RATE, {"choice": []}, ".choice: [] is not allowed; it must be a list of one or more"),
    (RATE, {"choice": [1, "1"]}, ".choice: [1.0, 1.0] is not allowed; "),
    (HIDDEN, {"choice": [[5], 5]}, ".choice[1]: 5 is not allowed; it must be a list"),
    ("model.activation", {"uniform": [0, 1]}, ".uniform: unknown key; known keys are choice"),
]


@pytest.mark.parametrize("key", MISTAKES)
def test_a_mistake_in_a_search_is_named(key):
    value, problem = MISTAKES[key]
    (found,) = problems_of(config_of(**{key: value}))
    assert found.startswith(f"search.{key}{problem}")


@pytest.mark.parametrize("epochs", [[3, 1], [1, 1]])
def test_rungs_must_ascend(epochs):
    (found,) = problems_of(config_of(epochs=epochs))
    assert found.startswith("search.epochs: the rungs must be in ascending order")


@pytest.mark.parametrize(("key", "distribution", "problem"), BAD_DISTRIBUTIONS)
def test_a_mistake_in_a_distribution_is_named(key, distribution, problem):
    (found,) = problems_of(config_of({key: distribution}))
    assert found.startswith(f"search.space.{key}{problem}")


def test_mistakes_are_reported_together():
    config = config_of({RATE: {"uniform": [2, 1]}}, epochs=[3, 1]) | {"sweep": {SIZE: [1]}}
    problems = problems_of(config | {"validation_fraction": 0})
    assert [problem[: problem.index(":")] for problem in problems] == [
        "search.epochs",
        f"search.space.{RATE}.uniform",
        "search",
        "search",
    ]
    assert problems[2:] == [
        "search: there is a sweep as well; leave one of them out, or switch it off with "
        "--config sweep=null (or search=null)",
        "search: trials are ranked on validation images; set validation_fraction above 0",
    ]


def test_what_decides_how_trials_compare_cannot_be_searched():
    not_compared = {"training.epochs", "training.patience", "training.checkpoint_every"}
    for key, leaf in LEAVES.items():
        config = config_of({key: {"choice": other_values(leaf)}}, trials=9)
        if key.startswith(("model.", "augmentation.", "training.")) and key not in not_compared:
            assert any(key in run for run in resolve_runs(unflat(beside(key)) | config))
        else:
            (problem,) = problems_of(config)
            said = "cannot be searched; set it outside of the search"
            assert problem == f"search.space.{key}: {said}"
