"""The stages of the pipeline: what each depends on, where its results lie, when it is stale.

A stage's *identity* is the settings that it and the stages before it read. Arrays and training runs
lie in folders named after it: another configuration is another place, nothing is overwritten, and
an edit that is undone costs nothing.

A stage's *key* adds the code: the content of its script and of the modules that it imports. Rules
hand it to Snakemake as their parameter, and scripts read their settings from it, so a stage cannot
depend on a setting that would not make it stale.
"""

from dataclasses import dataclass
from pathlib import Path

from scratchnet.identity import canonical, code_hashes, short_hash

SCRIPTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Stage:
    """The settings that a stage reads by itself, and the stage whose results it continues.

    A stage of all runs puts the runs of a configuration together, instead of belonging to one.
    """

    reads: tuple[str, ...] = ()
    after: str | None = None
    of_all_runs: bool = False


DATA = ("dataset", "content", "test_fraction", "validation_fraction")
MODEL = ("model.hidden", "model.activation", "model.dropout", "model.initializer")
# Not training.epochs and training.checkpoint_every: they say how far to go and where to stop on
# the way, and so name checkpoints within a run, but change nothing in them.
TRAINING = (
    "training.batch_size",
    "training.optimizer",
    "training.learning_rate",
    "training.momentum",
    "training.nesterov",
    "training.weight_decay",
    "training.schedule",
    "training.decay_epochs",
    "training.decay_rate",
    "training.patience",
    "training.seed",
)
EXPORT = ("model.activation", "export.raw_pixels")
# The run and the images are known by their content (prediction_request.py).
PREDICT = (
    *("predict.images", "predict.background", "predict.run", "predict.network"),
    "model.activation",
)

# One stage a script: stage "train" is scripts/train.py.
STAGES = {
    "download": Stage(reads=("dataset",)),
    "describe": Stage(reads=DATA + MODEL + TRAINING),
    "preprocess": Stage(reads=DATA, after="download"),
    "train": Stage(reads=MODEL + TRAINING, after="preprocess"),
    "evaluate": Stage(reads=("model.activation", "classes"), after="train"),
    "plot_history": Stage(reads=("plots.style",), after="evaluate"),
    "plot_confusion": Stage(reads=("plots.style",), after="evaluate"),
    "plot_misclassified": Stage(reads=("plots.misclassified", "plots.style"), after="evaluate"),
    "plot_calibration": Stage(reads=("plots.style",), after="evaluate"),
    "plot_weights": Stage(reads=("plots.style",), after="evaluate"),
    "make_demo": Stage(reads=("model.activation",), after="evaluate"),
    "check_parity": Stage(reads=MODEL + TRAINING, after="train"),
    "plot_parity": Stage(reads=("plots.style",), after="check_parity"),
    "export_keras": Stage(reads=EXPORT, after="train"),
    "export_onnx": Stage(reads=EXPORT, after="evaluate"),
    "export_npz": Stage(reads=("model.activation",), after="evaluate"),
    "predict_images": Stage(reads=PREDICT),
    "plot_contact_sheet": Stage(reads=("plots.style",), after="predict_images"),
    "summarize": Stage(after="evaluate", of_all_runs=True),
    "compare": Stage(after="evaluate", of_all_runs=True),
    "plot_curves": Stage(reads=("plots.style",), after="compare", of_all_runs=True),
    "plot_points": Stage(reads=("plots.style",), after="compare", of_all_runs=True),
}


def own_settings(stage, settings):
    """The settings that `stage` reads by itself, of those which apply."""
    return {key: settings[key] for key in STAGES[stage].reads if key in settings}


def stage_before(stage, settings):
    """The stage whose results `stage` continues, or None."""
    if stage == "preprocess" and "content" in settings:
        return None  # the user's own files are read where they lie
    return STAGES[stage].after


def identity(stage, settings):
    """The settings that decide what `stage` makes, its own and earlier: {stage: {key: value}}."""
    own = {stage: own_settings(stage, settings)}
    before = stage_before(stage, settings)
    return identity(before, settings) | own if before else own


def key(stage, settings):
    """What decides whether results of `stage` are current: settings and code, its own and earlier.

    It is canonical JSON of settings, code, and (as "after") a hash of the key of the stage before.
    """
    before = stage_before(stage, settings)
    return _key(stage, own_settings(stage, settings), key(before, settings) if before else None)


def key_of_all(stage, runs, rows):
    """The key of a stage that puts all `runs` together, {key: value} each, which it shows as `rows`
    (any JSON).
    """
    before = STAGES[stage].after
    if STAGES[before].of_all_runs:
        earlier = key_of_all(before, runs, rows)
    else:
        earlier = [key(before, settings) for settings in runs]
    return _key(stage, {**own_settings(stage, runs[0]), "rows": rows}, earlier)


def _key(stage, settings, earlier):
    return canonical(
        {
            "settings": settings,
            "code": code_hashes(SCRIPTS / f"{stage}.py"),
            "after": short_hash(earlier) if earlier else None,
        }
    )


def data_name(settings):
    """The folder of the prepared arrays, e.g. mnist-1a2b3c4d."""
    return f"{settings['dataset']}-{short_hash(identity('preprocess', settings))}"


def run_name(settings):
    """The folder of a training run, e.g. mnist-softmax-1a2b3c4d or mnist-mlp-300-100-1a2b3c4d."""
    hidden = settings["model.hidden"]
    widths = map(str, hidden) if len(hidden) <= 6 else [str(len(hidden)), "layers"]
    label = "-".join(["mlp", *widths]) if hidden else "softmax"
    return f"{settings['dataset']}-{label}-{short_hash(identity('train', settings))}"


def rows(runs, swept, results="results"):
    """What a table of `runs` has a row for: each, its values of the keys `swept`, and its results.

    The paths are those of the folder `results`.
    """
    table = []
    for settings in runs:
        run, epoch = (
            f"{results}/runs/{run_name(settings)}",
            f"epoch-{settings['training.epochs']:04}",
        )
        table.append(
            {
                "run": run_name(settings),
                "folder": f"{run}/{epoch}",
                "swept": {key: settings.get(key) for key in swept},
                "metrics": f"{run}/{epoch}/metrics.json",
                "history": f"{run}/{epoch}/history.csv",
                "record": f"{run}/checkpoints/{epoch}.json",
            }
        )
    return table


def sweep_name(swept, rows):
    """The folder in which `rows` are compared, e.g. learning_rate-seed-1a2b3c4d."""
    names = [key.rsplit(".", 1)[-1] for key in swept]
    return "-".join([*names, short_hash(rows)])


def previous_epoch(epoch, checkpoint_every, others):
    """The epoch whose checkpoint training continues from to reach `epoch`; 0 is a fresh start.

    It is the last one before `epoch` of those that `checkpoint_every` (or None) asks for and of
    `others`, the epochs whose checkpoints are there or are asked for anyway.
    """
    regular = (epoch - 1) // checkpoint_every * checkpoint_every if checkpoint_every else 0
    return max([regular, *(other for other in others if other < epoch)])
