"""Files that were made to do harm: no text in them reaches the terminal or a result as it is."""

import os
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import samples
from hostile import HARMLESS, HOSTILE, assert_is_harmless
from scratchnet.files import read_csv, read_json

FORGED = "\x1b[2J\r\x85\u2028DataError: forged"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # Snakemake's own


def output_of(project, *arguments, code, **options):
    """What Snakemake prints, which must be harmless; `code` is the expected exit code."""
    process = project.snakemake(*arguments, **options)
    output = process.stdout + process.stderr
    assert process.returncode == code, output
    assert "Traceback" not in output
    assert_is_harmless(COLOURS.sub("", output), is_one_line=False)
    return output


def write_npz(path, **changes):
    """Write 60 images of 3 classes; `changes` are other members, or None for none."""
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.integers(0, 256, (60, 6, 5), np.uint8), "y_train": np.arange(60) % 3}
    contents = {name: samples.npy(array) for name, array in arrays.items()} | changes
    members = {f"{name}.npy": content for name, content in contents.items() if content is not None}
    path.write_bytes(samples.zipped(members))


@pytest.mark.parametrize("what", ["label", "member", "damage"])
def test_no_error_is_forged(new_project, what):
    """Neither in the terminal, nor in a log, nor in the table of failures."""
    labels = np.array(["a", "b", FORGED])[np.arange(60) % 3]
    changes = {
        "label": {"y_train": samples.npy(labels)},
        "member": {"x_train": None, FORGED: samples.npy(labels)},
        "damage": {FORGED: b"damaged"},
    }[what]
    write_npz(new_project.folder / "own.npz", **changes)
    new_project.configure({"dataset": "own.npz", "sweep": {"training.seed": [0, 1]}})
    assert "own.npz" in output_of(new_project, code=1)
    for log in new_project.results.glob("logs/**/*.log"):
        assert_is_harmless(log.read_text(), is_one_line=False)
    (partial,) = new_project.results.glob("sweeps/*/partial_summary.csv")
    errors = [row["error"] for row in read_csv(partial)]
    assert len(errors) == 2
    assert all(error.startswith("own.npz") and "forged" in error for error in errors)


def test_an_archive_of_a_forged_name_is_shown_in_one_line(new_project):
    path = new_project.folder / f"own{FORGED}\n.npz"
    path.write_bytes(b"damaged")
    new_project.configure({"dataset": path.name})
    output = output_of(new_project, code=1)
    assert r'"own\u001b[2J\r\u0085\u2028DataError: forged\n.npz" cannot be read' in output


@pytest.mark.parametrize(
    "name", [f"train{FORGED}-images-idx3", os.fsdecode(b"train-images\xff.idx3")]
)
def test_idx_files_may_have_any_names(new_project, name):
    own = new_project.folder / f"own{FORGED}"
    own.mkdir()
    files = samples.write_idx(own)
    files["train_images"].rename(own / name)
    for role in ("test_images", "test_labels"):
        files[role].unlink()
    new_project.configure({"dataset": own.name})
    output_of(new_project, code=0)
    (own / name).write_bytes(b"damaged")
    output_of(new_project, code=1)


def test_labels_may_be_any_text_that_prints(new_project):
    """Also in SVG, which is XML, and in tables, even if a spreadsheet takes it for a formula."""
    names = [*HARMLESS, "+", '"', ",", "=1+1"]
    labels = np.array(names)[np.arange(120) % len(names)]
    rng = np.random.default_rng(0)
    np.savez(
        new_project.folder / "own.npz",
        x_train=rng.integers(0, 256, (120, 6, 5), np.uint8),
        y_train=labels,
    )
    new_project.configure({"dataset": "own.npz", "plots": {"format": "svg"}})
    output_of(new_project, code=0)
    folder = new_project.run_folder / "epoch-0004"
    confusion = read_csv(folder / "confusion.csv")
    assert {row["label"] for row in confusion} == set(names)
    assert [row["class"] for row in read_json(folder / "metrics.json")["per_class"]] == sorted(
        names
    )
    for picture in folder.glob("*.svg"):
        ElementTree.parse(picture)


def test_files_to_predict_may_have_any_names(new_project):
    new_project.configure({"plots": {"format": "svg"}, "predict": {"images": "images"}})
    new_project.run()
    (new_project.folder / "images").mkdir()
    for text in HOSTILE.values():
        if text not in ("a\0b", "\ud800"):  # which no file name has
            path = new_project.folder / f"images/{text}.png"
            Image.fromarray(np.eye(6, 5, dtype=np.uint8) * 255).save(path)
    output_of(new_project, "predict", code=0)
    (folder,) = new_project.results.glob("predictions/*")
    ElementTree.parse(folder / "contact_sheet.svg")
    assert_is_harmless((folder / "predictions.csv").read_text(), is_one_line=False)
    path.write_bytes(b"no image")
    output = output_of(new_project, "predict", code=1)
    assert "cannot be read as an image" in output
