"""Files that change between planning and the job that reads them: no result has another content
than its name says."""

import numpy as np
import pytest

from project import write_own_npz
from scratchnet.files import hash_file


def change_when_run(project, script, statements):
    """Let a script begin with `statements`, as if somebody did this while jobs were waiting."""
    path = project.folder / f"workflow/scripts/{script}.py"
    original = path.read_text()
    path.write_text(f"{statements}\n{original}")
    return lambda: path.write_text(original)


def test_own_data_that_change_after_planning_are_refused(new_project):
    own, other = new_project.folder / "own.npz", new_project.folder / "other.npz"
    write_own_npz(own, seed=0)
    write_own_npz(other, seed=1)
    before, after = hash_file(own), hash_file(other)
    new_project.configure({"dataset": "own.npz"})
    restore = change_when_run(
        new_project, "preprocess", f"__import__('shutil').copy({str(other)!r}, {str(own)!r})"
    )
    process = new_project.snakemake()
    assert process.returncode == 1
    message = f"own.npz changed while it was in use: the sha256 was {before}, and is {after} now"
    assert message in process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    assert not list(new_project.results.glob("data/*/*.npy"))
    restore()
    new_project.run("--until", "preprocess")
    assert list(new_project.results.glob("data/*/X_train.npy"))
    write_own_npz(own, seed=1)
    assert new_project.plan("--until", "preprocess") == {}


def test_downloaded_files_that_change_before_preprocessing_are_refused(new_project):
    raw = new_project.results / "data/mnist/train-images-idx3-ubyte"
    restore = change_when_run(
        new_project,
        "preprocess",
        f"p = __import__('pathlib').Path({str(raw)!r}); p.write_bytes(p.read_bytes()[:-1] + b'7')",
    )
    process = new_project.snakemake()
    assert process.returncode == 1
    assert "train-images-idx3-ubyte is damaged, or was edited" in process.stdout + process.stderr
    assert not list(new_project.results.glob("data/mnist-*/*.npy"))
    raw.unlink()  # as one who sees the message would
    restore()
    new_project.run("--until", "preprocess")


@pytest.mark.parametrize("file", ["image", "network"])
def test_what_predict_reads_and_that_changes_after_planning_is_refused(project_on_request, file):
    project = project_on_request
    (checkpoint,) = project.run_folder.glob("checkpoints/*.npz")
    images = project.folder / "own-images.npy"
    np.save(images, np.zeros((3, 6, 5), np.uint8))
    path = {"image": images, "network": checkpoint}[file]
    change_when_run(
        project, "predict_images", f"open({str(path)!r}, 'ab').write(b'something more')"
    )
    process = project.snakemake("predict", "--config", f"predict={{images: {images}}}")
    assert process.returncode == 1
    assert f"{path.name} changed while it was in use" in process.stdout + process.stderr
    assert not list(project.results.glob("predictions/own_images-*/predictions.csv"))
