"""Predictions of a network with known weights, worked out by hand.

The images have 2 x 2 pixels and there are 4 classes. The network classifies an image by its bright
pixel: each logit is 10 times the pixel.
"""

import os
import re

import numpy as np
import pytest
from PIL import Image

import samples
from bright_pixel import BY_PIXEL, CLASSES, make_network
from hostile import HOSTILE, assert_is_harmless
from scratchnet.data.image_reader import read_image
from scratchnet.errors import DataError
from scratchnet.evaluation.evaluation import evaluate
from scratchnet.files import read_csv, read_json
from scratchnet.nn.network import build_network
from scratchnet.predict import predictions
from scratchnet.predict.predictions import MAX_NAMED, MAX_SCALE, MAX_SHOWN, predict

OUTPUTS = {"predictions": "predictions.csv", "contact_sheet": "contact_sheet.json"}


@pytest.fixture
def predicted(tmp_path):
    """A function of images, and of the arguments of `make_network`, that predicts.

    It returns the rows of the table and the contact sheet.
    """

    def run(images, background="dark", activation=None, convolutions=(), **network):
        outputs = {name: tmp_path / file for name, file in OUTPUTS.items()}
        predict(
            images=[str(path) for path in images],
            background=background,
            **make_network(tmp_path, activation, convolutions, **network),
            run="a-run/epoch-0001",
            hashes={},
            **outputs,
        )
        return read_csv(outputs["predictions"]), read_json(outputs["contact_sheet"])

    return run


@pytest.fixture
def pngs(tmp_path):
    """A function that writes {file name: image (height, width), 0 to 255}."""

    def write(images):
        for name, pixels in images.items():
            Image.fromarray(np.array(pixels, np.uint8)).save(tmp_path / name)
        return [tmp_path / name for name in images]

    return write


def npy(tmp_path, arrays):
    (tmp_path / "mine.npy").write_bytes(samples.npy(np.asarray(arrays)))
    return [tmp_path / "mine.npy"]


def probabilities(rows):
    """Return the probabilities of a table, (classes, n)."""
    return np.array([[float(row[f"p_{name}"]) for row in rows] for name in CLASSES])


C, D, BOTH = [[0, 0], [255, 0]], [[0, 0], [0, 255]], [[0, 255], [255, 0]]


# ---- The table.


def test_a_row_contains_the_class_and_all_probabilities(predicted, pngs, tmp_path):
    """The softmax of (0, 0, 0, 10) and of (0, 10, 10, 0)."""
    rows, _ = predicted(pngs({"b.png": D, "a.png": BOTH}))
    first = {"p_A": "4.5e-05", "p_B": "4.5e-05", "p_C": "4.5e-05", "p_D": "0.999864"}
    second = {"p_A": "2.3e-05", "p_B": "0.499977", "p_C": "0.499977", "p_D": "2.3e-05"}
    by = {"run": "a-run/epoch-0001", "test_accuracy": "0.5"}
    assert rows == [
        {"image": f"{tmp_path}/b.png", "predicted": "D", "probability": "0.999864", **first, **by},
        {"image": f"{tmp_path}/a.png", "predicted": "B", "probability": "0.499977", **second, **by},
    ]


def test_rows_and_contact_sheet_are_in_the_order_of_the_images(predicted, pngs):
    paths = pngs({"c.png": C, "a.png": D, "b.png": C})
    for order in (paths, paths[::-1]):
        rows, sheet = predicted(order)
        names = [str(path) for path in order]
        assert [row["image"] for row in rows] == names
        assert [shown["image"] for shown in sheet["images"]] == names
        assert [row["predicted"] for row in rows] == ["C", "D", "C"]
        # An image is predicted alike alone and among others.
        assert rows == [row for path in order for row in predicted([path])[0]]


@pytest.mark.parametrize("n", [1, MAX_SHOWN, MAX_SHOWN + 1, 250])
def test_the_images_of_an_array_are_numbered_and_the_first_are_on_the_contact_sheet(
    predicted, tmp_path, n
):
    images = np.random.default_rng(0).integers(0, 256, (n, 2, 2))
    rows, sheet = predicted(npy(tmp_path, images))
    assert [row["image"] for row in rows] == [str(i) for i in range(n)]
    assert (sheet["count"], len(sheet["images"])) == (n, min(n, MAX_SHOWN))
    P = probabilities(rows)
    np.testing.assert_allclose(P.sum(axis=0), 1, atol=3e-6)
    assert all(len(f"{p:.9f}".rstrip("0")) <= len("0.123456") for p in P.ravel())
    for i, (p, row) in enumerate(zip(P.T, rows)):
        assert row["predicted"] == CLASSES[images[i].argmax()]
        assert float(row["probability"]) == p.max()
    for i, (shown, row) in enumerate(zip(sheet["images"], rows)):
        assert (shown["image"], shown["predicted"]) == (str(i), row["predicted"])
        assert shown["probability"] == pytest.approx(float(row["probability"]), abs=2e-6)
        np.testing.assert_allclose(shown["pixels"], images[i] / 255, atol=5e-5)


def test_names_may_contain_commas_and_quotes_and_keep_the_order_of_the_classes(predicted, pngs):
    names = ["a, b", '"quoted"', "it's", " =1+1"]
    (path,) = pngs({'1, "2".png': C})
    ((row,), sheet) = predicted([path], classes=names)
    assert row["image"] == sheet["images"][0]["image"] == str(path)
    assert row["predicted"] == sheet["images"][0]["predicted"] == "it's"
    assert [*row][3:-2] == [f"p_{name}" for name in names]


def test_bytes_of_a_name_that_are_not_utf_8_are_escaped(predicted, pngs, tmp_path):
    (path,) = pngs({"a.png": C})
    path = path.rename(tmp_path / os.fsdecode(b"\xc3\xbc\xff.png"))
    ((row,), sheet) = predicted([path])
    assert row["image"] == sheet["images"][0]["image"] == f"{tmp_path}/ü\\xff.png"


IN_FILE_NAMES = {does: text for does, text in HOSTILE.items() if text not in ("a\0b", "\ud800")}


@pytest.mark.parametrize("text", IN_FILE_NAMES.values(), ids=IN_FILE_NAMES)
def test_control_characters_in_a_name_are_escaped_in_results_and_messages(
    predicted, pngs, tmp_path, text
):
    (path,) = pngs({f"{text}.png": C})
    ((row,), sheet) = predicted([path])
    assert row["image"] == sheet["images"][0]["image"]
    assert_is_harmless(row["image"])
    assert_is_harmless((tmp_path / "predictions.csv").read_text(), is_one_line=False)
    path.write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        predicted([path])
    assert len(str(caught.value).splitlines()) == 2
    assert_is_harmless(str(caught.value), is_one_line=False)


ARRAYS = {
    "no array": b"text",
    "no images": samples.npy(np.zeros(3)),
    "not finite": samples.npy(np.full((1, 2, 2), np.nan)),
    "of another scale": samples.npy(np.linspace(0, 1, 4).reshape(1, 2, 2)),
    "many arrays": samples.zipped({f"\x1b[2J{i}.npy": samples.npy(np.eye(2)) for i in range(99)}),
    "another file": samples.zipped({"\x1b[2J": b"text"}),
    "a damaged array": samples.zipped({"\x1b[2J.npy": b"text"}),
}


@pytest.mark.parametrize("content", ARRAYS.values(), ids=ARRAYS)
def test_names_of_arrays_are_shown_without_control_characters(predicted, tmp_path, content):
    path = tmp_path / "a\x1b[2J\n.npz"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        predicted([path])
    assert_is_harmless(str(caught.value))
    assert len(str(caught.value)) < 1000


# ---- The network.

BLOCK = {"filters": 3, "kernel": 2, "pool": 1, "padding": "same"}
NETWORKS = {
    "softmax": (None, [], [(4, 5)]),
    "relu": ("relu", [], [(7, 5), (5, 8), (4, 6)]),
    "convolution": ("tanh", [BLOCK], [(3, 5), (4, 13)]),
}


@pytest.mark.parametrize(("activation", "blocks", "shapes"), NETWORKS.values(), ids=NETWORKS)
def test_the_probabilities_are_those_of_the_network(
    predicted, tmp_path, activation, blocks, shapes
):
    rng = np.random.default_rng(0)
    weights = {f"{i}.W": rng.normal(size=s).astype(np.float32) for i, s in enumerate(shapes)}
    images = rng.integers(0, 256, (30, 2, 2))
    rows, _ = predicted(npy(tmp_path, images), "dark", activation, blocks, weights=weights)
    network = build_network(weights.values(), (2, 2), blocks, activation)
    expected = network.probabilities(images.reshape(30, 4).T / 255)
    np.testing.assert_allclose(probabilities(rows), expected, rtol=0, atol=2e-6)


def test_the_weights_of_the_best_epoch_are_used_if_kept(predicted, pngs):
    best = {"0.W": BY_PIXEL["0.W"][::-1].copy()}
    assert predicted(pngs({"a.png": C}), best=best)[0][0]["predicted"] == "B"


def standardized(X, weights):
    """Return the arguments of `make_network` for standardised arrays, and the same predictions."""
    mean, std = 0.25, 0.5
    W = weights["0.W"].copy()
    W[:, -1] += mean * W[:, :-1].sum(axis=1)
    W[:, :-1] *= std
    return {"weights": weights | {"0.W": W}, "X_test": (X - mean) / std, "mean": mean, "std": std}


def test_standardised_networks_predict_and_show_the_same(predicted, pngs):
    paths = pngs({"drawn.png": glyph(20, 1), "c.png": C, "both.png": BOTH})
    X = FRAMED["X_test"].astype(np.float32)
    rows, sheet = predicted(paths, background="auto", X_test=X)
    found, found_sheet = predicted(paths, background="auto", **standardized(X, BY_PIXEL))
    np.testing.assert_allclose(probabilities(found), probabilities(rows), rtol=0, atol=2e-6)
    for one, other in zip(found_sheet["images"], sheet["images"], strict=True):
        np.testing.assert_allclose(one["pixels"], other["pixels"], atol=1e-4)
    assert {row["predicted"] for row in rows} > {"C"}


@pytest.mark.parametrize("standardize", [False, True])
def test_test_images_given_as_an_array_agree_with_the_evaluation(predicted, tmp_path, standardize):
    rng = np.random.default_rng(1)
    images = rng.integers(0, 100, (1500, 2, 2), np.uint8)  # on a dark background
    X = (images.reshape(-1, 4).T / 255).astype(np.float32)
    weights = {"0.W": rng.normal(size=(6, 5)), "2.W": rng.normal(size=(4, 7))}
    weights = {name: W.astype(np.float32) for name, W in weights.items()}
    network = standardized(X, weights) if standardize else {"weights": weights, "X_test": X}
    rows, _ = predicted(npy(tmp_path, images), activation="relu", **network)
    np.save(tmp_path / "Y_test.npy", np.eye(4, dtype=np.float32)[:, np.arange(1500) % 4])
    outputs = ("metrics", "history", "predictions", "confusion", "calibration", "misclassified")
    evaluate(
        data={name: tmp_path / f"{name}.npy" for name in ("X_test", "Y_test")},
        manifest=tmp_path / "manifest.json",
        checkpoint=tmp_path / "epoch-0001.npz",
        settings={"model.activation": "relu", "classes": None},
        outputs={name: tmp_path / f"evaluated {name}" for name in (*outputs, "weights")},
    )
    evaluated = read_csv(tmp_path / "evaluated predictions")
    columns = ("image", "predicted", "probability")
    assert [[row[name] for name in columns] for row in rows] == [
        [row[name] for name in columns] for row in evaluated
    ]
    for mistake in read_json(tmp_path / "evaluated misclassified")["images"]:
        expected = X[:, mistake["image"]].reshape(2, 2)
        np.testing.assert_allclose(mistake["pixels"], expected, atol=1e-4)


# ---- The images.


def glyph(side, background):
    """Return a square of `side` x `side` on paper: faint ink, and full ink at its top right."""
    image = np.full((5 * side, 5 * side), 255 * background)
    image[side : 2 * side, side : 2 * side] = abs(background * 255 - 60)
    image[side : side * 3 // 2, side * 3 // 2 : 2 * side] = 255 * (1 - background)
    return image


FRAMED = {"shape": (2, 2), "X_test": np.ones((4, 9), np.float32) * [[0.3], [0.9], [0.3], [0.3]]}


@pytest.mark.parametrize(
    ("background", "paper"), [("dark", 0), ("light", 1), ("auto", 0), ("auto", 1)]
)
def test_a_drawing_is_converted_to_the_style_of_the_test_images(predicted, pngs, background, paper):
    """The test images fill their 2 x 2 pixels, and then so does the drawing."""
    _, sheet = predicted(pngs({"a.png": glyph(20, paper)}), background=background, **FRAMED)
    shade = 60 / 255
    pixels = sheet["images"][0]["pixels"]
    np.testing.assert_allclose(pixels, [[shade, 1], [shade, shade]], atol=1e-3)
    assert sheet["images"][0]["predicted"] == "B"


def test_a_given_background_is_not_detected(predicted, pngs):
    paths = pngs({"a.png": C})
    for background, seen in (("dark", [[0, 0], [1, 0]]), ("light", [[1, 1], [0, 1]])):
        assert predicted(paths, background=background)[1]["images"][0]["pixels"] == seen


def test_images_of_different_sizes_and_kinds_may_be_mixed(predicted, pngs):
    color = np.zeros((2, 2, 3))
    color[0, 1] = 255
    images = {"2 x 2.png": C, "colour.png": color, "100 x 100.png": glyph(20, 0), "1.png": [[9]]}
    rows, sheet = predicted(pngs(images), **FRAMED)
    # An empty image is of the first class.
    assert [row["predicted"] for row in rows] == ["C", "B", "B", "A"]
    assert [np.shape(shown["pixels"]) for shown in sheet["images"]] == [(2, 2)] * 4


def test_a_network_for_coloured_images_gets_colours(predicted, pngs):
    """The classes are red, green, blue, and none."""
    W = np.zeros((4, 13), np.float32)
    for i in range(3):
        W[i, i:12:3] = 10
    image = np.zeros((2, 2, 3))
    image[..., 1] = 255
    paths = pngs({"a.png": image, "b.png": np.kron(image[..., ::-1], np.ones((9, 9, 1)))})
    rows, sheet = predicted(paths, weights={"0.W": W}, shape=(2, 2, 3))
    assert [row["predicted"] for row in rows] == ["B", "B"]
    assert [shown["pixels"] for shown in sheet["images"]] == [[[[0, 1, 0]] * 2] * 2] * 2


def test_an_image_file_is_read_at_limited_size(predicted, pngs, monkeypatch):
    asked = []

    def read(path, longest):
        asked.append(longest)
        return read_image(path, longest)

    monkeypatch.setattr(predictions, "read_image", read)
    predicted(pngs({"a.png": np.zeros((90, 90))}), shape=(2, 5), weights={"0.W": np.ones((4, 11))})
    assert asked == [5 * MAX_SCALE]


def test_only_one_image_file_is_in_memory_at_a_time(predicted, pngs):
    drawing = np.kron(glyph(20, 0), np.ones((2, 2)))[..., None] * [1, 1, 1]
    paths = pngs({f"{i}.png": drawing for i in range(20)})
    shape = {"shape": (18, 18), "weights": {"0.W": np.ones((4, 325), np.float32)}}
    one = samples.peak_memory(lambda: predicted(paths[:1], **shape))
    all_of_them = samples.peak_memory(lambda: predicted(paths, **shape))
    assert all_of_them < one + 180 * 180 * 3 * 4  # the size of one image as it is read


# ---- Unreadable files.


@pytest.mark.parametrize("n", [1, MAX_NAMED, MAX_NAMED + 1, MAX_NAMED + 25])
def test_all_unreadable_files_are_named_in_one_error(predicted, pngs, tmp_path, n):
    good, bad = pngs({"a.png": C, "b.png": D}), [tmp_path / f"bad {i}.png" for i in range(n)]
    for path in bad:
        path.write_bytes(b"seven")
    with pytest.raises(DataError) as caught:
        predicted([good[0], *bad, good[1]])
    first, *lines = str(caught.value).split("\n  ")
    assert first == "some files are not images:"
    for path, line in zip(bad[:MAX_NAMED], lines):
        assert line.startswith(f"{path} cannot be read as an image: ")
    more = n - MAX_NAMED
    assert lines[MAX_NAMED:] == ([f"and {more} more"] if more > 0 else [])
    assert not any((tmp_path / file).exists() for file in OUTPUTS.values())


def test_an_unreadable_array_file_is_named(predicted, tmp_path):
    path = tmp_path / "mine.npz"
    path.write_bytes(b"seven")
    with pytest.raises(DataError, match=f"^{re.escape(str(path))} cannot be read: "):
        predicted([path])
