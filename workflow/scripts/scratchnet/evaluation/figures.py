"""The common look of all plots.

Figures are created without Matplotlib's global state (pyplot), and only the plot modules import
Matplotlib: it takes long to load.
"""

from contextlib import contextmanager
from pathlib import Path

from matplotlib import cycler, get_data_path
from matplotlib import style as styles
from matplotlib.figure import Figure
from matplotlib.text import Text

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

    `options` are those of Matplotlib's Figure. The style starts from Matplotlib's defaults, and is
    read from Matplotlib's own files: no matplotlibrc and no style file of the user has an effect.
    """
    look = LOOK | {"axes.prop_cycle": cycler(color=COLOURS[style])}
    with styles.context([*_style_files(style), look], after_reset=True):
        figure = Figure(layout="constrained", **options)
        yield figure
        _turn_off_formulas(figure)
        # No software version and no date: the same data give the same file.
        undated = {"Date": None} if Path(picture).suffix == ".svg" else {"Software": None}
        with atomic_write(picture) as temporary:
            figure.savefig(temporary, metadata=undated)


def _style_files(style):
    """Return the files of Matplotlib with what `style` changes in the defaults."""
    return [] if style == "default" else [Path(get_data_path(), "stylelib", f"{style}.mplstyle")]


def _turn_off_formulas(figure):
    """Draw all text as it is: a "$" in the name of a class or a file starts no formula.

    Only the numbers on logarithmic axes, which Matplotlib writes, stay formulas: powers of ten.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        if axis.get_scale() == "log":
            for tick in [*axis.majorTicks, *axis.minorTicks]:
                tick.label1.set_parse_math(True)


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
