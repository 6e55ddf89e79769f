"""Plots that compare the runs of a sweep, each drawn from one file of data."""

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator

from scratchnet.evaluation.figures import save_figure
from scratchnet.files import read_csv

MAX_LABELS = 12  # points of a sweep named in the legend


def plot_curves(curves, picture, style):
    """Plot the loss by epoch of the runs of a sweep: the validation loss if all runs have one.

    Runs that differ only in their seed share a colour. Colours and legend are ordered by the final
    loss, the lowest first; its curves are thick.
    """
    rows = read_csv(curves)
    loss = "val_loss" if all(row.get("val_loss") for row in rows) else "loss"
    points = {}
    for row in rows:
        runs = points.setdefault(row["point"], {})
        runs.setdefault(row["run"], []).append((int(row["epoch"]), float(row[loss])))
    ranked = sorted(points.items(), key=lambda item: np.mean([c[-1][1] for c in item[1].values()]))
    with save_figure(picture, style, figsize=(10, 5)) as figure:
        axes = figure.subplots()
        colours = colormaps["plasma"](np.linspace(0.8, 0.3, len(ranked)))
        named = []
        for i, ((point, runs), colour) in enumerate(zip(ranked, colours)):
            look = {"color": colour, "label": point, "linewidth": 1 if i else 2.5}
            lines = [line for curve in runs.values() for line in axes.plot(*zip(*curve), **look)]
            named += lines[:1] if i < MAX_LABELS else []
        kind = "Validation" if loss == "val_loss" else "Training"
        axes.set(title=f"{kind} loss by epoch", xlabel="epoch", ylabel="loss")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        more = len(ranked) - MAX_LABELS
        title = "lowest loss first" + (f"\n({more} more not listed)" if more > 0 else "")
        # The labels are given: a legend that finds them itself drops those that start with "_".
        labels = [line.get_label() for line in named]
        figure.legend(named, labels, loc="outside right upper", title=title)


def plot_points(points, picture, style, swept):
    """Plot the accuracy of the points of a sweep against each setting in `swept`, in panels.

    It is the validation accuracy if there is one, otherwise the test accuracy. Each point has an
    error bar: the standard deviation over its seeds. The line connects the means.
    """
    rows = read_csv(points)
    validated = any(row["validation_accuracy"] for row in rows)
    metric = "validation_accuracy" if validated else "test_accuracy"
    rows = [row for row in rows if row[metric]]
    keys = [key for key in swept if key in rows[0]] or ["runs"]  # a point has no seed
    columns = min(len(keys), 3)
    n_rows = -(-len(keys) // columns)
    with save_figure(picture, style, figsize=(max(6, 10 / 3 * columns), 3.8 * n_rows)) as figure:
        grid = figure.subplots(n_rows, columns, squeeze=False, sharey=True).ravel()
        for axes, key in zip(grid, keys):
            _plot_setting(axes, rows, key, metric)
        for axes in grid[len(keys) :]:
            axes.set_axis_off()
        for axes in grid[::columns]:
            axes.set_ylabel(metric.replace("_", " "))
        best = " (star: lowest validation loss)" if validated else ""
        figure.suptitle(f"Points of the sweep{best} and their means (line)")


def _plot_setting(axes, rows, key, metric):
    """Plot `metric` against the values of the setting `key`, in the order of the rows."""
    values = list(dict.fromkeys(row[key] for row in rows))
    for row in rows:
        axes.errorbar(
            values.index(row[key]),
            float(row[metric]),
            yerr=float(row[f"{metric}_sd"] or 0),
            marker="*" if row["best"] else "o",
            markersize=14 if row["best"] else 6,
            color="C1" if row["best"] else "C0",
            alpha=1 if row["best"] else 0.7,
        )
    means = [np.mean([float(r[metric]) for r in rows if r[key] == v]) for v in values]
    axes.plot(range(len(values)), means, color="C2", zorder=0)
    axes.set_xticks(range(len(values)), [value or "-" for value in values])
    axes.set_xlabel(key)
    axes.grid(alpha=0.25)
