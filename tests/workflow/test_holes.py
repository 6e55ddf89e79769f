"""What once led to a wrong result with exit code 0, or to no result at all, each by its name.

tests/differential looks for what nobody has thought of yet.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from expected import AFTER_TRAINING, once
from project import EDIT, append, planned, set_key, write_own_npz
from scratchnet.files import read_csv

pytestmark = pytest.mark.slow

LIBRARY = "workflow/scripts/scratchnet"


class Edit:
    """An edit of a file that can be undone."""

    def __init__(self, path, text=EDIT):
        self.path, self.before = path, path.read_text()
        append(path, text)

    def undo(self):
        self.path.write_text(self.before)


# ---- 1. A stale job hides stale or missing results behind it.


def only_run(project):
    """The run folder in the only row of summary.csv, with its epoch."""
    (row,) = read_csv(project.results / "summary.csv")
    return row["folder"]


def test_a_stale_checkpoint_nobody_needs_hides_nothing(project):
    edit = Edit(project.folder / LIBRARY / "nn/layers.py")
    project.configure({"training": {"epochs": 2}})
    project.run()
    edit.undo()
    project.configure({})
    (project.run_folder / "epoch-0004/weights.png").unlink()
    assert planned(project.run()) == once({"plot_weights", "summarize"})
    assert only_run(project).endswith("epoch-0004")
    assert project.plan() == {}


def test_a_single_target_made_with_other_code_hides_nothing(project):
    run = project.run_folder.relative_to(project.folder)
    edit = Edit(project.folder / LIBRARY / "nn/layers.py")
    project.run(run / "checkpoints/epoch-0004.npz")
    edit.undo()
    (project.run_folder / "epoch-0004/weights.png").unlink()
    assert planned(project.run()) == once({"train", "plot_weights"})
    assert project.plan() == {}


def test_deleted_records_of_stages_in_between_hide_nothing(project):
    (data,) = project.results.glob("data/mnist-*")
    (data / ".X_train.npy.record").unlink()
    (project.run_folder / "epoch-0004/.metrics.json.record").unlink()
    set_key(project, "plots.style", "dark_background")
    plots = {stage for stage in AFTER_TRAINING if stage.startswith("plot_")}
    assert planned(project.run()) == once({"preprocess", "evaluate"} | plots)
    assert project.plan() == {}


# ---- 2. After a failure, "Nothing to be done", with the wrong summary for good.


def test_own_data_that_are_damaged_run_and_restored_end_with_their_own_summary(deep_project):
    own, summary = deep_project.folder / "own.npz", deep_project.results / "summary.csv"
    content, before = own.read_bytes(), summary.read_bytes()
    own.write_bytes(content[:1000])
    assert deep_project.snakemake().returncode == 1
    own.write_bytes(content)
    assert deep_project.plan() == {}
    assert summary.read_bytes() == before


# ---- 3. .snakemake deleted after an edit that was undone.


def test_without_snakemake_an_undone_edit_is_seen_in_the_summary(project):
    before = only_run(project)
    project.run("--config", "training={learning_rate: 0.1}")
    assert only_run(project) != before
    shutil.rmtree(project.folder / ".snakemake")
    assert planned(project.run()) == {"summarize": 1}
    assert only_run(project) == before
    assert str((project.results / "latest").readlink()) in before


# ---- 4. Own data with a modification time in the future never run.


def test_own_data_of_the_future_run(new_project):
    own = new_project.folder / "own.npz"
    write_own_npz(own)
    moment = time.time() + 2 * 86400
    os.utime(own, (moment, moment))
    new_project.configure({"dataset": "own.npz"})
    new_project.run()
    assert new_project.plan() == {}
    assert own.stat().st_mtime == moment


@pytest.mark.parametrize("what", ["results", ".snakemake", "workflow"])
def test_files_of_the_future_hide_no_edit(project, what):
    moment = time.time() + 1e6
    for path in (project.folder / what).rglob("*"):
        os.utime(path, (moment, moment))
    assert project.plan() == {}
    append(project.folder / LIBRARY / "evaluation/evaluation.py")
    assert planned(project.run()) == once(AFTER_TRAINING)
    assert project.plan() == {}


# ---- 5. Killed, then data deleted.


@pytest.mark.parametrize("complete", [True, False])
def test_killed_while_training_and_then_data_deleted(project, complete):
    """As Snakemake leaves it: the mark of an incomplete job, for a result that may be complete."""
    checkpoint = project.run_folder / "checkpoints/epoch-0004.npz"
    name = str(checkpoint.relative_to(project.folder))
    incomplete = project.folder / ".snakemake/incomplete"
    incomplete.mkdir(exist_ok=True)
    (incomplete / base64.b64encode(name.encode()).decode()).touch()
    if not complete:
        checkpoint.with_name(f".{checkpoint.name}.record").unlink()
    (data,) = project.results.glob("data/mnist-*")
    shutil.rmtree(data)
    stages = {"preprocess"} | (set() if complete else {"train"})
    assert planned(project.run()) == once(stages)
    assert project.plan() == {}


# ---- 6. `latest` stays wrong.


def test_latest_goes_with_the_summary_whoever_asked_for_it(project):
    first = (project.results / "latest").readlink()
    project.run("--config", "training={learning_rate: 0.1}")
    assert (project.results / "latest").readlink() != first
    project.run("results/summary.csv")
    assert (project.results / "latest").readlink() == first
    assert project.plan() == {}


@pytest.mark.parametrize("target", [["--until", "train"], ["--omit-from", "evaluate"]])
def test_a_part_of_a_run_shows_no_other_run_as_its_outcome(project, target):
    link = (project.results / "latest").readlink()
    output = project.run("--config", "training={learning_rate: 0.1}", *target)
    assert "test_accuracy" not in output
    assert (project.results / "latest").readlink() == link


def test_latest_is_no_place_for_something_else(project):
    latest = project.results / "latest"
    latest.unlink()
    latest.mkdir()
    set_key(project, "training.seed", 1)
    process = project.snakemake()
    assert process.returncode == 1
    assert "results/latest is not a link: move it away" in process.stdout + process.stderr


# ---- 7. Stale stages are listed as reused.


def test_what_is_stale_is_not_said_to_be_reused(project):
    append(project.folder / LIBRARY / "nn/layers.py")
    output = project.run("--omit-from", "evaluate")
    assert not re.search(r"Reused:.*(evaluate|summarize)", output)


# ---- 8. Other code runs than the record describes.

EDITED = '\nraise SystemExit("EDITED")\n'


@pytest.fixture(params=["PYTHONPATH", "site-packages"])
def other_library(request, project, tmp_path):
    """The environment of somebody who has another copy of the library, installed or on a path."""
    folder = tmp_path / "elsewhere"
    shutil.copytree(project.folder / LIBRARY, folder / "scratchnet")
    if request.param == "PYTHONPATH":
        return {"PYTHONPATH": str(folder)}
    # A user's own site-packages come where those of an environment come: before a script's folder.
    user = tmp_path / "user"
    code = "import site; print(site.getusersitepackages())"
    environment = os.environ | {"PYTHONUSERBASE": str(user)}
    site = subprocess.run(
        [sys.base_prefix + "/bin/python3", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    shutil.copytree(folder, site)
    return {"PYTHONPATH": "", "PYTHONUSERBASE": str(user), "site": site}


def test_the_library_of_the_checkout_wins(project, other_library):
    append(project.folder / LIBRARY / "nn/optimizers.py", EDITED)
    process = project.snakemake(env=other_library)
    assert process.returncode == 1
    assert "EDITED" in process.stdout + process.stderr
    assert planned(project.run("-n", env=other_library))["train"] == 1


def test_a_library_that_comes_first_by_force_counts(project, tmp_path):
    """As with a .pth file or a `sys.path` of one's own."""
    other = tmp_path / "elsewhere"
    shutil.copytree(project.folder / LIBRARY, other / "scratchnet")
    script = project.folder / "workflow/scripts/evaluate.py"
    first = "from snakefresh import recorded\n"
    insert = f"\nimport sys\n\nsys.path.insert(0, {str(other)!r})\n"
    script.write_text(script.read_text().replace(first, first + insert))
    project.run()
    assert project.plan() == {}
    append(other / "scratchnet/evaluation/evaluation.py")
    assert project.plan() == once(AFTER_TRAINING)


def test_code_that_changes_while_it_runs_is_recorded_as_it_ran(project):
    """The script of training edits a module that it has imported, and one that follows."""
    edited = [project.folder / LIBRARY / f"{name}.py" for name in ("nn/layers", "evaluation/plots")]
    script = project.folder / "workflow/scripts/train.py"
    source = script.read_text()
    for path in edited:
        append(script, f"\nopen({str(path)!r}, 'a').write({EDIT!r})\n")
    project.run()
    script.write_text(source)
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)
    assert project.plan() == {}
