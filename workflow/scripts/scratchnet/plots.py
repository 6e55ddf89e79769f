"""The pictures. Nothing else imports matplotlib; figures are made without its global state."""

import numpy as np
from matplotlib import style as styles
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scratchnet.checkpoints import load_checkpoint
from scratchnet.files import read_csv, read_json, whole
from scratchnet.streams import random_stream

DPI = 150


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
    manifest = read_json(manifest)
    classes, shape = manifest["classes"], manifest["image_shape"]
    wrong = [row for row in read_csv(predictions) if row["label"] != row["predicted"]]
    chosen = random_stream(seed, "pictures").permutation(len(wrong))[:count]
    images = np.load(X_test, mmap_mode="r").T
    with styles.context(style):
        figure, grid = _grid(len(chosen), columns=5)
        for axes, row in zip(grid, (wrong[i] for i in sorted(chosen))):
            axes.imshow(images[int(row["image"])].reshape(shape), cmap="gray", vmin=0, vmax=1)
            label, predicted = classes[int(row["label"])], classes[int(row["predicted"])]
            axes.set_title(f"{label} taken for {predicted}", fontsize="medium")
        figure.suptitle(f"{len(chosen)} of {len(wrong):,} misclassified test images")
        _save(figure, picture)


def plot_confusion(metrics, picture, style):
    """Draw the confusion matrix: counts, coloured by their share of the row."""
    metrics = read_json(metrics)
    confusion = np.array(metrics["confusion_matrix"])
    classes = [row["class"] for row in metrics["per_class"]]
    rates = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    with styles.context(style):
        figure = Figure(figsize=(7.5, 6.5), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(rates, cmap="cividis", vmin=0, vmax=1)
        for (label, predicted), n in np.ndenumerate(confusion):
            colour = "black" if rates[label, predicted] > 0.5 else "white"
            axes.text(predicted, label, n, ha="center", va="center", color=colour, fontsize="small")
        ticks = range(len(classes))
        axes.set_xticks(ticks, classes)
        axes.set_yticks(ticks, classes)
        accuracy = metrics["test_accuracy"]
        axes.set(title=f"Test images: {accuracy:.2%} are right", xlabel="predicted", ylabel="label")
        figure.colorbar(image, label="share of the label's images")
        _save(figure, picture)


def plot_weights(checkpoint, manifest, picture, style):
    """Draw the first layer's weights as images, one for each of its outputs, on one colour scale.

    Of a hidden layer, the first hundred outputs are drawn.
    """
    manifest = read_json(manifest)
    weights, _, _ = load_checkpoint(checkpoint)
    W = weights["0.W"][:100, :-1]
    names = manifest["classes"] if len(weights) == 1 else range(len(W))
    largest = np.abs(W).max()
    with styles.context(style):
        figure, grid = _grid(len(W), columns=5 if len(W) <= 20 else 10)
        for axes, row, name in zip(grid, W, names):
            image = axes.imshow(
                row.reshape(manifest["image_shape"]), cmap="RdBu_r", vmin=-largest, vmax=largest
            )
            axes.set_title(name, fontsize="medium")
        figure.colorbar(image, ax=list(grid), label="weight of the pixel", shrink=0.8)
        figure.suptitle("What speaks for (red) and against (blue) each output")
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
