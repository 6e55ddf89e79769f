"""The pictures. Nothing else imports matplotlib; figures are made without its global state."""

import numpy as np
from matplotlib import colormaps
from matplotlib import style as styles
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scratchnet.checkpoints import load_checkpoint
from scratchnet.files import read_csv, read_json, whole
from scratchnet.streams import random_stream

DPI = 150
MOST_COUNTS = 20  # classes for which the confusion matrix has numbers
MOST_LABELS = 12  # points of a sweep that a legend names


def plot_loss(history, picture, style):
    """Draw the loss by epoch, from a history.csv."""
    rows = read_csv(history)
    epochs = [int(row["epoch"]) for row in rows]
    with styles.context(style):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.subplots()
        for column, label in (("loss", "training"), ("val_loss", "validation")):
            if column in rows[0]:
                axes.plot(epochs, [float(row[column]) for row in rows], marker=".", label=label)
        axes.set(title="Loss by epoch", xlabel="epoch", ylabel="categorical cross-entropy")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        axes.legend()
        _save(figure, picture)


def plot_misclassified(predictions, X_test, manifest, picture, style, count, seed):
    """Draw `count` of the misclassified test images, chosen by `seed`, with both labels."""
    shape = read_json(manifest)["image_shape"]
    wrong = [row for row in read_csv(predictions) if row["label"] != row["predicted"]]
    chosen = random_stream(seed, "pictures").permutation(len(wrong))[:count]
    images = np.load(X_test, mmap_mode="r").T
    with styles.context(style):
        figure, grid = _grid(len(chosen), columns=5)
        for axes, row in zip(grid, (wrong[i] for i in sorted(chosen))):
            image = images[int(row["image"])].reshape(shape).clip(0, 1)
            axes.imshow(image, cmap="gray", vmin=0, vmax=1)
            end = "\n" if len(row["label"] + row["predicted"]) > 6 else " "
            axes.set_title(f"{row['label']} taken for{end}{row['predicted']}", fontsize="medium")
        figure.suptitle(f"{len(chosen)} of {len(wrong):,} misclassified test images")
        _save(figure, picture)


def plot_confusion(metrics, picture, style):
    """Draw the confusion matrix: counts, coloured by their share of the row.

    With many classes the counts are left out, which nobody could read.
    """
    metrics = read_json(metrics)
    confusion = np.array(metrics["confusion_matrix"])
    classes = [row["class"] for row in metrics["per_class"]]
    rates = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    size = max(6.5, 0.25 * len(classes))
    with styles.context(style):
        figure = Figure(figsize=(size + 1, size), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(rates, cmap="cividis", vmin=0, vmax=1)
        if len(classes) <= MOST_COUNTS:
            for (label, predicted), n in np.ndenumerate(confusion):
                colour = "black" if rates[label, predicted] > 0.5 else "white"
                axes.text(
                    predicted, label, n, ha="center", va="center", color=colour, fontsize="small"
                )
        ticks = range(len(classes))
        long = max(map(len, classes)) > 2
        axes.set_xticks(
            ticks, classes, rotation=45 if long else 0, ha="right" if long else "center"
        )
        axes.set_yticks(ticks, classes)
        accuracy = metrics["test_accuracy"]
        axes.set(title=f"Test images: {accuracy:.2%} are right", xlabel="predicted", ylabel="label")
        figure.colorbar(image, label="share of the label's images")
        _save(figure, picture)


def plot_weights(checkpoint, manifest, metrics, picture, style):
    """Draw the first layer's weights as images, one for each of its outputs, on one scale.

    Of a hidden layer, the first hundred outputs are drawn. Weights of colour images are drawn in
    these colours, with grey for 0.
    """
    shape = read_json(manifest)["image_shape"]
    weights = load_checkpoint(checkpoint).trained
    W = weights["0.W"][:100, :-1]
    is_output = len(weights) == 1
    names = (
        [row["class"] for row in read_json(metrics)["per_class"]] if is_output else range(len(W))
    )
    largest = np.abs(W).max()
    with styles.context(style):
        figure, grid = _grid(len(W), columns=5 if len(W) <= 20 else 10)
        for axes, row, name in zip(grid, W.reshape(-1, *shape), names):
            if len(shape) == 2:
                image = axes.imshow(row, cmap="RdBu_r", vmin=-largest, vmax=largest)
            else:
                axes.imshow(0.5 + row / (2 * largest))
            axes.set_title(name, fontsize="medium")
        if len(shape) == 2:
            figure.colorbar(image, ax=list(grid), label="weight of the pixel", shrink=0.8)
            colours = " (red) and against (blue)"
        else:
            colours = " (bright) and against (dark)"
        figure.suptitle(f"What speaks for{colours} each output")
        _save(figure, picture)


def plot_curves(curves, picture, style):
    """Draw the loss by epoch of a sweep's runs: the validation loss if there is one.

    Runs that differ in nothing but their seed have the same colour. The colours and the legend go
    from the lowest last loss, drawn thick, to the highest.
    """
    rows = read_csv(curves)
    loss = "val_loss" if "val_loss" in rows[0] else "loss"
    points = {}
    for row in rows:
        runs = points.setdefault(row["point"], {})
        runs.setdefault(row["run"], []).append((int(row["epoch"]), float(row[loss])))
    ranked = sorted(points.items(), key=lambda item: np.mean([c[-1][1] for c in item[1].values()]))
    with styles.context(style):
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.subplots()
        colours = colormaps["plasma"](np.linspace(0.8, 0.3, len(ranked)))
        for i, ((point, runs), colour) in enumerate(zip(ranked, colours)):
            for j, curve in enumerate(runs.values()):
                label = point if j == 0 and i < MOST_LABELS else None
                axes.plot(*zip(*curve), color=colour, label=label, linewidth=1 if i else 2.5)
        what = "validation" if loss == "val_loss" else "training"
        axes.set(title=f"{what.capitalize()} loss by epoch", xlabel="epoch", ylabel="loss")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        more = len(ranked) - MOST_LABELS
        title = "from the lowest" + (f", {more} more not named" if more > 0 else "")
        figure.legend(loc="outside right upper", title=title, fontsize="small")
        _save(figure, picture)


def plot_sweep(points, swept, picture, style):
    """Draw the accuracy of a sweep's points over each setting that was swept, in panels.

    It is the validation accuracy if there is one. A dot is a point, with the standard deviation
    over its seeds; the line goes through the means.
    """
    rows = read_csv(points)
    validated = any(row["validation_accuracy"] for row in rows)
    metric = "validation_accuracy" if validated else "test_accuracy"
    rows = [row for row in rows if row[metric]]
    keys = [key for key in swept if key in rows[0]] or ["runs"]  # seeds are together
    columns = min(len(keys), 3)
    n_rows = -(-len(keys) // columns)
    with styles.context(style):
        figure = Figure(figsize=(4.5 * columns, 3.8 * n_rows), layout="constrained")
        grid = figure.subplots(n_rows, columns, squeeze=False, sharey=True).ravel()
        for axes, key in zip(grid, keys):
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
        for axes in grid[len(keys) :]:
            axes.set_axis_off()
        for axes in grid[::columns]:
            axes.set_ylabel(metric.replace("_", " "))
        best = ", the best with a star" if validated else ""
        figure.suptitle(f"Each point of the sweep{best}; the line goes through the means")
        _save(figure, picture)


def _grid(n, columns):
    """A figure with axes without ticks for n images."""
    rows = max(1, -(-n // columns))
    figure = Figure(figsize=(1.6 * columns + 1, 1.9 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    return figure, grid


def _save(figure, picture):
    with whole(picture) as temporary:
        # No software version and no date: the same data give the same file.
        figure.savefig(temporary, dpi=DPI, metadata={"Software": None})
