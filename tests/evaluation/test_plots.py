"""The plots: their content, that drawing one again gives the same bytes, and that they fit a page.

Each is drawn from a small file that its test writes.
"""

import csv
import io
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.image import imread
from matplotlib.text import Text

from scratchnet.evaluation import parity_plot, plots, sweep_plots
from scratchnet.evaluation.figures import COLOURS

STYLES = ["dark_background", "default"]
CLASSES = ["A", "B", "C"]
THREE_ARRAYS = np.arange(-4, 8).reshape(3, 2, 2)


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def history(path, epochs=2, validation=False):
    rows = [{"epoch": i + 1, "loss": 1.5 - i, "accuracy": 0.5 + i / 4} for i in range(epochs)]
    for i, row in enumerate(rows if validation else []):
        row |= {"val_loss": 1.25 - i / 2, "val_accuracy": 0.25 + i / 2}
    return write_csv(path, rows)


def confusion(path, counts=((3, 1, 0), (0, 2, 0), (0, 0, 0)), classes=CLASSES, rows=()):
    rows = rows or [
        (label, predicted, n, n / max(sum(row), 1))
        for label, row in zip(classes, counts)
        for predicted, n in zip(classes, row)
    ]
    names = ("label", "predicted", "images", "share")
    return write_csv(path, [dict(zip(names, row)) for row in rows])


def calibration(path, images=(30, 70), temperatures=()):
    names = ("from", "to", "images", "confidence", "accuracy")
    values = [(0.4, 0.5, images[0], 0.45, 0.4), (0.9, 1, images[1], 0.98, 0.9)]
    rows = [dict(zip(names, row)) for row in values]
    scaled = [{"temperature": t, **row} for t, row in zip(temperatures, rows)]
    return write_csv(path, scaled or rows)


def mistakes(path, n=3, labels=("A", "B"), shape=(2, 2), others=(0.0, 0.0)):
    images = [
        {
            "image": i,
            "label": labels[0],
            "predicted": labels[1],
            "probabilities": {labels[0]: 0.25, "x": others[0], labels[1]: 0.75, "y": others[1]},
            "pixels": (np.arange(np.prod(shape)).reshape(shape) == i % 4).astype(int).tolist(),
        }
        for i in range(n)
    ]
    path.write_text(json.dumps({"count": n, "images": images}))
    return path


def weights(path, arrays=THREE_ARRAYS, units=None, classes="ABCDEFGHIJ", outputs=70):
    names = [{"unit": unit} for unit in units] if units else [{"class": c} for c in classes]
    images = [name | {"weights": array} for name, array in zip(names, np.array(arrays).tolist())]
    path.write_text(json.dumps({"outputs": outputs, "images": images}))
    return path


def filters(path, n=3, channels=(), n_filters=3, classes="AB"):
    weights = [np.full((2, 2, *channels), i - 1).tolist() for i in range(n)]
    images = [{"filter": i, "weights": W} for i, W in enumerate(weights)]
    rows = [
        {
            "class": name,
            "pixels": np.full((4, 5, *channels), 0.5).tolist(),
            "maps": [np.full((2, 2), 10 * i + c).tolist() for i in range(n)],
        }
        for c, name in enumerate(classes)
    ]
    path.write_text(json.dumps({"outputs": n_filters, "images": images, "classes": rows}))
    return path


def curves(path, runs=2, validation=True, point="x {}"):
    rows = [
        {"point": point.format(i), "run": f"r{i}", "epoch": epoch, "loss": 1 / (i + epoch)}
        for i in range(runs)
        for epoch in (1, 2)
    ]
    for row in rows:
        row["val_loss"] = 2 * row["loss"] if validation or row["run"] == "r0" else ""
    return write_csv(path, rows)


def points(path, rows=({"x": 1}, {"x": 2}), validation=True):
    made = [
        {
            **row,
            "runs": 2,
            "test_accuracy": 0.9 - i / 100,
            "validation_accuracy": 0.5 + i / 100 if validation else "",
            "test_accuracy_sd": 0.1,
            "validation_accuracy_sd": "",
            "best": "best" if validation and i == len(rows) - 1 else "",
        }
        for i, row in enumerate(rows)
    ]
    return write_csv(path, made)


def parity(path):
    rows = [
        {"precision": precision, "epoch": epoch, "batch": batch, "loss": 1 / epoch, "keras_loss": 1}
        | {f"{what}_difference": 1e-9 / epoch for what in ("loss", "weights", "predictions")}
        for precision in ("float64", "float32")
        for epoch, batch in ((1, 1), (1, 2), (1, ""), (2, ""))
    ]
    rows[0]["loss_difference"] = 0.0
    return write_csv(path, rows)


def contact_sheet(path, n=3, count=3, shape=(2, 2), predicted="A", file="{}.png"):
    images = [
        {"image": f"folder/{file.format(i)}", "predicted": predicted, "probability": 0.75}
        | {"pixels": np.full(shape, i % 3 / 2).tolist()}
        for i in range(n)
    ]
    path.write_text(
        json.dumps({"run": "a-run", "test_accuracy": 0.5, "count": count, "images": images})
    )
    return path


# For each plot: the function that writes its data, the one that draws it, and further arguments.
PICTURES = {
    "history": (history, plots.plot_history, ()),
    "confusion": (confusion, plots.plot_confusion, ()),
    "calibration": (calibration, plots.plot_calibration, ()),
    "misclassified": (mistakes, plots.plot_misclassified, (5,)),
    "weights": (weights, plots.plot_weights, ()),
    "filters": (filters, plots.plot_weights, ()),
    "curves": (curves, sweep_plots.plot_curves, ()),
    "points": (points, sweep_plots.plot_points, (["x"],)),
    "parity": (parity, parity_plot.plot_parity, ()),
    "contact_sheet": (contact_sheet, plots.plot_contact_sheet, ()),
}


def draw(name, folder, style="default", ending="png", extra=None, **data):
    """Draw a plot of PICTURES from `data`, and return its path."""
    write, plot, arguments = PICTURES[name]
    picture = folder / f"{name}.{ending}"
    plot(write(folder / f"{name}.data", **data), picture, style, *(extra or arguments))
    return picture


@pytest.fixture
def figure(monkeypatch, tmp_path):
    """A function like `draw` that returns the saved figure."""

    def drawn(name, **options):
        figures = []
        save = Figure.savefig

        def keep(figure, *arguments, **settings):
            figures.append(figure)
            save(figure, *arguments, **settings)

        monkeypatch.setattr(Figure, "savefig", keep)
        draw(name, tmp_path, **options)
        return figures[0]

    return drawn


def assert_fits_a_page(picture):
    png = picture.read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert 600 <= width <= 2000
    assert 300 <= height <= 2000


# ---- All plots.


def test_every_plot_is_tested():
    assert {plot.__name__ for _, plot, _ in PICTURES.values()} == {
        name
        for module in (plots, parity_plot, sweep_plots)
        for name in dir(module)
        if name.startswith("plot_")
    }


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", PICTURES)
def test_a_plot_fits_a_page_its_style_is_dark_or_light_and_again_gives_the_same_bytes(
    tmp_path, name, style
):
    picture = draw(name, tmp_path, style)
    assert_fits_a_page(picture)
    png = picture.read_bytes()
    assert imread(io.BytesIO(png))[0, 0, :3].mean() == STYLES.index(style)
    assert draw(name, tmp_path, style).read_bytes() == png


@pytest.mark.parametrize("name", PICTURES)
def test_a_plot_may_be_an_svg_of_the_same_bytes_each_time(tmp_path, name):
    once = draw(name, tmp_path, ending="svg").read_bytes()
    assert b"<svg" in once
    assert draw(name, tmp_path, ending="svg").read_bytes() == once


def test_drawing_a_plot_does_not_change_the_style_of_others(tmp_path):
    before = dict(mpl.rcParams)
    draw("misclassified", tmp_path, "dark_background")
    assert dict(mpl.rcParams) == before


@pytest.mark.slow
def test_all_plots_use_the_same_font_sizes(figure):
    sizes = set()
    for name in PICTURES:
        drawn = figure(name)
        texts = [text for axes in drawn.axes for text in (axes.title, axes.xaxis.label)]
        sizes |= {text.get_fontsize() for text in texts if text.get_text()}
    assert sizes == {10, 11}


def luminance(colour):
    """Return the relative luminance, as defined by WCAG 2."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize(("style", "background"), [("dark_background", 0), ("default", 1)])
def test_colours_stand_out_from_the_background(style, background):
    """WCAG 2 requires a contrast of at least 3 for graphics."""
    for colour in COLOURS[style][:3]:
        dark, light = sorted([luminance(colour), background])
        assert (light + 0.05) / (dark + 0.05) >= 3


# ---- Text of the user's: names of classes and files, settings.

STRANGE = ["$x$", "a$b$", "_", "\\frac", "$\\frac$", "\\$"]


def shown_texts(drawn):
    """The texts of a figure that are drawn, and whether Matplotlib may parse each as a formula."""
    texts = [text for text in drawn.findobj(Text) if text.get_visible()]
    return {text.get_text(): text.get_parse_math() for text in texts}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("confusion", {"classes": STRANGE, "counts": np.eye(6, dtype=int).tolist()}, STRANGE),
        ("misclassified", {"labels": ("$x$", "_$y$")}, ["$x$ classified as _$y$", "$x$", "_$y$"]),
        ("weights", {"classes": STRANGE, "arrays": np.ones((6, 2, 2))}, STRANGE),
        ("contact_sheet", {"predicted": "$x$", "file": "$y$.png"}, ["$x$ (75%)", "$y$.png"]),
        ("curves", {"point": "_$x$ {}"}, ["_$x$ 0", "_$x$ 1"]),
        ("points", {"rows": [{"$k$": t} for t in "_$"], "extra": (["$k$"],)}, ["$k$", "$", "_"]),
    ],
)
def test_text_is_neither_parsed_as_a_formula_nor_dropped(figure, name, options, expected):
    texts = shown_texts(figure(name, **options))
    assert {text: texts.get(text) for text in expected} == dict.fromkeys(expected, False)


def test_logarithmic_axes_have_powers_of_ten(figure):
    for name in ("calibration", "parity"):
        texts = shown_texts(figure(name))
        powers = {text: is_parsed for text, is_parsed in texts.items() if "10^" in text}
        assert powers and all(powers.values())


# ---- Characters that Matplotlib's own font lacks.


def make_font(path, family, characters):
    """Write a font with the given characters, all the same box, and let Matplotlib know it."""
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupCharacterMap({ord(character): "box" for character in characters})
    pen = TTGlyphPen(None)
    for place in ((0, 0), (0, 700), (700, 700), (700, 0)):
        (pen.lineTo if pen.points else pen.moveTo)(place)
    pen.closePath()
    box = pen.glyph()
    builder.setupGlyf({".notdef": box, "box": box})
    builder.setupHorizontalMetrics({".notdef": (800, 0), "box": (800, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    builder.setupPost()
    builder.save(path)
    fontManager.addfont(path)


@pytest.fixture
def fonts(monkeypatch):
    """Matplotlib's list of fonts: the test may add some, and there are none of this machine."""
    own = [font for font in fontManager.ttflist if font.fname.startswith(mpl.get_data_path())]
    monkeypatch.setattr(fontManager, "ttflist", own)


@pytest.mark.filterwarnings("error")
def test_text_is_drawn_in_the_fonts_that_have_its_characters(fonts, figure, tmp_path, caplog):
    for name, characters in (
        ("C One", "猫"),
        ("B Both", "猫狗"),
        ("A None", "x"),
        ("D Both", "猫狗"),
    ):
        make_font(tmp_path / f"{name}.ttf", name, characters)
    drawn = figure("confusion", classes=["猫", "狗", "猫狗"])
    families = {text.get_text(): text.get_fontfamily() for text in drawn.findobj(Text)}
    assert {families[name][-1] for name in ("猫", "狗", "猫狗")} == {"B Both"}
    assert families["predicted"] == ["sans-serif"]
    assert caplog.records == []


@pytest.mark.filterwarnings("error")
def test_several_fonts_are_combined_and_the_rest_is_named_once(fonts, figure, tmp_path, caplog):
    make_font(tmp_path / "cat.ttf", "Cat", "猫")
    make_font(tmp_path / "dog.ttf", "Dog", "狗")
    drawn = figure("confusion", classes=["猫", "狗鼠", "鼠虎"])
    families = {text.get_text(): text.get_fontfamily() for text in drawn.findobj(Text)}
    assert families["狗鼠"] == ["sans-serif", "Cat", "Dog"]
    (record,) = caplog.records
    assert "no font on this machine has the characters '虎鼠'" in record.getMessage()
    assert "\n" not in record.getMessage()


# ---- What a user has set for plots of their own.

DRAW_ALL = """
import sys
from pathlib import Path
from test_plots import PICTURES, STYLES, draw

for i, name in enumerate(PICTURES):
    draw(name, Path(sys.argv[1]), STYLES[i % 2])
"""
OWN_RC = """
text.usetex: True
text.parse_math: False
savefig.dpi: 30
savefig.bbox: tight
figure.facecolor: red
font.family: serif
lines.linewidth: 7
backend: svg
"""


def draw_all(folder, working, **environment):
    """Draw all plots in a process with the directory `working`; return their bytes."""
    folder.mkdir()
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    subprocess.run(
        [sys.executable, "-c", DRAW_ALL, folder],
        cwd=working,
        env=os.environ | {"PYTHONPATH": path} | environment,
        check=True,
    )
    return {file.name: file.read_bytes() for file in folder.glob("*.png")}


@pytest.mark.slow
def test_no_matplotlibrc_style_or_backend_of_the_user_has_an_effect(tmp_path):
    own, nothing = tmp_path / "own", tmp_path / "nothing"
    nothing.mkdir()
    (own / "stylelib").mkdir(parents=True)
    (own / "matplotlibrc").write_text(OWN_RC)
    (own / "stylelib" / "dark_background.mplstyle").write_text("axes.facecolor: green\n")
    plain = draw_all(tmp_path / "plain", nothing, MPLCONFIGDIR=str(nothing))
    assert len(plain) == len(PICTURES)
    named = {"MATPLOTLIBRC": str(own / "matplotlibrc"), "MPLBACKEND": "pdf"}
    assert draw_all(tmp_path / "configured", nothing, MPLCONFIGDIR=str(own)) == plain
    assert draw_all(tmp_path / "named", nothing, MPLCONFIGDIR=str(nothing), **named) == plain
    assert draw_all(tmp_path / "working", own, MPLCONFIGDIR=str(nothing)) == plain


# ---- Plots of a run.


def lines_of(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_loss_and_accuracy_are_drawn_by_epoch_and_validation_in_a_style_of_its_own(
    figure, tmp_path
):
    drawn = figure("history", validation=True)
    png = (tmp_path / "history.png").read_bytes()
    assert struct.unpack(">I", png[16:20])[0] == 150 * drawn.get_size_inches()[0]  # dots per inch
    loss, accuracy = drawn.axes
    assert lines_of(loss) == {
        "training": [[1, 1.5], [2, 0.5]],
        "validation": [[1, 1.25], [2, 0.75]],
    }
    assert lines_of(accuracy) == {
        "training": [[1, 0.5], [2, 0.75]],
        "validation": [[1, 0.25], [2, 0.75]],
    }
    assert accuracy.get_ylabel() == "accuracy"
    assert len({line.get_linestyle() for line in loss.lines}) == 2


def test_a_single_curve_has_its_name_at_its_end(figure):
    for axes, end in zip(figure("history").axes, ((2, 0.5), (2, 0.75))):
        (name,) = axes.texts
        assert (name.get_text(), name.xy) == ("training", end)
        assert axes.get_legend() is None
    for axes in figure("history", validation=True).axes:
        assert [*axes.texts] == []
        assert axes.get_legend() is not None


def test_a_single_epoch_is_a_dot(figure):
    (line,) = figure("history", epochs=1).axes[0].lines
    assert line.get_marker() == "."


def cells_of(axes):
    return {tuple(map(int, text.get_position()[::-1])): text.get_text() for text in axes.texts}


def ticks_of(axes):
    return [
        [label.get_text() for label in axis.get_ticklabels()] for axis in (axes.xaxis, axes.yaxis)
    ]


def test_the_confusion_matrix_is_drawn_with_classes_counts_and_shares_of_the_row(figure):
    axes = figure("confusion").axes[0]
    assert cells_of(axes) == {(0, 0): "3\n75.0%", (0, 1): "1\n25.0%", (1, 1): "2\n100.0%"}
    assert axes.images[0].get_array().tolist() == [[0.75, 0.25, 0], [0, 1, 0], [0, 0, 0]]
    assert axes.get_title() == "Test accuracy: 83.33%"
    assert ticks_of(axes) == [CLASSES, CLASSES]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "label")


@pytest.mark.parametrize(("n", "numbers"), [(10, 10), (12, 12), (21, 0), (62, 0)])
def test_a_large_confusion_matrix_has_no_numbers(figure, tmp_path, n, numbers):
    counts = np.eye(n, dtype=int).tolist()
    axes = figure("confusion", counts=counts, classes=[f"c{i}" for i in range(n)]).axes[0]
    assert len(axes.texts) == numbers


def test_of_many_classes_the_most_confused_pairs_are_drawn(figure, monkeypatch):
    monkeypatch.setattr(plots, "MAX_CLASSES", 3)
    monkeypatch.setattr(plots, "MAX_PAIRS", 2)
    counts = ((3, 1, 0, 0), (0, 9, 0, 0), (2, 0, 1, 3), (0, 0, 0, 0))
    drawn = figure("confusion", counts=counts, classes=[*"ABCD"])
    (axes,) = drawn.axes
    assert ticks_of(axes)[1] == ["C → D", "C → A"]
    assert [bar.get_width() for bar in axes.patches] == [3, 2]
    assert [text.get_text() for text in axes.texts] == ["50%", "33%"]
    title = "Test accuracy: 68.42%\nConfused pairs of classes: the 2 most frequent of 3"
    assert drawn.get_suptitle() == title


def test_of_many_classes_without_a_mistake_no_pair_is_drawn(figure, monkeypatch):
    monkeypatch.setattr(plots, "MAX_CLASSES", 2)
    drawn = figure("confusion", counts=np.eye(3, dtype=int).tolist())
    assert [*drawn.axes[0].patches] == []
    assert drawn.get_suptitle().startswith("Test accuracy: 100.00%")


def test_a_table_of_the_pairs_that_occur_is_drawn_with_all_its_classes(figure):
    rows = [("A", "A", 1, 0.5), ("A", "C", 1, 0.5), ("B", "B", 2, 1)]
    axes = figure("confusion", rows=rows).axes[0]
    assert ticks_of(axes)[0] == ["A", "B", "C"]
    assert axes.images[0].get_array().tolist() == [[0.5, 0, 0.5], [0, 1, 0], [0, 0, 0]]


def test_calibration_is_drawn_with_the_diagonal_and_the_calibration_error(figure):
    above, below = figure("calibration").axes
    assert lines_of(above) == {
        "perfect calibration": [[0, 0], [1, 1]],
        "this network": [[0.45, 0.4], [0.98, 0.9]],
    }
    assert above.get_title() == "Expected calibration error: 7.1%"  # (1.5 + 5.6) / 100
    assert [bar.get_height() for bar in below.patches] == [30, 70]
    above, _ = figure("calibration", temperatures=(1.0, 1.5)).axes
    assert lines_of(above)["this network"] == [[0.45, 0.4]]
    assert lines_of(above)["with temperature 1.50"] == [[0.98, 0.9]]
    title = "Expected calibration error: 5.0%; with temperature 1.50: 8.0%"
    assert above.get_title() == title


def test_bins_with_few_images_are_grey_and_beside_the_line(figure):
    above, below = figure("calibration", images=(29, 71)).axes
    lines = lines_of(above)
    assert lines["this network"] == [[0.98, 0.9]]
    assert lines["fewer than 30 images"] == [[0.45, 0.4]]
    for axes in (above, below):
        grey, coloured = (to_rgb(bar.get_facecolor()) for bar in axes.patches)
        assert len({*grey}) == 1 < len({*coloured})


def images_of(drawn):
    return [
        (axes.get_title().replace("\n", " "), axes.images[0].get_array().tolist())
        for axes in drawn.axes
        if axes.images and axes.get_title()
    ]


def test_mistakes_are_drawn_with_label_predicted_class_pixels_and_probabilities(figure):
    drawn = figure("misclassified", n=2)
    assert images_of(drawn) == [
        ("A classified as B", [[1, 0], [0, 0]]),
        ("A classified as B", [[0, 1], [0, 0]]),
    ]
    bars = next(axes for axes in drawn.axes if axes.patches)
    assert [label.get_text() for label in bars.get_yticklabels()] == ["B", "A", "x"]
    assert [bar.get_width() for bar in bars.patches] == [0.75, 0.25, 0]
    assert drawn.get_suptitle().splitlines()[0] == "Misclassified test images: 2"


@pytest.mark.parametrize(
    ("others", "names", "texts"),
    [
        ((0.0, 0.0), ["B", "A", "x"], ["75%", "25%", "0%"]),
        ((0.3, 0.004), ["B", "x", "A"], ["75%", "30%", "25%"]),
        ((0.3, 0.4), ["B", "y", "A"], ["75%", "40%", "25%"]),
        ((0.004, 0.0), ["B", "A", "x"], ["75%", "25%", "<1%"]),
    ],
)
def test_the_true_class_is_always_among_the_bars_in_a_colour_of_its_own(
    figure, others, names, texts
):
    drawn = figure("misclassified", n=1, others=others)
    bars = next(axes for axes in drawn.axes if axes.patches)
    labels = bars.get_yticklabels()
    assert [label.get_text() for label in labels] == names
    assert [text.get_text() for text in bars.texts] == texts
    for drawn_in in (
        [to_rgb(bar.get_facecolor()) for bar in bars.patches],
        [label.get_color() for label in labels],
    ):
        own = drawn_in.pop(names.index("A"))
        assert own not in drawn_in
        assert len({*drawn_in}) == 1


@pytest.mark.parametrize(
    ("n", "count", "title"), [(4, 3, ": the 3 most confident of 4"), (1, 1, ": 1"), (0, 5, ": 0")]
)
def test_the_requested_number_of_mistakes_is_drawn(figure, tmp_path, n, count, title):
    drawn = figure("misclassified", n=n, extra=(count,))
    assert len(images_of(drawn)) == min(n, count)
    assert drawn.get_suptitle().splitlines()[0] == f"Misclassified test images{title}"
    assert_fits_a_page(tmp_path / "misclassified.png")


@pytest.mark.slow
def test_a_hundred_mistakes_in_colour_with_long_names_are_drawn(figure):
    labels = ("a rather long name", "another such name")
    drawn = figure("misclassified", n=100, labels=labels, shape=(2, 2, 3), extra=(100,))
    assert len(images_of(drawn)) == 100


def limits_of(drawn):
    return {axes.images[0].get_clim() for axes in drawn.axes if axes.images and axes.get_title()}


def test_weights_are_drawn_on_one_scale_around_zero(figure):
    drawn = figure("weights")
    assert [title for title, _ in images_of(drawn)] == CLASSES
    assert images_of(drawn)[2][1] == [[4, 5], [6, 7]]
    assert limits_of(drawn) == {(-7, 7)}
    assert limits_of(figure("weights", arrays=np.zeros((2, 2, 2)))) == {(-1, 1)}


def test_the_title_says_if_the_weights_of_some_classes_are_left_out(figure):
    title = "Weights of each class (red: positive, blue: negative)"
    assert figure("weights").get_suptitle() == f"{title}, for the first 3 of 70"
    assert figure("weights", outputs=3).get_suptitle() == title


@pytest.mark.parametrize("n", [1, 4, 21])
def test_the_weights_of_hidden_units_are_titled_by_number(figure, n):
    drawn = figure("weights", arrays=np.ones((n, 2, 2)), units=[*range(n)])
    assert [title for title, _ in images_of(drawn)] == [str(i) for i in range(n)]
    assert f"for the {n} most influential of 70" in drawn.get_suptitle()


def test_weights_of_colour_images_are_drawn_in_colour(figure):
    drawn = figure("weights", arrays=np.array([[[[-2, 0, 1]] * 2] * 2]))
    assert images_of(drawn)[0][1][0][0] == [0, 0.5, 0.75]


@pytest.mark.parametrize("channels", [(), (3,)])
def test_filters_are_drawn_above_their_feature_maps(figure, channels):
    drawn = figure("filters", channels=channels)
    titled = [axes for axes in drawn.axes if axes.get_title()]
    assert [axes.get_title() for axes in titled] == ["0", "1", "2"]
    rows = [axes for axes in drawn.axes if axes.get_ylabel()]
    assert [axes.get_ylabel() for axes in rows] == ["A", "B"]
    grid = [axes for axes in drawn.axes if axes.images]
    assert len(grid) == 3 + 2 * 4
    # The maps below a filter have one scale.
    for row in (grid[4:7], grid[8:]):
        assert [axes.images[0].get_clim() for axes in row] == [(0, 1), (10, 11), (20, 21)]
    assert "all 3" in drawn.get_suptitle()
    assert "the first 3 of 40" in figure("filters", n_filters=40).get_suptitle()


# ---- Plots of a sweep.


def test_curves_are_ordered_by_their_final_loss(figure):
    (axes,) = figure("curves", runs=3).axes
    assert [line.get_label() for line in axes.lines] == ["x 0", "x 1", "x 2"]  # the best on top
    widths = [line.get_linewidth() for line in axes.lines]
    assert widths[2] > widths[1] == widths[0]
    assert axes.get_title() == "Validation loss by epoch"
    assert axes.lines[2].get_ydata().tolist() == [2 / 3, 0.5]


def overlap(texts):
    """Whether one of the texts covers another one where they are drawn."""
    boxes = [Text.get_window_extent(text) for text in texts]
    return any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.parametrize("runs", [1, 2, 12, 14])
def test_curves_are_named_at_their_ends_in_their_looks(figure, runs):
    drawn = figure("curves", runs=runs)
    (axes,) = drawn.axes
    looks = {line.get_label(): (line.get_color(), line.get_linestyle()) for line in axes.lines}
    named = [text.get_text() for text in axes.texts]
    assert {*named} == {f"x {i}" for i in range(max(0, runs - 12), runs)}  # the lowest losses
    assert len({looks[name] for name in named}) == len(named)
    for text in axes.texts:
        assert text.get_color() == looks[text.get_text()][0] != "grey"
    assert {colour for name, (colour, _) in looks.items() if name not in named} <= {"grey"}
    assert axes.get_title().endswith("(grey: 2 more with higher losses)") == (runs == 14)
    assert not overlap(axes.texts)
    assert drawn.legends == []


@pytest.mark.parametrize(("runs", "scale"), [(1, "linear"), (4, "log")])
def test_losses_that_differ_by_a_factor_are_drawn_on_a_logarithmic_axis(figure, runs, scale):
    (axes,) = figure("curves", runs=runs).axes
    assert axes.get_yscale() == scale
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert all(re.fullmatch(r"[\d.]+", text) for text in shown)  # no power of ten


def test_curves_show_the_training_loss_unless_all_runs_have_validation(figure):
    (axes,) = figure("curves", runs=2, validation=False).axes
    assert axes.get_title() == "Training loss by epoch"
    assert lines_of(axes)["x 0"] == [[1, 1], [2, 0.5]]


SWEEPS = {
    "one key": [{"x": i} for i in range(3)],
    "seeds only": [{}],
    "seven keys": [{f"k{j}": i for j in range(7)} for i in range(3)],
    "forty points": [{"x": i, "y": i % 3} for i in range(40)],
    "a setting that does not apply": [{"x": ""}, {"x": 1}],
}


@pytest.mark.parametrize("validation", [True, False])
@pytest.mark.parametrize("rows", SWEEPS.values(), ids=SWEEPS)
def test_any_sweep_is_drawn(figure, tmp_path, rows, validation):
    swept = [*rows[0], "training.seed"]
    drawn = figure("points", rows=rows, validation=validation, extra=(swept,))
    assert_fits_a_page(tmp_path / "points.png")
    labels = [axes.get_xlabel() for axes in drawn.axes if axes.get_xlabel()]
    assert labels == ([*rows[0]] or ["runs"])
    assert ("star" in drawn.get_suptitle()) == validation


def test_points_are_coloured_by_another_setting_and_lines_connect_those_of_a_colour(figure):
    rows = [{"x": x, "y": y, "z": 7} for x in (1, 2) for y in (5, 6)]
    by_y, by_x, by_x_too = figure("points", rows=rows, extra=(["x", "y", "z"],)).axes
    titles = [axes.get_legend().get_title().get_text() for axes in (by_y, by_x, by_x_too)]
    assert titles == ["y", "x", "x"]
    assert [text.get_text() for text in by_y.get_legend().get_texts()] == ["5", "6"]
    means = [line for line in by_y.lines if len(line.get_xdata()) == 2]
    assert [line.get_ydata().tolist() for line in means] == [[0.5, 0.52], [0.51, 0.53]]
    assert means[0].get_color() != means[1].get_color()


def test_a_setting_with_too_many_values_for_markers_gives_no_colours(figure):
    rows = [{"x": x, "y": x % 2} for x in range(9)]
    by_y, by_nothing = figure("points", rows=rows, extra=(["x", "y"],)).axes
    assert by_y.get_legend() is not None
    assert by_nothing.get_legend() is None


# ---- Parity with Keras.


def test_parity_has_both_losses_and_their_differences(figure):
    losses, batches, epochs = figure("parity").axes
    assert [line.get_label() for line in losses.lines] == ["Scratchnet", "Keras"]
    assert [line.get_ydata().tolist() for line in losses.lines] == [[1, 0.5], [1, 1]]
    assert len(batches.lines) == len(epochs.lines) == 6
    assert [line.get_xdata().tolist() for line in batches.lines] == [[1, 2]] * 6
    assert [line.get_xdata().tolist() for line in epochs.lines] == [[1, 2]] * 6
    assert epochs.lines[0].get_ydata().tolist() == [1e-9, 1e-9]  # the largest value so far
    assert batches.lines[3].get_ydata().tolist() == [1e-17, 1e-9]  # float64: 0 is drawn as 1e-17
    assert batches.get_ylim() == epochs.get_ylim()


# ---- Contact sheets.


def test_a_contact_sheet_has_each_image_with_its_predicted_class_and_name(figure):
    drawn = figure("contact_sheet")
    shown = [axes for axes in drawn.axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["A (75%)"] * 3
    assert [axes.texts[0].get_text() for axes in shown] == ["0.png", "1.png", "2.png"]
    assert drawn.get_suptitle() == "Predicted classes of 3 images"
    assert drawn.get_supxlabel() == "by a-run\nwith a test accuracy of 50.00%"


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{"n": 1}, {"n": 100, "count": 12345}, {"shape": (2, 2, 3)}, {"n": 11}], ids=str
)
def test_contact_sheets_of_any_size_are_drawn(figure, options):
    drawn = figure("contact_sheet", **options)
    assert sum(bool(axes.images) for axes in drawn.axes) == options.get("n", 3)
    if "count" in options:
        title = "Predicted classes of the first 100 of 12,345 images"
        assert drawn.get_suptitle() == title
    width, height = drawn.get_size_inches()
    assert width <= 13 and height <= 18
