# All the Python that the rules need: which runs the configuration asks for, and where things lie.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.current_basedir).parent / "scripts"))

from scratchnet import pipeline
from scratchnet.config import resolve
from scratchnet.errors import ConfigError
from scratchnet.summary import as_table

try:
    RUNS = resolve(config)
except ConfigError as error:
    raise WorkflowError(str(error))

RAW = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
    "source": "source.json",
}
ARRAYS = [f"{kind}_{split}" for split in ("train", "validation", "test") for kind in "XY"]
PICTURES = ["loss", "misclassified", "confusion", "weights"]

# The settings behind each folder of results, and how far each run goes.
SETTINGS = {}
EPOCHS = {}
for settings in RUNS:
    run = pipeline.run_name(settings)
    SETTINGS |= {settings["dataset"]: settings, pipeline.data_name(settings): settings}
    SETTINGS[run] = settings
    EPOCHS.setdefault(run, set()).add(settings["training.epochs"])


wildcard_constraints:
    dataset="[a-z_]+",
    data="[a-z_]+-[0-9a-f]{8}",
    run="[a-z0-9_-]+-[0-9a-f]{8}",
    epoch="[0-9]{4}",


def settings_of(wildcards):
    """The settings of the run, prepared data or dataset that `wildcards` name."""
    kinds = [kind for kind in ("run", "data", "dataset") if kind in wildcards.keys()]
    folder = wildcards[kinds[0]]
    if folder not in SETTINGS:
        raise WorkflowError(
            f"{folder} is of another configuration; the present one has " + ", ".join(SETTINGS)
        )
    return SETTINGS[folder]


def key_of(stage):
    """A param: the key of `stage`, by which Snakemake knows whether its results are current."""
    return lambda wildcards: pipeline.key(stage, settings_of(wildcards))


def untracked(setting):
    """A param that makes nothing stale: Snakemake compares no function that asks for `output`."""
    return lambda wildcards, output: settings_of(wildcards)[setting]


# All inputs are ancient: keys alone say what is stale, modification times never do.
def raw_file(name):
    """An input: a file of the dataset that prepared data are made of."""
    return lambda wildcards: ancient(f"results/data/{settings_of(wildcards)['dataset']}/{name}")


def data_file(name):
    """An input: a file of the prepared data that a run learns from."""
    return lambda wildcards: ancient(
        f"results/data/{pipeline.data_name(settings_of(wildcards))}/{name}"
    )


def start_of(wildcards):
    """An input: the checkpoint and the record that a segment of training starts from, if any."""
    folder = Path(f"results/runs/{wildcards.run}/checkpoints")
    others = {int(path.stem[-4:]) for path in folder.glob("epoch-????.npz")}
    previous = pipeline.previous_epoch(
        int(wildcards.epoch),
        settings_of(wildcards)["training.checkpoint_every"],
        others | EPOCHS[wildcards.run],
    )
    names = [f"epoch-{previous:04}.npz", f"epoch-{previous:04}.json"]
    return [ancient(str(folder / name)) for name in names] if previous else []


def rows():
    """What the summary has a row for: each run, and how far it went."""
    return [
        {
            "run": run,
            "folder": f"results/runs/{run}/epoch-{epochs:04}",
            "swept": {key: settings[key] for key in config.get("sweep") or {}},
            "metrics": f"results/runs/{run}/epoch-{epochs:04}/metrics.json",
            "record": f"results/runs/{run}/checkpoints/epoch-{epochs:04}.json",
        }
        for settings in RUNS
        for run, epochs in [(pipeline.run_name(settings), settings["training.epochs"])]
    ]


def summary_inputs(wildcards):
    """An input: what the summary is made from."""
    return ancient([row[name] for row in rows() for name in ("metrics", "record")])


def summary_key(wildcards):
    """A param: the key of the summary."""
    return pipeline.summary_key(rows(), RUNS)


def everything():
    """Each product of each stage."""
    products = ["results/summary.csv"]
    for settings in RUNS:
        raw, data = settings["dataset"], pipeline.data_name(settings)
        run, epoch = pipeline.run_name(settings), f"epoch-{settings['training.epochs']:04}"
        products += [f"results/data/{raw}/{name}" for name in RAW.values()]
        products += [f"results/data/{data}/{name}.npy" for name in ARRAYS]
        products += [f"results/data/{data}/manifest.json", f"results/runs/{run}/config.yaml"]
        products += [f"results/runs/{run}/checkpoints/{epoch}.{kind}" for kind in ("npz", "json")]
        products += [
            f"results/runs/{run}/{epoch}/{name}"
            for name in ("metrics.json", "history.csv", "predictions.csv")
        ]
        products += [f"results/runs/{run}/{epoch}/{name}.png" for name in PICTURES]
    return products


def show_results():
    """Point results/latest at the run, if there is one, and say what came out and where it lies."""
    folders = [row["folder"] for row in rows()]
    if len(folders) == 1:
        link = Path("results/latest")
        target = Path(folders[0]).parent.relative_to("results")
        temporary = Path("results/.latest")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(link)
    print("", *as_table("results/summary.csv"), "", sep="\n")
    print("The same table: results/summary.csv. The pictures are the .png files in each folder.")
