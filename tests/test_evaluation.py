"""Evaluation: numbers that can be worked out by hand, the summary, and the pictures.

The network has 4 pixels and 4 classes, and takes an image for the class of its bright pixel: each
logit is 10 times its pixel. So the images decide what is predicted.
"""

import io
import json
import math
import platform
import struct

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from scratchnet import metrics, plots
from scratchnet.checkpoints import Checkpoint, save_checkpoint
from scratchnet.errors import DataError
from scratchnet.evaluation import confusion_matrix, evaluate, per_class
from scratchnet.summary import as_table, summarize

CLASSES = ["A", "B", "C", "D"]
LABELS = np.array([0, 0, 0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 0, 0, 1, 1, 0, 0, 3])
# C is never predicted, and there is no image of D.
CONFUSION = [[3, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0]]
PER_CLASS = [
    {"class": "A", "images": 4, "precision": 3 / 5, "recall": 3 / 4},
    {"class": "B", "images": 2, "precision": 1 / 2, "recall": 1 / 2},
    {"class": "C", "images": 2, "precision": None, "recall": 0.0},
    {"class": "D", "images": 0, "precision": 0.0, "recall": None},
]
WITHOUT_VALIDATION = {"loss": [1.5, 0.5], "val_loss": [], "val_accuracy": []}
WITH_VALIDATION = {"loss": [1.5, 0.5], "val_loss": [1.25, 0.75], "val_accuracy": [0.5, 0.625]}


def one_hot(labels):
    return np.asfortranarray(np.eye(4, dtype=np.float32)[labels].T)


def dense(n_out, n_in, scale=1):
    """Weights that pass pixel i on to output i, with biases of 0."""
    return (np.eye(n_out, n_in + 1) * (np.arange(n_in + 1) < n_in) * scale).astype(np.float32)


def write_checkpoint(path, weights, history=WITHOUT_VALIDATION, best=None):
    save_checkpoint(path, Checkpoint(weights, {}, history, best or {}))


SOFTMAX = {"0.W": dense(4, 4, 10)}
MLP = {"0.W": dense(5, 4), "1.W": dense(4, 5, 10)}


def make_files(
    folder,
    weights=SOFTMAX,
    history=WITHOUT_VALIDATION,
    images=PREDICTED,
    best=None,
    classes=None,
):
    """Evaluate a network in `folder`; returns the paths of everything that is read or written."""
    files = {
        "X_test": folder / "X_test.npy",
        "Y_test": folder / "Y_test.npy",
        "manifest": folder / "manifest.json",
        "checkpoint": folder / "epoch-0002.npz",
        "metrics": folder / "metrics.json",
        "history": folder / "history.csv",
        "predictions": folder / "predictions.csv",
    }
    np.save(files["X_test"], one_hot(images))
    np.save(files["Y_test"], one_hot(LABELS))
    files["manifest"].write_text(json.dumps({"classes": CLASSES, "image_shape": [2, 2]}))
    write_checkpoint(files["checkpoint"], weights, history, best)
    evaluate(
        data={name: files[name] for name in ("X_test", "Y_test")},
        manifest=files["manifest"],
        checkpoint=files["checkpoint"],
        settings={"model.activation": "relu", "classes": classes},
        outputs={name: files[name] for name in ("metrics", "history", "predictions")},
    )
    return files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("softmax"))


@pytest.fixture(scope="module")
def measured(files):
    return json.loads(files["metrics"].read_text())


# ---- Numbers.


def test_the_confusion_matrix_counts_labels_by_row_and_predictions_by_column():
    np.testing.assert_array_equal(confusion_matrix(LABELS, PREDICTED, 4), CONFUSION)


def test_precision_and_recall_are_as_worked_out_by_hand():
    assert per_class(np.array(CONFUSION), CLASSES) == PER_CLASS


def test_the_metrics_are_those_of_the_checkpoint_and_of_the_test_images(measured):
    measured = dict(measured)
    del measured["environment"]
    # A right image costs -log of 1 / (1 + 3 exp(-10)), a wrong one 10 more, and half are wrong.
    assert measured.pop("test_loss") == pytest.approx(math.log1p(3 * math.exp(-10)) + 5, rel=1e-6)
    assert measured == {
        "epochs": 2,
        "train_loss": 0.5,
        "test_accuracy": 0.5,
        "per_class": PER_CLASS,
        "confusion_matrix": CONFUSION,
    }


def test_the_metrics_tell_what_made_them(measured):
    assert measured["environment"]["python"] == platform.python_version()
    assert measured["environment"]["numpy"] == np.__version__
    assert {"machine", "blas", "blas_kernel", "blas_threads"} < set(measured["environment"])


def test_the_metrics_are_strict_json(files):
    def refuse(constant):
        raise ValueError(constant)

    json.loads(files["metrics"].read_text(), parse_constant=refuse)


def test_the_last_validation_results_are_in_the_metrics(tmp_path):
    files = make_files(tmp_path, history=WITH_VALIDATION)
    measured = json.loads(files["metrics"].read_text())
    assert (measured["validation_loss"], measured["validation_accuracy"]) == (0.75, 0.625)


def test_the_history_has_a_row_for_each_epoch(files):
    assert files["history"].read_text() == "epoch,loss\n1,1.5\n2,0.5\n"


def test_the_history_has_the_validation_results_where_there_are_any(tmp_path):
    files = make_files(tmp_path, history=WITH_VALIDATION)
    assert files["history"].read_text() == (
        "epoch,loss,val_loss,val_accuracy\n1,1.5,1.25,0.5\n2,0.5,0.75,0.625\n"
    )


PREDICTIONS = "".join(
    ["image,label,predicted,probability\n"]
    # 1 / (1 + 3 exp(-10)) = 0.9998638...
    + [f"{i},{'ABCD'[a]},{'ABCD'[b]},0.999864\n" for i, (a, b) in enumerate(zip(LABELS, PREDICTED))]
)


def test_the_predictions_have_a_row_for_each_image(files):
    assert files["predictions"].read_text() == PREDICTIONS


def test_a_hidden_layer_is_evaluated_too(tmp_path):
    files = make_files(tmp_path, weights=MLP)
    assert files["predictions"].read_text() == PREDICTIONS


@pytest.mark.parametrize("size", [1, 3, 7, 8])
def test_the_slices_in_which_it_is_done_make_no_difference(files, tmp_path, monkeypatch, size):
    monkeypatch.setattr(metrics, "SLICE", size)
    again = make_files(tmp_path)
    for name in ("metrics", "predictions"):
        assert again[name].read_bytes() == files[name].read_bytes()


def test_of_an_early_stop_the_best_epoch_is_scored(tmp_path):
    """The last weights say A whatever they see; the best ones are those of the other tests."""
    last = {"0.W": np.zeros((4, 5), np.float32)}
    history = {
        "loss": [1.5, 0.5, 0.4],
        "val_loss": [1.25, 0.75, 0.875],
        "val_accuracy": [0.5, 0.625, 0.25],
    }
    files = make_files(tmp_path, weights=last, history=history, best=SOFTMAX)
    measured = json.loads(files["metrics"].read_text())
    assert (measured["epochs"], measured["best_epoch"]) == (3, 2)
    assert (measured["train_loss"], measured["validation_loss"]) == (0.5, 0.75)
    assert measured["validation_accuracy"] == 0.625
    assert files["predictions"].read_text() == PREDICTIONS


def test_without_an_early_stop_there_is_no_best_epoch(measured):
    assert "best_epoch" not in measured


def test_chosen_class_names_are_in_every_result(tmp_path):
    files = make_files(tmp_path, classes=["ant", "bee", "cat", "dog"])
    measured = json.loads(files["metrics"].read_text())
    assert [row["class"] for row in measured["per_class"]] == ["ant", "bee", "cat", "dog"]
    assert files["predictions"].read_text().splitlines()[8].startswith("7,cat,dog,")


def test_too_few_class_names_are_refused_with_those_of_the_dataset(tmp_path):
    with pytest.raises(DataError, match="names 2 classes, but the dataset has 4: A, B, C, D"):
        make_files(tmp_path, classes=["ant", "bee"])


# ---- The summary.


@pytest.fixture
def rows(tmp_path):
    """Two runs: one without and one with validation."""
    made = []
    for name, seed, extra in (
        ("mnist-softmax-1a2b3c4d", 0, {}),
        ("mnist-mlp-30-5e6f7a8b", 1, {"validation_loss": 0.25, "validation_accuracy": 0.75}),
    ):
        measured, record = tmp_path / f"{name}.metrics.json", tmp_path / f"{name}.json"
        results = {"epochs": 20, "train_loss": 0.381864, "test_loss": 0.5, "test_accuracy": 0.9035}
        measured.write_text(json.dumps(results | extra))
        record.write_text(json.dumps({"epochs": 20, "seconds": 2.345}))
        made.append(
            {
                "run": name,
                "folder": f"results/runs/{name}/epoch-0020",
                "swept": {"training.seed": seed, "training.learning_rate": 0.00025},
                "metrics": measured,
                "record": record,
            }
        )
    return made


def test_the_summary_has_a_row_for_each_run(rows, tmp_path):
    summarize(rows, tmp_path / "summary.csv")
    assert (tmp_path / "summary.csv").read_text().splitlines() == [
        "run,folder,training.seed,training.learning_rate,epochs,best_epoch,train_loss,"
        "validation_loss,validation_accuracy,test_loss,test_accuracy,seconds,best,error",
        "mnist-softmax-1a2b3c4d,results/runs/mnist-softmax-1a2b3c4d/epoch-0020,0,0.00025,20,,"
        "0.381864,,,0.5,0.9035,2.345,,",
        "mnist-mlp-30-5e6f7a8b,results/runs/mnist-mlp-30-5e6f7a8b/epoch-0020,1,0.00025,20,,"
        "0.381864,0.25,0.75,0.5,0.9035,2.345,,",
    ]


@pytest.fixture
def table(tmp_path):
    """A function that shows {column: values} as a table."""

    def show(columns):
        path = tmp_path / "table.csv"
        lines = [",".join(columns), *map(",".join, zip(*columns.values()))]
        path.write_text("\n".join(lines) + "\n")
        return as_table(path)

    return show


def test_the_table_is_aligned_and_without_trailing_blanks(table):
    assert table({"folder": ["a", "results"], "epochs": ["20", "5"]}) == [
        "folder   epochs",
        "a        20",
        "results  5",
    ]


def test_the_table_leaves_out_the_run_whose_folder_it_shows_and_what_is_empty(table):
    columns = {"run": ["x", "y"], "folder": ["a", "b"], "val": ["", ""], "some": ["", "1"]}
    assert table(columns) == ["folder  some", "a", "b       1"]


def test_the_table_shortens_measurements(table):
    assert table({"test_loss": ["0.381864", "1.0"]}) == ["test_loss", "0.3819", "1.0000"]


@pytest.mark.parametrize("value", ["0.00025", "1e-05", "[300, 100]", "mnist", "100000"])
def test_the_table_shows_a_swept_setting_as_it_is(rows, tmp_path, value):
    setting = json.loads(value) if value != "mnist" else value
    for row in rows:
        row["swept"] = {"x": setting}
    summarize(rows, tmp_path / "summary.csv")
    header, *lines = as_table(tmp_path / "summary.csv")
    start, end = header.index("x "), header.index("epochs")
    assert [line[start:end].strip() for line in lines] == [value, value]


# ---- The pictures.

STYLES = ["dark_background", "default"]


def draw_misclassified(files, picture, style, count=5, seed=0):
    names = ("predictions", "X_test", "manifest")
    plots.plot_misclassified(*(files[name] for name in names), picture, style, count, seed)


def draw_weights(files, picture, style):
    names = ("checkpoint", "manifest", "metrics")
    plots.plot_weights(*(files[name] for name in names), picture, style)


DRAW = {
    "loss": lambda files, *rest: plots.plot_loss(files["history"], *rest),
    "misclassified": draw_misclassified,
    "confusion": lambda files, *rest: plots.plot_confusion(files["metrics"], *rest),
    "weights": draw_weights,
}


@pytest.fixture(scope="module")
def pictures(files, tmp_path_factory):
    """Every picture in every style, as bytes."""
    folder = tmp_path_factory.mktemp("pictures")
    made = {}
    for name, draw in DRAW.items():
        for style in STYLES:
            draw(files, folder / f"{name}.png", style)
            made[name, style] = (folder / f"{name}.png").read_bytes()
    return made


@pytest.fixture
def figure(monkeypatch, tmp_path):
    """A function that draws with a function of DRAW, and returns the figure instead of saving."""

    def draw(function, *arguments, **options):
        figures = []
        monkeypatch.setattr(plots, "_save", lambda figure, picture: figures.append(figure))
        function(arguments[0], tmp_path / "picture.png", "default", *arguments[1:], **options)
        return figures[0]

    return draw


def size_of(png):
    """Width and height in pixels."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", DRAW)
def test_a_picture_fits_a_page(pictures, name, style):
    width, height = size_of(pictures[name, style])
    assert 600 <= width <= 2000
    assert 300 <= height <= 2000


@pytest.mark.parametrize("name", DRAW)
def test_a_picture_is_dark_or_light_as_its_style_says(pictures, name):
    corners = [imread(io.BytesIO(pictures[name, style]))[0, 0, :3].mean() for style in STYLES]
    assert corners == [0, 1]


@pytest.mark.parametrize("name", DRAW)
def test_a_picture_drawn_again_is_the_same_bytes(pictures, files, tmp_path, name):
    DRAW[name](files, tmp_path / "again.png", "default")
    assert (tmp_path / "again.png").read_bytes() == pictures[name, "default"]


def test_a_style_ends_with_its_picture(files, tmp_path):
    before = dict(mpl.rcParams)
    draw_misclassified(files, tmp_path / "picture.png", "dark_background")
    assert dict(mpl.rcParams) == before


def test_the_loss_is_drawn_by_epoch(files, figure):
    (axes,) = figure(DRAW["loss"], files).axes
    lines = [line.get_xydata().tolist() for line in axes.lines]
    assert lines == [[[1, 1.5], [2, 0.5]]]


def test_the_validation_loss_is_drawn_where_there_is_one(figure, tmp_path):
    (axes,) = figure(DRAW["loss"], make_files(tmp_path, history=WITH_VALIDATION)).axes
    lines = {line.get_label(): line.get_ydata().tolist() for line in axes.lines}
    assert lines == {"training": [1.5, 0.5], "validation": [1.25, 0.75]}


def shown(figure):
    """{title: image} of the images in a figure."""
    return {
        axes.get_title().replace("\n", " "): axes.images[0].get_array()
        for axes in figure.axes
        if axes.images
    }


WRONG = {"A taken for B": 1, "B taken for A": 0, "C taken for A": 0, "C taken for D": 3}


def test_misclassified_images_are_shown_with_label_and_prediction(files, figure):
    images = shown(figure(draw_misclassified, files))
    bright = {title: int(image.ravel().argmax()) for title, image in images.items()}
    assert bright == WRONG


def test_misclassified_images_have_their_shape(files, figure):
    images = shown(figure(draw_misclassified, files))
    assert images["C taken for D"].tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_as_many_misclassified_images_are_shown_as_are_asked_for(files, figure, count):
    drawn = figure(draw_misclassified, files, count=count)
    assert len(shown(drawn)) == count
    assert drawn.get_suptitle() == f"{count} of 4 misclassified test images"


def test_the_seed_decides_which_misclassified_images_are_shown(files, figure):
    choices = {
        tuple(shown(figure(draw_misclassified, files, count=2, seed=seed))) for seed in range(5)
    }
    assert len(choices) > 1


@pytest.fixture(scope="module")
def faultless(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("faultless"), images=LABELS)


@pytest.mark.parametrize("name", ["misclassified", "confusion"])
def test_a_network_without_mistakes_is_drawn_too(faultless, tmp_path, name):
    DRAW[name](faultless, tmp_path / "picture.png", "dark_background")
    width, height = size_of((tmp_path / "picture.png").read_bytes())
    assert 600 <= width <= 2000
    assert 300 <= height <= 2000


def test_without_mistakes_no_image_is_shown(faultless, figure):
    drawn = figure(draw_misclassified, faultless)
    assert shown(drawn) == {}
    assert drawn.get_suptitle() == "0 of 0 misclassified test images"


def test_the_confusion_matrix_is_drawn_with_its_counts(files, figure):
    axes = figure(DRAW["confusion"], files).axes[0]
    counts = {
        (int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts
    }
    assert [[int(counts[row, column]) for column in range(4)] for row in range(4)] == CONFUSION


def test_the_confusion_matrix_is_coloured_by_the_share_of_each_row(files, figure):
    axes = figure(DRAW["confusion"], files).axes[0]
    expected = [[0.75, 0.25, 0, 0], [0.5, 0.5, 0, 0], [0.5, 0, 0, 0.5], [0, 0, 0, 0]]
    assert axes.images[0].get_array().tolist() == expected


def test_the_confusion_matrix_has_the_names_of_the_classes_on_both_axes(files, figure):
    axes = figure(DRAW["confusion"], files).axes[0]
    for axis in (axes.xaxis, axes.yaxis):
        assert [label.get_text() for label in axis.get_ticklabels()] == CLASSES
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "label")


def test_the_confusion_matrix_tells_the_accuracy(files, measured, figure, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(measured | {"test_accuracy": 0.9035}))
    drawn = figure(DRAW["confusion"], files | {"metrics": tmp_path / "metrics.json"})
    assert drawn.axes[0].get_title() == "Test images: 90.35% are right"


def test_the_weights_of_each_class_are_an_image_without_the_bias(tmp_path, files, figure):
    W = np.arange(20, dtype=np.float32).reshape(4, 5)
    write_checkpoint(tmp_path / "w.npz", {"0.W": W})
    images = shown(figure(draw_weights, files | {"checkpoint": tmp_path / "w.npz"}))
    expected = {name: row[:4].reshape(2, 2).tolist() for name, row in zip(CLASSES, W)}
    assert {name: image.tolist() for name, image in images.items()} == expected


def test_the_colours_of_all_weights_are_of_one_scale_around_zero(tmp_path, files, figure):
    W = np.zeros((4, 5), np.float32)
    W[0, 0], W[1, 1], W[2, 4] = 3, -2, 50  # the last is a bias
    write_checkpoint(tmp_path / "w.npz", {"0.W": W})
    drawn = figure(draw_weights, files | {"checkpoint": tmp_path / "w.npz"})
    limits = {axes.images[0].get_clim() for axes in drawn.axes if axes.images}
    assert limits == {(-3, 3)}


@pytest.fixture
def hidden(tmp_path, files):
    """A function of a width that gives the files of a network with a hidden layer of it."""

    def make(width):
        weights = {"0.W": np.ones((width, 5), np.float32), "1.W": np.ones((4, width + 1))}
        write_checkpoint(tmp_path / "hidden.npz", weights)
        return files | {"checkpoint": tmp_path / "hidden.npz"}

    return make


@pytest.mark.parametrize("style", STYLES)
def test_the_weights_of_a_hidden_layer_are_drawn_too(hidden, tmp_path, style):
    draw_weights(hidden(6), tmp_path / "picture.png", style)
    width, height = size_of((tmp_path / "picture.png").read_bytes())
    assert 600 <= width <= 2000
    assert 300 <= height <= 2000


@pytest.mark.parametrize(("width", "n"), [(1, 1), (4, 4), (21, 21), (101, 100)])
def test_of_a_hidden_layer_the_first_hundred_outputs_are_shown_by_number(hidden, figure, width, n):
    assert [*shown(figure(draw_weights, hidden(width)))] == [str(i) for i in range(n)]
