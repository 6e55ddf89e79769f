"""Folders of image files: what makes them stale, and that they are predicted as they were read."""

import os
import shutil

import pytest
from PIL import Image

from configs import LEAVES
from expected import RUN, once
from project import Project, copy_with_small_data, planned, set_key, share_project, write_own_images
from scratchnet.files import read_csv, read_json

STALE = once({"preprocess"} | RUN)


@pytest.fixture(scope="module")
def finished_images(tmp_path_factory):
    """A project like `finished` with a folder of images of one's own, in its folder."""

    def make(folder):
        project = copy_with_small_data(folder)
        write_own_images(folder / "own")
        project.configure({"dataset": "own"})
        project.run()

    return share_project(tmp_path_factory, "finished images", make)


@pytest.fixture
def project(finished_images, tmp_path):
    """A copy of it, with the times of its files."""
    folder = tmp_path / "a copy"
    shutil.copytree(finished_images.folder, folder, symlinks=True)
    return Project(folder)


EDITS = {"image.size": [3, 4], "image.mode": "colour", "image.skip_damaged": True}


@pytest.mark.parametrize("key", [key for key in LEAVES if key.startswith("image.")])
def test_an_edited_key_runs_what_depends_on_it(project, key):
    set_key(project, key, EDITS[key])
    assert project.plan() == STALE


def invert(path):
    Image.eval(Image.open(path), lambda pixel: 255 - pixel).save(path)


CHANGES = {
    "added": lambda own: shutil.copy(own / "a/00.png", own / "a/new.png"),
    "removed": lambda own: (own / "a/00.png").unlink(),
    "renamed": lambda own: (own / "a/00.png").rename(own / "a/zz.png"),
    "in another class": lambda own: (own / "a/00.png").rename(own / "b/00.png"),
    "a class renamed": lambda own: (own / "a").rename(own / "d"),
    "changed": lambda own: invert(own / "a/00.png"),
    "a table added": lambda own: (own / "labels.csv").write_text(
        "file,label\n" + "".join(f"{path.relative_to(own)},a\n" for path in own.glob("*/*"))
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_the_folder_runs_what_depends_on_the_images(project, change):
    assert project.plan() == {}
    CHANGES[change](project.folder / "own")
    assert project.plan() == STALE


def test_a_change_that_leaves_size_and_times_is_seen_by_its_ctime(project):
    path = project.folder / "own/a/00.png"
    before, content = path.stat(), path.read_bytes()
    assert project.plan() == {}
    path.write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert project.plan() == STALE
    path.write_bytes(content)
    assert project.plan() == {}


def test_touched_moved_and_linked_images_and_other_files_run_nothing(project):
    own = project.folder / "own"
    for path in own.glob("*/*"):
        os.utime(path, (2_000_000_000, 2_000_000_000))
    (own / ".DS_Store").touch()
    (own / "a/Thumbs.db").touch()
    (own / "a/loop").symlink_to(own)
    (own / "README.txt").touch()
    assert project.plan() == {}
    own.rename(project.folder / "elsewhere")
    own.symlink_to("elsewhere")
    shutil.rmtree(project.folder / ".snakemake")
    assert project.plan() == {}


@pytest.mark.slow
def test_images_are_hashed_once(project):
    """A file whose size and times are as before is not read again."""
    (memory,) = project.folder.glob(".snakemake/scratchnet/*.json")
    memory.unlink()
    project.plan()
    (memory,) = project.folder.glob(".snakemake/scratchnet/*.json")
    text, name = memory.read_text(), "a/00.png"
    sha256 = read_json(memory)[name][-1]
    memory.write_text(text.replace(sha256, "0" * 64))
    assert project.plan() == STALE
    memory.write_text("damaged")
    assert project.plan() == {}


@pytest.mark.slow
def test_image_files_are_predicted_as_they_were_when_tested(project):
    """Also if they have another size, or are in colour."""
    set_key(project, "dataset", "photographs")
    for path in (project.folder / "own").glob("*/*"):
        for split in ("train", "test"):
            copy = project.folder / "photographs" / split / path.relative_to(project.folder / "own")
            copy.parent.mkdir(parents=True, exist_ok=True)
            Image.open(path).resize((9 + len(split), 14)).convert("RGB").save(copy)
    set_key(project, "image", {"size": [7, 8], "mode": "grey"})
    assert planned(project.run()) == STALE
    set_key(project, "predict.images", "photographs/test")
    project.run("predict")
    (path,) = project.results.glob("predictions/*/predictions.csv")
    (tested,) = project.results.glob("runs/photographs-*/epoch-0004/predictions.csv")
    found = [[row[key] for key in ("predicted", "probability")] for row in read_csv(path)]
    expected = [[row[key] for key in ("predicted", "probability")] for row in read_csv(tested)]
    assert len(found) == 60 and found == expected


@pytest.mark.slow
def test_damaged_files_are_named_together_or_left_out(project):
    own = project.folder / "own"
    for name in ("a/00.png", "b/01.png"):
        (own / name).write_bytes((own / name).read_bytes()[:50])
    process = project.snakemake()
    assert process.returncode == 1
    said = " ".join((process.stdout + process.stderr).split())
    assert "2 of 60 images are damaged: own/a/00.png cannot be read as an image: " in said
    assert "skip_damaged: true" in said and "Traceback" not in said
    set_key(project, "image.skip_damaged", True)
    project.run()
    manifests = project.results.glob("data/own-*/manifest.json")
    found = [read_json(path) for path in manifests]
    (damaged,) = [each for each in found if each["image_files"]["damaged"]]
    assert damaged["image_files"]["damaged"] == ["a/00.png", "b/01.png"]
    assert damaged["arrays"]["X_train"]["shape"] == [30, 49]
    assert damaged["arrays"]["X_test"]["shape"] == [30, 9]
