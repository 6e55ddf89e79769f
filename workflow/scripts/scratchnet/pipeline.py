"""The stages of the pipeline: what each depends on, and where its results lie.

A stage's *identity* is the settings that it and the stages before it read. Arrays and training runs
lie in folders named after it: another configuration is another place, nothing is overwritten, and
an edit that is undone costs nothing. Its *fingerprint* has the code besides: see fingerprint/.
"""

from scratchnet.fingerprint.stages import Stage, own_settings, stage_before
from scratchnet.fingerprint.values import short_hash

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


def _download_unless_own(settings):
    """The stage before `preprocess`. One's own files are read where they lie."""
    return None if "content" in settings else "download"


# One stage a script: stage "train" is scripts/train.py. "rows" are those of the tables of all runs,
# and "runs" are the settings of these runs.
STAGES = {
    "download": Stage(("dataset",)),
    "describe": Stage(DATA + MODEL + TRAINING),
    "preprocess": Stage(DATA, after=_download_unless_own),
    "train": Stage(MODEL + TRAINING, after="preprocess"),
    "evaluate": Stage(("model.activation", "classes"), after="train"),
    "plot_history": Stage(("plots.style",), after="evaluate"),
    "plot_confusion": Stage(("plots.style",), after="evaluate"),
    "plot_misclassified": Stage(("plots.misclassified", "plots.style"), after="evaluate"),
    "plot_calibration": Stage(("plots.style",), after="evaluate"),
    "plot_weights": Stage(("plots.style",), after="evaluate"),
    "make_demo": Stage(("model.activation",), after="evaluate"),
    "check_parity": Stage(MODEL + TRAINING, after="train"),
    "plot_parity": Stage(("plots.style",), after="check_parity"),
    "export_keras": Stage(EXPORT, after="train"),
    "export_onnx": Stage(EXPORT, after="evaluate"),
    "export_npz": Stage(("model.activation",), after="evaluate"),
    "predict_images": Stage(PREDICT),
    "plot_contact_sheet": Stage(("plots.style",), after="predict_images"),
    "summarize": Stage(("rows",), after="evaluate", each="runs"),
    "compare": Stage(("rows",), after="evaluate", each="runs"),
    "plot_curves": Stage(("plots.style",), after="compare"),
    "plot_points": Stage(("plots.style", "rows"), after="compare"),
}


def identity(stage, settings):
    """The settings that decide what `stage` makes, its own and earlier: {stage: {key: value}}."""
    own = {stage: own_settings(STAGES, stage, settings)}
    before = stage_before(STAGES, stage, settings)
    return identity(before, settings) | own if before else own


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
