"""The summary, the comparison of a sweep, the table of costs, and the link to the latest run."""

import json

import pytest

from scratchnet.errors import ResultsError
from scratchnet.evaluation.summary import (
    align_columns,
    compare_runs,
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
            paths["record"].write_text(json.dumps({"seconds": 1.0 + i}))
            loss = measured.get("validation_loss", 0.3)
            paths["history"].write_text(f"epoch,loss,val_loss\n1,0.9,{loss + 1}\n2,0.5,{loss}\n")
            made.append({"run": f"r{i}", "folder": f"results/r{i}", "swept": swept, **paths})
        return made

    return make


@pytest.fixture
def two_runs(tmp_path):
    """Two runs, the second with validation."""
    made = []
    for name, seed, extra in (
        ("mnist-softmax-1a2b3c4d", 0, {}),
        ("mnist-mlp-30-5e6f7a8b", 1, {"validation_loss": 0.25, "validation_accuracy": 0.75}),
    ):
        measured, record = tmp_path / f"{name}.metrics.json", tmp_path / f"{name}.json"
        results = {"epochs": 20, "train_loss": 0.381864, "test_loss": 0.5, "test_accuracy": 0.9035}
        measured.write_text(json.dumps(results | extra))
        record.write_text(json.dumps({"epochs": 20, "seconds": 2.345}))
        made.append(
            {
                "run": name,
                "folder": f"results/runs/{name}/epoch-0020",
                "swept": {"training.seed": seed, "training.learning_rate": 0.00025},
                "metrics": measured,
                "record": record,
            }
        )
    return made


def test_the_summary_has_a_row_for_each_run(two_runs, tmp_path):
    summarize(two_runs, tmp_path / "summary.csv")
    assert (tmp_path / "summary.csv").read_text().splitlines() == [
        "run,folder,training.seed,training.learning_rate,epochs,best_epoch,train_loss,"
        "validation_loss,validation_accuracy,test_loss,test_accuracy,test_balanced_accuracy,"
        "test_macro_f1,seconds,best,error",
        "mnist-softmax-1a2b3c4d,results/runs/mnist-softmax-1a2b3c4d/epoch-0020,0,0.00025,20,,"
        "0.381864,,,0.5,0.9035,,,2.345,,",
        "mnist-mlp-30-5e6f7a8b,results/runs/mnist-mlp-30-5e6f7a8b/epoch-0020,1,0.00025,20,,"
        "0.381864,0.25,0.75,0.5,0.9035,,,2.345,,",
    ]


@pytest.fixture
def table(tmp_path):
    """A function that formats {column: values} as a table."""

    def show(columns):
        path = tmp_path / "table.csv"
        lines = [",".join(columns), *map(",".join, zip(*columns.values()))]
        path.write_text("\n".join(lines) + "\n")
        return align_columns(format_summary(path))

    return show


def test_the_table_is_aligned_and_has_no_trailing_spaces(table):
    assert table({"folder": ["a", "results"], "epochs": ["20", "5"]}) == [
        "folder   epochs",
        "a        20",
        "results  5",
    ]


def test_the_table_leaves_out_the_run_and_empty_columns(table):
    columns = {"run": ["x", "y"], "folder": ["a", "b"], "val": ["", ""], "some": ["", "1"]}
    assert table(columns) == ["folder  some", "a", "b       1"]


def test_the_table_rounds_measurements(table):
    assert table({"test_loss": ["0.381864", "1.0"]}) == ["test_loss", "0.3819", "1.0000"]


@pytest.mark.parametrize("value", ["0.00025", "1e-05", "[300, 100]", "mnist", "100000"])
def test_the_table_shows_swept_settings_unchanged(two_runs, tmp_path, value):
    setting = json.loads(value) if value != "mnist" else value
    for row in two_runs:
        row["swept"] = {"x": setting}
    summarize(two_runs, tmp_path / "summary.csv")
    header, *lines = align_columns(format_summary(tmp_path / "summary.csv"))
    start, end = header.index("x "), header.index("epochs")
    assert [line[start:end].strip() for line in lines] == [value, value]


def validated(accuracy, loss=0.3, **others):
    return {"validation_accuracy": accuracy, "validation_loss": loss, **others}


def best_of(rows, tmp_path):
    summarize(rows, tmp_path / "summary.csv")
    return [row["run"] for row in read_csv(tmp_path / "summary.csv") if row["best"]]


def test_the_best_run_has_the_highest_validation_accuracy_and_the_test_set_is_ignored(
    rows, tmp_path
):
    runs = rows(
        ({}, validated(0.8, test_accuracy=0.99, test_loss=0.1)),
        ({}, validated(0.9, test_accuracy=0.5, test_loss=9.0)),
        ({}, validated(0.7)),
    )
    assert best_of(runs, tmp_path) == ["r1"]


def test_the_lower_validation_loss_breaks_a_tie(rows, tmp_path):
    runs = rows(({}, validated(0.8, 0.2)), ({}, validated(0.8, 0.1)), ({}, validated(0.8, 0.3)))
    assert best_of(runs, tmp_path) == ["r1"]


def test_no_run_is_best_without_validation_or_without_another_run(rows, tmp_path):
    assert best_of(rows(({}, {}), ({}, {})), tmp_path) == []
    assert best_of(rows(({}, validated(0.8))), tmp_path) == []


def test_a_failed_run_has_a_row_with_its_error(rows, tmp_path):
    first, second = rows(({"x": 1}, validated(0.8)), ({"x": 2}, {}))
    for name in ("metrics", "record", "history"):
        second.pop(name).unlink()
    summarize([first, second | {"error": "it diverged"}], tmp_path / "summary.csv")
    good, bad = read_csv(tmp_path / "summary.csv")
    assert (good["test_accuracy"], good["error"]) == ("0.9", "")
    assert (bad["x"], bad["test_accuracy"], bad["seconds"], bad["error"]) == (
        *("2", "", "", "it diverged"),
    )


@pytest.fixture
def compared(rows, tmp_path):
    """A function that compares runs and returns the paths of both tables."""

    def make(*runs):
        paths = tmp_path / "points.csv", tmp_path / "curves.csv"
        compare_runs(rows(*runs), *paths)
        return paths

    return make


def sweep(rate, seed):
    return {"model.hidden": [300, 100], "training.learning_rate": rate, "training.seed": seed}


RUNS = (
    (sweep(0.1, 0), validated(0.5, test_accuracy=0.8)),
    (sweep(0.1, 1), validated(0.7, test_accuracy=0.9)),
    (sweep(0.2, 0), validated(0.8, test_accuracy=0.7)),
    (sweep(0.2, 1), validated(0.8, test_accuracy=0.7)),
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
    runs = rows((sweep(0.1, 0), {}), (sweep(0.1, 1), {}))
    runs[0]["history"].write_text("epoch,loss\n1,0.9\n2,0.5\n")
    compare_runs(runs, tmp_path / "points.csv", tmp_path / "curves.csv")
    found = read_csv(tmp_path / "curves.csv")
    assert [row["val_loss"] for row in found] == ["", "", "1.3", "0.3"]


def test_seconds_are_rounded_to_one_decimal_place(table):
    assert table({"seconds": ["12.3456", "1.0"]}) == ["seconds", "12.3", "1.0"]


def test_columns_can_be_left_out(tmp_path):
    (tmp_path / "t.csv").write_text("run,a,b\nx,1,2\n")
    assert format_summary(tmp_path / "t.csv", omit=("a",)) == [["run", "b"], ["x", "2"]]


def test_costs_are_totals_over_the_jobs_of_a_stage(tmp_path):
    for name, line in (("a", "1.25\t100.4"), ("b", "2.5\t99"), ("c", "0.01\tNA"), ("d", "0.1\t-")):
        (tmp_path / name).write_text(f"s\tmax_rss\n{line}\n")
    benchmarks = {
        "train": [tmp_path / "a", tmp_path / "b", tmp_path / "c"],
        "download": [tmp_path / "d"],
        "preprocess": [],
    }
    assert tabulate_costs(benchmarks) == [
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
    return {"folder": f"{results}/runs/{name}/epoch-0004"}


def test_the_link_points_to_the_folder_of_the_run(results):
    link_latest([row_of(results, "one")], str(results / "latest"))
    assert (results / "latest").resolve() == (results / "runs/one").resolve()
    assert str((results / "latest").readlink()) == "runs/one"  # relative: results can be moved


@pytest.mark.parametrize("before", ["runs/one", "runs/two", "nowhere"])
def test_an_older_link_is_replaced_and_no_other_file_is_left(results, before):
    (results / "latest").symlink_to(before)
    link_latest([row_of(results, "two")], results / "latest")
    assert (results / "latest").resolve() == (results / "runs/two").resolve()
    assert {path.name for path in results.iterdir()} == {"runs", "latest"}


def test_what_else_lies_beside_the_link_stays(results):
    (results / ".latest").mkdir()
    link_latest([row_of(results, "two")], results / "latest")
    assert {path.name for path in results.iterdir()} == {"runs", "latest", ".latest"}


def test_relative_paths_are_accepted(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    link_latest([row_of("results", "two")], "results/latest")
    assert str((results / "latest").readlink()) == "runs/two"


def test_no_link_is_made_for_several_runs(results):
    link_latest([row_of(results, "one"), row_of(results, "two")], None)
    assert {path.name for path in results.iterdir()} == {"runs"}


@pytest.mark.parametrize("kind", ["touch", "mkdir"])
def test_anything_but_a_link_is_kept_and_named_in_the_error(results, kind):
    getattr(results / "latest", kind)()
    with pytest.raises(ResultsError, match="latest is not a link: move it away"):
        link_latest([row_of(results, "one")], results / "latest")
    assert not (results / "latest").is_symlink()
    assert {path.name for path in results.iterdir()} == {"runs", "latest"}


# ---- Results of another environment.


def records(tmp_path, *environments):
    """The paths of training records with changes of the present environment."""
    now = {name: describe_environment()[name] for name in ("numpy", "machine")}
    paths = [tmp_path / f"{i}.json" for i in range(len(environments))]
    for path, changes in zip(paths, environments):
        path.write_text(json.dumps({"environment": now | {"python": "3.0"} | changes}))
    return paths


def test_results_of_this_environment_need_no_word(tmp_path):
    assert describe_other_environments(records(tmp_path, {}, {})) == ""


def test_results_of_other_environments_are_counted_by_environment(tmp_path):
    old, arm = {"numpy": "1.0"}, {"numpy": "1.0", "machine": "linux arm"}
    machine = describe_environment()["machine"]
    assert describe_other_environments(records(tmp_path, old, {}, arm, old)) == (
        f"2 trained with numpy 1.0, {machine}; 1 trained with numpy 1.0, linux arm"
    )
