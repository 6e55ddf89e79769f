"""Exactly what is stale runs: each row of the contract, as the jobs that Snakemake plans.

The expectations are written by hand. Every plan is that of a project in which all results are
there; `MATRIX` is also the table in docs/staleness.md.
"""

import os
import re
import shutil
import subprocess
from collections import Counter

import pytest

from configs import DEFAULTS, OPTIMIZER_OF, SETTINGS, other_values
from expected import (
    AFTER_TRAINING,
    AUGMENTED,
    COMPARISON,
    DATA,
    EVERYTHING,
    PLOTS,
    RUN,
    RUN_OF_A_SWEEP,
    SEARCH,
    once,
)
from project import CHECKOUT, EDIT, Project, append, planned, set_key, write_own_npz
from scratchnet.planning.config import APPLIES

# What runs after an edit of a key where it applies: by section, and for some keys by name, with
# another value.
SECTIONS = {
    "model": RUN,
    "augmentation": RUN | AUGMENTED,
    "training": RUN,
    "plots": PLOTS,
    "image": {"preprocess"} | RUN,
    "download": set(),
    "export": set(),
    "predict": set(),
}
KEYS = {
    "dataset": ("other", DATA | RUN),
    "classes": ([*"abcdefghij"], AFTER_TRAINING),
    "test_fraction": (0.3, {"preprocess"} | RUN),
    "validation_fraction": (0.25, {"preprocess"} | RUN),
    "standardize": (True, {"preprocess"} | RUN),
    "training.epochs": (6, {"train"} | AFTER_TRAINING),
    "training.checkpoint_every": (2, set()),
    "training.class_weight": ("balanced", RUN),
    "sweep": ({"training.seed": [0, 1]}, RUN_OF_A_SWEEP | COMPARISON),
    "search": (
        {"trials": 1, "space": {"training.seed": {"choice": [1]}}, "epochs": [1]},
        {"train"} | SEARCH,  # and the results of the winner, which is not known yet
    ),
    "plots.misclassified": (3, {"plot_misclassified"}),
}
MATRIX = {
    key: KEYS.get(key) or (other_values(leaf)[1], SECTIONS[key.split(".")[0]])
    for key, leaf in SETTINGS.items()
}

# Keys that mean something only beside certain values of others, and keys that always do. The sigma
# of augmentation, what only adam or rmsprop has, and image files have tests of their own.
ON_VALIDATION = {"training.patience", "search"}
IDLE = {
    key
    for key, applies in APPLIES.items()
    if not applies(DEFAULTS | {"files": None, key: MATRIX[key][0]})
}
OF_IMAGES = {key for key in MATRIX if key.startswith("image.")}
CONDITIONAL = {*IDLE, *ON_VALIDATION} - {"augmentation.elastic_sigma", *OPTIMIZER_OF} - OF_IMAGES
WITHOUT_EFFECT = {*IDLE} | {key for key, (_, expected) in MATRIX.items() if not expected}
UNCONDITIONAL = [key for key in MATRIX if key not in WITHOUT_EFFECT | ON_VALIDATION]

# What runs after an edit of a module or a script: the stages that run it, and what follows.
FILES = {
    "scratchnet/__init__.py": EVERYTHING,  # imported with each module of the package
    "scratchnet/job.py": EVERYTHING,
    "snakefresh/jobs.py": set(),
    "scratchnet/planning/stage_settings.py": set(),
    "scratchnet/planning/settings.py": AFTER_TRAINING,
    "scratchnet/data/idx.py": EVERYTHING,
    "scratchnet/data/preprocessing.py": EVERYTHING - {"download"},
    "scratchnet/nn/layers.py": {"train"} | AFTER_TRAINING,
    "scratchnet/evaluation/evaluation.py": AFTER_TRAINING,
    "scratchnet/evaluation/plots.py": PLOTS,
    "scratchnet/evaluation/summary.py": {"summarize"},
    "scratchnet/predict/demo.py": set(),  # nobody asked for a demo
    "download.py": EVERYTHING,
    "train.py": {"train"} | AFTER_TRAINING,
    "plot_history.py": {"plot_history"},
    "compare_points.py": set(),  # there is no sweep
}


def matrix_as_table():
    """MATRIX as docs/staleness.md shows it: one row per key, one column per stage."""
    stages = ["download", "preprocess", "plot_augmentation", "train", "evaluate"]
    stages += ["plot_history", "plot_confusion", "plot_misclassified", "plot_calibration"]
    stages += ["plot_weights", "summarize", "compare_points", "plot_curves", "plot_points"]
    stages += ["rank_rung", "compare_trials", "plot_rungs", "plot_trials"]
    lines = ["| " + " | ".join(["edited key", *stages]) + " |", "|---" * (1 + len(stages)) + "|"]
    for key, (_, expected) in MATRIX.items():
        marks = ["x" if stage in expected else " " for stage in stages]
        lines.append("| " + " | ".join([f"`{key}`", *marks]) + " |")
    return "\n".join(lines)


def test_the_documentation_shows_the_matrix():
    page = (CHECKOUT / "docs/staleness.md").read_text()
    assert matrix_as_table() in page, "docs/staleness.md needs this table:\n" + matrix_as_table()


@pytest.mark.parametrize("key", UNCONDITIONAL)
def test_an_edited_key_runs_what_depends_on_it(project, key):
    value, expected = MATRIX[key]
    set_key(project, key, value)
    assert project.plan() == once(expected)


@pytest.mark.parametrize("key", sorted(CONDITIONAL))
def test_an_edited_key_runs_what_depends_on_it_where_it_applies(deep_project, key):
    value, expected = MATRIX[key]
    set_key(deep_project, key, value)
    assert deep_project.plan() == once(expected)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_an_edited_key_of_an_optimizer_runs_what_depends_on_it(project, optimizer):
    set_key(project, "training.optimizer", optimizer)
    project.run()
    for key in (key for key, needed in OPTIMIZER_OF.items() if needed == optimizer):
        set_key(project, key, MATRIX[key][0])
        assert project.plan() == once(RUN)
        set_key(project, key, DEFAULTS[key])
        assert project.plan() == {}


@pytest.mark.slow
def test_an_edit_of_augmentation_runs_what_depends_on_it_and_undone_nothing(project):
    project.configure({"augmentation": {"elastic": 3}})
    assert planned(project.run()) == once(RUN | AUGMENTED)
    picture = (project.results / "runs").glob("*/augmentation.png")
    assert len([*picture]) == 1
    project.configure({"augmentation": {"elastic": 3, "elastic_sigma": 5}})
    assert project.plan() == once(RUN | AUGMENTED)
    project.configure({"augmentation": {"elastic": 3}, "plots": {"style": "dark_background"}})
    assert project.plan() == once(PLOTS | AUGMENTED)
    project.configure({"augmentation": {"shift": 0, "elastic_sigma": 5}})
    assert project.plan() == {"summarize": 1}


def test_edits_of_keys_that_do_not_apply_or_change_no_result_run_nothing(project):
    for key in WITHOUT_EFFECT:
        set_key(project, key, MATRIX[key][0])
    assert project.plan() == {}


def test_of_a_sweep_of_two_runs_each_stage_of_a_run_runs_twice(sweep_project):
    set_key(sweep_project, "plots.style", "dark_background")
    comparison = once({"plot_curves", "plot_points"})
    assert sweep_project.plan("plots") == dict.fromkeys(PLOTS, 2) | comparison
    assert sweep_project.plan() == comparison  # pictures of a sweep's runs are drawn on request


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "scratchnet/evaluation/summary.py",
            {"summarize", "compare_points", "plot_curves", "plot_points"},
        ),
        ("compare_points.py", {"compare_points", "plot_curves", "plot_points"}),
        ("plot_curves.py", {"plot_curves"}),
        ("plot_points.py", {"plot_points"}),
    ],
)
def test_an_edit_of_the_comparison_trains_nothing(sweep_project, name, expected):
    append(sweep_project.folder / "workflow/scripts" / name)
    assert sweep_project.plan() == once(expected)
    sweep_project.run()
    assert sweep_project.plan() == {}


def test_a_sweep_spelled_otherwise_runs_nothing(sweep_project):
    sweep_project.configure({"sweep": [{"training.seed": 1}, {"training.seed": 0}]})
    assert sweep_project.plan() == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["points.csv", "curves.csv", "curves.png", "points.png"])
def test_a_deleted_comparison_is_made_again_and_nothing_else(sweep_project, name):
    (path,) = sweep_project.results.glob(f"sweeps/*/{name}")
    before = path.read_bytes()
    path.unlink()
    stage = {"curves.png": "plot_curves", "points.png": "plot_points"}.get(name, "compare_points")
    assert planned(sweep_project.run()) == {stage: 1}
    assert path.read_bytes() == before


def test_ones_own_data_elsewhere_are_the_same_and_other_data_are_not(deep_project):
    old = deep_project.folder / "own.npz"
    (deep_project.folder / "moved").mkdir()
    shutil.move(old, deep_project.folder / "moved/own.npz")
    set_key(deep_project, "dataset", "moved/own.npz")
    assert deep_project.plan() == {}
    write_own_npz(deep_project.folder / "moved/own.npz", seed=5)
    assert deep_project.plan() == once({"preprocess"} | RUN)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_an_edited_file_runs_the_stages_that_run_it_and_what_follows(project, name):
    append(project.folder / "workflow/scripts" / name)
    assert project.plan() == once(FILES[name])


# Edits of code: (file below workflow/scripts/scratchnet, text, new text), and what runs after each.
DENSE = "class Dense(Layer):\n"
NEW_ERROR = "\n\nclass NewError(Exception):\n    pass\n"
TRAINING = {"train"} | AFTER_TRAINING
EDITS_OF_CODE = {
    "a constant": ("evaluation/figures.py", '"axes.titlesize": 11', '"axes.titlesize": 14', PLOTS),
    "one plot": ("evaluation/plots.py", "capitalize()} by", "title()} by", {"plot_history"}),
    "a function of all stages": ("files.py", "os.fsync(file", "os.fsync(0 or file", EVERYTHING),
    "a statement": ("errors.py", "", EDIT, EVERYTHING),
    "initial weights": ("nn/initializers.py", "0.01 * rng", "0.02 * rng", TRAINING),
    "a metric": ("nn/metrics.py", "PREDICTION_BATCH = ", "PREDICTION_BATCH = 1 + ", AFTER_TRAINING),
}
EDITS_WITHOUT_EFFECT = {
    "a comment": ("nn/layers.py", DENSE, f"# A remark.\n{DENSE}"),
    "a docstring": ("nn/layers.py", f'{DENSE}    """', f'{DENSE}    """Fully connected. '),
    "blank lines": ("nn/layers.py", DENSE, f"\n\n\n{DENSE}"),
    "formatting": ("nn/initializers.py", "0.01 * rng", "0.01*rng"),
    "a comment in a script": ("../train.py", "", "\n# A remark.\n"),
    "a new class that nothing uses": ("errors.py", "", NEW_ERROR),
    "an import that nothing uses": ("files.py", "import csv\n", "import csv\nimport colorsys\n"),
    "another scheme": ("nn/initializers.py", "sqrt(6 / n_in)", "sqrt(7 / n_in)"),
    "an optimizer": ("nn/optimizers.py", "class SGD", "class New:\n    pass\n\n\nclass SGD"),
    "a schedule": ("nn/schedules.py", "math.cos", "math.sin"),
    "a copy beside a module": ("nn/layers.py.orig", "", "class Layer:\n"),
}


def edit_code(project, file, text, new):
    """Replace a text in a module, or append to it."""
    path = project.folder / "workflow/scripts/scratchnet" / file
    source = path.read_text() if path.exists() else ""
    assert text in source
    path.write_text(source.replace(text, new) if text else source + new)


@pytest.mark.parametrize("what", EDITS_OF_CODE)
def test_an_edit_of_code_runs_the_stages_that_executed_it_and_what_follows(project, what):
    *edit, expected = EDITS_OF_CODE[what]
    edit_code(project, *edit)
    assert project.plan() == once(expected)


def test_edits_of_what_no_job_executed_run_nothing(project):
    for edit in EDITS_WITHOUT_EFFECT.values():
        edit_code(project, *edit)
    layers = project.folder / "workflow/scripts/scratchnet/nn/layers.py"
    source = layers.read_text()
    moved = source[source.index("class Tanh") : source.index("class Dropout")]
    layers.write_text(source.replace(moved, "").replace(DENSE, moved + DENSE))
    assert project.plan() == {}


@pytest.mark.slow
def test_what_was_planned_runs_and_then_nothing(project):
    append(project.folder / "workflow/scripts/scratchnet/nn/layers.py")
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)
    assert project.plan() == {}


def test_another_spelling_of_the_same_runs_nothing(project):
    text = """
# A comment.
plots:
download: {folder: raw}
training: {batch_size: 25.0, epochs: "4", learning_rate: 1e-2, momentum: 0}
"""
    (project.folder / "config.yaml").write_text(text)
    assert project.plan() == {}


@pytest.mark.slow
def test_two_swapped_values_run_what_depends_on_them(project):
    project.configure({"training": {"learning_rate": 0.1, "momentum": 0.9}})
    project.run()
    project.configure({"training": {"learning_rate": 0.9, "momentum": 0.1}})
    assert project.plan() == once(RUN)


@pytest.mark.slow
def test_an_edit_undone_costs_the_summary_only(project):
    project.configure({"training": {"learning_rate": 0.5}})
    assert planned(project.run()) == once(RUN)
    project.configure({})
    assert planned(project.run()) == once({"summarize"})
    assert project.plan() == {}


@pytest.mark.slow
def test_a_run_that_has_the_name_of_an_earlier_one_by_chance_takes_its_place(new_project):
    stages = new_project.folder / "workflow/scripts/scratchnet/planning/stage_settings.py"
    stages.write_text(stages.read_text().replace(".hexdigest()[:8]", '.hexdigest()[:0] + "0" * 8'))
    losses = []
    for seed in (0, 1, 0):
        new_project.configure({"training": {"seed": seed}})
        new_project.run()
        (history,) = new_project.results.glob("runs/*-00000000/epoch-0004/history.csv")
        losses.append(history.read_text())
        assert new_project.plan() == {}
    assert losses[0] == losses[2] != losses[1]


def test_an_override_on_the_command_line_is_an_edit(project):
    assert project.plan("--config", "training={seed: 5}") == once(RUN)
    assert project.plan() == {}


@pytest.mark.slow
def test_a_second_configuration_has_results_of_its_own(project):
    (project.folder / "second.yaml").write_text("training: {seed: 7}\n")
    assert project.plan("--configfile", "second.yaml") == once(RUN)
    project.run("--configfile", "second.yaml")
    assert project.plan() == {"summarize": 1}
    project.run()
    assert project.plan("--configfile", "second.yaml") == {"summarize": 1}


def checkpoint(project, epoch):
    return (project.run_folder / f"checkpoints/epoch-{epoch:04}.npz").read_bytes()


@pytest.mark.slow
def test_more_epochs_continue_and_end_where_a_fresh_run_would(project, new_project):
    project.configure({"training": {"epochs": 7}})
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)
    log = (project.results / "logs/train" / project.run_folder.name / "epoch-0007.log").read_text()
    assert re.findall(r" epoch (\S+) ", log) == ["5/7", "6/7", "7/7"]
    new_project.configure({"training": {"epochs": 7}})
    new_project.train()
    assert checkpoint(project, 7) == checkpoint(new_project, 7)


@pytest.mark.slow
def test_epochs_lowered_to_a_checkpoint_that_exists_and_raised_again_train_nothing(project):
    project.configure({"training": {"epochs": 6}})
    project.run()
    project.configure({"training": {"epochs": 4}})
    assert planned(project.run()) == {"summarize": 1}
    project.configure({"training": {"epochs": 6}})
    assert planned(project.run()) == {"summarize": 1}
    assert project.plan() == {}


@pytest.mark.slow
def test_epochs_lowered_below_the_first_checkpoint_train_from_the_start_and_leave_the_rest(project):
    before = checkpoint(project, 4)
    project.configure({"training": {"epochs": 2}})
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)
    project.configure({})
    assert planned(project.run()) == {"summarize": 1}
    assert checkpoint(project, 4) == before


@pytest.mark.slow
def test_a_chain_of_checkpoints_ends_where_one_segment_does(project, new_project):
    new_project.configure({"training": {"checkpoint_every": 3, "epochs": 7, "momentum": 0.9}})
    assert new_project.plan() == once(DATA | RUN) | {"train": 3}
    new_project.train()
    project.configure({"training": {"checkpoint_every": None, "epochs": 7, "momentum": 0.9}})
    folder = new_project.run_folder
    project.train()
    unchained = project.results / "runs" / folder.name / "checkpoints/epoch-0007.npz"
    assert unchained.read_bytes() == checkpoint(new_project, 7)


@pytest.mark.parametrize(
    ("every", "epochs"),
    [(2, 9), (5, 11)],
    ids=["4 -> 6 -> 8 -> 9", "4 -> 5 -> 10 -> 11"],
)
def test_more_epochs_of_a_chain_train_only_what_is_added(project, every, epochs):
    project.configure({"training": {"checkpoint_every": every, "epochs": epochs}})
    assert project.plan() == once({"train"} | AFTER_TRAINING) | {"train": 3}


@pytest.mark.slow
def test_an_edit_of_the_layers_trains_the_whole_chain_again(project):
    project.configure({"training": {"checkpoint_every": 2}})
    shutil.rmtree(project.run_folder / "checkpoints")
    project.train()
    append(project.folder / "workflow/scripts/scratchnet/nn/layers.py")
    assert project.plan() == once({"train"} | AFTER_TRAINING) | {"train": 2}


@pytest.mark.slow
def test_a_sweep_runs_only_the_points_that_are_new(project):
    project.configure({"sweep": {"training.seed": [0, 1, 2]}})
    new = once(RUN_OF_A_SWEEP - {"summarize"})
    together = once({"summarize"} | COMPARISON)
    assert planned(project.run()) == dict(Counter(new) + Counter(new)) | together
    project.configure({"sweep": {"training.seed": [2, 3]}})
    assert project.plan() == once(RUN_OF_A_SWEEP | COMPARISON)


def test_touched_and_copied_files_run_nothing_nor_do_deleted_logs(project, tmp_path):
    for path in project.folder.rglob("*"):
        if ".snakemake" not in path.parts and path.is_file():
            os.utime(path)
    assert project.plan() == {}
    for path in sorted((project.results / "data").rglob("*")):
        os.utime(path, (2_000_000_000, 2_000_000_000))
    shutil.rmtree(project.results / "logs")
    shutil.rmtree(project.results / "benchmarks")
    assert project.plan() == {}
    shutil.copytree(project.folder, tmp_path / "copy", copy_function=shutil.copy, symlinks=True)
    assert Project(tmp_path / "copy").plan() == {}


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
    append(project.folder / "workflow/scripts/scratchnet/nn/layers.py")
    append(project.folder / "workflow/scripts/scratchnet/data/preprocessing.py")
    git("commit", "--all", "--message=two")
    assert project.plan()
    git("checkout", "main")
    assert project.plan() == {}


def test_without_snakemakes_records_edits_are_still_seen_and_nothing_else(project):
    shutil.rmtree(project.folder / ".snakemake")
    for path in (project.results / "data").rglob("*.npy"):
        os.utime(path)
    assert project.plan() == {}
    set_key(project, "plots.style", "dark_background")
    assert project.plan() == once(PLOTS)
    set_key(project, "classes", [*"abcdefghij"])
    assert project.plan() == once(AFTER_TRAINING)
    for name in ("scratchnet/nn/layers.py", "scratchnet/job.py"):
        append(project.folder / "workflow/scripts" / name)
        assert project.plan() == once(FILES[name])


# The results of each stage. Beside the first of them is its record.
OUTPUTS = {
    "download": ["data/mnist/train-images-idx3-ubyte", "data/mnist/source.json"],
    "preprocess": [
        "data/{data}/X_train.npy",
        "data/{data}/Y_validation.npy",
        "data/{data}/manifest.json",
    ],
    "train": ["runs/{run}/checkpoints/epoch-0004.npz", "runs/{run}/checkpoints/epoch-0004.json"],
    "evaluate": [
        "runs/{run}/epoch-0004/metrics.json",
        "runs/{run}/epoch-0004/config.yaml",
        "runs/{run}/epoch-0004/history.csv",
        "runs/{run}/epoch-0004/predictions.csv",
        "runs/{run}/epoch-0004/confusion.csv",
        "runs/{run}/epoch-0004/calibration.csv",
        "runs/{run}/epoch-0004/misclassified.json",
        "runs/{run}/epoch-0004/weights.json",
    ],
    **{plot: [f"runs/{{run}}/epoch-0004/{plot[5:]}.png"] for plot in sorted(PLOTS)},
    "summarize": ["summary.csv"],
}


def path_of(project, pattern):
    (data,) = (project.results / "data").glob("mnist-*")
    return project.results / pattern.format(data=data.name, run=project.run_folder.name)


def record_of(project, stage):
    output = path_of(project, OUTPUTS[stage][0])
    return output.with_name(f".{output.name}.record")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "pattern"), [(stage, path) for stage, paths in OUTPUTS.items() for path in paths]
)
def test_a_deleted_result_is_made_again_and_nothing_else(project, stage, pattern):
    path = path_of(project, pattern)
    before = path.read_bytes()
    path.unlink()
    assert planned(project.run()) == {stage: 1}
    assert project.plan() == {}
    if path.suffix != ".json" and path.name != "summary.csv":  # these say how long it took, too
        assert path.read_bytes() == before


def test_a_deleted_link_to_the_latest_run_is_made_again_with_the_summary(project):
    link = project.results / "latest"
    before = link.readlink()
    link.unlink()
    assert planned(project.run()) == {"summarize": 1}
    assert link.readlink() == before
    assert project.plan() == {}


def test_each_stage_has_one_record_and_without_it_exactly_this_stage_is_stale(project):
    assert OUTPUTS.keys() == EVERYTHING
    records = {record_of(project, stage) for stage in OUTPUTS}
    assert {*project.results.rglob(".*.record")} == records
    stale = set()
    for stages in ({"download"}, {"preprocess"}, {"train"}, {"evaluate"}, PLOTS, {"summarize"}):
        for stage in stages:
            record_of(project, stage).unlink()
        stale |= stages
        assert project.plan() == once(stale)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["download", "train", "summarize"])
def test_a_deleted_record_is_made_again_and_nothing_else(project, stage):
    record_of(project, stage).unlink()
    assert planned(project.run()) == {stage: 1}
    assert project.plan() == {}


def test_a_deleted_folder_of_results_is_made_again(project):
    shutil.rmtree(project.run_folder)
    assert project.plan() == once(RUN - {"summarize"})


TARGETS = {
    "data/{data}/X_train.npy": set(),
    "runs/{run}/checkpoints/epoch-0004.npz": {"train"},
    "runs/{run}/epoch-0004/metrics.json": {"train", "evaluate"},
    "runs/{run}/epoch-0004/weights.png": {"train", "evaluate", "plot_weights"},
    "summary.csv": {"train", "evaluate", "summarize"},
}


def test_an_explicit_target_makes_what_it_needs_and_no_more(project):
    metrics = path_of(project, "runs/{run}/epoch-0004/metrics.json")
    target = metrics.relative_to(project.folder)
    assert project.plan(target) == {}
    metrics.unlink()
    assert project.plan(target) == {"evaluate": 1}
    append(project.folder / "workflow/scripts/scratchnet/nn/layers.py")
    for pattern, expected in TARGETS.items():
        target = path_of(project, pattern).relative_to(project.folder)
        assert project.plan(target) == once(expected)


def test_a_run_of_another_configuration_is_refused_with_its_name(project):
    process = project.snakemake("results/runs/mnist-softmax-00000000/epoch-0004/history.png")
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert "mnist-softmax-00000000 belongs to another configuration" in output


def test_a_forced_stage_runs_with_what_follows(project):
    assert project.plan("--forcerun", "evaluate") == once(AFTER_TRAINING)


@pytest.mark.slow
def test_the_same_arrays_again_train_nothing(project):
    for path in (project.results / "data").rglob("*.npy"):
        path.unlink()
    assert planned(project.run()) == {"preprocess": 1}
    assert project.plan() == {}


@pytest.mark.slow
def test_pictures_of_another_format_lie_beside_the_old_ones(project):
    before = {path: path.read_bytes() for path in project.run_folder.rglob("*.png")}
    project.configure({"plots": {"format": "svg"}})
    assert planned(project.run()) == once(PLOTS)
    assert {path: path.read_bytes() for path in before} == before
    project.configure({})
    assert project.plan() == {}
