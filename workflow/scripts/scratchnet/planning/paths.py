"""Where results lie: the one place that knows the layout of results/.

A path is a pattern with Snakemake's {wildcards}: `paths.METRICS.format(run=..., epoch=...)`. The
files that only one rule makes and reads are named in that rule, below one of the folders here.
"""

import re

RESULTS = "results"

# Folders. Those of `data`, `run`, `sweep`, `search` and `prediction` are named after settings.
DATASET = "results/data/{dataset}"
DATA = "results/data/{data}"
RUN = "results/runs/{run}"
EPOCH = "results/runs/{run}/epoch-{epoch}"
SWEEP = "results/sweeps/{sweep}"
SEARCH = "results/searches/{search}"
RUNG = "results/searches/{search}/rung-{rung}"
PREDICTION = "results/predictions/{prediction}"
FOLDERS = (DATASET, DATA, RUN, EPOCH, SWEEP, SEARCH, RUNG, PREDICTION)

RAW_FILES = {
    "train_images": f"{DATASET}/train-images-idx3-ubyte",
    "train_labels": f"{DATASET}/train-labels-idx1-ubyte",
    "test_images": f"{DATASET}/t10k-images-idx3-ubyte",
    "test_labels": f"{DATASET}/t10k-labels-idx1-ubyte",
}
SOURCE = f"{DATASET}/source.json"
ARRAYS = {
    f"{kind}_{split}": f"{DATA}/{kind}_{split}.npy"
    for split in ("train", "validation", "test")
    for kind in "XY"
}
MANIFEST = f"{DATA}/manifest.json"
CHECKPOINT = f"{RUN}/checkpoints/epoch-{{epoch}}.npz"
TRAINING_RECORD = f"{RUN}/checkpoints/epoch-{{epoch}}.json"
METRICS = f"{EPOCH}/metrics.json"
HISTORY = f"{EPOCH}/history.csv"
RUN_CONFIG = f"{EPOCH}/config.yaml"
EXPLANATION = f"{EPOCH}/explanation/explanation.json"
SUMMARY = "results/summary.csv"
RANKING = f"{RUNG}.csv"
PARTIAL_SUMMARY = f"{SWEEP}/partial_summary.csv"
LATEST = "results/latest"
COMPARISON = "results/comparisons/{a}-and-{b}"  # of runs, by `make compare`

# What the wildcards of a path may be.
FOLDER_NAME = "[a-z0-9_-]+-[0-9a-f]{8}"
WILDCARDS = {
    "dataset": "[a-z_]+",
    "data": FOLDER_NAME,
    "run": FOLDER_NAME,
    "epoch": "[0-9]{4}",
    "sweep": FOLDER_NAME,
    "search": FOLDER_NAME,
    "rung": "[1-9][0-9]*",
    "prediction": FOLDER_NAME,
}


def epoch_name(epoch: int) -> str:
    """Return the wildcard `epoch` of an epoch: 20 is 0020."""
    return f"{epoch:04}"


def folder_of(wildcards: set) -> str:
    """Return which of FOLDERS has these wildcards, "" without any."""
    return next((f for f in FOLDERS if {*re.findall(r"{(\w+)}", f)} == wildcards), "")


def log(stage: str, folder: str = "") -> str:
    """Return the path of the log of `stage` for results in `folder`, one of FOLDERS."""
    return f"{_beside_results('logs', stage, folder)}.log"


def benchmark(stage: str, folder: str = "") -> str:
    """Return the path of the benchmark of `stage`, like `log`."""
    return f"{_beside_results('benchmarks', stage, folder)}.tsv"


def _beside_results(kind, stage, folder):
    *_, wildcards = folder.partition("{")
    return f"results/{kind}/{stage}" + (f"/{{{wildcards}" if wildcards else "")
