"""A failed stage never looks complete, however often the command is given."""

import os
import re
import subprocess
import sys

import pytest

from expected import AUGMENTED, COMPARISON, ENSEMBLE, ON_REQUEST, SEARCH, once
from failing import fail_and_repeat
from project import set_key
from scratchnet.files import read_csv
from scratchnet.planning.stage_settings import READS


@pytest.mark.slow
@pytest.mark.parametrize("stage", [stage for stage in READS if stage != "publish_run"])
def test_a_failed_stage_runs_again_until_it_succeeds(request, stage):
    kinds = {
        **dict.fromkeys(COMPARISON, "sweep_project"),
        **dict.fromkeys(SEARCH, "search_project"),
        **dict.fromkeys(ON_REQUEST, "project_on_request"),
        **dict.fromkeys(ENSEMBLE, "sweep_project"),
    }
    project = request.getfixturevalue(kinds.get(stage, "project"))
    if stage in AUGMENTED:
        set_key(project, "augmentation.shift", 1)
    fail_and_repeat(project, stage, times=2 if stage == "plot_history" else 1)


@pytest.mark.slow
def test_a_failure_after_an_edit_leaves_no_old_picture_that_looks_current(project):
    """Plain Snakemake says "Nothing to be done" here, for the picture as for everything."""
    picture = project.run_folder.relative_to(project.folder) / "epoch-0004/history.png"
    losses = project.folder / "workflow/scripts/scratchnet/nn/losses.py"
    source = losses.read_text()
    losses.write_text(source + "\nraise OSError('broken on purpose')\n")
    assert project.snakemake().returncode == 1
    assert project.plan(picture) == once({"train", "evaluate", "plot_history"})
    losses.write_text(source)
    project.run(picture)
    assert project.plan(picture) == {}


def partial_summary(project):
    """Where the table of a sweep lies that failed; the only one in the project."""
    (path,) = project.results.glob("sweeps/*/partial_summary.csv")
    return path


def test_one_failing_run_does_not_stop_the_others_and_the_summary_names_it(project, finished):
    rates = {"training.learning_rate": [0.1, 1e38], "training.seed": [0, 1]}
    project.configure({"model": {"hidden": [5]}, "sweep": rates})
    process = project.snakemake()
    assert process.returncode == 1
    assert "2 of 4 runs are complete" in process.stdout
    partial = partial_summary(project)
    rows = read_csv(partial)
    assert f"{partial.relative_to(project.folder)} lists all of them" in process.stdout
    assert [row["training.learning_rate"] for row in rows] == ["0.1", "0.1", "1e+38", "1e+38"]
    for row in rows[:2]:
        assert float(row["test_accuracy"]) > 0
        assert row["error"] == ""
        assert (project.folder / row["folder"] / "metrics.json").exists()
    for row in rows[2:]:
        assert row["test_accuracy"] == ""
        assert re.match(r"training diverged in epoch [12] of 4", row["error"])
        named = (
            f"  learning_rate 1e+38, seed {row['training.seed']} ({row['folder']}): training div"
        )
        assert named in process.stdout
        assert not list((project.folder / row["folder"]).parent.rglob("*.npz"))
    message = (
        r"training diverged in epoch 1 of 4: the loss is nan at batch .*learning rate of 1e\+38"
    )
    assert re.search(message, process.stdout + process.stderr)
    # The summary and the link are as they were.
    summary = project.results / "summary.csv"
    assert summary.read_bytes() == (finished.results / "summary.csv").read_bytes()
    assert (project.results / "latest").readlink().name == finished.run_folder.name
    # Only what failed is tried again.
    plan = project.plan()
    assert plan["train"] == plan["evaluate"] == 2
    assert plan["summarize"] == 1
    assert "preprocess" not in plan
    # Without what failed, the sweep has a summary of its own.
    set_key(project, "sweep", rates | {"training.learning_rate": [0.1]})
    project.run()
    assert [row["error"] for row in read_csv(summary)] == ["", ""]
    assert project.plan() == {}


@pytest.mark.slow
def test_a_sweep_that_failed_leaves_no_summary_where_none_was(new_project):
    new_project.configure(
        {"model": {"hidden": [5]}, "sweep": {"training.learning_rate": [0.1, 1e38]}}
    )
    assert new_project.snakemake().returncode == 1
    assert len(read_csv(partial_summary(new_project))) == 2
    assert not (new_project.results / "summary.csv").exists()
    assert not (new_project.results / "latest").exists()
    assert new_project.plan()["summarize"] == 1


@pytest.mark.slow
def test_a_table_of_failures_does_not_outlive_the_edit_that_caused_them(sweep_project):
    summary = sweep_project.results / "summary.csv"
    layers = sweep_project.folder / "workflow/scripts/scratchnet/nn/layers.py"
    source, before = layers.read_text(), summary.read_bytes()
    losses = [row["test_loss"] for row in read_csv(summary)]
    layers.write_text(source + "\nraise OSError('broken on purpose')\n")
    assert sweep_project.snakemake().returncode == 1
    partial = partial_summary(sweep_project)
    assert len(read_csv(partial)) == 2
    assert all(row["error"] for row in read_csv(partial))
    assert summary.read_bytes() == before
    layers.write_text(source)
    sweep_project.run()
    assert not partial.exists()
    assert [row["test_loss"] for row in read_csv(summary)] == losses
    assert sweep_project.plan() == {}


@pytest.mark.slow
def test_a_name_that_is_not_utf_8_is_shown_in_an_error_with_its_bytes_escaped(project):
    own = project.folder / "own"
    own.mkdir()
    for name in (b"train-images-\xff.idx3", b"train-images.idx3", b"train-labels.idx1"):
        (own / os.fsdecode(name)).touch()
    project.configure({"dataset": "own"})
    process = project.snakemake()
    assert process.returncode == 1
    assert r"train-images-\xff.idx3 and train-images.idx3 may both be the" in process.stderr


@pytest.mark.slow
def test_failures_are_listed_in_a_terminal_without_unicode(new_project):
    (new_project.folder / "ümläut.npz").write_text("not an archive")
    new_project.configure({"dataset": "ümläut.npz", "sweep": {"training.seed": [0, 1]}})
    process = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2"],
        cwd=new_project.folder,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert process.stdout.count(r"\xfcml\xe4ut.npz cannot be read") == 2
    assert "UnicodeEncodeError" not in process.stderr
