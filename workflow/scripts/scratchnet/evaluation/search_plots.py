"""Plots of the trials of a search, each drawn from one file of data."""

from matplotlib import colormaps
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from scratchnet.evaluation.figures import save_figure
from scratchnet.files import read_csv


def plot_rungs(rungs_table, picture, style, rungs):
    """Plot the validation loss of each trial by epoch, brighter the further it came.

    Vertical lines are the `rungs`, each its epochs and the share that goes on. The winner's line is
    thick, and a dot is where a trial ended.
    """
    trials = {}
    for row in read_csv(rungs_table):
        trials.setdefault(row["trial"], []).append((int(row["epoch"]), float(row["val_loss"])))
    marks = [epochs for epochs, _ in rungs]
    with save_figure(picture, style, figsize=(8, 5)) as figure:
        axes = figure.subplots()
        for i, curve in reversed([*enumerate(trials.values())]):  # the winner last, on top
            colour = _colour(_rung_reached(curve[-1][0], marks), len(marks))
            axes.plot(*zip(*curve), color=colour, linewidth=1 if i else 2.5)
            axes.plot(*curve[-1], marker="o" if i else "*", markersize=3 if i else 12, color=colour)
        for epochs in marks:
            axes.axvline(epochs, color="grey", linestyle=":", linewidth=1, zorder=0)
        axes.set(title="Validation loss of the trials by epoch", xlabel="epoch", ylabel="loss")
        axes.set(xscale="log", yscale="log")
        axes.xaxis.set_major_locator(FixedLocator(marks))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.25)


def plot_trials(trials_table, picture, style, axes):
    """Plot the last validation loss of the trials against each searched setting, in panels.

    `axes` maps the settings to choice, uniform or log_uniform. Bright points were trained longer,
    and a star is the winner. Trials to which a setting does not apply are left of a choice, and
    missing where the values are numbers; so are those that diverged.
    """
    rows = [row for row in read_csv(trials_table) if row["validation_loss"]]
    epochs = sorted({int(row["epochs"]) for row in rows})
    columns = 2 if len(axes) == 4 else min(len(axes), 3)
    n_rows = -(-len(axes) // columns)
    with save_figure(picture, style, figsize=(max(6, 10 / 3 * columns), 3.8 * n_rows)) as figure:
        grid = figure.subplots(n_rows, columns, squeeze=False, sharey=True).ravel()
        for panel, (key, kind) in zip(grid, axes.items()):
            _plot_key(panel, rows, key, kind, epochs)
        for panel in grid[len(axes) :]:
            panel.set_axis_off()
        for panel in grid[::columns]:
            panel.set_ylabel("validation loss")
        figure.suptitle("Trials by setting (bright: trained longer; star: the winner)")


def _plot_key(panel, rows, key, kind, epochs):
    """Plot the loss of `rows` against the setting `key`."""
    if kind == "choice":
        values = sorted({row[key] for row in rows}, key=_sort_key)
        places = {value: i for i, value in enumerate(values)}
        panel.set_xticks(range(len(values)), [value or "-" for value in values])
    else:
        places = {row[key]: float(row[key]) for row in rows if row[key]}
        panel.set_xscale("log" if kind == "log_uniform" else "linear")
    for row in reversed(rows):
        if row[key] in places:
            is_winner = row["rank"] == "1"
            panel.plot(
                places[row[key]],
                float(row["validation_loss"]),
                marker="*" if is_winner else "o",
                markersize=14 if is_winner else 5,
                linestyle="",
                color=_colour(epochs.index(int(row["epochs"])), len(epochs)),
            )
    panel.set(xlabel=key, yscale="log")
    panel.grid(alpha=0.25)


def _sort_key(text):
    """Sort missing values first, then numbers, then other text."""
    try:
        return (1, float(text), "")
    except ValueError:
        return (2 if text else 0, 0.0, text)


def _rung_reached(epoch, marks):
    """Return how many of the rungs at the epochs `marks` come before `epoch`."""
    return sum(mark < epoch for mark in marks)


def _colour(i, n):
    """Return the colour of a trial that came to rung i of n, counted from 0."""
    return colormaps["plasma"](0.3 + 0.5 * i / max(n - 1, 1))
