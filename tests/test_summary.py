"""Tables and pictures of sweeps: which run is best, and what seeds come to together."""

import json
import struct

import pytest

from scratchnet import plots
from scratchnet.files import read_csv
from scratchnet.summary import as_table, compare, summarize


@pytest.fixture
def rows(tmp_path):
    """A function that makes rows of (swept settings, what was measured)."""

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


def validated(accuracy, loss=0.3, **others):
    return {"validation_accuracy": accuracy, "validation_loss": loss, **others}


def best_of(rows, tmp_path):
    summarize(rows, tmp_path / "summary.csv")
    return [row["run"] for row in read_csv(tmp_path / "summary.csv") if row["best"]]


def test_the_best_run_has_the_highest_validation_accuracy_whatever_the_test_set_says(
    rows, tmp_path
):
    runs = rows(
        ({}, validated(0.8, test_accuracy=0.99, test_loss=0.1)),
        ({}, validated(0.9, test_accuracy=0.5, test_loss=9.0)),
        ({}, validated(0.7)),
    )
    assert best_of(runs, tmp_path) == ["r1"]


def test_of_equally_accurate_runs_the_one_with_the_lower_validation_loss_is_best(rows, tmp_path):
    runs = rows(({}, validated(0.8, 0.2)), ({}, validated(0.8, 0.1)), ({}, validated(0.8, 0.3)))
    assert best_of(runs, tmp_path) == ["r1"]


def test_without_validation_and_without_another_run_none_is_best(rows, tmp_path):
    assert best_of(rows(({}, {}), ({}, {})), tmp_path) == []
    assert best_of(rows(({}, validated(0.8))), tmp_path) == []


def test_a_run_that_failed_has_a_row_with_its_error(rows, tmp_path):
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
    """A function that compares the runs it is given; returns the paths of both tables."""

    def make(*runs):
        paths = tmp_path / "points.csv", tmp_path / "curves.csv"
        compare(rows(*runs), *paths)
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


def test_seeds_are_put_together_as_mean_and_sample_standard_deviation(compared):
    first, second = read_csv(compared(*RUNS)[0])
    assert (first["model.hidden"], first["training.learning_rate"]) == ("[300, 100]", "0.1")
    assert (first["runs"], "training.seed" in first) == ("2", False)
    # Of 0.5 and 0.7: mean 0.6, and 0.1 on either side, so sqrt(0.02 / 1).
    assert float(first["validation_accuracy"]) == pytest.approx(0.6)
    assert float(first["validation_accuracy_sd"]) == pytest.approx(0.02**0.5)
    assert float(first["seconds"]) == 1.5
    assert float(second["validation_accuracy_sd"]) == 0
    assert (first["best"], second["best"]) == ("", "best")


def test_a_point_with_one_seed_has_no_deviation_and_what_was_not_measured_is_empty(compared):
    (row,) = read_csv(compared((sweep(0.1, 0), {}))[0])
    assert (row["runs"], row["test_accuracy"], row["test_accuracy_sd"]) == ("1", "0.9", "")
    assert row["validation_accuracy"] == ""


def test_the_curves_of_all_runs_are_below_one_another_with_their_point(compared):
    rows = read_csv(compared(*RUNS)[1])
    assert [(row["run"], row["epoch"]) for row in rows] == [
        (f"r{i}", str(epoch)) for i in range(4) for epoch in (1, 2)
    ]
    assert {row["point"] for row in rows[:4]} == {"hidden [300, 100], learning_rate 0.1"}


def test_the_table_of_points_shows_means_with_their_deviations(compared):
    lines = as_table(compared(*RUNS)[0])
    assert "0.6000 ± 0.1414" in lines[1]
    assert "0.8500 ± 0.0707" in lines[1]
    assert lines[2].endswith("best")
    assert "_sd" not in lines[0]
    # Every line is as wide as its cells: the columns begin at the same place.
    assert lines[1].index("0.6000") == lines[0].index("validation_accuracy")


SWEEPS = {
    "one key": [({"x": i}, validated(0.5 + i / 10)) for i in range(3)],
    "seeds only": [({"training.seed": i}, validated(0.5 + i / 10)) for i in range(3)],
    "one run": [({"x": 1}, validated(0.5))],
    "no validation": [({"x": i}, {}) for i in range(3)],
    "seven keys": [({f"k{j}": i for j in range(7)}, validated(0.5 + i / 10)) for i in range(3)],
    "forty points": [({"x": i, "y": i % 3}, validated(0.5 + i / 100)) for i in range(40)],
    "a setting that does not apply": [({"x": None}, validated(0.5)), ({"x": 1}, validated(0.6))],
}


@pytest.mark.parametrize("style", ["dark_background", "default"])
@pytest.mark.parametrize("runs", SWEEPS.values(), ids=SWEEPS)
def test_any_sweep_is_drawn_and_drawn_again_the_same(compared, tmp_path, runs, style):
    points, curves = compared(*runs)
    swept = list(runs[0][0])
    drawn = []
    for name in ("once", "again"):
        plots.plot_sweep(points, swept, tmp_path / f"{name}.png", style)
        plots.plot_curves(curves, tmp_path / f"{name}-curves.png", style)
        drawn.append([(tmp_path / f"{name}{end}").read_bytes() for end in (".png", "-curves.png")])
    assert drawn[0] == drawn[1]
    for png in drawn[0]:
        width, height = struct.unpack(">II", png[16:24])
        assert 500 <= width <= 2500
        assert 400 <= height <= 2500
