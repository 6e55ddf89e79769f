"""The summary, the comparison of a sweep, the table of costs, and the link to the latest run."""

import json

import pytest

from scratchnet.errors import ResultsError
from scratchnet.evaluation.summary import (
    align_columns,
    compare_points,
    describe_other_environments,
    format_summary,
    link_latest,
    summarize,
    tabulate_costs,
)
from scratchnet.files import read_csv
from scratchnet.training.environment import describe_environment


@pytest.fixture
def rows(tmp_path):
    """A function that makes the `runs` of a summary from pairs (swept settings, metrics)."""

    def make(*runs):
        made = []
        for i, (swept, measured) in enumerate(runs):
            paths = {
                "metrics": tmp_path / f"{i}.metrics.json",
                "record": tmp_path / f"{i}.record.json",
                "history": tmp_path / f"{i}.csv",
            }
            base = {"epochs": 2, "train_loss": 0.5, "test_loss": 0.4, "test_accuracy": 0.9}
            paths["metrics"].write_text(json.dumps(base | measured))
            paths["record"].write_text(json.dumps({"seconds": 1.25 + i}))
            loss = measured.get("validation_loss", 0.3)
            paths["history"].write_text(f"epoch,loss,val_loss\n1,0.9,{loss + 1}\n2,0.5,{loss}\n")
            made.append({"run": f"r{i}", "folder": f"results/r{i}", "swept": swept, **paths})
        return made

    return make


def validated(accuracy, loss=0.3, **others):
    return {"validation_accuracy": accuracy, "validation_loss": loss, **others}


def test_the_summary_has_a_row_for_each_run_and_for_one_that_failed_its_error(rows, tmp_path):
    seeds = [{"training.seed": seed, "training.learning_rate": 0.00025} for seed in (0, 1, 2)]
    noted = {"notes": ["learned nothing"], "test_accuracy_interval": [0.85, 0.93]}
    one, other, failed = rows((seeds[0], noted), (seeds[1], validated(0.75)), (seeds[2], {}))
    for name in ("metrics", "record", "history"):
        failed.pop(name).unlink()
    summarize([one, other, failed | {"error": "it diverged"}], tmp_path / "summary.csv")
    assert (tmp_path / "summary.csv").read_text().splitlines() == [
        "run,folder,training.seed,training.learning_rate,epochs,best_epoch,train_loss,"
        "validation_loss,validation_accuracy,test_loss,test_accuracy,test_accuracy_low,"
        "test_accuracy_high,test_balanced_accuracy,test_macro_f1,seconds,best,note,error",
        "r0,results/r0,0,0.00025,2,,0.5,,,0.4,0.9,0.85,0.93,,,1.25,,learned nothing,",
        "r1,results/r1,1,0.00025,2,,0.5,0.3,0.75,0.4,0.9,,,,,2.25,,,",
        "r2,results/r2,2,0.00025,,,,,,,,,,,,,,,it diverged",
    ]
    shown = format_summary(tmp_path / "summary.csv")
    column = shown[0].index("test_accuracy")
    assert [row[column] for row in shown[1:]] == ["0.9000 (0.8500-0.9300)", "0.9000", ""]
    assert not {"test_accuracy_low", "test_accuracy_high"} & {*shown[0]}


def test_the_table_is_aligned_and_rounds_measurements_without_the_run_and_empty_columns(tmp_path):
    rows = ["run,folder,epochs,a,b,c,test_loss,seconds"]
    rows += ["x,a,20,,,1,0.381864,12.3456", "y,results,5,,1,1,1.0,1.0"]
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n")
    assert align_columns(format_summary(tmp_path / "table.csv", omit=("run", "c"))) == [
        "folder   epochs  b  test_loss  seconds",
        "a        20         0.3819     12.3",
        "results  5       1  1.0000     1.0",
    ]
    (tmp_path / "table.csv").write_text("run,folder,b\nx,a,\ny,b,1\n")
    assert align_columns(format_summary(tmp_path / "table.csv"))[1] == "a"  # no trailing spaces


@pytest.mark.parametrize("value", [0.00025, 1e-05, [300, 100], "mnist", 100000])
def test_the_table_shows_swept_settings_unchanged(rows, tmp_path, value):
    summarize(rows(({"x": value}, {})), tmp_path / "summary.csv")
    header, line = format_summary(tmp_path / "summary.csv")
    assert line[header.index("x")] == str(value)


# The measurements of some runs, and which of them is best.
BEST = {
    "by validation loss, not by accuracy or test": (
        [
            validated(0.9, 0.2, test_accuracy=0.99, test_loss=0.1),
            validated(0.8, 0.1, test_accuracy=0.5, test_loss=9.0),
            validated(0.7),
        ],
        ["r1"],
    ),
    "the first in a tie": ([validated(0.8), validated(0.8)], ["r0"]),
    "without validation": ([{}, {}], []),
    "without another run": ([validated(0.8)], []),
}


@pytest.mark.parametrize(("measured", "best"), BEST.values(), ids=BEST)
def test_the_best_run_has_the_lowest_validation_loss(rows, tmp_path, measured, best):
    summarize(rows(*(({}, each) for each in measured)), tmp_path / "summary.csv")
    assert [row["run"] for row in read_csv(tmp_path / "summary.csv") if row["best"]] == best


# ---- Sweeps.


@pytest.fixture
def compared(rows, tmp_path):
    """A function that compares runs and returns the paths of both tables."""

    def make(*runs):
        paths = tmp_path / "points.csv", tmp_path / "curves.csv"
        compare_points(rows(*runs), *paths)
        return paths

    return make


def sweep(rate, seed):
    return {"model.hidden": [300, 100], "training.learning_rate": rate, "training.seed": seed}


RUNS = (
    (sweep(0.1, 0), validated(0.5, test_accuracy=0.8)),
    (sweep(0.1, 1), validated(0.7, test_accuracy=0.9)),
    (sweep(0.2, 0), validated(0.8, 0.2, test_accuracy=0.7)),
    (sweep(0.2, 1), validated(0.8, 0.2, test_accuracy=0.7)),
)


def test_runs_that_differ_only_in_their_seed_are_averaged(compared):
    first, second = read_csv(compared(*RUNS)[0])
    assert (first["model.hidden"], first["training.learning_rate"]) == ("[300, 100]", "0.1")
    assert (first["runs"], "training.seed" in first) == ("2", False)
    # The mean of 0.5 and 0.7 is 0.6, their sample standard deviation sqrt(2 * 0.1**2 / 1).
    assert float(first["validation_accuracy"]) == pytest.approx(0.6)
    assert float(first["validation_accuracy_sd"]) == pytest.approx(0.02**0.5)
    assert "seconds" not in first  # the table would be other bytes each time
    assert float(second["validation_accuracy_sd"]) == 0
    assert (first["best"], second["best"]) == ("", "best")


def test_a_point_with_one_seed_has_no_deviation_and_missing_measurements_are_empty(compared):
    (row,) = read_csv(compared((sweep(0.1, 0), {}))[0])
    assert (row["runs"], row["test_accuracy"], row["test_accuracy_sd"]) == ("1", "0.9", "")
    assert row["validation_accuracy"] == ""


def test_the_curves_have_the_epochs_of_all_runs_with_their_point(compared):
    rows = read_csv(compared(*RUNS)[1])
    assert [(row["run"], row["epoch"]) for row in rows] == [
        (f"r{i}", str(epoch)) for i in range(4) for epoch in (1, 2)
    ]
    assert {row["point"] for row in rows[:4]} == {"hidden [300, 100], learning_rate 0.1"}


def test_the_table_of_points_shows_means_with_standard_deviations(compared):
    lines = align_columns(format_summary(compared(*RUNS)[0]))
    assert "0.6000 ± 0.1414" in lines[1]
    assert "0.8500 ± 0.0707" in lines[1]
    assert lines[2].endswith("best")
    assert "_sd" not in lines[0]
    # The columns are aligned although these cells are wider than the header.
    assert lines[1].index("0.6000") == lines[0].index("validation_accuracy")


def test_the_validation_cells_of_runs_without_validation_are_empty(rows, tmp_path):
    runs = rows(({"training.seed": 0}, {}), ({"training.seed": 1}, {}))
    runs[0]["history"].write_text("epoch,loss\n1,0.9\n2,0.5\n")
    compare_points(runs, tmp_path / "points.csv", tmp_path / "curves.csv")
    found = read_csv(tmp_path / "curves.csv")
    assert [row["val_loss"] for row in found] == ["", "", "1.3", "0.3"]
    assert {row["point"] for row in found} == {"all runs"}


def test_costs_are_totals_over_the_jobs_of_a_stage(tmp_path):
    for name, line in (("a", "1.25\t100.4"), ("b", "2.5\t99"), ("c", "0.01\tNA"), ("d", "0.1\t-")):
        (tmp_path / name).write_text(f"s\tmax_rss\n{line}\n")
    train = [tmp_path / name for name in "abc"]
    assert tabulate_costs({"train": train, "download": [tmp_path / "d"], "preprocess": []}) == [
        ["stage", "jobs", "seconds", "MB"],
        ["train", "3", "3.8", "100"],
        ["download", "1", "0.1", ""],
    ]


# ---- The link to the latest run.


@pytest.fixture
def results(tmp_path):
    """A results folder with two runs."""
    for name in ("one", "two"):
        (tmp_path / f"results/runs/{name}/epoch-0004").mkdir(parents=True)
    return tmp_path / "results"


def row_of(results, name):
    return {"folder": f"{results}/runs/{name}/epoch-0004", "best": ""}


@pytest.mark.parametrize("before", [None, "runs/one", "runs/two", "nowhere"])
def test_the_link_points_to_the_folder_of_the_run_and_nothing_else_changes(results, before):
    (results / ".latest").mkdir()
    if before:
        (results / "latest").symlink_to(before)
    link_latest([row_of(results, "two")], str(results / "latest"))
    assert str((results / "latest").readlink()) == "runs/two"  # relative: results can be moved
    assert {path.name for path in results.iterdir()} == {"runs", "latest", ".latest"}


def test_relative_paths_are_accepted(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    link_latest([row_of("results", "two")], "results/latest")
    assert str((results / "latest").readlink()) == "runs/two"


def test_of_several_runs_the_link_leads_to_the_best_or_goes(results):
    one, two = row_of(results, "one"), row_of(results, "two")
    link_latest([one, two | {"best": "best"}], results / "latest")
    assert str((results / "latest").readlink()) == "runs/two"
    for _ in range(2):
        link_latest([one, two], results / "latest")
        assert {path.name for path in results.iterdir()} == {"runs"}


@pytest.mark.parametrize("kind", ["touch", "mkdir"])
def test_anything_but_a_link_is_kept_and_named_in_the_error(results, kind):
    getattr(results / "latest", kind)()
    with pytest.raises(ResultsError, match="latest is not a link: move it away"):
        link_latest([row_of(results, "one")], results / "latest")
    assert not (results / "latest").is_symlink()
    assert {path.name for path in results.iterdir()} == {"runs", "latest"}


# ---- Results of another environment.


def test_results_of_other_environments_are_counted_by_environment(tmp_path):
    def describe(*environments):
        now = {name: describe_environment()[name] for name in ("numpy", "machine")}
        paths = [tmp_path / f"{i}.json" for i in range(len(environments))]
        for path, changes in zip(paths, environments):
            path.write_text(json.dumps({"environment": now | {"python": "3.0"} | changes}))
        return describe_other_environments(paths)

    old, arm = {"numpy": "1.0"}, {"numpy": "1.0", "machine": "linux arm"}
    assert describe({}, {}) == ""
    assert describe(old, {}, arm, old) == (
        f"2 trained with numpy 1.0, {describe_environment()['machine']}; "
        "1 trained with numpy 1.0, linux arm"
    )
