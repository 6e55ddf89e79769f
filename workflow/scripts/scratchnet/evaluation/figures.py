"""The common look of all plots.

Figures are created without Matplotlib's global state (pyplot), and only the plot modules import
Matplotlib: it takes long to load.
"""

from contextlib import contextmanager
from pathlib import Path

from matplotlib import cycler
from matplotlib import style as styles
from matplotlib.figure import Figure

from scratchnet.files import atomic_write

LOOK = {
    "font.size": 10,
    "axes.titlesize": 11,
    "figure.titlesize": 12,
    "legend.fontsize": 9,
    "savefig.dpi": 150,
    "svg.hashsalt": "scratchnet",  # without it, the identifiers in an .svg file are random
}
# Colours that colour-blind readers can tell apart (Okabe and Ito 2008), for the dark and the light
# style. In addition, lines never differ by their colour alone.
COLOURS = {
    "dark_background": ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442"),
    "default": ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"),
}


@contextmanager
def save_figure(picture, style, **options):
    """Yield a new figure in `style`, and save it to the path `picture` unless the block fails.

    `options` are those of Matplotlib's Figure.
    """
    colours = {"axes.prop_cycle": cycler(color=COLOURS[style])}
    with styles.context([style, LOOK | colours]):
        figure = Figure(layout="constrained", **options)
        yield figure
        # No software version and no date: the same data give the same file.
        undated = {"Date": None} if Path(picture).suffix == ".svg" else {"Software": None}
        with atomic_write(picture) as temporary:
            figure.savefig(temporary, metadata=undated)


def image_grid(figure, n_rows, n_columns, **options):
    """Return an array (n_rows, n_columns) of axes that are hidden until `show_frame`."""
    grid = figure.subplots(n_rows, n_columns, squeeze=False, **options)
    for axes in grid.ravel():
        axes.set_axis_off()
    return grid


def show_frame(axes):
    """Show hidden `axes` as the frame of an image, without ticks."""
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color("0.5")
