"""Ranking the trials of a search, and what is shown of them."""

from contextlib import contextmanager

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from scratchnet.errors import DivergenceError
from scratchnet.evaluation import search_plots
from scratchnet.evaluation.ranking import compare_trials, rank_rung
from scratchnet.evaluation.search_plots import plot_rungs, plot_trials
from scratchnet.files import read_csv, write_rows
from scratchnet.training.checkpoints import Checkpoint, save_checkpoint

WHY = "the loss is nan at batch 2, with a learning rate of 9"


def trials_of(*runs):
    return [
        {"trial": i, "run": run, "values": {"training.seed": 10 * i}}
        for i, run in enumerate(runs, start=1)
    ]


@pytest.fixture
def checkpoint(tmp_path):
    """A function that writes the checkpoint of a run with these validation losses."""

    def write(run, *losses, why=""):
        path = tmp_path / run / "checkpoints" / f"epoch-{len(losses) + bool(why):04}.npz"
        history = {"loss": list(losses), "val_loss": list(losses)}
        weights = {} if why else {"0.W": np.zeros((1, 2))}
        save_checkpoint(
            path, Checkpoint(weights, {}, history, diverged={"why": why} if why else {})
        )
        return str(path)

    return write


def rank(tmp_path, checkpoints, rungs, patience=None, runs="abcdef"):
    """The ranking of these checkpoints, as {run: row}."""
    ranking = tmp_path / f"rung-{len(rungs)}.csv"
    rank_rung(trials_of(*runs), checkpoints, rungs, patience, ranking)
    return {row["run"]: row for row in read_csv(ranking)}


def promoted(rows):
    return [run for run, row in rows.items() if row["goes_on"] == "yes"]


def test_the_lowest_losses_go_on_and_the_ranking_says_why(tmp_path, checkpoint):
    losses = {"a": 0.3, "b": 0.1, "c": 0.4, "d": 0.2}
    paths = [checkpoint(run, 1.0, loss) for run, loss in losses.items()]
    rows = rank(tmp_path, paths, [[1, 0.5], [2, 0.5]])
    assert [*rows] == ["b", "d", "a", "c"]
    assert rows["b"] == {
        "rank": "1",
        "trial": "2",
        "run": "b",
        "training.seed": "20",
        "validation_loss": "0.1",
        "goes_on": "yes",
        "why": "among the best 2 of 4",
    }
    assert [*rows["b"]][:4] == ["rank", "trial", "run", "training.seed"]
    assert (rows["a"]["goes_on"], rows["a"]["why"]) == ("no", "not among the best 2 of 4")
    assert promoted(rows) == ["b", "d"]


def test_from_the_last_rung_the_winner_alone_goes_on(tmp_path, checkpoint):
    rows = rank(tmp_path, [checkpoint("a", 0.3), checkpoint("b", 0.2)], [[1, None]])
    assert promoted(rows) == ["b"]
    assert rows["b"]["why"] == "the lowest validation loss"
    assert rows["a"]["why"] == "not the lowest validation loss"


@pytest.mark.parametrize(
    ("n", "keep", "expected"),
    [(3, 0.34, 1), (2, 0.34, 1), (1, 0.01, 1), (5, 0.5, 2), (4, 1, 4), (100, 0.29, 29)],
)
def test_the_share_is_rounded_down_but_somebody_goes_on(tmp_path, checkpoint, n, keep, expected):
    runs = [f"r{i:03}" for i in range(n)]
    paths = [checkpoint(run, i + 1.0) for i, run in enumerate(runs)]
    assert promoted(rank(tmp_path, paths, [[1, keep]], runs=runs)) == runs[:expected]


def test_in_a_tie_the_lower_number_goes_first_and_the_ranking_says_so(tmp_path, checkpoint):
    paths = [checkpoint(run, loss) for run, loss in (("c", 0.5), ("b", 0.5), ("a", 0.9))]
    rows = rank(tmp_path, paths, [[1, 0.34]])
    assert rank(tmp_path, paths[::-1], [[1, 0.34]]) == rows  # the order of the files is nothing
    assert [*rows] == ["b", "c", "a"]
    assert rows["c"]["why"] == "tied with trial 2, which comes before it"
    assert rows["a"]["why"] == "not among the best 1 of 3"


def test_trials_that_diverged_come_last_and_do_not_go_on(tmp_path, checkpoint):
    paths = [checkpoint("a", 9.0, why=WHY), checkpoint("b", 8.0, 7.0), checkpoint("c", why=WHY)]
    rows = rank(tmp_path, paths, [[2, 1.0]])
    assert [*rows] == ["b", "a", "c"]
    assert promoted(rows) == ["b"]
    assert rows["a"]["why"] == f"diverged in epoch 2: {WHY}"
    assert rows["c"]["why"] == f"diverged in epoch 1: {WHY}"
    assert (rows["a"]["validation_loss"], rows["c"]["validation_loss"]) == ("", "")


def test_if_all_diverged_there_is_one_sentence_and_no_ranking(tmp_path, checkpoint):
    message = "^all 2 trials diverged, the first of them in this way: diverged in epoch 1: the loss"
    with pytest.raises(DivergenceError, match=message):
        rank(tmp_path, [checkpoint("a", why=WHY), checkpoint("b", why=WHY)], [[2, 0.5]])
    assert not list(tmp_path.glob("*.csv"))


def test_a_later_checkpoint_stands_for_an_earlier_one(tmp_path, checkpoint):
    expected = rank(tmp_path, [checkpoint("a", 0.4, 0.3), checkpoint("b", 0.5, 0.2)], [[2, 0.5]])
    later = [checkpoint("a", 0.4, 0.3, 0.1), checkpoint("b", 0.5, 0.2, 0.9, 0.9)]
    assert rank(tmp_path, later, [[2, 0.5]]) == expected
    # It diverged after this rung.
    later[1] = checkpoint("b", 0.5, 0.2, 0.9, why=WHY)
    assert rank(tmp_path, later, [[2, 0.5]]) == expected


def test_with_early_stopping_the_best_epoch_so_far_counts(tmp_path, checkpoint):
    paths = [checkpoint("a", 0.1, 0.6, 0.05), checkpoint("b", 0.3, 0.2, 0.4)]
    assert [*rank(tmp_path, paths, [[2, 0.5]])] == ["b", "a"]
    assert [*rank(tmp_path, paths, [[2, 0.5]], patience=1)] == ["a", "b"]
    stopped = [checkpoint("a", 0.1, 0.6), paths[1]]
    assert rank(tmp_path, stopped, [[3, 0.5]], patience=1)["a"]["validation_loss"] == "0.1"


# ---- What is shown.


@pytest.fixture
def compared(tmp_path, checkpoint):
    """The tables of a search of four trials and two rungs: trials.csv and rungs.csv."""
    first = [checkpoint(run, loss) for run, loss in (("a", 0.6), ("b", 0.4), ("c", 0.5))]
    first.append(checkpoint("d", why=WHY))
    second = [checkpoint("b", 0.4, 0.35, 0.3), checkpoint("c", 0.5, 0.2, 0.1, 0.01)]
    rungs = [[1, 0.5], [3, None]]
    rank(tmp_path, first, rungs[:1])
    rank(tmp_path, second, rungs)
    rankings = [tmp_path / "rung-1.csv", tmp_path / "rung-2.csv"]
    tables = tmp_path / "trials.csv", tmp_path / "rungs.csv"
    compare_trials(rankings, [*first, *second], rungs, *tables)
    return tables


def test_the_table_has_each_trial_once_by_how_far_it_came(compared):
    rows = read_csv(compared[0])
    columns = ("rank", "trial", "run", "training.seed", "epochs", "validation_loss")
    assert [*rows[0]] == [*columns, "why"]
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("1", "3", "c", "30", "3", "0.1"),
        ("2", "2", "b", "20", "3", "0.3"),
        ("3", "1", "a", "10", "1", "0.6"),
        ("4", "4", "d", "40", "1", ""),
    ]
    assert rows[0]["why"] == "the lowest validation loss"
    assert rows[3]["why"].startswith("diverged in epoch 1")


def test_the_curves_end_where_the_trials_do(compared):
    curves = {}
    for row in read_csv(compared[1]):
        curves.setdefault(row["run"], []).append((int(row["epoch"]), float(row["val_loss"])))
    assert curves == {
        "c": [(1, 0.5), (2, 0.2), (3, 0.1)],
        "b": [(1, 0.4), (2, 0.35), (3, 0.3)],
        "a": [(1, 0.6)],
    }


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("style", ["dark_background", "default"])
def test_the_picture_of_the_rungs_shows_the_curves(compared, tmp_path, style):
    rows, pictures = read_csv(compared[1]), []
    for loss in (rows[-1]["val_loss"], "0.9"):
        rows[-1]["val_loss"] = loss
        write_rows(compared[1], rows)
        plot_rungs(compared[1], tmp_path / "rungs.png", style, [[1, 0.5], [3, None]])
        pictures.append(pixels(tmp_path / "rungs.png"))
    assert not np.array_equal(*pictures)


@pytest.mark.parametrize("kind", ["choice", "uniform", "log_uniform"])
def test_the_picture_of_the_settings_has_a_panel_for_each(compared, tmp_path, kind):
    axes = {"training.seed": kind}
    plot_trials(compared[0], tmp_path / "one.png", "default", axes)
    rows = read_csv(compared[0])
    rows[1]["training.seed"] = ""  # it does not apply there
    write_rows(compared[0], [row | {"model.hidden": f"[{row['trial']}]"} for row in rows])
    plot_trials(compared[0], tmp_path / "two.png", "default", axes | {"model.hidden": "choice"})
    assert pixels(tmp_path / "two.png").shape[1] > pixels(tmp_path / "one.png").shape[1]


def test_each_value_of_a_choice_is_named(compared, tmp_path, monkeypatch):
    figures = []

    @contextmanager
    def keep(picture, style, **options):
        figures.append(Figure(**options))
        yield figures[-1]

    monkeypatch.setattr(search_plots, "save_figure", keep)
    rows = [row | {"model.activation": "relu"} for row in read_csv(compared[0])]
    rows[1]["model.activation"] = ""  # it does not apply there
    write_rows(compared[0], rows)
    axes = {"training.seed": "choice", "model.activation": "choice"}
    plot_trials(compared[0], tmp_path / "trials.png", "default", axes)
    numbers, words = figures[0].axes[:2]
    assert [label.get_text() for label in numbers.get_xticklabels()] == ["10", "20", "30"]
    assert [label.get_text() for label in words.get_xticklabels()] == ["-", "relu"]
