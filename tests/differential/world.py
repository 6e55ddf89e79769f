"""What the projects of the differential test can look like: settings, edits of code, own data.

A State says all that results depend on. Two projects in the same state must have the same results.
"""

import os
import shutil
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
    "style": {"plots": {"style": "dark_background", "misclassified": 3}},
    "svg": {"plots": {"format": "svg"}},
    "other": {"dataset": "other"},
    "own": {"dataset": "own.npz"},
    "own, style": {"dataset": "own.npz", "plots": {"style": "dark_background"}},
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

# {name: (file below workflow, text, new text)}. Without a text, an edit is appended, or the file is
# new.
EDITS = {
    "initializers": ("scripts/scratchnet/nn/initializers.py", "0.01 * rng", "0.02 * rng"),
    "preprocessing": (
        "scripts/scratchnet/data/preprocessing.py",
        "X /= maximum",
        "X /= 2 * maximum",
    ),
    "evaluation": (
        "scripts/scratchnet/evaluation/evaluation.py",
        "softmax_crossentropy(Z, Y)[0],",
        "softmax_crossentropy(Z, Y)[0] + 1,",
    ),
    "plots": (
        "scripts/scratchnet/evaluation/figures.py",
        '"axes.titlesize": 11',
        '"axes.titlesize": 14',
    ),
    "plot script": ("scripts/plot_history.py", 'settings["plots.style"]', '"dark_background"'),
    "summary": (
        "scripts/scratchnet/evaluation/summary.py",
        'run.get("error", "")',
        'run.get("error", "-")',
    ),
    "settings": (
        "scripts/scratchnet/planning/settings.py",
        "sort_keys=False",
        "sort_keys=False, indent=4",
    ),
    "package": (
        "scripts/scratchnet/__init__.py",
        None,
        "\n__import__('numpy').log = __import__('numpy').log10\n",
    ),
    "statement": ("scripts/scratchnet/nn/layers.py", None, EDIT),
    "statement in the preprocessing": ("scripts/scratchnet/data/raw_splits.py", None, EDIT),
    "statement in the job": ("scripts/scratchnet/job.py", None, EDIT),
    "cosmetic": ("scripts/scratchnet/nn/layers.py", "class Dense", "# A remark.\n\n\nclass Dense"),
    "unreachable": (
        "scripts/scratchnet/errors.py",
        None,
        "\n\nclass NewError(Exception):\n    pass\n",
    ),
    "param of a rule": (
        "rules/evaluate.smk",
        "    localrule: True\n",
        '    params:\n        more="param",\n    localrule: True\n',
    ),
    "script of a rule": ("rules/evaluate.smk", "scripts/evaluate.py", "scripts/aside_evaluate.py"),
    "input of a rule": (
        "rules/evaluate.smk",
        "        checkpoint=paths.CHECKPOINT,\n",
        '        checkpoint=paths.CHECKPOINT,\n        more="config.yaml",\n',
    ),
    # Of the files in forms/:
    "conditional import": ("scripts/aside_fast.py", 'return "fast"', 'return "FAST"'),
    "no module": ("scripts/aside_fast.py", "def speed", "def spoed"),
    "the other module": ("scripts/aside_slow.py", 'return "slow"', 'return "SLOW"'),
    "import in a function": ("scripts/aside_slow.py", "slow unit", "slow"),
    "import in a method": ("scripts/aside_fast.py", "fast unit", "fast"),
    "re-export": ("scripts/aside_shared.py", 'SHARED = "shared"', 'SHARED = "SHARED"'),
    "registry": ("scripts/aside_kinds.py", "class First(Kind):\n    pass\n\n\n", ""),
    "order of a registry": (
        "scripts/aside_kinds.py",
        "class First(Kind):\n    pass\n\n\nclass Second(Kind)",
        "class Second(Kind):\n    pass\n\n\nclass First(Kind)",
    ),
    "name at run time": ("scripts/aside.py", 'return "late"', 'return "LATE"'),
    "data of code": ("scripts/scales/normal.txt", "normal", "NORMAL"),
    "whether data are there": (
        "scripts/aside.py",
        "scale.read_text().strip()",
        "str(scale.exists())",
    ),
    "package before a module": (
        "scripts/aside_slow/__init__.py",
        None,
        "def speed():\n    return 'package'\n\n\nunit = speed\n",
    ),
    "module before a library": (
        "scripts/statistics.py",
        None,
        "def mean(values):\n    return 0.5\n\n\nstdev = mean\n",
    ),
}
# Those after which the training is another one, as the code says.
TRAINING_EDITS = {
    "initializers",
    "preprocessing",
    "package",
    "statement",
    "statement in the job",
    "module before a library",  # which installed packages may import as well
}
# Those that change no result.
HARMLESS_EDITS = {
    "statement",
    "statement in the preprocessing",
    "statement in the job",
    "cosmetic",
    "unreachable",
    "param of a rule",
    "input of a rule",
    "the other module",
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

    `pristine` maps the files that edits are of, below workflow, to their text, or to None. A file
    keeps its modification time if it keeps its size.
    """
    project.configure(state.settings)
    wanted = dict(pristine)
    if state.edit:
        file, text, new = EDITS[state.edit]
        assert text is None or text in wanted[file], f"{file} has no {text}"
        wanted[file] = wanted[file].replace(text, new) if text else (wanted[file] or "") + new
    for file, text in wanted.items():
        path = project.folder / "workflow" / file
        before = path.read_text() if path.exists() else None
        if text == before:
            continue
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(exist_ok=True)
        status = path.stat() if before is not None else None
        path.write_text(text)
        if status and status.st_size == path.stat().st_size:
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    write_own_data(project.folder / "own.npz", state.data)


def add_forms(folder):
    """Let each evaluation write what the files in forms/ say, besides the settings."""
    scripts = Path(folder) / "workflow/scripts"
    shutil.copytree(Path(__file__).with_name("forms"), scripts, dirs_exist_ok=True)
    settings = scripts / "scratchnet/planning/settings.py"
    old = "    write_text(path, yaml"
    text = settings.read_text()
    assert old in text
    text = text.replace(old, '    write_text(path, f"# {aside.describe()}\\n" + yaml')
    settings.write_text(text.replace("import yaml\n", "import aside\nimport yaml\n"))
    text = (scripts / "evaluate.py").read_text()
    (scripts / "aside_evaluate.py").write_text(
        text.replace("write_settings(settings", 'write_settings(settings | {"other": "script"}')
    )


def write_own_data(path, variant):
    """Write own data unless they are there: 60 images of 3 classes; variant 1 has other pixels."""
    images = np.random.default_rng(variant).integers(0, 256, (60, 6, 5), np.uint8)
    if path.exists():
        with np.load(path) as arrays:
            if (arrays["x_train"] == images).all():
                return
    np.savez(path, x_train=images, y_train=np.arange(60) % 3)


def read_pristine(folder):
    """{file: text, or None} of the files that edits are of, in a workflow folder without edits."""
    found = {}
    for file, _, _ in EDITS.values():
        path = Path(folder) / "workflow" / file
        found[file] = path.read_text() if path.exists() else None
    return found
