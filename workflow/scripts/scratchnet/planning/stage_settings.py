"""Which settings each stage reads; and the names of results, which follow from settings.

Arrays and training runs lie in folders named after their *identity*, the settings that decide what
is in them: a result of another configuration lies elsewhere, so nothing is overwritten, and undoing
an edit costs nothing.
"""

import hashlib
import json
from collections.abc import Mapping

DATA = (
    "dataset",
    "content",
    "image.size",
    "image.mode",
    "image.skip_damaged",
    "test_fraction",
    "validation_fraction",
    "standardize",
)
# What the arrays of a checkpoint do not say of the network that they belong to.
NETWORK = ("model.convolutions", "model.activation")
MODEL = (
    *NETWORK,
    "model.hidden",
    "model.normalization",
    "model.dropout",
    "model.initializer",
)
AUGMENTATION = (
    "augmentation.shift",
    "augmentation.rotation",
    "augmentation.scale",
    "augmentation.shear",
    "augmentation.elastic",
    "augmentation.elastic_sigma",
    "augmentation.horizontal_flip",
    "augmentation.crop_padding",
    "augmentation.brightness",
    "augmentation.cutout",
)
# Without training.epochs and training.checkpoint_every: they decide which checkpoints of a run are
# written, not what is in them.
TRAINING = (
    "training.batch_size",
    "training.replicas",
    "training.class_weight",
    "training.label_smoothing",
    "training.l2",
    "training.optimizer",
    "training.learning_rate",
    "training.momentum",
    "training.nesterov",
    "training.beta_1",
    "training.beta_2",
    "training.rho",
    "training.epsilon",
    "training.weight_decay",
    "training.clip_norm",
    "training.warmup_epochs",
    "training.schedule",
    "training.decay_epochs",
    "training.decay_rate",
    "training.patience",
    "training.seed",
)
EXPORT = (*NETWORK, "export.raw_pixels")
# The run and the images are identified by their content (prediction_request.py).
PREDICT = (
    "predict.images",
    "predict.background",
    "predict.run",
    "predict.network",
    *NETWORK,
)

# By stage, which has the name of its rule and of its script. "rows" are those of the summary, and
# "networks" the settings in NETWORK of each of them (runs.py); "trials", "rungs" and "axes" are
# those of a search (search.py).
READS = {
    "download": ("dataset",),
    "preprocess": DATA,
    "plot_augmentation": (*AUGMENTATION, "plots.style"),
    "train": MODEL + AUGMENTATION + TRAINING,
    "evaluate": (*DATA, *MODEL, *AUGMENTATION, *TRAINING, "classes"),
    "plot_history": ("plots.style",),
    "plot_confusion": ("plots.style",),
    "plot_misclassified": ("plots.misclassified", "plots.style"),
    "plot_calibration": ("plots.style",),
    "plot_weights": ("plots.style",),
    "make_demo": NETWORK,
    "make_lesson": (),
    "explain_run": NETWORK,
    "plot_saliency": ("plots.style",),
    "plot_attacks": ("plots.style",),
    "plot_hidden_units": ("plots.style",),
    "check_parity": MODEL + AUGMENTATION + TRAINING,
    "plot_parity": ("plots.style",),
    "export_keras": EXPORT,
    "export_onnx": EXPORT,
    "export_npz": NETWORK,
    "bundle_run": (),
    "publish_run": (),
    "predict_images": PREDICT,
    "plot_contact_sheet": ("plots.style",),
    "summarize": ("rows",),
    "compare_points": ("rows",),
    "plot_curves": ("plots.style",),
    "plot_points": ("plots.style", "rows"),
    "evaluate_ensembles": ("rows", "networks"),
    "export_ensemble": ("rows", "networks", "export.raw_pixels"),
    "rank_rung": ("trials", "rungs", "training.patience"),
    "compare_trials": ("rungs",),
    "plot_rungs": ("plots.style", "rungs"),
    "plot_trials": ("plots.style", "axes"),
}

# The params that change no result; the files that they name are identified by settings.
UNAFFECTED_BY = {
    "download": ("folder", "timeout"),
    "preprocess": ("user_files",),
    "train": ("may_diverge", "threads"),
    "predict_images": ("images", "network", "hashes", "run"),
    "summarize": ("latest",),
}


# The stages that some runs have no result of, and which runs have one.
WANTED = {
    "download": lambda run: not run["files"],
    "plot_augmentation": lambda run: any(key in run for key in AUGMENTATION),
}


def identity(stage: str, settings: Mapping) -> dict:
    """Return the settings that decide what is in the folder of a stage: {stage: {key: value}}.

    Those of `preprocess` and `train` are also the settings of the stages before.
    """
    data = ("preprocess",) if "content" in settings else ("download", "preprocess")
    stages = {"preprocess": data, "train": (*data, "train")}.get(stage, (stage,))
    return {each: {key: settings[key] for key in READS[each] if key in settings} for each in stages}


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


def short_hash(value) -> str:
    """Return eight hexadecimal digits that identify `value` (any JSON), for names of folders."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
