"""Plots that compare the runs of a sweep, each drawn from one file of data."""

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from scratchnet.evaluation.figures import COLOURS, save_figure
from scratchnet.files import read_csv

MAX_LABELS = 12  # points of a sweep that are named beside their curves
LINES = ("-", "--", ":")  # with the colours, more looks than MAX_LABELS
MARKERS = "osv^D*XP"  # of a point, by the value of another setting
LABEL_HEIGHT = 0.042  # as a share of the height of the axes


def plot_curves(curves, picture, style):
    """Plot the loss by epoch of the runs of a sweep: the validation loss if all runs have one.

    Runs that differ only in their seed share a colour. The points with the lowest final losses are
    named at the end of their curves, and the others are grey; the curves of the best are thick. The
    axis is logarithmic if the losses differ by a factor of more than 3.
    """
    rows = read_csv(curves)
    loss = "val_loss" if all(row.get("val_loss") for row in rows) else "loss"
    points = {}
    for row in rows:
        runs = points.setdefault(row["point"], {})
        runs.setdefault(row["run"], []).append((int(row["epoch"]), float(row[loss])))
    ends = {
        point: np.mean([curve[-1] for curve in runs.values()], axis=0)
        for point, runs in points.items()
    }
    ranked = sorted(points, key=lambda point: ends[point][1])
    colours = COLOURS[style]
    with save_figure(picture, style, figsize=(10, 5)) as figure:
        axes, named = figure.subplots(), []
        for i, point in reversed([*enumerate(ranked)]):  # the best last, on top
            look = {"color": "grey", "linewidth": 0.7}
            if i < MAX_LABELS:
                look["color"] = colours[i % len(colours)]
                look["linestyle"] = LINES[i // len(colours)]
                look["linewidth"] = 1.2 if i else 2.5
            for curve in points[point].values():
                axes.plot(*zip(*curve), label=point, **look)
            if i < MAX_LABELS:
                named.append((point, ends[point], look))
        _choose_scale(axes)
        _label_ends(axes, named)
        kind = "Validation" if loss == "val_loss" else "Training"
        more = len(ranked) - MAX_LABELS
        left_out = f" (grey: {more} more with higher losses)" if more > 0 else ""
        axes.set(title=f"{kind} loss by epoch{left_out}", xlabel="epoch", ylabel="loss")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.grid(alpha=0.25)


def _choose_scale(axes):
    """Make the y axis logarithmic if that spreads the curves, with plain numbers at its ticks."""
    values = np.concatenate([line.get_ydata() for line in axes.lines])
    low, high = values.min(), values.max()
    if low > 0 and high / low > 3:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if high / low > 10 else range(1, 10))
        )
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")


def _label_ends(axes, ends):
    """Write each label of `ends`, (label, (x, y), look of its line), to the right of the axes.

    A label stands at the height of the end of its curve, or above where others are in the way; a
    thin line connects the two.
    """
    limits = axes.get_ylim()
    axes.set(xlim=axes.get_xlim(), ylim=limits)  # as they are now: no label moves them
    scale = np.log if axes.get_yscale() == "log" else np.asarray
    low, high = scale(limits)
    heights = {label: (scale(y) - low) / (high - low) for label, (_, y), _ in ends}
    free, places = 0, {}
    for i, label in enumerate(sorted(heights, key=heights.get)):
        places[label] = min(max(heights[label], free), 1 - (len(ends) - 1 - i) * LABEL_HEIGHT)
        free = places[label] + LABEL_HEIGHT
    for label, end, look in ends:
        axes.annotate(
            label,
            end,
            xytext=(1.03, places[label]),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            color=look["color"],
            arrowprops=look | {"arrowstyle": "-", "linewidth": 0.7, "relpos": (0, 0.5)},
        )


def plot_points(points, picture, style, swept):
    """Plot the accuracy of the points of a sweep against each setting in `swept`, in panels.

    It is the validation accuracy if there is one, otherwise the test accuracy. Each point has an
    error bar: the standard deviation over its seeds. Points are coloured by another setting, and
    lines connect the means of those with the same colour.
    """
    rows = read_csv(points)
    validated = any(row["validation_accuracy"] for row in rows)
    metric = "validation_accuracy" if validated else "test_accuracy"
    rows = [row for row in rows if row[metric]]
    keys = [key for key in swept if key in rows[0]] or ["runs"]  # a point has no seed
    columns = 2 if len(keys) == 4 else min(len(keys), 3)
    n_rows = -(-len(keys) // columns)
    with save_figure(picture, style, figsize=(max(6, 10 / 3 * columns), 3.8 * n_rows)) as figure:
        grid = figure.subplots(n_rows, columns, squeeze=False, sharey=True).ravel()
        for axes, key in zip(grid, keys):
            _plot_setting(axes, rows, key, _choose_colouring(rows, keys, key), metric)
        for axes in grid[len(keys) :]:
            axes.set_axis_off()
        for axes in grid[::columns]:
            axes.set_ylabel(metric.replace("_", " "))
        best = " (star: lowest validation loss)" if validated else ""
        figure.suptitle(f"Points of the sweep{best} and their means (line)")


def _values(rows, key):
    """Return the values of a setting in the order of the rows."""
    return list(dict.fromkeys(row[key] for row in rows))


def _choose_colouring(rows, keys, key):
    """Return the first of the other settings whose values have enough markers, or None."""
    others = [other for other in keys if other != key and len(_values(rows, other)) > 1]
    return next((other for other in others if len(_values(rows, other)) <= len(MARKERS)), None)


def _plot_setting(axes, rows, key, colouring, metric):
    """Plot `metric` against the values of the setting `key`, coloured by the setting `colouring`.

    The values are in the order of the rows. Points of one value stand side by side.
    """
    values, drawn = _values(rows, key), []
    groups = _values(rows, colouring) if colouring else [None]
    for i, group in enumerate(groups):
        members = [row for row in rows if not colouring or row[colouring] == group]
        shift = 0.06 * (i - (len(groups) - 1) / 2)
        colour = f"C{i % 5}"
        for row in members:
            axes.errorbar(
                values.index(row[key]) + shift,
                float(row[metric]),
                yerr=float(row[f"{metric}_sd"] or 0),
                marker="*" if row["best"] else MARKERS[i],
                markersize=14 if row["best"] else 6,
                color=colour,
            )
        found = [value for value in values if any(row[key] == value for row in members)]
        means = [np.mean([float(r[metric]) for r in members if r[key] == v]) for v in found]
        places = [values.index(value) + shift for value in found]
        axes.plot(places, means, color=colour, zorder=0)
        drawn += axes.plot([], [], color=colour, marker=MARKERS[i])  # for the legend
    if colouring:
        names = [group or "-" for group in groups]
        axes.legend(drawn, names, title=colouring, title_fontsize=9)
    axes.set_xticks(range(len(values)), [value or "-" for value in values])
    axes.set_xlabel(key)
    axes.grid(alpha=0.25)
