"""Exactly what is stale runs: each row of the contract, as the jobs that Snakemake plans.

The expectations are written by hand. Every plan is that of a project in which all results are
there; `MATRIX` is also the table in the README.
"""

import os
import shutil
import subprocess
from collections import Counter

import pytest
import yaml

from project import CHECKOUT, Project, planned
from scratchnet.config import leaves, load_schema

PLOTS = {"plot_loss", "plot_misclassified", "plot_confusion", "plot_weights"}
AFTER_TRAINING = {"evaluate", "summarize"} | PLOTS
RUN = {"describe", "train"} | AFTER_TRAINING
DATA = {"download", "preprocess"}

# For every key of config.yaml: another value, and what runs after the edit. Where only one value is
# allowed there is none to change to.
MATRIX = {
    "dataset": ("other", DATA | RUN),
    "validation_fraction": (0.25, {"preprocess"} | RUN),
    "download.folder": ("elsewhere", set()),
    "download.timeout": (3, set()),
    "model.hidden": ([7], RUN),
    "model.activation": (None, RUN),
    "training.epochs": (6, {"train"} | AFTER_TRAINING),
    "training.batch_size": (20, RUN),
    "training.optimizer": (None, RUN),
    "training.learning_rate": (0.5, RUN),
    "training.momentum": (0.5, RUN),
    "training.seed": (1, RUN),
    "training.checkpoint_every": (2, set()),
    "sweep": ({"training.seed": [0, 1]}, RUN),
    "plots.misclassified": (3, {"plot_misclassified"}),
    "plots.seed": (1, {"plot_misclassified"}),
    "plots.style": ("default", PLOTS),
}

# What runs after an edit of a module: the stages that import it, directly or not, and what follows.
EVERYTHING = DATA | RUN
MODULES = {
    "errors": EVERYTHING,
    "files": EVERYTHING,
    "job": EVERYTHING,
    "datasets": EVERYTHING - {"describe"},
    "idx": EVERYTHING - {"describe"},
    "preprocessing": EVERYTHING - {"describe", "download"},
    "settings": {"describe"},
    "streams": EVERYTHING - {"describe", "download"},
    "layers": {"train"} | AFTER_TRAINING,
    "losses": {"train"} | AFTER_TRAINING,
    "optimizers": {"train"} | AFTER_TRAINING,
    "network": {"train"} | AFTER_TRAINING,
    "batches": {"train"} | AFTER_TRAINING,
    "training": {"train"} | AFTER_TRAINING,
    "checkpoints": {"train"} | AFTER_TRAINING,
    "environment": {"train"} | AFTER_TRAINING,
    "metrics": {"train"} | AFTER_TRAINING,
    "evaluation": AFTER_TRAINING - {"plot_weights"},
    "plots": PLOTS,
    "summary": {"summarize"},
    "config": set(),
    "identity": set(),
    "pipeline": set(),
    "why": set(),
    "__init__": set(),
}

SCRIPTS = {
    "download": EVERYTHING - {"describe"},
    "preprocess": EVERYTHING - {"describe", "download"},
    "describe": {"describe"},
    "train": {"train"} | AFTER_TRAINING,
    "evaluate": AFTER_TRAINING - {"plot_weights"},
    "summarize": {"summarize"},
    **{plot: {plot} for plot in sorted(PLOTS)},
}


def set_key(project, key, value):
    """Change one key of the project's config.yaml."""
    path = project.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    *sections, name = key.split(".")
    place = config
    for section in sections:
        place = place.setdefault(section, {})
    place[name] = value
    path.write_text(yaml.safe_dump(config))


def once(stages):
    return {stage: 1 for stage in stages}


def test_the_matrix_has_every_key():
    assert set(MATRIX) == set(leaves(load_schema()))


def test_keys_that_cannot_be_changed_allow_one_value_only():
    schemas = leaves(load_schema())
    for key, (value, _) in MATRIX.items():
        assert (value is None) == (len(schemas[key].get("enum", [])) == 1) or key == "dataset"


def matrix_as_table():
    """MATRIX as the README shows it: a row a key, a column a stage."""
    stages = ["download", "preprocess", "describe", "train", "evaluate"]
    stages += ["plot_loss", "plot_confusion", "plot_misclassified", "plot_weights", "summarize"]
    lines = ["| " + " | ".join(["edited key", *stages]) + " |", "|---" * (1 + len(stages)) + "|"]
    for key, (_, expected) in MATRIX.items():
        marks = ["x" if stage in expected else " " for stage in stages]
        lines.append("| " + " | ".join([f"`{key}`", *marks]) + " |")
    return "\n".join(lines)


def test_the_readme_shows_the_matrix():
    readme = (CHECKOUT / "README.md").read_text()
    assert matrix_as_table() in readme, "The table is now:\n" + matrix_as_table()


@pytest.mark.parametrize("key", [key for key, (value, _) in MATRIX.items() if value is not None])
def test_an_edited_key_runs_what_depends_on_it(project, key):
    value, expected = MATRIX[key]
    set_key(project, key, value)
    assert project.plan() == once(expected)


def test_there_is_an_entry_for_each_module_and_each_script():
    scripts = CHECKOUT / "workflow" / "scripts"
    assert {path.stem for path in (scripts / "scratchnet").glob("*.py")} == set(MODULES)
    assert {path.stem for path in scripts.glob("*.py")} == set(SCRIPTS)


@pytest.mark.parametrize("name", MODULES)
def test_an_edited_module_runs_the_stages_that_import_it_and_what_follows(project, name):
    append(project.folder / "workflow/scripts/scratchnet" / f"{name}.py")
    assert project.plan() == once(MODULES[name])


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_edited_script_runs_its_stage_and_what_follows(project, name):
    append(project.folder / "workflow/scripts" / f"{name}.py")
    assert project.plan() == once(SCRIPTS[name])


def append(path, text="\n# An edit.\n"):
    path.write_text(path.read_text() + text)


def test_what_was_planned_runs_and_then_nothing(project):
    append(project.folder / "workflow/scripts/scratchnet/layers.py")
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)
    assert project.plan() == {}


@pytest.mark.parametrize(
    "text",
    [
        "# A comment.\ntraining: {epochs: 4, batch_size: 25}\ndownload: {folder: raw}\n",
        "download: {folder: raw}\ntraining: {batch_size: 25, epochs: 4, learning_rate: 1e-2}\n",
        'training: {epochs: "4", batch_size: 25.0, learning_rate: "0.01", momentum: 0}\n',
        "training:\n  epochs: 4\n  batch_size: 25\nmodel:\nplots:\n",
    ],
    ids=["comment", "order of keys and 1e-2", "numbers as text and 25.0 for 25", "empty sections"],
)
def test_another_spelling_of_the_same_runs_nothing(project, text):
    (project.folder / "config.yaml").write_text(text)
    assert project.plan() == {}


def test_two_swapped_values_run_what_depends_on_them(project):
    project.configure({"training": {"learning_rate": 0.1, "momentum": 0.9}})
    project.run()
    project.configure({"training": {"learning_rate": 0.9, "momentum": 0.1}})
    assert project.plan() == once(RUN)


def test_an_edit_undone_costs_the_summary_only(project):
    project.configure({"training": {"learning_rate": 0.5}})
    assert planned(project.run()) == once(RUN)
    project.configure({})
    assert planned(project.run()) == once({"summarize"})
    assert project.plan() == {}


def test_an_edit_undone_before_it_ran_costs_nothing(project):
    for text in ("# An edit.\n", ""):
        layers = project.folder / "workflow/scripts/scratchnet/layers.py"
        layers.write_text((CHECKOUT / "workflow/scripts/scratchnet/layers.py").read_text() + text)
        assert bool(project.plan()) == bool(text)


def test_an_override_on_the_command_line_is_an_edit(project):
    assert project.plan("--config", "training={seed: 5}") == once(RUN)
    assert project.plan() == {}


def test_a_second_configuration_has_results_of_its_own(project):
    (project.folder / "second.yaml").write_text("training: {seed: 7}\n")
    assert project.plan("--configfile", "second.yaml") == once(RUN)
    project.run("--configfile", "second.yaml")
    assert project.plan() == {"summarize": 1}
    project.run()
    assert project.plan("--configfile", "second.yaml") == {"summarize": 1}


def checkpoint(project, epoch):
    return (project.run_folder / f"checkpoints/epoch-{epoch:04}.npz").read_bytes()


def test_more_epochs_continue_and_end_where_a_fresh_run_would(project, new_project):
    project.configure({"training": {"epochs": 7}})
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)
    log = (project.results / "logs/train" / project.run_folder.name / "epoch-0007.log").read_text()
    assert [line.split()[3] for line in log.splitlines()] == ["5/7", "6/7", "7/7"]
    new_project.configure({"training": {"epochs": 7}})
    new_project.run()
    assert checkpoint(project, 7) == checkpoint(new_project, 7)


def test_epochs_lowered_to_a_checkpoint_that_exists_and_raised_again_train_nothing(project):
    project.configure({"training": {"epochs": 6}})
    project.run()
    project.configure({"training": {"epochs": 4}})
    assert planned(project.run()) == {"summarize": 1}
    project.configure({"training": {"epochs": 6}})
    assert planned(project.run()) == {"summarize": 1}
    assert project.plan() == {}


def test_epochs_lowered_below_the_first_checkpoint_train_from_the_start_and_leave_the_rest(project):
    before = checkpoint(project, 4)
    project.configure({"training": {"epochs": 2}})
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)
    project.configure({})
    assert planned(project.run()) == {"summarize": 1}
    assert checkpoint(project, 4) == before


def test_a_chain_of_checkpoints_ends_where_one_segment_does(project, new_project):
    new_project.configure({"training": {"checkpoint_every": 3, "epochs": 7, "momentum": 0.9}})
    plan = planned(new_project.run())
    assert plan == once(DATA | RUN) | {"train": 3}
    project.configure({"training": {"checkpoint_every": None, "epochs": 7, "momentum": 0.9}})
    folder = new_project.run_folder
    project.run()
    unchained = project.results / "runs" / folder.name / "checkpoints/epoch-0007.npz"
    assert unchained.read_bytes() == checkpoint(new_project, 7)


def test_more_epochs_of_a_chain_train_only_what_is_added(project):
    project.configure({"training": {"checkpoint_every": 2, "epochs": 9}})
    assert project.plan() == once({"train"} | AFTER_TRAINING) | {"train": 3}  # 4 -> 6 -> 8 -> 9
    project.run()
    project.configure({"training": {"checkpoint_every": 5, "epochs": 11}})
    assert project.plan() == once({"train"} | AFTER_TRAINING) | {"train": 2}  # 9 -> 10 -> 11


def test_an_edit_of_the_layers_trains_the_whole_chain_again(project):
    project.configure({"training": {"checkpoint_every": 2}})
    shutil.rmtree(project.results / "runs")
    project.run()
    append(project.folder / "workflow/scripts/scratchnet/layers.py")
    assert project.plan() == once({"train"} | AFTER_TRAINING) | {"train": 2}


def test_a_sweep_runs_only_the_points_that_are_new(project):
    project.configure({"sweep": {"training.seed": [0, 1, 2]}})
    new = once(RUN - {"summarize"})
    assert planned(project.run()) == dict(Counter(new) + Counter(new)) | {"summarize": 1}
    project.configure({"sweep": {"training.seed": [2, 3]}})
    assert project.plan() == once(RUN)


def test_touched_files_run_nothing(project):
    for path in project.folder.rglob("*"):
        if ".snakemake" not in path.parts and path.is_file():
            os.utime(path)
    assert project.plan() == {}
    for path in sorted((project.results / "data").rglob("*")):
        os.utime(path, (2_000_000_000, 2_000_000_000))
    assert project.plan() == {}


def test_a_copy_of_everything_runs_nothing(project, tmp_path):
    shutil.copytree(project.folder, tmp_path / "copy", copy_function=shutil.copy, symlinks=True)
    assert Project(tmp_path / "copy").plan() == {}


def test_a_new_clone_over_the_results_runs_nothing(project):
    workflow = project.folder / "workflow"
    shutil.copytree(workflow, project.folder / "clone", copy_function=shutil.copy)
    shutil.rmtree(workflow)
    (project.folder / "clone").rename(workflow)
    assert project.plan() == {}


def test_git_checkout_there_and_back_runs_nothing(project):
    def git(*arguments):
        identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
        subprocess.run(
            ["git", *identity, *arguments], cwd=project.folder, check=True, capture_output=True
        )

    git("init", "--initial-branch=main")
    git("add", "workflow", "config.yaml", "Snakefile", "profiles")
    git("commit", "--message=one")
    git("checkout", "-b", "other")
    append(project.folder / "workflow/scripts/scratchnet/layers.py")
    append(project.folder / "workflow/scripts/scratchnet/preprocessing.py")
    git("commit", "--all", "--message=two")
    assert project.plan()
    git("checkout", "main")
    assert project.plan() == {}


def test_without_snakemakes_records_no_training_is_repeated(project):
    shutil.rmtree(project.folder / ".snakemake")
    for path in (project.results / "data").rglob("*.npy"):
        os.utime(path)
    assert project.plan() == {}


@pytest.mark.parametrize(
    "key", ["dataset", "validation_fraction", "model.hidden", "training.learning_rate"]
)
def test_without_snakemakes_records_edits_are_still_seen(project, key):
    shutil.rmtree(project.folder / ".snakemake")
    value, expected = MATRIX[key]
    set_key(project, key, value)
    assert project.plan() == once(expected)


DELETED = {
    "summary.csv": "summarize",
    "data/mnist/train-images-idx3-ubyte": "download",
    "data/mnist/source.json": "download",
    "data/{data}/X_train.npy": "preprocess",
    "data/{data}/Y_validation.npy": "preprocess",
    "data/{data}/manifest.json": "preprocess",
    "runs/{run}/config.yaml": "describe",
    "runs/{run}/checkpoints/epoch-0004.npz": "train",
    "runs/{run}/checkpoints/epoch-0004.json": "train",
    "runs/{run}/epoch-0004/metrics.json": "evaluate",
    "runs/{run}/epoch-0004/history.csv": "evaluate",
    "runs/{run}/epoch-0004/predictions.csv": "evaluate",
    "runs/{run}/epoch-0004/loss.png": "plot_loss",
    "runs/{run}/epoch-0004/misclassified.png": "plot_misclassified",
    "runs/{run}/epoch-0004/confusion.png": "plot_confusion",
    "runs/{run}/epoch-0004/weights.png": "plot_weights",
}


@pytest.mark.parametrize("pattern", DELETED)
def test_a_deleted_result_is_made_again_and_nothing_else(project, pattern):
    (data,) = (project.results / "data").glob("mnist-*")
    path = project.results / pattern.format(data=data.name, run=project.run_folder.name)
    before = path.read_bytes()
    path.unlink()
    assert planned(project.run()) == {DELETED[pattern]: 1}
    assert project.plan() == {}
    if path.suffix != ".json" and path.name != "summary.csv":  # these say how long it took, too
        assert path.read_bytes() == before


def test_a_deleted_folder_of_results_is_made_again(project):
    shutil.rmtree(project.run_folder)
    assert project.plan() == once(RUN - {"summarize"})


def test_deleted_logs_and_benchmarks_run_nothing(project):
    shutil.rmtree(project.results / "logs")
    shutil.rmtree(project.results / "benchmarks")
    assert project.plan() == {}


def test_an_explicit_target_makes_what_it_needs_and_no_more(project):
    target = project.run_folder.relative_to(project.folder) / "epoch-0004/loss.png"
    assert project.plan(target) == {}
    append(project.folder / "workflow/scripts/scratchnet/layers.py")
    assert project.plan(target) == once({"train", "evaluate", "plot_loss"})


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("data/{data}/X_train.npy", set()),
        ("runs/{run}/checkpoints/epoch-0004.npz", {"train"}),
        ("runs/{run}/epoch-0004/metrics.json", {"train", "evaluate"}),
        ("runs/{run}/epoch-0004/weights.png", {"train", "plot_weights"}),
        ("runs/{run}/epoch-0004/misclassified.png", {"train", "evaluate", "plot_misclassified"}),
        ("summary.csv", {"train", "evaluate", "summarize"}),
    ],
)
def test_an_explicit_target_after_an_edit_of_the_layers(project, target, expected):
    append(project.folder / "workflow/scripts/scratchnet/layers.py")
    (data,) = (project.results / "data").glob("mnist-*")
    path = "results/" + target.format(data=data.name, run=project.run_folder.name)
    assert project.plan(path) == once(expected)


def test_an_explicit_target_that_was_deleted_is_made_again(project):
    target = project.run_folder.relative_to(project.folder) / "epoch-0004/metrics.json"
    (project.folder / target).unlink()
    assert project.plan(target) == {"evaluate": 1}


def test_a_run_of_another_configuration_is_refused_with_its_name(project):
    process = project.snakemake("results/runs/mnist-softmax-00000000/epoch-0004/loss.png")
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert "mnist-softmax-00000000 is of another configuration" in output


def test_a_forced_stage_runs_with_what_follows(project):
    assert project.plan("--forcerun", "evaluate") == once(AFTER_TRAINING - {"plot_weights"})


def test_the_same_arrays_again_train_nothing(project):
    for path in (project.results / "data").rglob("*.npy"):
        path.unlink()
    assert planned(project.run()) == {"preprocess": 1}
    assert project.plan() == {}
