"""The common look of all plots.

Figures are created without Matplotlib's global state (pyplot), and only the plot modules import
Matplotlib: it takes long to load.
"""

import logging
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib import cycler, get_cachedir, get_data_path
from matplotlib import style as styles
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

from scratchnet.files import atomic_write

log = logging.getLogger(__name__)

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
        _choose_fonts(figure)
        # No software version and no date: the same data give the same file.
        undated = {"Date": None} if Path(picture).suffix == ".svg" else {"Software": None}
        with atomic_write(picture) as temporary, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from font")  # see _choose_fonts
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


def _choose_fonts(figure):
    """Let text whose characters the default font lacks use other fonts of this machine.

    Fonts are added until no other one has a character that is missing: each time the font with the
    most, and the first by name if there are several. One line in the log names the characters that
    no font has.
    """
    texts = {text: set(text.get_text()) for text in figure.findobj(Text)}
    lacking = set().union(*texts.values()) - _characters(None) - {"\n"}
    if not lacking:
        return
    # Last Resort has a placeholder for every character. Matplotlib draws it in any case.
    names = {font.name for font in fontManager.ttflist if not font.name.startswith("Last Resort")}
    candidates = {name: lacking & _characters([name]) for name in sorted(names)}
    chosen, missing = [], set(lacking)
    while found := max((characters & missing for characters in candidates.values()), key=len):
        chosen += [name for name, characters in candidates.items() if found <= characters][:1]
        missing -= found
    for text, characters in texts.items():
        if characters & lacking:
            text.set_fontfamily([*text.get_fontfamily(), *chosen])
    if missing:
        log.warning(
            "no font on this machine has the characters %r, which are drawn as boxes. Install a "
            "font that has them, and delete fontlist-*.json, the list of fonts, in %s",
            "".join(sorted(missing))[:20],
            get_cachedir(),
        )


def _characters(families):
    """Return the characters that the first of the fonts `families` has; None: the default one."""
    try:
        font = get_font(findfont(FontProperties(family=families)))
    except (OSError, RuntimeError):  # the file is gone, or is damaged
        return set()
    return set(map(chr, font.get_charmap()))


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


def show_image(axes, pixels):
    """Draw an image (height, width) or (height, width, 3) with `pixels` from 0 to 1."""
    axes.imshow(np.clip(pixels, 0, 1), cmap="gray", vmin=0, vmax=1)
