"""What the projects of the differential test can look like: settings, edits of code, own data.

A State says all that results depend on. Two projects in the same state must have the same results.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from project import EDIT

# Settings beside those of project.SMALL. Most differ from another one in a single key.
CONFIGS = {
    "default": {},
    "2 epochs": {"training": {"epochs": 2}},
    "6 epochs": {"training": {"epochs": 6}},
    "6 epochs, checkpoints": {"training": {"epochs": 6, "checkpoint_every": 2}},
    "learning rate": {"training": {"learning_rate": 0.1}},
    "momentum": {"training": {"learning_rate": 0.1, "momentum": 0.9}},
    "replicas": {"training": {"replicas": 2}},
    "hidden": {"model": {"hidden": [5]}, "training": {"optimizer": "adam"}},
    "convolutions": {"model": {"convolutions": [{"filters": 3, "kernel": 3, "pool": 2}]}},
    "augmentation": {"model": {"hidden": [5]}, "augmentation": {"shift": 1, "elastic": 3}},
    "validation": {"validation_fraction": 0.25, "training": {"epochs": 6, "patience": 2}},
    "classes": {"classes": list("abcdefghij")},
    "style": {"plots": {"style": "default", "misclassified": 3}},
    "svg": {"plots": {"format": "svg"}},
    "other": {"dataset": "other"},
    "own": {"dataset": "own.npz"},
    "own, style": {"dataset": "own.npz", "plots": {"style": "default"}},
    "seeds": {"sweep": {"training.seed": [0, 1]}},
    "rates and epochs": {
        "sweep": {"training.learning_rate": [0.01, 0.1], "training.epochs": [2, 4]}
    },
    "own seeds": {"dataset": "own.npz", "sweep": {"training.seed": [0, 1]}},
}
# Of these one run diverges, and the others are done.
DIVERGING = {
    "model": {"hidden": [5]},
    "sweep": {"training.learning_rate": [0.1, 1e30], "training.seed": [0, 1]},
}

# {name: (file below workflow/scripts, text, new text)}. An edit without a text is appended.
EDITS = {
    "initializers": ("scratchnet/nn/initializers.py", "0.01 * rng", "0.02 * rng"),
    "preprocessing": ("scratchnet/data/preprocessing.py", "X /= maximum", "X /= 2 * maximum"),
    "evaluation": (
        "scratchnet/evaluation/evaluation.py",
        "softmax_crossentropy(Z, Y)[0],",
        "softmax_crossentropy(Z, Y)[0] + 1,",
    ),
    "plots": ("scratchnet/evaluation/figures.py", '"axes.titlesize": 11', '"axes.titlesize": 14'),
    "plot script": ("plot_history.py", 'settings["plots.style"]', '"default"'),
    "summary": (
        "scratchnet/evaluation/summary.py",
        'run.get("error", "")',
        'run.get("error", "-")',
    ),
    "settings": ("scratchnet/planning/settings.py", "sort_keys=False", "sort_keys=False, indent=4"),
    "package": (
        "scratchnet/__init__.py",
        None,
        "\nimport matplotlib\n\nmatplotlib.rcParams['lines.linewidth'] = 5\n",
    ),
    "statement": ("scratchnet/nn/layers.py", None, EDIT),
    "statement in the preprocessing": ("scratchnet/data/raw_splits.py", None, EDIT),
    "statement in the job": ("scratchnet/job.py", None, EDIT),
    "cosmetic": ("scratchnet/nn/layers.py", "class Dense", "# A remark.\n\n\nclass Dense"),
    "unreachable": ("scratchnet/errors.py", None, "\n\nclass NewError(Exception):\n    pass\n"),
}
# Those after which the training is another one, as the code says.
TRAINING_EDITS = {
    *("initializers", "preprocessing", "package", "statement", "statement in the job")
}
# Those that change no result.
HARMLESS_EDITS = {
    *("statement", "statement in the preprocessing", "statement in the job", "cosmetic"),
    "unreachable",
}


@dataclass(frozen=True)
class State:
    """The name of a configuration, the name of an edit or None, and which own data are there."""

    config: str = "default"
    edit: str | None = None
    data: int = 0

    @property
    def settings(self):
        return CONFIGS[self.config]

    @property
    def what_counts(self):
        """The state with the same results that all states with these results share."""
        own = self.settings.get("dataset") == "own.npz"
        edit = None if self.edit in HARMLESS_EDITS else self.edit
        return replace(self, edit=edit, data=self.data if own else 0)

    @property
    def is_sweep(self):
        return "sweep" in self.settings

    @property
    def trained_with(self):
        """What the checkpoints depend on besides the names of their folders."""
        own = self.data if self.settings.get("dataset") == "own.npz" else None
        return own, self.edit if self.edit in TRAINING_EDITS else None

    def __str__(self):
        return f"({self.config}; {self.edit or 'no edit'}; data {self.data})"


def put(project, state, pristine):
    """Bring a project into a State; files that are right already are not written.

    `pristine` maps the files that edits are of, below workflow/scripts, to their text.
    """
    project.configure(state.settings)
    wanted = dict(pristine)
    if state.edit:
        file, text, new = EDITS[state.edit]
        assert text is None or text in wanted[file], f"{file} has no {text}"
        wanted[file] = wanted[file].replace(text, new) if text else wanted[file] + new
    for file, text in wanted.items():
        path = project.folder / "workflow/scripts" / file
        if path.read_text() != text:
            path.write_text(text)
    write_own_data(project.folder / "own.npz", state.data)


def write_own_data(path, variant):
    """Write own data unless they are there: 60 images of 3 classes; variant 1 has other pixels."""
    images = np.random.default_rng(variant).integers(0, 256, (60, 6, 5), np.uint8)
    if path.exists():
        with np.load(path) as arrays:
            if (arrays["x_train"] == images).all():
                return
    np.savez(path, x_train=images, y_train=np.arange(60) % 3)


def read_pristine(folder):
    """{file: text} of the files that edits are of, in a workflow folder without edits."""
    files = {file for file, _, _ in EDITS.values()}
    return {file: (Path(folder) / "workflow/scripts" / file).read_text() for file in files}
