"""Names and fingerprints of results depend on what they should depend on, and on nothing else."""

import json
import re
import shutil
from pathlib import Path

import pytest
from scratchnet.fingerprint.code import Library
from scratchnet.fingerprint.stages import fingerprint

from project import EDIT
from scratchnet.planning.config import resolve_runs
from scratchnet.planning.runs import Runs
from scratchnet.planning.schema import VARIATIONS, load_schema, setting_schemas
from scratchnet.planning.stages import STAGES, data_name, identity, previous_epoch, run_name

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
(DEFAULTS,) = resolve_runs({})
# A run in which every setting applies, that of one's own data included.
(FULL,) = resolve_runs(
    {
        "validation_fraction": 0.1,
        "model": {"convolutions": [{"filters": 2, "kernel": 3}], "hidden": [5]},
        "augmentation": dict.fromkeys(("shift", "rotation", "scale", "shear", "elastic"), 0.5),
        "training": {"momentum": 0.5, "schedule": "step", "patience": 3, "replicas": 2},
    }
)
FULL |= {"content": "a1b2", "test_fraction": 0.15}
OF_A_PREDICTION = {"predict_images", "plot_contact_sheet"}
TOGETHER = {"summarize", "compare", "plot_curves", "plot_points"}
OF_A_SEARCH = {"rank_rung", "compare_trials", "plot_rungs", "plot_trials"}
OF_A_RUN = set(STAGES) - OF_A_PREDICTION - TOGETHER - OF_A_SEARCH


def fingerprint_of(stage, settings, scripts=SCRIPTS):
    """The fingerprint of a stage whose script lies in the folder `scripts`."""

    def parts_of(name):
        return Library(scripts, ("scratchnet",)).read_code(f"{name}.py").parts

    return fingerprint(STAGES, stage, settings, parts_of)


@pytest.fixture
def scripts(tmp_path):
    """A copy of the scripts and of the library."""
    folder = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def append(path, text):
    path.write_text(path.read_text() + text)


# ---- What moves with a setting. Worked out by hand: a new key needs an entry.

PICTURES = {
    *("plot_history", "plot_confusion", "plot_misclassified"),
    *("plot_calibration", "plot_weights"),
}
AFTER_EVALUATION = {*PICTURES, "make_demo", "export_onnx", "export_npz"}
PARITY = {"check_parity", "plot_parity"}
FROM_TRAINING = {"train", "evaluate", "export_keras", *PARITY, *AFTER_EVALUATION}
RUN = ({"run"}, FROM_TRAINING)
DISTORTED = ({"run"}, {"plot_augmentation", *FROM_TRAINING})
FROM_DATA = {"plot_augmentation", "make_lesson", *FROM_TRAINING}
DATA = ({"data", "run"}, {"preprocess", *FROM_DATA})
NOTHING = (set(), set())

# {key: (another value, (the folders and the stages that move with it))}
MOVES = {
    "dataset": ("fashion", DATA),
    "content": ("c3d4", DATA),
    "classes": (["a", "b"], (set(), {"evaluate", *AFTER_EVALUATION})),
    "test_fraction": (0.3, DATA),
    "validation_fraction": (0.2, DATA),
    "files": ({"npz": "elsewhere.npz"}, NOTHING),
    "download.folder": ("elsewhere", NOTHING),
    "download.timeout": (5.0, NOTHING),
    "model.convolutions": ([{"filters": 9, "kernel": 3}], RUN),
    "model.hidden": ([30], RUN),
    "model.activation": ("tanh", RUN),
    "model.dropout": (0.5, RUN),
    "model.initializer": ("he_uniform", RUN),
    **{
        f"augmentation.{name}": (0.75, DISTORTED)
        for name in ("shift", "rotation", "scale", "shear", "elastic", "elastic_sigma")
    },
    "training.epochs": (30, NOTHING),
    "training.batch_size": (100, RUN),
    "training.replicas": (4, RUN),
    "training.optimizer": ("adam", RUN),
    "training.learning_rate": (0.1, RUN),
    "training.momentum": (0.9, RUN),
    "training.nesterov": (True, RUN),
    "training.weight_decay": (0.1, RUN),
    "training.schedule": ("cosine", RUN),
    "training.decay_epochs": (3, RUN),
    "training.decay_rate": (0.5, RUN),
    "training.patience": (5, RUN),
    "training.seed": (1, RUN),
    "training.checkpoint_every": (5, NOTHING),
    "export.raw_pixels": (True, (set(), {"export_keras", "export_onnx"})),
    **{f"predict.{name}": (["other"], NOTHING) for name in ("images", "run", "background")},
    "plots.misclassified": (6, (set(), {"plot_misclassified"})),
    "plots.style": ("default", (set(), {*PICTURES, "plot_augmentation", "plot_parity"})),
    "plots.format": ("svg", NOTHING),  # another file
}
KEYS = [name for name in setting_schemas(load_schema()) if name not in VARIATIONS]


def test_every_setting_has_an_entry():
    assert set(MOVES) == set(FULL) == {*KEYS, "files", "content"}


def folders_that_move(one, other):
    names = {"data": data_name, "run": run_name}
    return {name for name, function in names.items() if function(one) != function(other)}


def fingerprints_of(settings, scripts=SCRIPTS):
    return {stage: fingerprint_of(stage, settings, scripts) for stage in OF_A_RUN}


def stages_that_move(one, other):
    before, after = fingerprints_of(one), fingerprints_of(other)
    return {stage for stage in OF_A_RUN if before[stage] != after[stage]} - {"download"}


@pytest.mark.parametrize("name", MOVES)
def test_a_folder_moves_with_the_settings_that_its_content_depends_on(name):
    value, (folders, _) = MOVES[name]
    assert folders_that_move(FULL, FULL | {name: value}) == folders


@pytest.mark.parametrize("name", MOVES)
def test_a_stage_is_stale_after_a_change_of_what_it_depends_on(name):
    value, (_, stages) = MOVES[name]
    assert stages_that_move(FULL, FULL | {name: value}) == stages


PREDICTION = DEFAULTS | {"predict.images": "a1", "predict.run": "a", "predict.network": "b2"}


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("predict.images", OF_A_PREDICTION),
        ("predict.run", OF_A_PREDICTION),
        ("predict.network", OF_A_PREDICTION),
        ("predict.background", OF_A_PREDICTION),
        ("plots.style", {"plot_contact_sheet"}),
        ("training.seed", set()),
        ("dataset", set()),
        ("classes", set()),
    ],
)
def test_a_prediction_depends_on_its_images_and_its_network(name, stages):
    def fingerprints(settings):
        return {stage: fingerprint_of(stage, settings) for stage in OF_A_PREDICTION}

    before, after = fingerprints(PREDICTION), fingerprints(PREDICTION | {name: "other"})
    assert {stage for stage in OF_A_PREDICTION if before[stage] != after[stage]} == stages


def test_public_data_are_downloaded_and_ones_own_are_not():
    other = DEFAULTS | {"dataset": "fashion"}
    assert fingerprint_of("download", DEFAULTS) != fingerprint_of("download", other)
    assert "download" in identity("train", DEFAULTS)
    assert "download" not in identity("train", FULL)
    assert json.loads(fingerprint_of("preprocess", DEFAULTS))["after"] is not None
    assert json.loads(fingerprint_of("preprocess", FULL))["after"] is None


SWAPS = [
    ("training.batch_size", 7, "training.seed", 8, RUN),
    ("training.learning_rate", 0.5, "training.momentum", 0.25, RUN),
    ("validation_fraction", 0.5, "training.momentum", 0.25, DATA),
]


@pytest.mark.parametrize(("one", "a", "other", "b", "moves"), SWAPS)
def test_swapped_values_are_noticed(one, a, other, b, moves):
    before, after = DEFAULTS | {one: a, other: b}, DEFAULTS | {one: b, other: a}
    assert (folders_that_move(before, after), stages_that_move(before, after)) == moves


def test_the_order_of_the_settings_makes_no_difference():
    backwards = dict(reversed(DEFAULTS.items()))
    assert (
        folders_that_move(DEFAULTS, backwards),
        stages_that_move(DEFAULTS, backwards),
    ) == NOTHING


def test_the_order_of_the_widths_makes_a_difference():
    wide, narrow = ({"model.hidden": widths} for widths in ([300, 100], [100, 300]))
    assert folders_that_move(DEFAULTS | wide, DEFAULTS | narrow) == {"run"}


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({}, "mnist-softmax-"),
        ({"model.hidden": [128]}, "mnist-mlp-128-"),
        ({"model.hidden": [300, 100]}, "mnist-mlp-300-100-"),
        ({"dataset": "fashion"}, "fashion-softmax-"),
        ({"model.hidden": [9] * 6}, "mnist-mlp-9-9-9-9-9-9-"),
        ({"model.hidden": [9] * 100}, "mnist-mlp-100-layers-"),
        ({"model.convolutions": [{"filters": 32}, {"filters": 64}]}, "mnist-conv-32-64-"),
        (
            {"model.convolutions": [{"filters": 6}], "model.hidden": [84]},
            "mnist-conv-6-mlp-84-",
        ),
    ],
)
def test_the_name_of_a_run_tells_dataset_and_network(settings, start):
    assert re.fullmatch(f"{start}[0-9a-f]{{8}}", run_name(DEFAULTS | settings))


@pytest.mark.parametrize("dataset", ["mnist", "fashion"])
def test_the_name_of_the_data_tells_the_dataset(dataset):
    assert re.fullmatch(f"{dataset}-[0-9a-f]{{8}}", data_name(DEFAULTS | {"dataset": dataset}))


def test_the_folders_of_the_defaults_keep_their_names():
    # Another name and everybody's results are made again: only with a reason.
    assert (data_name(DEFAULTS), run_name(DEFAULTS)) == ("mnist-a3a73168", "mnist-softmax-c79f3218")


def test_a_run_is_described_by_the_settings_in_its_identity():
    # `evaluate` writes its settings as those of the run.
    parts = identity("train", DEFAULTS)
    assert json.loads(fingerprint_of("evaluate", DEFAULTS))["settings"] == {
        "classes": DEFAULTS["classes"],
        **{name: value for part in parts.values() for name, value in part.items()},
    }


# ---- Fingerprints.


@pytest.mark.parametrize("stage", sorted(OF_A_RUN))
def test_a_fingerprint_holds_the_settings_that_its_stage_reads_and_that_apply(stage):
    for run in (DEFAULTS, FULL):
        settings = json.loads(fingerprint_of(stage, run))["settings"]
        assert settings == {name: run[name] for name in STAGES[stage].settings if name in run}


def test_the_stages_of_all_runs_follow_one_that_puts_them_together():
    following = {name for name, stage in STAGES.items() if stage.each}
    assert following == {"summarize", "compare", "rank_rung"}
    following |= {name for name, stage in STAGES.items() if stage.after in following}
    following |= {name for name, stage in STAGES.items() if stage.after == "compare_trials"}
    assert following == TOGETHER | OF_A_SEARCH


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_a_script(stage):
    assert (SCRIPTS / f"{stage}.py").is_file()


@pytest.mark.parametrize(
    ("edited", "stages"),
    [
        ("scratchnet/nn/layers.py", {"make_lesson", *FROM_TRAINING}),
        ("scratchnet/nn/optimizers.py", {"make_lesson", *FROM_TRAINING}),
        ("scratchnet/evaluation/evaluation.py", {"evaluate", *AFTER_EVALUATION}),
        ("scratchnet/evaluation/plots.py", {*PICTURES, "plot_parity"}),
        ("scratchnet/interop/parity.py", PARITY),
        (
            "scratchnet/interop/keras_model.py",
            {*PARITY, "export_keras", "export_onnx", "export_npz"},
        ),
        ("scratchnet/predict/predictions.py", set()),
        ("scratchnet/data/preprocessing.py", {"preprocess", *FROM_DATA}),
        ("scratchnet/data/idx.py", {"download", "preprocess", *FROM_DATA}),
        ("scratchnet/nn/augmentation.py", FROM_DATA),
        ("scratchnet/planning/config.py", set()),
        ("scratchnet/planning/settings.py", {"evaluate", *AFTER_EVALUATION}),
        ("scratchnet/job.py", OF_A_RUN),
        ("scratchnet/__init__.py", OF_A_RUN),
        ("scratchnet/fingerprint/__init__.py", OF_A_RUN),
        ("scratchnet/fingerprint/jobs.py", OF_A_RUN),
        ("scratchnet/fingerprint/tracker.py", set()),
        ("scratchnet/fingerprint/stages.py", set()),
        ("scratchnet/planning/stages.py", set()),
        ("scratchnet/evaluation/summary.py", set()),
        ("plot_history.py", {"plot_history"}),
        ("evaluate.py", {"evaluate", *AFTER_EVALUATION}),
        ("scratchnet/predict/demo.py", {"make_demo"}),
        ("scratchnet/predict/demo.html", {"make_demo"}),
        ("scratchnet/interop/lesson.ipynb", {"make_lesson"}),
        ("train.py", FROM_TRAINING),
        ("summarize.py", set()),
    ],
)
def test_an_edit_makes_its_stages_and_what_follows_stale(scripts, edited, stages):
    before = fingerprints_of(DEFAULTS, scripts)
    append(scripts / edited, EDIT)
    after = fingerprints_of(DEFAULTS, scripts)
    assert {stage for stage in OF_A_RUN if before[stage] != after[stage]} == stages


# ---- Stages of all runs.

SEEDS = [DEFAULTS | {"training.seed": seed} for seed in (0, 1)]
ROWS = Runs({"sweep": {"training.seed": [0, 1]}}).rows


def together(runs=SEEDS, table=ROWS, scripts=SCRIPTS):
    settings = runs[0] | {"rows": table, "runs": runs}
    return {stage: fingerprint_of(stage, settings, scripts) for stage in TOGETHER}


def stale_together(before, after):
    return {stage for stage in TOGETHER if before[stage] != after[stage]}


def test_what_reads_the_rows_has_them_in_its_fingerprint():
    found = {stage: json.loads(text)["settings"].get("rows") for stage, text in together().items()}
    read = dict.fromkeys(("summarize", "compare", "plot_points"), ROWS)
    assert found == read | {"plot_curves": None}


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ({"training.seed": 2}, TOGETHER),
        ({"validation_fraction": 0.1}, TOGETHER),
        ({"classes": ["a", "b"]}, TOGETHER),
        ({"plots.style": "default"}, {"plot_curves", "plot_points"}),
        ({"plots.misclassified": 9}, set()),
    ],
)
def test_stages_of_all_runs_are_stale_after_a_change_in_a_run(changes, stale):
    # The second alone, but for what all runs have in common.
    shared = changes if "plots.style" in changes else {}
    runs = [SEEDS[0] | shared, SEEDS[1] | changes]
    assert stale_together(together(), together(runs)) == stale


def test_stages_of_all_runs_are_stale_when_a_row_is():
    assert stale_together(together(), together(SEEDS, ROWS[::-1])) == TOGETHER
    assert stale_together(together(), together(SEEDS[:1], ROWS[:1])) == TOGETHER


@pytest.mark.parametrize(
    ("edited", "stale"),
    [
        ("summarize.py", {"summarize"}),
        ("compare.py", {"compare", "plot_curves", "plot_points"}),
        ("plot_curves.py", {"plot_curves"}),
        (
            "scratchnet/evaluation/summary.py",
            {"summarize", "compare", "plot_curves", "plot_points"},
        ),
        ("scratchnet/evaluation/figures.py", {"plot_curves", "plot_points"}),
        ("scratchnet/evaluation/sweep_plots.py", {"plot_curves", "plot_points"}),
        ("scratchnet/evaluation/plots.py", set()),
        ("scratchnet/evaluation/evaluation.py", TOGETHER),
        ("scratchnet/nn/layers.py", TOGETHER),
    ],
)
def test_stages_of_all_runs_are_stale_after_an_edit(scripts, edited, stale):
    before = together(scripts=scripts)
    append(scripts / edited, EDIT)
    assert stale_together(before, together(scripts=scripts)) == stale


# ---- Stages of a search.

SEARCH = {"trials": 3, "epochs": [1, 2], "space": {"training.seed": {"choice": [*range(99)]}}}


def of_a_search(changes=None, scripts=SCRIPTS, **search):
    """The fingerprints of the first ranking and of what is behind the last one."""
    nested = {"validation_fraction": 0.1, "search": SEARCH | search} | (changes or {})
    runs = Runs(nested)
    place = {"search": runs.search.name}
    rungs = {"rank_rung": "1", "compare_trials": "2", "plot_rungs": "2", "plot_trials": "2"}
    return {
        stage: fingerprint_of(stage, runs.settings_of(place | {"rung": rung}), scripts)
        for stage, rung in rungs.items()
    }


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ({"trials": 4}, OF_A_SEARCH),
        ({"keep": 0.7}, OF_A_SEARCH),
        ({"epochs": [1, 3]}, OF_A_SEARCH - {"rank_rung"}),
        ({"epochs": [1, 2, 3]}, OF_A_SEARCH - {"rank_rung"}),
        ({"seed": 1}, OF_A_SEARCH),
        ({"changes": {"training": {"learning_rate": 0.5}}}, OF_A_SEARCH),
        ({"changes": {"validation_fraction": 0.2}}, OF_A_SEARCH),
        ({"changes": {"classes": ["a", "b"]}}, set()),
        ({"changes": {"plots": {"style": "default"}}}, {"plot_rungs", "plot_trials"}),
        ({"changes": {"training": {"epochs": 7}}}, set()),
    ],
)
def test_stages_of_a_search_are_stale_after_a_change(changes, stale):
    before, after = of_a_search(), of_a_search(**changes)
    assert {stage for stage in OF_A_SEARCH if before[stage] != after[stage]} == stale


@pytest.mark.parametrize(
    ("edited", "stale"),
    [
        ("rank_rung.py", OF_A_SEARCH),
        ("compare_trials.py", OF_A_SEARCH - {"rank_rung"}),
        ("scratchnet/evaluation/search_plots.py", {"plot_rungs", "plot_trials"}),
        ("scratchnet/training/loop.py", OF_A_SEARCH),
        ("scratchnet/evaluation/evaluation.py", set()),
        ("scratchnet/planning/search.py", set()),
    ],
)
def test_stages_of_a_search_are_stale_after_an_edit(scripts, edited, stale):
    before = of_a_search(scripts=scripts)
    append(scripts / edited, EDIT)
    after = of_a_search(scripts=scripts)
    assert {stage for stage in OF_A_SEARCH if before[stage] != after[stage]} == stale


# ---- Where training continues from.


@pytest.mark.parametrize(
    ("epoch", "checkpoint_every", "others", "expected"),
    [
        (20, None, (), 0),
        (20, None, {20}, 0),
        (20, None, {10}, 10),
        (20, None, {10, 15}, 15),
        (20, None, {30}, 0),
        (20, None, {10, 30}, 10),
        (1, None, (), 0),
        (20, 5, (), 15),
        (20, 6, (), 18),
        (20, 1, (), 19),
        (20, 19, (), 19),
        (20, 20, (), 0),
        (20, 21, (), 0),
        (21, 20, (), 20),
        (1, 1, (), 0),
        (2, 1, (), 1),
        (20, 5, {17}, 17),
        (20, 5, {12}, 15),
        (20, 5, {15}, 15),
        (20, 5, {20, 25}, 15),
        (15, 5, {20}, 10),
        (3, 5, {2, 4}, 2),
    ],
)
def test_training_continues_from_the_last_checkpoint_before(
    epoch, checkpoint_every, others, expected
):
    assert previous_epoch(epoch, checkpoint_every, others) == expected
