"""The runs of a configuration, and which results belong to which run."""

import re

import pytest

from configs import LEAVES, SWEEPABLE, nested, other_values
from scratchnet.errors import ConfigError
from scratchnet.planning import stage_settings
from scratchnet.planning.runs import Runs, sweep_name
from scratchnet.planning.settings import write_settings
from scratchnet.planning.stage_settings import data_name, run_name, short_hash
from scratchnet.planning.yaml_file import read_yaml

SEEDS = Runs({"sweep": {"training.seed": [0, 1]}})


def test_rows_have_the_swept_settings_and_the_results_of_each_run():
    first, second = SEEDS.rows
    run = run_name(SEEDS.settings[1])
    assert first["swept"] == {"training.seed": 0}
    assert second == {
        "run": run,
        "folder": f"results/runs/{run}/epoch-0020",
        "swept": {"training.seed": 1},
        "metrics": f"results/runs/{run}/epoch-0020/metrics.json",
        "history": f"results/runs/{run}/epoch-0020/history.csv",
        "record": f"results/runs/{run}/checkpoints/epoch-0020.json",
    }


def test_a_swept_setting_that_does_not_apply_is_none():
    (row,) = Runs({"sweep": {"training.nesterov": [True]}}).rows
    assert row["swept"] == {"training.nesterov": None}


@pytest.mark.parametrize(
    ("key", "value", "others"),
    [
        ("training.l2", 0.01, {}),
        ("training.beta_1", 0.95, {"training": {"optimizer": "adam"}}),
        ("model.normalization", "batch", {"model": {"hidden": [8]}}),
        ("augmentation.cutout", 2, {}),
    ],
)
def test_a_swept_default_is_shown_though_runs_leave_it_out(key, value, others):
    rows = Runs({"sweep": {key: [value, LEAVES[key]["default"]]}} | others).rows
    assert [row["swept"][key] for row in rows] == [LEAVES[key]["default"], value]


NAMES = {
    "seed 0; seed 1": {"training.seed": [0, 1]},
    "learning_rate 0.1, seed 3": {"training.seed": [3], "training.learning_rate": [0.1]},
    "optimizer adam; momentum 0.0, optimizer sgd; momentum 0.9, optimizer sgd": {
        "training.momentum": [0.0, 0.9],
        "training.optimizer": ["sgd", "adam"],
    },
    "learning_rate 0.1235": {"training.learning_rate": [0.12345678]},
    "hidden [128, 64]": {"model.hidden": [[128, 64]]},
}


@pytest.mark.parametrize("names", NAMES)
def test_a_run_of_a_sweep_is_called_by_what_sets_it_apart(names):
    runs = Runs({"sweep": NAMES[names]})
    assert "; ".join(runs.describe(row["run"]) for row in runs.rows) == names


def test_a_run_that_is_alone_or_differs_in_its_epochs_only_has_its_name():
    for config in ({}, {"sweep": {"training.epochs": [3, 20]}}):
        runs = Runs(config)
        assert {runs.describe(row["run"]) for row in runs.rows} == {run_name(runs.settings[0])}


def test_swept_convolutions_are_abbreviated():
    same = {"filters": 6, "kernel": 5, "pool": 2, "padding": "same"}
    values = [[], [same, {"filters": 16, "kernel": 3}], [same | {"stride": 2}]]
    values += [[same | {"pooling": "average"}], [same | {"pooling": "global_average"}]]
    rows = Runs({"sweep": {"model.convolutions": values}}).rows
    found = [row["swept"]["model.convolutions"] for row in rows]
    assert sorted(found, key=str) == [
        "6@5x5 global average same",
        "6@5x5/2 average same",
        "6@5x5/2 same, 16@3x3",
        "6@5x5/2 stride 2 same",
        [],
    ]


def test_rows_lie_in_the_folder_of_results():
    (row,) = Runs({}, "elsewhere/").rows
    assert row["folder"].startswith("elsewhere/results/runs/mnist-softmax-")


def test_the_folder_of_a_sweep_is_named_after_its_keys_and_rows():
    assert re.fullmatch("seed-[0-9a-f]{8}", SEEDS.sweep)
    assert sweep_name(["training.seed"], SEEDS.rows[:1]) != SEEDS.sweep
    assert re.fullmatch("[0-9a-f]{8}", sweep_name([], SEEDS.rows))


def test_a_result_belongs_to_the_run_whose_folder_it_is_in():
    for settings, wildcards in zip(SEEDS.settings, SEEDS.wildcards):
        assert SEEDS.settings_of({"run": wildcards["run"]}) == settings
        assert SEEDS.settings_of({"run": wildcards["run"], "epoch": "0007"}) == settings
    assert SEEDS.settings_of({"data": data_name(SEEDS.settings[0])})["dataset"] == "mnist"


def test_the_summary_and_the_comparison_have_the_settings_of_all_runs():
    for wildcards in ({}, {"sweep": SEEDS.sweep}):
        settings = SEEDS.settings_of(wildcards)
        assert settings["runs"] == SEEDS.settings
        assert settings["rows"] == SEEDS.rows


def test_the_other_wildcards_of_a_run_are_added_and_none_is_changed():
    known = SEEDS.wildcards[1]
    found = SEEDS.all_wildcards({"run": known["run"], "epoch": "0007"})
    assert found == known | {"epoch": "0007"}
    assert SEEDS.all_wildcards({"sweep": SEEDS.sweep}) == {"sweep": SEEDS.sweep}


def test_runs_that_differ_in_nothing_but_epochs_share_a_folder():
    runs = Runs({"sweep": {"training.epochs": [5, 3]}})
    assert runs.epochs == {run_name(runs.settings[0]): {3, 5}}
    assert len({place["run"] for place in runs.wildcards}) == 1


@pytest.mark.parametrize("kind", ["run", "data", "dataset", "sweep"])
def test_a_folder_of_another_configuration_is_refused(kind):
    with pytest.raises(ConfigError, match="other-1a2b3c4d belongs to another configuration"):
        SEEDS.settings_of({kind: "other-1a2b3c4d"})


@pytest.mark.parametrize(
    ("key", "values"),
    [("training.seed", range(40)), ("validation_fraction", [i / 50 for i in range(40)])],
)
def test_two_runs_with_the_same_name_by_chance_are_refused(monkeypatch, key, values):
    monkeypatch.setattr(stage_settings, "short_hash", lambda value: short_hash(value)[:2])
    message = rf"the same folder mnist-.*\. They differ in {key}: [\d.]+ and [\d.]+\. Leave one"
    with pytest.raises(ConfigError, match=message):
        Runs({"sweep": {key: list(values)}})


AGAIN = [
    {},
    *(nested(key, value) for key in SWEEPABLE for value in other_values(LEAVES[key])),
    {"training": {"epochs": 7, "checkpoint_every": 2}, "classes": list("0123456789")},
    {"sweep": {"training.epochs": [3, 5], "training.seed": [0, 1]}},
    {
        "validation_fraction": 0.1,
        "search": {"trials": 9, "space": {"model.dropout": {"uniform": [0, 0.5]}}},
    },
]


def test_the_settings_of_a_run_are_a_configuration_that_gives_it_again(tmp_path):
    for runs in map(Runs, AGAIN):
        for settings, place in zip(runs.settings, runs.wildcards):
            own = {
                key: settings[key] for key in stage_settings.READS["evaluate"] if key in settings
            }
            write_settings(own | {"training.epochs": int(place["epoch"])}, tmp_path / "config.yaml")
            (again,) = Runs(read_yaml(tmp_path / "config.yaml")).wildcards
            assert [again[kind] for kind in ("run", "epoch")] == [place["run"], place["epoch"]]


def test_the_settings_that_evaluate_writes_give_the_run_again(finished):
    (path,) = finished.results.glob("runs/*/epoch-*/config.yaml")
    (place,) = Runs(read_yaml(path)).wildcards
    assert path.parts[-3:-1] == (place["run"], "epoch-0004")
    assert place["epoch"] == "0004"


def test_the_settings_of_a_run_on_own_data_need_its_path_and_refuse_other_data(finished_deep):
    (path,) = finished_deep.results.glob("runs/*/epoch-0004/config.yaml")
    config = read_yaml(path)
    own = {"dataset": str(finished_deep.folder / "own.npz")}
    (place,) = Runs(config | own).wildcards
    assert [place["run"], place["epoch"]] == [path.parts[-3], "0004"]
    for other in (own | {"content": "0" * 64}, {"dataset": "mnist"}):
        with pytest.raises(ConfigError, match=r'content: "(own|mnist)" has another content'):
            Runs(config | other)
