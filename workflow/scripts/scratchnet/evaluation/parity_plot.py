"""The plot of a training here and in Keras."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from scratchnet.evaluation.figures import save_figure
from scratchnet.files import read_csv


def plot_parity(differences, picture, style):
    """Plot the loss by epoch in Scratchnet and in Keras, and the differences between the two.

    Differences are drawn as the largest so far, by batch of the first epoch and by epoch. Values
    below 1e-17, including 0, are drawn as 1e-17.
    """
    rows = read_csv(differences)
    with save_figure(picture, style, figsize=(12, 4.6)) as figure:
        losses, batches, epochs = figure.subplots(1, 3)
        shown = [row for row in rows if row["precision"] == "float32" and not row["batch"]]
        x = [int(row["epoch"]) for row in shown]
        for column, label, look in (
            ("loss", "Scratchnet", {"linewidth": 5, "alpha": 0.6}),
            ("keras_loss", "Keras", {"linestyle": "--", "marker": "."}),
        ):
            losses.plot(x, [float(row[column]) for row in shown], label=label, **look)
        losses.set(title="Loss by epoch (float32)", xlabel="epoch")
        losses.set_ylim(bottom=0)
        losses.legend()
        _plot_differences(batches, "batch", [row for row in rows if row["batch"]])
        _plot_differences(epochs, "epoch", [row for row in rows if not row["batch"]])
        batches.set_xlabel("batch of the first epoch")
        limits = [*batches.get_ylim(), *epochs.get_ylim()]
        for axes in (batches, epochs):
            axes.set_ylim(min(limits), max(limits))
        for axes in (losses, batches, epochs):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.25)
        handles, labels = batches.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower right", ncols=6)


def _plot_differences(axes, step, rows):
    """Plot the largest differences so far by `step` ("batch" or "epoch"), a column of `rows`."""
    for colour, precision in (("C0", "float32"), ("C1", "float64")):
        selected = [row for row in rows if row["precision"] == precision]
        x = [int(row[step]) for row in selected]
        for quantity, line in (("loss", "-"), ("weights", "--"), ("predictions", ":")):
            values = [float(row[f"{quantity}_difference"]) for row in selected]
            largest = np.maximum.accumulate(np.maximum(values, 1e-17))
            label = f"{quantity}, {precision}"
            axes.plot(x, largest, color=colour, linestyle=line, label=label)
    axes.set(title=f"Largest difference so far, by {step}", xlabel=step, yscale="log")
