"""The pictures, each drawn from the one file of data beside it.

Nothing else imports matplotlib; figures are made without its global state.
"""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib import colormaps, cycler
from matplotlib import style as styles
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from scratchnet.files import atomic_write, read_csv, read_json

MAX_COUNTS = 20  # classes for which the confusion matrix has numbers
MAX_LABELS = 12  # points of a sweep that a legend names
MAX_BARS = 3  # probabilities that are shown below a misclassified image

# One look for all, in the dark style and in the light one. The colours can be told apart by the
# colour-blind (Okabe and Ito 2008), and no line differs from another by its colour alone.
LOOK = {
    "font.size": 10,
    "axes.titlesize": 11,
    "figure.titlesize": 12,
    "legend.fontsize": 9,
    "savefig.dpi": 150,
    "svg.hashsalt": "scratchnet",  # for names in an .svg file, which are random without it
}
COLOURS = {
    "dark_background": ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442"),
    "default": ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"),
}


def plot_history(history, picture, style):
    """Draw loss and accuracy by epoch, of the training images and of the validation images."""
    rows = read_csv(history)
    epochs = [int(row["epoch"]) for row in rows]
    with _figure(picture, style, figsize=(10, 4.2)) as figure:
        for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy")):
            for column, label, line in (
                (metric, "training", "-"),
                (f"val_{metric}", "validation", "--"),
            ):
                if column in rows[0]:
                    values = [float(row[column]) for row in rows]
                    axes.plot(epochs, values, linestyle=line, marker=".", label=label)
            axes.set(title=f"{metric.capitalize()} by epoch", xlabel="epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.25)
            axes.legend()
            if metric == "loss":
                axes.set(ylabel="categorical cross-entropy")
                axes.set_ylim(bottom=0)
            else:
                axes.set(ylabel="images that are right")
                axes.yaxis.set_major_formatter(PercentFormatter(1))


def plot_confusion(confusion, picture, style):
    """Draw the confusion matrix: counts and shares of the row, coloured by the share.

    With many classes the numbers are left out, which nobody could read.
    """
    rows = read_csv(confusion)
    classes = list(dict.fromkeys(row["label"] for row in rows))
    counts = np.array([int(row["images"]) for row in rows]).reshape(len(classes), -1)
    shares = np.array([float(row["share"]) for row in rows]).reshape(len(classes), -1)
    size = max(7, 0.25 * len(classes))
    with _figure(picture, style, figsize=(size + 1, size)) as figure:
        axes = figure.subplots()
        image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
        if len(classes) <= MAX_COUNTS:
            for (label, predicted), n in np.ndenumerate(counts):
                if n:
                    share = shares[label, predicted]
                    axes.text(
                        predicted,
                        label,
                        f"{n}\n{share:.1%}" if len(classes) <= 10 else n,
                        ha="center",
                        va="center",
                        color="black" if share > 0.5 else "white",
                        fontsize=8,
                    )
        ticks = range(len(classes))
        long = max(map(len, classes)) > 2
        axes.set_xticks(
            ticks, classes, rotation=45 if long else 0, ha="right" if long else "center"
        )
        axes.set_yticks(ticks, classes)
        right = np.trace(counts) / max(counts.sum(), 1)
        axes.set(title=f"Test images: {right:.2%} are right", xlabel="predicted", ylabel="label")
        bar = figure.colorbar(image, label="share of the label's images")
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1))


def plot_calibration(calibration, picture, style):
    """Draw how often the network is right over how confident it is, and how many images that are.

    A well calibrated network lies on the diagonal: of the images for which it gives its prediction
    80 %, it gets 80 % right.
    """
    rows = [{key: float(value) for key, value in row.items()} for row in read_csv(calibration)]
    middles = [(row["from"] + row["to"]) / 2 for row in rows]
    width = 0.9 * (rows[0]["to"] - rows[0]["from"])
    images = [row["images"] for row in rows]
    distance = sum(n * abs(row["confidence"] - row["accuracy"]) for n, row in zip(images, rows))
    with _figure(picture, style, figsize=(6, 6.5)) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot([0, 1], [0, 1], linestyle=":", color="0.6", label="as right as confident")
        above.bar(middles, [row["accuracy"] for row in rows], width, alpha=0.35)
        above.plot(
            [row["confidence"] for row in rows],
            [row["accuracy"] for row in rows],
            marker="o",
            label="this network",
        )
        above.set(ylabel="images that are right", xlim=(0, 1), ylim=(0, 1.02))
        above.set_title(f"On average {distance / sum(images):.1%} away from the diagonal")
        above.legend()
        below.bar(middles, images, width)
        below.set(xlabel="confidence: probability of the predicted class", ylabel="images")
        below.set_yscale("log")
        for axis in (above.xaxis, above.yaxis):
            axis.set_major_formatter(PercentFormatter(1))
        for axes in (above, below):
            axes.grid(alpha=0.25)


def plot_misclassified(misclassified, picture, style, count):
    """Draw the `count` mistakes of which the network is most certain, and what it thought."""
    mistakes = read_json(misclassified)
    shown = mistakes["images"][:count]
    columns = min(5, max(3, len(shown)))
    n_rows = max(1, -(-len(shown) // columns))
    with _figure(picture, style, figsize=(2 * columns, 3 * n_rows + 0.5)) as figure:
        grid = figure.subplots(2 * n_rows, columns, squeeze=False, height_ratios=(5, 2) * n_rows)
        for axes in grid.ravel():
            axes.set_axis_off()
        for i, mistake in enumerate(shown):
            image, bars = grid[2 * (i // columns) : 2 * (i // columns) + 2, i % columns]
            _frame(image)
            image.imshow(np.clip(mistake["pixels"], 0, 1), cmap="gray", vmin=0, vmax=1)
            label, predicted = mistake["label"], mistake["predicted"]
            end = "\n" if len(label + predicted) > 12 else " "
            image.set_title(f"{label} taken for{end}{predicted}", fontsize=10)
            ranked = sorted(mistake["probabilities"].items(), key=lambda item: -item[1])[:MAX_BARS]
            names, values = zip(*ranked)
            bars.set_axis_on()
            colours = ["C0" if name == label else "C1" for name in names]
            bars.barh(range(len(names)), values, color=colours)
            for row, value in enumerate(values):
                bars.text(value + 0.03, row, f"{value:.0%}", va="center", fontsize=8)
            bars.set(xlim=(0, 1.4), xticks=[])
            bars.set_yticks(range(len(names)), names, fontsize=8)
            bars.tick_params(length=0)
            bars.invert_yaxis()
            bars.spines[:].set_visible(False)
        first = f"the {len(shown)} most confident of " if len(shown) < mistakes["count"] else ""
        figure.suptitle(f"Misclassified test images: {first}{mistakes['count']:,}")


def plot_contact_sheet(contact_sheet, picture, style):
    """Draw images as the network got them, with the class that each was taken for."""
    sheet = read_json(contact_sheet)
    images = sheet["images"]
    columns = min(10, max(4, len(images)))
    n_rows = -(-len(images) // columns)
    with _figure(picture, style, figsize=(1.25 * columns, 1.7 * n_rows + 0.5)) as figure:
        grid = figure.subplots(n_rows, columns, squeeze=False).ravel()
        for axes in grid:
            axes.set_axis_off()
        for axes, image in zip(grid, images):
            _frame(axes)
            axes.imshow(np.clip(image["pixels"], 0, 1), cmap="gray", vmin=0, vmax=1)
            axes.set_title(f"{image['predicted']} ({image['probability']:.0%})", fontsize=10, pad=3)
            name = Path(image["image"]).name
            name = name if len(name) <= 16 else f"{name[:7]}…{name[-8:]}"
            where = {"transform": axes.transAxes, "ha": "center", "va": "top", "fontsize": 8}
            axes.text(0.5, -0.04, name, **where)
        first = f"the first {len(images)} of " if len(images) < sheet["count"] else ""
        figure.suptitle(f"What the network took them for: {first}{sheet['count']:,} images")


def plot_weights(weights, picture, style):
    """Draw the first layer's weights as images, on one scale: one a class, or one a hidden unit.

    Weights of colour images are drawn in these colours, with grey for 0.
    """
    weights = read_json(weights)
    images = weights["images"]
    arrays = np.array([image["weights"] for image in images])
    largest = np.abs(arrays).max() or 1
    hidden = "unit" in images[0]
    columns = 10 if hidden or len(images) > 20 else 5
    n_rows = -(-len(images) // columns)
    height, width = arrays.shape[1:3]
    row = 8.6 / columns * height / width + 0.25  # inches
    with _figure(picture, style, figsize=(10, row * n_rows + 0.7)) as figure:
        grid = figure.subplots(n_rows, columns, squeeze=False).ravel()
        for axes in grid:
            axes.set_axis_off()
        for axes, image, array in zip(grid, images, arrays):
            _frame(axes)
            if array.ndim == 2:
                drawn = axes.imshow(array, cmap="RdBu_r", vmin=-largest, vmax=largest)
            else:
                axes.imshow(0.5 + array / (2 * largest))
            axes.set_title(image.get("class", image.get("unit")), fontsize=10, pad=3)
        if arrays.ndim == 3:
            figure.colorbar(drawn, ax=list(grid), label="weight of the pixel", shrink=0.8)
            colours = "for (red) and against (blue)"
        else:
            colours = "for (bright) and against (dark)"
        if not hidden:
            title = f"What speaks {colours} each class"
        else:
            title = f"What speaks {colours} each hidden unit"
            if len(images) < weights["outputs"]:
                title += f", of the {len(images)} weightiest of {weights['outputs']}"
            if "class" in images[0]:
                title += "\nAbove each: the class that it speaks for most"
        figure.suptitle(title)


def plot_curves(curves, picture, style):
    """Draw the loss by epoch of a sweep's runs: the validation loss if all have one.

    Runs that differ in nothing but their seed have the same colour. The colours and the legend go
    from the lowest last loss, drawn thick, to the highest.
    """
    rows = read_csv(curves)
    loss = "val_loss" if all(row.get("val_loss") for row in rows) else "loss"
    points = {}
    for row in rows:
        runs = points.setdefault(row["point"], {})
        runs.setdefault(row["run"], []).append((int(row["epoch"]), float(row[loss])))
    ranked = sorted(points.items(), key=lambda item: np.mean([c[-1][1] for c in item[1].values()]))
    with _figure(picture, style, figsize=(10, 5)) as figure:
        axes = figure.subplots()
        colours = colormaps["plasma"](np.linspace(0.8, 0.3, len(ranked)))
        for i, ((point, runs), colour) in enumerate(zip(ranked, colours)):
            for j, curve in enumerate(runs.values()):
                label = point if j == 0 and i < MAX_LABELS else None
                axes.plot(*zip(*curve), color=colour, label=label, linewidth=1 if i else 2.5)
        what = "validation" if loss == "val_loss" else "training"
        axes.set(title=f"{what.capitalize()} loss by epoch", xlabel="epoch", ylabel="loss")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        more = len(ranked) - MAX_LABELS
        title = "from the lowest" + (f", {more} more not named" if more > 0 else "")
        figure.legend(loc="outside right upper", title=title)


def plot_points(points, picture, style, swept):
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
    with _figure(picture, style, figsize=(max(6, 10 / 3 * columns), 3.8 * n_rows)) as figure:
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


def plot_parity(differences, picture, style):
    """Draw a training here and in Keras: the loss of both by epoch, and how far they are apart.

    The latter is drawn as the largest difference so far, by batch of the first epoch and by epoch;
    what is below 1e-17, 0 too, is drawn there.
    """
    rows = read_csv(differences)
    with _figure(picture, style, figsize=(12, 4.6)) as figure:
        losses, batches, epochs = figure.subplots(1, 3)
        shown = [row for row in rows if row["precision"] == "float32" and not row["batch"]]
        x = [int(row["epoch"]) for row in shown]
        for column, label, look in (
            ("loss", "here", {"linewidth": 5, "alpha": 0.6}),
            ("keras_loss", "in Keras", {"linestyle": "--", "marker": "."}),
        ):
            losses.plot(x, [float(row[column]) for row in shown], label=label, **look)
        losses.set(title="Loss by epoch (float32)", xlabel="epoch")
        losses.set_ylim(bottom=0)
        losses.legend()
        for axes, by in ((batches, "batch"), (epochs, "epoch")):
            for colour, precision in (("C0", "float32"), ("C1", "float64")):
                some = [
                    row
                    for row in rows
                    if row["precision"] == precision and bool(row["batch"]) == (by == "batch")
                ]
                x = [int(row[by]) for row in some]
                for what, line in (("loss", "-"), ("weights", "--"), ("predictions", ":")):
                    values = [float(row[f"{what}_difference"]) for row in some]
                    axes.plot(
                        x,
                        np.maximum.accumulate(np.maximum(values, 1e-17)),
                        color=colour,
                        linestyle=line,
                        label=f"{what}, {precision}",
                    )
            axes.set(title=f"Apart by at most, up to each {by}", xlabel=by, yscale="log")
        batches.set_xlabel("batch of the first epoch")
        limits = [*batches.get_ylim(), *epochs.get_ylim()]
        for axes in (batches, epochs):
            axes.set_ylim(min(limits), max(limits))
        for axes in (losses, batches, epochs):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.25)
        handles, labels = batches.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower right", ncols=6)


def _frame(axes):
    """Show `axes` that were off, as the frame of an image: without ticks."""
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("0.5")


@contextmanager
def _figure(picture, style, **options):
    """Yield a figure of the one look in `style`, and save it when the block ends well."""
    colours = {"axes.prop_cycle": cycler(color=COLOURS[style])}
    with styles.context([style, LOOK | colours]):
        figure = Figure(layout="constrained", **options)
        yield figure
        # No software version and no date: the same data give the same file.
        undated = {"Date": None} if Path(picture).suffix == ".svg" else {"Software": None}
        with atomic_write(picture) as temporary:
            figure.savefig(temporary, metadata=undated)
