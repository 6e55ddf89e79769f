"""The stages of the pipeline: which settings each reads, and which stage it follows.

The *identity* of a result is the settings that its stage and all stages before it read. Arrays and
training runs lie in folders named after their identity: a result of another configuration lies
elsewhere, so nothing is overwritten, and undoing an edit costs nothing. The *fingerprint* of a
result also covers the code; see fingerprint/.
"""

from collections.abc import Mapping

from scratchnet.fingerprint.stages import Stage, own_settings, stage_before
from scratchnet.fingerprint.values import short_hash

DATA = ("dataset", "content", "test_fraction", "validation_fraction")
# What the arrays of a checkpoint do not say of the network that they belong to.
NETWORK = ("model.convolutions", "model.activation")
MODEL = (*NETWORK, "model.hidden", "model.dropout", "model.initializer")
DISTORTIONS = (
    *("augmentation.shift", "augmentation.rotation", "augmentation.scale", "augmentation.shear"),
    "augmentation.elastic",
)
AUGMENTATION = (*DISTORTIONS, "augmentation.elastic_sigma")
# Without training.epochs and training.checkpoint_every: they decide which checkpoints of a run are
# written, not what is in them.
TRAINING = (
    "training.batch_size",
    "training.replicas",
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
EXPORT = (*NETWORK, "export.raw_pixels")
# The run and the images are identified by their content (prediction_request.py).
PREDICT = (
    *("predict.images", "predict.background", "predict.run", "predict.network"),
    *NETWORK,
)


def _download_unless_user_data(settings):
    """The stage before `preprocess`. The user's own files are read where they are."""
    return None if "content" in settings else "download"


# A stage has the name of its rule and of its script: "train" is scripts/train.py. "rows" are those
# of the summary, and "runs" the settings of these runs (runs.py). "trials", "rungs" and "axes" are
# those of a search (search.py).
STAGES = {
    "download": Stage(("dataset",)),
    "preprocess": Stage(DATA, after=_download_unless_user_data),
    "plot_augmentation": Stage((*AUGMENTATION, "plots.style"), after="preprocess"),
    "train": Stage(MODEL + AUGMENTATION + TRAINING, after="preprocess"),
    "evaluate": Stage((*DATA, *MODEL, *AUGMENTATION, *TRAINING, "classes"), after="train"),
    "plot_history": Stage(("plots.style",), after="evaluate"),
    "plot_confusion": Stage(("plots.style",), after="evaluate"),
    "plot_misclassified": Stage(("plots.misclassified", "plots.style"), after="evaluate"),
    "plot_calibration": Stage(("plots.style",), after="evaluate"),
    "plot_weights": Stage(("plots.style",), after="evaluate"),
    "make_demo": Stage(NETWORK, after="evaluate"),
    "make_lesson": Stage((), after="preprocess"),
    "check_parity": Stage(MODEL + AUGMENTATION + TRAINING, after="train"),
    "plot_parity": Stage(("plots.style",), after="check_parity"),
    "export_keras": Stage(EXPORT, after="train"),
    "export_onnx": Stage(EXPORT, after="evaluate"),
    "export_npz": Stage(NETWORK, after="evaluate"),
    "predict_images": Stage(PREDICT),
    "plot_contact_sheet": Stage(("plots.style",), after="predict_images"),
    "summarize": Stage(("rows",), after="evaluate", each="runs"),
    "compare": Stage(("rows",), after="evaluate", each="runs"),
    "plot_curves": Stage(("plots.style",), after="compare"),
    "plot_points": Stage(("plots.style", "rows"), after="compare"),
    "rank_rung": Stage(("trials", "rungs", "training.patience"), after="train", each="runs"),
    "compare_trials": Stage(("rungs",), after="rank_rung"),
    "plot_rungs": Stage(("plots.style", "rungs"), after="compare_trials"),
    "plot_trials": Stage(("plots.style", "axes"), after="compare_trials"),
}


# The stages that some runs have no result of, and which runs have one.
WANTED = {
    "download": lambda run: not run["files"],
    "plot_augmentation": lambda run: any(key in run for key in DISTORTIONS),
}


def identity(stage: str, settings: Mapping) -> dict:
    """Return the settings that `stage` and the stages before it read: {stage: {key: value}}."""
    own = {stage: own_settings(STAGES, stage, settings)}
    before = stage_before(STAGES, stage, settings)
    return identity(before, settings) | own if before else own


def data_name(settings: Mapping) -> str:
    """Return the wildcard `data` of a run: the folder of its arrays, e.g. mnist-1a2b3c4d."""
    return f"{settings['dataset']}-{short_hash(identity('preprocess', settings))}"


def run_name(settings: Mapping) -> str:
    """Return the wildcard `run` of a run: the folder of its checkpoints.

    Examples are mnist-softmax-1a2b3c4d, mnist-mlp-300-100-1a2b3c4d, and with convolutions
    mnist-conv-32-64-1a2b3c4d and mnist-conv-6-16-mlp-120-84-1a2b3c4d.
    """
    filters = [block["filters"] for block in settings.get("model.convolutions", [])]
    layers = [*_layers_label("conv", filters), *_layers_label("mlp", settings["model.hidden"])]
    label = "-".join(layers or ["softmax"])
    return f"{settings['dataset']}-{label}-{short_hash(identity('train', settings))}"


def _layers_label(kind, sizes):
    parts = map(str, sizes) if len(sizes) <= 6 else [str(len(sizes)), "layers"]
    return [kind, *parts] if sizes else []


def previous_epoch(epoch: int, checkpoint_every: int | None, others) -> int:
    """Return the epoch whose checkpoint training continues from to reach `epoch`, or 0.

    It is the last one before `epoch` of those that `checkpoint_every` asks for and of `others`,
    the epochs whose checkpoints exist or are wanted for another reason.
    """
    regular = (epoch - 1) // checkpoint_every * checkpoint_every if checkpoint_every else 0
    return max([regular, *(other for other in others if other < epoch)])
