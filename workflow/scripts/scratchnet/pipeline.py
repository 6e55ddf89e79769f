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
    """The settings that a stage reads by itself, and the stage whose results it continues."""

    reads: tuple[str, ...] = ()
    after: str | None = None


MODEL = ("model.hidden", "model.activation")
# Not training.epochs and training.checkpoint_every: they say how far to go and where to stop on
# the way, and so name checkpoints within a run, but change nothing in them.
TRAINING = (
    "training.batch_size",
    "training.optimizer",
    "training.learning_rate",
    "training.momentum",
    "training.seed",
)

RUN = ("dataset", "validation_fraction", *MODEL, *TRAINING)

# One stage a script: stage "train" is scripts/train.py.
STAGES = {
    "download": Stage(reads=("dataset",)),
    "describe": Stage(reads=RUN),
    "preprocess": Stage(reads=("dataset", "validation_fraction"), after="download"),
    "train": Stage(reads=MODEL + TRAINING, after="preprocess"),
    "evaluate": Stage(reads=MODEL, after="train"),
    "plot_loss": Stage(reads=("plots.style",), after="evaluate"),
    "plot_misclassified": Stage(
        reads=("plots.misclassified", "plots.seed", "plots.style"), after="evaluate"
    ),
    "plot_confusion": Stage(reads=("plots.style",), after="evaluate"),
    "plot_weights": Stage(reads=("plots.style",), after="train"),
}


def identity(stage, settings):
    """The settings that decide what `stage` makes, its own and earlier: {stage: {key: value}}."""
    own = {stage: {key: settings[key] for key in STAGES[stage].reads}}
    before = STAGES[stage].after
    return identity(before, settings) | own if before else own


def key(stage, settings):
    """What decides whether results of `stage` are current: settings and code, its own and earlier.

    It is canonical JSON of settings, code, and (as "after") a hash of the key of the stage before.
    """
    before = STAGES[stage].after
    return canonical(
        {
            "settings": {name: settings[name] for name in STAGES[stage].reads},
            "code": code_hashes(SCRIPTS / f"{stage}.py"),
            "after": short_hash(key(before, settings)) if before else None,
        }
    )


def summary_key(rows, evaluations):
    """The key of the summary: its `rows` (any JSON), and the keys of their `evaluations`."""
    return canonical(
        {
            "settings": {"rows": rows},
            "code": code_hashes(SCRIPTS / "summarize.py"),
            "after": short_hash(evaluations),
        }
    )


def data_name(settings):
    """The folder of the prepared arrays, e.g. mnist-1a2b3c4d."""
    return f"{settings['dataset']}-{short_hash(identity('preprocess', settings))}"


def run_name(settings):
    """The folder of a training run, e.g. mnist-softmax-1a2b3c4d or mnist-mlp-300-100-1a2b3c4d."""
    hidden = settings["model.hidden"]
    label = "-".join(["mlp", *map(str, hidden)]) if hidden else "softmax"
    return f"{settings['dataset']}-{label}-{short_hash(identity('train', settings))}"


def previous_epoch(epoch, checkpoint_every, others):
    """The epoch whose checkpoint training continues from to reach `epoch`; 0 is a fresh start.

    It is the last one before `epoch` of those that `checkpoint_every` (or None) asks for and of
    `others`, the epochs whose checkpoints are there or are asked for anyway.
    """
    regular = (epoch - 1) // checkpoint_every * checkpoint_every if checkpoint_every else 0
    return max([regular, *(other for other in others if other < epoch)])
