"""Pictures of two runs, A and B, side by side."""

from matplotlib.ticker import MaxNLocator, PercentFormatter

from scratchnet.evaluation.figures import image_grid, save_figure, show_frame, show_image
from scratchnet.evaluation.thumbnails import shrink_image

COLUMNS, MAX_SHOWN = 5, 10  # images of each side


def plot_both_histories(histories, names, picture, style):
    """Plot loss and accuracy by epoch of two runs; a history is the rows of a history.csv."""
    with save_figure(picture, style, figsize=(10, 4.6)) as figure:
        for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy")):
            for run, colour, marker, rows in zip("AB", ("C0", "C1"), ".x", histories):
                for column, kind, line in (
                    (metric, "training", "-"),
                    (f"val_{metric}", "validation", "--"),
                ):
                    if column in rows[0]:
                        points = [(int(row["epoch"]), float(row[column])) for row in rows]
                        look = {"color": colour, "linestyle": line, "marker": marker}
                        axes.plot(*zip(*points), label=f"{run}, {kind}", **look)
            axes.set(title=f"{metric.capitalize()} by epoch", xlabel="epoch", ylabel=metric)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.25)
            axes.legend()
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        figure.suptitle("\n".join(f"{run}: {name}" for run, name in zip("AB", names)))


def plot_changed(pairs, pixels_of, names, picture, style):
    """Plot test images that only A, and that only B classifies right, with both answers.

    `pairs` are those of `pair_predictions`, and `pixels_of` is a function that returns the image
    with an index. Shown are the most confident mistakes.
    """
    with save_figure(picture, style, figsize=(2 * COLUMNS, 11)) as figure:
        for part, right, wrong in zip(figure.subfigures(2, 1), "ba", "ab"):
            rows = [row for row in pairs if row[right] == row["label"] != row[wrong]]
            shown = sorted(rows, key=lambda row: -row[f"{wrong}_probability"])[:MAX_SHOWN]
            grid = image_grid(part, MAX_SHOWN // COLUMNS, COLUMNS).ravel()
            for axes, row in zip(grid, shown):
                show_frame(axes)
                show_image(axes, shrink_image(pixels_of(row["image"])))
                answers = (
                    f"{run.upper()}: {row[run]} ({row[f'{run}_probability']:.0%})" for run in "ab"
                )
                axes.set_title("\n".join([f"class {row['label']}", *answers]), fontsize=9)
            few = f", the {len(shown)} most confident mistakes" if len(shown) < len(rows) else ""
            name = names["ab".index(right)]
            part.suptitle(f"Only {right.upper()}, {name}, is right: {len(rows):,}{few}")
