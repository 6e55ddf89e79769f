"""Grading of homework: right, false, damaged and hostile tables and configurations."""

import re

import pytest
import yaml

import homework
from project import copy_with_small_data
from scratchnet.planning.runs import Runs

TRAINING = {"epochs": 2, "batch_size": 25, "learning_rate": 0.1}
SETTINGS = {"validation_fraction": 0.1, "training": TRAINING}
TITLES = "run,training.learning_rate,epochs,validation_accuracy,test_accuracy"


@pytest.fixture(scope="module")
def claim(tmp_path_factory):
    """A project that homework is repeated with, the name of a run, and its accuracies."""
    project = copy_with_small_data(tmp_path_factory.mktemp("small") / "project")
    project.configure(SETTINGS | {"sweep": {"training.seed": [0, 1]}})
    project.run("results/summary.csv")
    row, _ = homework.read_csv(project.results / "summary.csv")
    return project, row["run"], *(float(row[name]) for name in homework.ACCURACIES)


@pytest.fixture
def graded(claim, tmp_path, monkeypatch):
    """A function that grades ada.csv and ada.yaml of these contents."""
    project, *best = claim
    monkeypatch.setattr(homework, "CHECKOUT", project.folder)
    monkeypatch.setattr(homework, "DOWNLOADED", project.results / "data")

    def grade(table=None, settings=None):
        for suffix, content in ((".csv", table or write_table(*best)), (".yaml", settings)):
            if content is not None:
                (tmp_path / f"ada{suffix}").write_bytes(content)
        work = tmp_path / "work"
        work.mkdir()
        before = snapshot(project.folder)
        row = homework.grade_homework("ada", tmp_path, work)
        assert snapshot(project.folder) == before
        return row

    return grade


def snapshot(folder):
    """The files in a folder, and when they were written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def write_table(run, validation, test):
    other = "mnist-softmax-00000000,0.5,9"
    return f"{TITLES}\n{other},0.01,0.9\n{run},0.1,2,{validation},{test}\n{other},,\n".encode()


def as_yaml(settings):
    return yaml.safe_dump(settings).encode()


def test_the_run_that_is_claimed_is_repeated(graded, claim):
    _, run, validation, test = claim
    assert graded(settings=as_yaml(SETTINGS)) == {
        "run": run,
        "validation_accuracy": validation,
        "test_accuracy": test,
        "repeated": "yes",
    }


def test_a_false_accuracy_is_found(graded, claim):
    _, run, validation, test = claim
    row = graded(write_table(run, validation, min(1, test + 0.01)), as_yaml(SETTINGS))
    assert row["repeated"] == f"no: test_accuracy {test:.4f}"


def test_the_settings_of_another_run_are_found(graded, claim):
    other = SETTINGS | {"training": TRAINING | {"learning_rate": 0.2}}
    (place,) = Runs(other).wildcards
    assert place["run"] != claim[1]
    assert graded(settings=as_yaml(other))["repeated"] == f"no: it gives {place['run']}"


HOSTILE = {
    b"dataset: /etc": "dataset of one's own",
    b"dataset: [mnist]": "unhashable",
    b"download: {folder: /etc}": "may not set download,",
    b"predict: {images: /etc}": "may not set predict,",
    b"sweep: {training.seed: [0, 1]}": "may not set sweep,",
    b"search: {trials: 10000}": "may not set search,",
    b"b: &b [1, 1]\ntraining: [*b, *b]": "aliases",
    b"training: {epoks: 3}": "unknown key; did you mean epochs?",
    b"training: 3": "training",
    b"training: {epochs: 1": "",
    b"!!python/object/apply:os.system [exit]": "could not determine a constructor",
    b"[" * 9_000: "",
    b"\xff\x00": "",
    b"# " * 9_000: "too large",
}


@pytest.mark.parametrize("content", HOSTILE)
def test_a_damaged_or_hostile_configuration_is_not_run(graded, content, monkeypatch):
    monkeypatch.setattr(homework.subprocess, "Popen", None)
    repeated = graded(settings=content)["repeated"]
    assert repeated.startswith("no: ")
    assert HOSTILE[content] in repeated


def test_without_a_configuration_that_is_said(graded):
    assert graded()["repeated"].startswith("no: ada.yaml is missing")


@pytest.mark.parametrize(
    "content",
    [
        b"\n",
        b"\xff",
        b"\x00",
        b"a,b\n1,2\n",
        b"x" * 200_000,
        b"\n" * 2_000_000,
        f"{TITLES}\n=cmd(),0.1,2,0.9,0.9\n".encode(),
        f"{TITLES}\n../../x-00000000,0.1,2,0.9,0.9\n".encode(),
        f"{TITLES}\nmnist-softmax-00000000,0.1,2,nan,0.9\n".encode(),
        f"{TITLES}\nmnist-softmax-00000000,0.1,2,0.9,2\n".encode(),
        f"{TITLES}\nmnist-softmax-00000000,0.1,2,high,0.9\n".encode(),
        f"{TITLES}\nmnist-softmax-00000000,0.1,2\n".encode(),
    ],
)
def test_a_damaged_table_is_said(graded, content):
    row = graded(content, as_yaml(SETTINGS))
    assert row["repeated"].startswith("no table of runs: ")
    assert (row["run"], row["validation_accuracy"]) == ("", "")


HUGE = {
    "epochs": ({"training": TRAINING | {"epochs": 9999}}, "not finished after 5 seconds"),
    "units": ({"model": {"hidden": [100_000, 100_000]}}, "MemoryError"),
}


@pytest.mark.parametrize("what", HUGE)
def test_a_huge_training_is_ended(graded, monkeypatch, what):
    settings, text = HUGE[what]
    if what == "epochs":
        monkeypatch.setattr(homework, "SECONDS", 5)
    (place,) = Runs(SETTINGS | settings).wildcards
    repeated = graded(write_table(place["run"], 0.9, 0.9), as_yaml(SETTINGS | settings))["repeated"]
    assert re.match(f"no: {text}", repeated), repeated
