"""Archives of runs: what is in them, the same bytes each time; and which are refused."""

import hashlib
import json
import random
import re
import subprocess
import sys
import zipfile

import pytest

from project import CHECKOUT
from scratchnet.errors import DataError
from scratchnet.interop.bundle import SUMS, bundle_run, check_bundle

FOLDER = "mnist-mlp-1a2b3c4d-epoch-0002"
SETTINGS = {
    "dataset": "mnist",
    "model.hidden": [30],
    "model.activation": "relu",
    "training.patience": None,
    "classes": ["cat", "a|b <i>*x*"],
}
PER_CLASS = [
    {"class": "cat", "images": 80, "precision": 0.9, "recall": 0.75, "f1": 0.8182},
    {"class": "a|b <i>*x*", "images": 20, "precision": None, "recall": 0.0, "f1": 0.0},
    {"class": "none", "images": 0, "precision": 0.0, "recall": None, "f1": 0.0},
]
METRICS = {
    "epochs": 2,
    "train_loss": 0.5,
    "train_accuracy": 0.7,
    "test_loss": 0.6,
    "test_accuracy": 0.6,
    "test_accuracy_interval": [0.5, 0.69],
    "test_balanced_accuracy": 0.375,
    "test_macro_f1": 0.2727,
    "calibration_error": 0.1,
    "per_class": PER_CLASS,
    "notes": ["learned nothing: the loss stayed at 2.3"],
}
MANIFEST = {
    "image_shape": [28, 28],
    "arrays": {
        f"Y_{split}": {"shape": [3, n]}
        for split, n in (("train", 6000), ("validation", 0), ("test", 100))
    },
}
CALIBRATION = """from,to,images,confidence,accuracy
0.5,0.6,90,0.55,0.5
0.9,1.0,10,0.95,1.0
"""


@pytest.fixture
def make(tmp_path):
    """A function that bundles a small made-up run and returns the path of the archive."""

    def bundle(name="run.zip", seconds=1.0, settings=SETTINGS, calibration=CALIBRATION):
        files = {
            "record": json.dumps(
                {"epochs": 2, "seconds": seconds, "environment": {"python": "3.11.7"}}
            ),
            "manifest": json.dumps(MANIFEST),
            "metrics": json.dumps(METRICS),
            "calibration": calibration,
        }
        for each in ("checkpoint", "history", "predictions", "confusion", "config", "readme"):
            files[each] = f"the {each}"
        files["arrays"] = "PK the network"
        for each, text in files.items():
            (tmp_path / each).write_text(text)
        picture = tmp_path / "history.png"
        picture.write_text("a picture")
        paths = {each: tmp_path / each for each in files}
        bundle_run(tmp_path / name, FOLDER, paths, [picture], settings)
        return tmp_path / name

    return bundle


def contents(archive):
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_bundle_has_the_run_and_the_checksums_of_its_files(make):
    archive = make()
    found = {name.removeprefix(f"{FOLDER}/"): data for name, data in contents(archive).items()}
    assert {*found} == {
        "README.md",
        "SHA256SUMS",
        "checkpoint.npz",
        "config.yaml",
        "manifest.json",
        "metrics.json",
        "record.json",
        "history.csv",
        "predictions.csv",
        "confusion.csv",
        "calibration.csv",
        "network/network.npz",
        "network/README.md",
        "pictures/history.png",
    }
    assert found["checkpoint.npz"] == b"the checkpoint"
    sums = dict(line.split("  ")[::-1] for line in found.pop(SUMS).decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert check_bundle(archive) == (FOLDER, 14, digest)


def test_it_is_the_same_bytes_however_long_the_training_took(make):
    once, again = make("one.zip", seconds=1.0), make("two.zip", seconds=2.0)
    assert once.read_bytes() == again.read_bytes()


# ---- The model card.


def card_of(archive):
    return contents(archive)[f"{FOLDER}/README.md"].decode()


def test_the_card_has_metrics_by_class_with_intervals_calibration_and_limits(make):
    card = card_of(make())
    text = " ".join(card.split())
    for part in (
        f"# Model Card for {FOLDER}",
        "Its test accuracy is 60.00% (50.00% to 69.00%).",
        "6,000 training images, 0 validation images and 100 test images",
        "| `training.patience` | `null` |",
        "| balanced test accuracy | 37.50% |",
        "| cat | 80 | 75.0% | 64.5% to 83.2% | 90.0% | 81.8% |",
        "Its mean is 59.0%, and 55.0% are correct: the network is neither over- nor under",
        "| 90% to 100% | 10 | 95.0% | 100.0% | 72.2% to 100.0% |",
        "learned nothing\\: the loss stayed at 2\\.3.",
        "classes without test images\\: none",
        "so that their accuracy says little: 1.",
        "neural network with a hidden layer of 30 units, relu",
        "![pictures/history.png](pictures/history.png)",
        "| python | `3.11.7` |",
    ):
        assert part in text
    assert "not published" not in card


def test_bins_after_temperature_scaling_are_not_those_of_the_network(make):
    head, *rows = CALIBRATION.splitlines()
    lines = [f"temperature,{head}", *(f"1.0,{row}" for row in rows), "0.5,0.5,0.6,100,0.56,0.5"]
    card = card_of(make(calibration="\n".join(lines) + "\n"))
    assert card.count("| 50% to 60% |") == 1
    assert "Its mean is 59.0%" in card


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.35, "is underconfident"), (0.85, "is overconfident")]
)
def test_the_card_says_if_confidence_and_accuracy_differ_by_more_than_chance(
    make, confidence, words
):
    table = f"from,to,images,confidence,accuracy\n0.5,0.6,100,{confidence},0.6\n"
    assert words in card_of(make(calibration=table))


def test_names_of_classes_stay_text_in_the_card(make):
    card = card_of(make())
    assert "a|b" not in card and "<i>" not in card and "*x*" not in card
    row = next(line for line in card.splitlines() if line.startswith("| a\\|b"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 7


def test_of_own_data_the_card_says_that_the_path_is_to_be_set(make):
    assert "write the path of your copy" in card_of(make(settings=SETTINGS | {"content": "1a2b"}))


def test_the_card_has_the_headings_of_hugging_face(make):
    headings = re.findall(r"^## (.*)", card_of(make()), re.MULTILINE)
    assert headings == [
        "Model Details",
        "Uses",
        "Bias, Risks, and Limitations",
        "How to Get Started with the Model",
        "Training Details",
        "Evaluation",
        "Technical Specifications",
    ]


# ---- What is refused.


def repack(archive, change, **options):
    """Write `archive` again with {name: content} as `change` leaves it."""
    files = contents(archive)
    change(files)
    with zipfile.ZipFile(archive, "w", **options) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content)


def drop(name):
    return lambda files: files.pop(f"{FOLDER}/{name}")


def put(name, content=b"x"):
    return lambda files: files.update({name: content})


def drop_listed(files):
    """Remove a required file, and its line in the checksums."""
    del files[f"{FOLDER}/config.yaml"]
    lines = files[f"{FOLDER}/{SUMS}"].splitlines(keepends=True)
    files[f"{FOLDER}/{SUMS}"] = b"".join(line for line in lines if b"config.yaml" not in line)


REFUSED = {
    "a changed file": (put(f"{FOLDER}/config.yaml"), "config.yaml is damaged"),
    "a missing file": (drop("metrics.json"), "metrics.json is missing"),
    "a missing file that is not listed": (drop_listed, "config.yaml is missing"),
    "no checksums": (drop(SUMS), "SHA256SUMS is missing"),
    "a file more": (put(f"{FOLDER}/more.py"), "more.py is not in SHA256SUMS"),
    "checksums that are none": (
        put(f"{FOLDER}/{SUMS}", b"no sums\n"),
        "is damaged, or is not an archive",
    ),
    "checksums that are no text": (
        put(f"{FOLDER}/{SUMS}", b"\xff"),
        "is damaged, or is not an archive",
    ),
    "a second folder": (put("other/config.yaml"), "it has 2 folders"),
    **{
        f"the name {name!r}": (put(name), "is not the name of a file in the folder of a run")
        for name in (
            "/etc/passwd",
            "../config.yaml",
            f"{FOLDER}/../../x",
            f"{FOLDER}/./x",
            "config.yaml",
            f"{FOLDER}/.bashrc",
            f"{FOLDER}\\x",
            "C:/x",
            f"{FOLDER}/x\x1b[2J",
            f"{FOLDER}/a/",
            f"{FOLDER}/\u202egnp.exe",
            "-/x y",
        )
    },
    "nothing else but another packer": (lambda files: None, "packed by something else"),
    "nothing": (lambda files: files.clear(), "it has 0 folders"),
}


def refusal(archive):
    with pytest.raises(DataError) as error:
        check_bundle(archive)
    message = str(error.value)
    assert message.startswith(str(archive)) and "\n" not in message and "\x1b" not in message
    return message


@pytest.mark.parametrize(("change", "words"), REFUSED.values(), ids=REFUSED)
def test_an_archive_that_is_no_whole_run_is_refused(make, change, words):
    archive = make()
    repack(archive, change)
    assert words in refusal(archive)


def test_what_would_unpack_to_more_than_there_is_is_refused(make):
    archive = make()
    content = b"0" * 10_000_000
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(f"{FOLDER}/config.yaml", content)
    assert "config.yaml is compressed" in refusal(archive)
    archive = make()
    with zipfile.ZipFile(archive, "a") as packed:  # many entries for the same bytes
        packed.writestr(f"{FOLDER}/more", b"")
        packed.filelist *= 50
    assert "its files are larger than it is" in refusal(archive)


@pytest.mark.parametrize("place", ["before", "after"])
def test_bytes_beside_the_archive_are_refused(make, place):
    archive = make()
    content = archive.read_bytes()
    archive.write_bytes(b"#!/bin/sh\n" + content if place == "before" else content + b"more")
    assert refusal(archive)


def test_two_files_of_one_name_are_refused(make):
    archive = make()
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(archive, "a") as packed,
    ):
        packed.writestr(f"{FOLDER}/config.yaml", b"the config")
    assert "something else in it" in refusal(archive)


def test_any_damage_is_one_sentence(make):
    archive, chance = make(), random.Random(0)
    whole = archive.read_bytes()
    for _ in range(1000):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        archive.write_bytes(damaged[: chance.choice([len(whole), chance.randrange(len(whole))])])
        assert refusal(archive)


def test_the_tool_says_what_it_found(make, tmp_path):
    archive = make()
    tool = CHECKOUT / "workflow/tools/check_bundle.py"

    def check(path):
        command = [sys.executable, tool, path]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    found = check(archive)
    assert (found.returncode, found.stderr) == (0, "")
    assert f"{FOLDER}, 14 files" in found.stdout
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in found.stdout
    archive.write_bytes(archive.read_bytes()[:-30])
    for path in (archive, tmp_path / "nowhere.zip", tmp_path):
        found = check(path)
        assert found.returncode == 1
        assert len(found.stderr.splitlines()) == 1
        assert "Traceback" not in found.stderr
