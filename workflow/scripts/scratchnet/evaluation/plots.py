"""Plots of a run, each drawn from one file of data."""

from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from scratchnet.evaluation.calibration import FEW_IMAGES, calibration_error, read_bins
from scratchnet.evaluation.class_names import MAX_CLASSES
from scratchnet.evaluation.figures import image_grid, save_figure, show_frame, show_image
from scratchnet.files import read_csv, read_json

MAX_COUNTS = 20  # classes up to which the cells of the confusion matrix show numbers
MAX_SIZE = 20  # inches of the confusion matrix
MAX_PAIRS = 30  # bars of the most confused classes
MAX_BARS = 3  # probabilities shown below a misclassified image


def plot_history(history, picture, style):
    """Plot loss and accuracy by epoch, of the training images and of the validation images."""
    rows = read_csv(history)
    epochs = [int(row["epoch"]) for row in rows]
    with save_figure(picture, style, figsize=(10, 4.2)) as figure:
        for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy")):
            for column, label, line in (
                (metric, "training", "-"),
                (f"val_{metric}", "validation", "--"),
            ):
                if column in rows[0]:
                    values = [float(row[column]) for row in rows]
                    axes.plot(epochs, values, linestyle=line, marker=".", label=label)
            axes.set(title=f"{metric.capitalize()} by epoch", xlabel="epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
            axes.grid(alpha=0.25)
            if metric == "loss":
                axes.set(ylabel="categorical cross-entropy")
                axes.set_ylim(bottom=0)
            else:
                axes.set(ylabel="accuracy")
                axes.yaxis.set_major_formatter(PercentFormatter(1))
            if len(axes.lines) > 1:
                axes.legend()
            else:
                _label_curve(axes, "training", is_falling=metric == "loss")


def _label_curve(axes, label, is_falling):
    """Write `label` at the end of the only curve, on the side from which it came."""
    (line,) = axes.lines
    x, y = line.get_xydata()[-1]
    offset, side = (10, "bottom") if is_falling else (-10, "top")
    place = {"xytext": (0, offset), "textcoords": "offset points", "ha": "right", "va": side}
    axes.annotate(label, (x, y), color=line.get_color(), **place)


def plot_confusion(confusion, picture, style):
    """Plot the confusion matrix: counts and shares of the row, coloured by the share.

    With many classes, the cells are too small for numbers, and these are left out. With more than
    MAX_CLASSES, the MAX_PAIRS most frequent mistakes are drawn as bars instead.
    """
    rows = read_csv(confusion)
    classes = [*dict.fromkeys([row["label"] for row in rows] + [row["predicted"] for row in rows])]
    mistakes = [row for row in rows if row["label"] != row["predicted"] and int(row["images"])]
    total, wrong = (sum(int(row["images"]) for row in each) for each in (rows, mistakes))
    title = f"Test accuracy: {(total - wrong) / max(total, 1):.2%}"
    if len(classes) > MAX_CLASSES:
        _plot_pairs(mistakes, title, picture, style)
        return
    indices = {name: i for i, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), int)
    shares = np.zeros(counts.shape)
    for row in rows:
        cell = indices[row["label"]], indices[row["predicted"]]
        counts[cell], shares[cell] = int(row["images"]), float(row["share"])
    size = min(max(7, 0.25 * len(classes)), MAX_SIZE)
    with save_figure(picture, style, figsize=(size + 1, size)) as figure:
        axes = figure.subplots()
        image = axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
        if len(classes) <= MAX_COUNTS:
            _write_counts(axes, counts, shares)
        ticks = range(len(classes))
        long = max(map(len, classes)) > 2
        axes.set_xticks(
            ticks, classes, rotation=45 if long else 0, ha="right" if long else "center"
        )
        axes.set_yticks(ticks, classes)
        axes.set(title=title, xlabel="predicted", ylabel="label")
        bar = figure.colorbar(image, label="share of the row")
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1))


def _plot_pairs(mistakes, title, picture, style):
    """Plot the pairs of classes that are confused most often: the images of each as a bar."""
    shown = sorted(mistakes, key=lambda row: -int(row["images"]))[:MAX_PAIRS]
    with save_figure(picture, style, figsize=(10, 1.2 + 0.22 * max(len(shown), 5))) as figure:
        axes = figure.subplots()
        bars = axes.barh(range(len(shown)), [int(row["images"]) for row in shown])
        shares = [f"{float(row['share']):.0%}" for row in shown]
        axes.bar_label(bars, shares, padding=3, fontsize=8)
        names = [f"{row['label']} → {row['predicted']}" for row in shown]
        axes.set_yticks(range(len(shown)), names, fontsize=8)
        axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
        axes.margins(x=0.08)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("images, and their share of those with this label", loc="right")
        axes.set_ylabel("label → predicted")
        axes.grid(alpha=0.25, axis="x")
        selection = f"the {len(shown)} most frequent of {len(mistakes):,}"
        figure.suptitle(f"{title}\nConfused pairs of classes: {selection}")


def _write_counts(axes, counts, shares):
    """Write the count into each cell that has one and, for up to ten classes, the share."""
    for (label, predicted), n in np.ndenumerate(counts):
        if n:
            share = shares[label, predicted]
            axes.text(
                predicted,
                label,
                f"{n}\n{share:.1%}" if len(counts) <= 10 else n,
                ha="center",
                va="center",
                color="black" if share > 0.5 else "white",
                fontsize=8,
            )


def plot_calibration(calibration, picture, style):
    """Plot accuracy against confidence, and the number of images at each confidence.

    The points of a well calibrated network lie on the diagonal: of the predictions with a
    confidence of 80 %, 80 % are correct. Bins with fewer than FEW_IMAGES are grey, and have no
    point on a line. The bins after temperature scaling, if the table has some, are a second line.
    """
    bins, scaled = read_bins(calibration)
    middles = [(row["from"] + row["to"]) / 2 for row in bins]
    width = 0.9 * (bins[0]["to"] - bins[0]["from"])
    accuracies = [row["accuracy"] for row in bins]
    known = [row for row in bins if row["images"] >= FEW_IMAGES]
    colours = ["C0" if row in known else "0.5" for row in bins]
    with save_figure(picture, style, figsize=(6, 6.5)) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot([0, 1], [0, 1], linestyle=":", color="0.6", label="perfect calibration")
        above.bar(middles, accuracies, width, color=colours, alpha=0.35)
        x, y = ([row[key] for row in known] for key in ("confidence", "accuracy"))
        above.plot(x, y, marker="o", label="this network")
        if len(known) < len(bins):
            rare = [row for row in bins if row not in known]
            x, y = ([row[key] for row in rare] for key in ("confidence", "accuracy"))
            look = {"marker": "o", "linestyle": "", "color": "0.5", "clip_on": False}
            above.plot(x, y, label=f"fewer than {FEW_IMAGES} images", **look)
        above.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))
        title = f"Expected calibration error: {calibration_error(bins):.1%}"
        if scaled:
            label = f"with temperature {scaled[0]['temperature']:.2f}"
            known = [row for row in scaled if row["images"] >= FEW_IMAGES]
            x, y = ([row[key] for row in known] for key in ("confidence", "accuracy"))
            above.plot(x, y, marker="s", label=label)
            title += f"; {label}: {calibration_error(scaled):.1%}"
        above.set_title(title)
        above.legend(loc="upper left")
        below.bar(middles, [row["images"] for row in bins], width, color=colours)
        below.set(xlabel="confidence (probability of the predicted class)", ylabel="images")
        below.set_yscale("log")
        for axis in (above.xaxis, above.yaxis):
            axis.set_major_formatter(PercentFormatter(1))
        for axes in (above, below):
            axes.grid(alpha=0.25)


def plot_misclassified(misclassified, picture, style, count):
    """Plot the `count` most confident mistakes with their most probable and their true classes."""
    mistakes = read_json(misclassified)
    shown = mistakes["images"][:count]
    columns = min(5, max(3, len(shown)))
    n_rows = max(1, -(-len(shown) // columns))
    with save_figure(picture, style, figsize=(2 * columns, 3 * n_rows + 0.5)) as figure:
        grid = image_grid(figure, 2 * n_rows, columns, height_ratios=(5, 2) * n_rows)
        for i, mistake in enumerate(shown):
            image, bars = grid[2 * (i // columns) : 2 * (i // columns) + 2, i % columns]
            show_frame(image)
            show_image(image, mistake["pixels"])
            label, predicted = mistake["label"], mistake["predicted"]
            separator = "\n" if len(label + predicted) > 8 else " "
            image.set_title(f"{label} classified as{separator}{predicted}", fontsize=10)
            _plot_probabilities(bars, mistake["probabilities"], label)
        selection = f"the {len(shown)} most confident of " if len(shown) < mistakes["count"] else ""
        figure.suptitle(
            f"Misclassified test images: {selection}{mistakes['count']:,}\n"
            "Below each: the highest probabilities, and that of the true class (blue)"
        )


def _plot_probabilities(axes, probabilities, label):
    """Plot the largest of `probabilities`, {class: value}, and that of `label`, as bars.

    The bar and the name of `label` have a colour of their own.
    """
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    shown = ranked[:MAX_BARS]
    if label not in dict(shown):
        shown = [*ranked[: MAX_BARS - 1], (label, probabilities[label])]
    names, values = zip(*shown)
    axes.set_axis_on()
    axes.barh(range(len(names)), values, color=["C0" if name == label else "C1" for name in names])
    for row, value in enumerate(values):
        text = "<1%" if 0 < value < 0.005 else f"{value:.0%}"
        axes.text(value + 0.03, row, text, va="center", fontsize=8)
    axes.set(xlim=(0, 1.4), xticks=[])
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.get_yticklabels()[names.index(label)].set(color="C0", weight="bold")
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)


def plot_weights(weights, picture, style):
    """Plot the weights of the first layer as images on one scale, for each class or hidden unit.

    The filters of a convolution are plotted with their feature maps. The weights of colour images
    are drawn in these colours, where grey is 0.
    """
    weights = read_json(weights)
    images = weights["images"]
    arrays = np.array([image["weights"] for image in images])
    largest = np.abs(arrays).max() or 1
    if "classes" in weights:
        _plot_filters(arrays / largest, weights["classes"], weights["outputs"], picture, style)
        return
    columns = 10 if "unit" in images[0] or len(images) > 20 else 5
    n_rows = -(-len(images) // columns)
    height, width = arrays.shape[1:3]
    row = 8.6 / columns * height / width + 0.25  # inches
    with save_figure(picture, style, figsize=(10, row * n_rows + 0.7)) as figure:
        grid = image_grid(figure, n_rows, columns).ravel()
        for axes, image, array in zip(grid, images, arrays):
            show_frame(axes)
            if array.ndim == 2:
                drawn = axes.imshow(array, cmap="RdBu_r", vmin=-largest, vmax=largest)
            else:
                axes.imshow(0.5 + array / (2 * largest))
            axes.set_title(image.get("class", image.get("unit")), fontsize=10, pad=3)
        if arrays.ndim == 3:
            figure.colorbar(drawn, ax=list(grid), label="weight of the pixel", shrink=0.8)
        figure.suptitle(_weights_title(images, weights["outputs"], is_colour=arrays.ndim == 4))


def _plot_filters(filters, classes, n_filters, picture, style):
    """Plot `filters`, scaled to -1 to 1, and below each its feature maps of an image of each class.

    The maps below a filter have one scale, from its smallest to its largest value.
    """
    maps = np.array([row["maps"] for row in classes])
    columns, n_rows = len(filters) + 1, len(classes) + 1
    size = 0.25 + 0.75 * columns, 0.8 + 0.8 * n_rows
    with save_figure(picture, style, figsize=(max(5, size[0]), size[1])) as figure:
        grid = image_grid(figure, n_rows, columns)
        for i, (axes, weights) in enumerate(zip(grid[0, 1:], filters)):
            show_frame(axes)
            axes.set_title(i, fontsize=10, pad=3)
            if weights.ndim == 2:
                axes.imshow(weights, cmap="RdBu_r", vmin=-1, vmax=1)
            else:
                axes.imshow((1 + weights) / 2)
        for row, axes_of_row, maps_of_row in zip(classes, grid[1:], maps):
            for axes in axes_of_row:
                show_frame(axes)
            show_image(axes_of_row[0], row["pixels"])
            axes_of_row[0].set_ylabel(
                row["class"], fontsize=10, rotation=0, ha="right", va="center"
            )
            for i, (axes, feature_map) in enumerate(zip(axes_of_row[1:], maps_of_row)):
                low, high = maps[:, i].min(), maps[:, i].max()
                axes.imshow(feature_map, cmap="magma", vmin=low, vmax=max(high, low + 1e-9))
        selection = f"the first {len(filters)} of " if len(filters) < n_filters else "all "
        figure.suptitle(
            f"Filters of the first layer ({selection}{n_filters}), and what each finds\n"
            "in an image of each class (bright: a good match)"
        )


def _weights_title(images, n_outputs, is_colour):
    signs = "bright: positive, dark: negative" if is_colour else "red: positive, blue: negative"
    if "unit" not in images[0]:
        title = f"Weights of each class ({signs})"
        left_out = f", for the first {len(images)} of {n_outputs}"
        return title + (left_out if len(images) < n_outputs else "")
    title = f"Weights of each hidden unit ({signs})"
    if len(images) < n_outputs:
        title += f", for the {len(images)} most influential of {n_outputs}"
    if "class" in images[0]:
        title += "\nAbove each unit: the class to which its outgoing weight is largest"
    return title


def plot_contact_sheet(contact_sheet, picture, style):
    """Plot images as the network received them, each with its predicted class."""
    sheet = read_json(contact_sheet)
    images = sheet["images"]
    columns = min(10, max(4, len(images)))
    n_rows = -(-len(images) // columns)
    with save_figure(picture, style, figsize=(1.25 * columns, 1.7 * n_rows + 0.9)) as figure:
        grid = image_grid(figure, n_rows, columns).ravel()
        for axes, image in zip(grid, images):
            show_frame(axes)
            show_image(axes, image["pixels"])
            axes.set_title(f"{image['predicted']} ({image['probability']:.0%})", fontsize=10, pad=3)
            name = Path(image["image"]).name
            name = name if len(name) <= 16 else f"{name[:7]}…{name[-8:]}"
            where = {"transform": axes.transAxes, "ha": "center", "va": "top", "fontsize": 8}
            axes.text(0.5, -0.04, name, **where)
        selection = f"the first {len(images)} of " if len(images) < sheet["count"] else ""
        noun = "image" if sheet["count"] == 1 else "images"
        figure.suptitle(f"Predicted classes of {selection}{sheet['count']:,} {noun}")
        by = f"by {sheet['run']}\nwith a test accuracy of {sheet['test_accuracy']:.2%}"
        figure.supxlabel(by, fontsize=10)
