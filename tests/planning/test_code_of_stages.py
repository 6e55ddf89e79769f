"""Which files of code each stage runs: other statements in a file make its stages stale.

The table is written by hand, and has every file of the library and every script.
"""

import pytest

from project import CHECKOUT
from scratchnet.fingerprint.code import Library
from scratchnet.planning.stages import STAGES

SCRIPTS = CHECKOUT / "workflow" / "scripts"
ALL = set(STAGES)
PLOTS = {stage for stage in STAGES if stage.startswith("plot_")}
SWEEP_PLOTS = {"plot_curves", "plot_points"}
SEARCH = {"rank_rung", "compare_trials"}
SEARCH_PLOTS = {"plot_rungs", "plot_trials"}
AUGMENTATION = {"plot_augmentation"}
PLOTS_OF_EPOCHS = PLOTS - SWEEP_PLOTS - SEARCH_PLOTS - AUGMENTATION
EXPORT = {"export_keras", "export_onnx", "export_npz"}
LESSON = {"make_lesson"}
TRAIN = {"train", "check_parity"}
NETWORK = TRAIN | LESSON | {"evaluate", "predict_images"}
USES_CLASS_NAMES = EXPORT | {"evaluate", "make_demo", "predict_images"}
NONE = set()

RUN_BY = {
    "__init__.py": ALL,
    "errors.py": ALL,
    "files.py": ALL,
    "job.py": ALL,
    "progress.py": TRAIN | LESSON | {"download", "predict_images"},
    "random_streams.py": TRAIN | LESSON | AUGMENTATION | {"preprocess", "make_demo"},
    "data/__init__.py": LESSON | {"download", "preprocess", "predict_images"},
    "data/image_arrays.py": LESSON | {"download", "preprocess", "predict_images"},
    "data/download.py": {"download"},
    "data/registry.py": {"download"},
    "data/idx.py": LESSON | {"download", "preprocess"},
    "data/containers.py": {"download"},
    "data/packages.py": {"download"},
    "data/raw_splits.py": LESSON | {"preprocess"},
    "data/preprocessing.py": LESSON | {"preprocess"},
    "data/user_data.py": LESSON | {"preprocess", "predict_images"},  # whether the files changed
    "evaluation/__init__.py": USES_CLASS_NAMES | {"summarize", "compare"} | SEARCH | PLOTS,
    "evaluation/augmentation_plot.py": AUGMENTATION,
    "evaluation/calibration.py": {"evaluate"} | PLOTS_OF_EPOCHS,
    "evaluation/class_names.py": USES_CLASS_NAMES | PLOTS_OF_EPOCHS,
    "evaluation/evaluation.py": {"evaluate"},
    "evaluation/feature_maps.py": {"evaluate"},
    "evaluation/figures.py": PLOTS,
    "evaluation/plots.py": PLOTS_OF_EPOCHS,
    "evaluation/search.py": SEARCH,
    "evaluation/search_plots.py": SEARCH_PLOTS,
    "evaluation/sweep_plots.py": SWEEP_PLOTS,
    "evaluation/thumbnails.py": {"evaluate", "predict_images"},
    "evaluation/summary.py": {"summarize", "compare"},
    "fingerprint/__init__.py": ALL,
    "fingerprint/code.py": NONE,
    "fingerprint/folder.py": NONE,
    "fingerprint/modules.py": NONE,
    "fingerprint/module_cache.py": NONE,
    "fingerprint/jobs.py": ALL,
    "fingerprint/records.py": ALL,
    "fingerprint/values.py": ALL,
    "fingerprint/differences.py": NONE,
    "fingerprint/stages.py": NONE,
    "fingerprint/tracker.py": NONE,
    "interop/__init__.py": EXPORT | LESSON | {"check_parity"},
    "interop/keras_model.py": EXPORT | {"check_parity"},
    "interop/keras_training.py": {"check_parity"},
    "interop/export.py": EXPORT,
    "interop/parity.py": {"check_parity"},
    "interop/lesson.py": LESSON,
    "interop/lesson.ipynb": LESSON,
    "nn/__init__.py": NETWORK | EXPORT | AUGMENTATION,
    "nn/augmentation.py": TRAIN | LESSON | AUGMENTATION,
    "nn/layers.py": NETWORK,
    "nn/convolution.py": NETWORK,
    "nn/initializers.py": NETWORK,
    "nn/network.py": NETWORK,
    "nn/metrics.py": NETWORK,
    "nn/shapes.py": NETWORK | EXPORT,
    "nn/losses.py": TRAIN | LESSON | {"evaluate"},
    "nn/batches.py": TRAIN | LESSON,
    "training/data_parallel.py": TRAIN | LESSON,
    "nn/optimizers.py": TRAIN | LESSON,
    "nn/schedules.py": TRAIN | LESSON,
    "planning/__init__.py": {"evaluate"},
    "planning/settings.py": {"evaluate"},
    **{
        f"planning/{name}.py": NONE
        for name in (
            *("config", "lock_owner", "paths", "prediction_request", "reasons", "runs"),
            *("schema", "search", "stages", "trained_runs", "yaml_file"),
        )
    },
    "predict/__init__.py": {"make_demo", "predict_images"},
    "predict/drawings.py": {"make_demo", "predict_images"},
    "predict/demo.py": {"make_demo"},
    "predict/demo.html": {"make_demo"},
    "predict/image_files.py": {"predict_images"},
    "predict/image_input.py": {"predict_images"},
    "predict/predictions.py": {"predict_images"},
    "training/__init__.py": NETWORK | EXPORT | AUGMENTATION | SEARCH | {"make_demo"},
    "training/augmentation.py": TRAIN | LESSON | AUGMENTATION,
    "training/checkpoints.py": (NETWORK - LESSON) | EXPORT | SEARCH | {"make_demo"},
    "training/environment.py": TRAIN,
    "training/from_settings.py": TRAIN,
    "training/loop.py": TRAIN | LESSON,
    "training/segments.py": {"train"},
}
FILES = {f"scratchnet/{name}": stages for name, stages in RUN_BY.items()} | {
    f"{stage}.py": {stage} for stage in STAGES
}


def test_every_file_has_an_entry():
    found = {
        path.relative_to(SCRIPTS).as_posix()
        for path in SCRIPTS.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert found - FILES.keys() == set(), "say in RUN_BY which stages run these files"
    assert FILES.keys() - found == set()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_run_by_these_stages(name):
    found = {
        stage
        for stage in STAGES
        if name in Library(SCRIPTS, ("scratchnet",)).read_code(f"{stage}.py").files
    }
    assert found == FILES[name]
