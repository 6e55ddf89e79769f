"""Compares the search of workflow/configs/search.yaml with other ways to spend as many epochs.

    python tests/benchmarks/search.py [--seeds 5] [--trials 27] [--epochs 1 3 9 27]

writes results/benchmarks/search.json (all that was measured) and search.md (to read). Each
contender trains as many epochs in total as the search, on the same images and, but for the grid, in
the same space. What counts is the lowest validation loss of any epoch. The seconds are those of two
cores: those of the pipeline include everything, from the arrays to the plots and the tested winner;
the others only train. Contenders take turns, one seed after another.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path

import yaml

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "helpers"), str(TESTS.parent / "workflow" / "scripts")]

from pipelines import Prepared, new_folder  # noqa: E402
from scratchnet.files import read_csv  # noqa: E402
from timing import CHECKOUT, CORES, HERE, environment  # noqa: E402

RESULTS = CHECKOUT / "results" / "benchmarks"
CONFIGS = CHECKOUT / "workflow" / "configs"
SEARCH = yaml.safe_load((CONFIGS / "search.yaml").read_text())
GRID = yaml.safe_load((CONFIGS / "sweep.yaml").read_text())
PACKAGES = {"optuna": "optuna", "keras_tuner": "keras-tuner"}


def count_epochs(trials, epochs, keep):
    """How many epochs a search trains in total."""
    total, before = 0, 0
    for each in epochs:
        total += trials * (each - before)
        trials, before = max(1, int(keep * trials + 1e-9)), each
    return total


def pipeline(settings, table):
    """Run a configuration in a new project; return what came of it.

    `table` is the file below results/ with a row of "val_loss" for each epoch that was trained.
    """
    made = Prepared(settings)
    made.project.run("--until", "preprocess")  # the others find the arrays prepared, too
    started = time.perf_counter()
    made.project.run("--cores", len(CORES))
    seconds = time.perf_counter() - started
    (path,) = made.results.glob(table)
    losses = [float(row["val_loss"]) for row in read_csv(path)]
    shutil.rmtree(made.folder)
    return {"loss": min(losses), "epochs": len(losses), "seconds": seconds}


@cache
def arrays():
    """The folder of the arrays that the contenders outside of the pipeline read."""
    made = Prepared(SEARCH)
    made.project.run("--until", "preprocess")
    return made.arrays


def search(seed, trials, epochs):
    section = SEARCH["search"] | {"seed": seed, "trials": trials, "epochs": epochs}
    return pipeline(SEARCH | {"search": section}, "searches/*/rungs.csv")


def random_search(seed, budget, epochs):
    """As many trials as the budget is enough for, each trained to its end."""
    return search(seed, max(1, budget // epochs), [epochs])


def grid(seed, budget):
    """The grid of sweep.yaml with one seed, as many epochs for each point as the budget allows."""
    points = {key: values for key, values in GRID["sweep"].items() if key != "training.seed"}
    n = 1
    for values in points.values():
        n *= len(values)
    training = GRID["training"] | {"epochs": max(1, budget // n), "seed": seed}
    settings = GRID | {"training": training, "sweep": points}
    return pipeline(settings, "sweeps/*/curves.csv")


def other(name, seed, budget, epochs):
    """One of the contenders in search_peers.py, in processes of its own on two cores."""
    folder = new_folder()
    command = [
        sys.executable,
        HERE / "search_peers.py",
        name,
        arrays(),
        folder,
        json.dumps(SEARCH),
        str(seed),
        str(budget),
        str(epochs),
    ]
    # Where a contender trains on both cores at once, each of two processes has one thread.
    threads = "1" if name == "optuna" else str(len(CORES))
    started = time.perf_counter()
    subprocess.run(
        ["taskset", "--cpu-list", ",".join(map(str, CORES)), *map(str, command)],
        check=True,
        env=environment(OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
        | {"PYTHONPATH": str(CHECKOUT / "workflow" / "scripts")},
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - started
    losses = [json.loads(line)["val_loss"] for line in (folder / "losses").read_text().splitlines()]
    lowest = min(filter(math.isfinite, losses))
    return {"loss": lowest, "epochs": len(losses), "seconds": seconds}


def write_table(measured, path):
    """Write the median and the range of the seeds of each contender."""
    lines = [
        "| contender | lowest validation loss: median (range) | epochs | seconds |",
        "|---|---|---|---|",
    ]
    for name, runs in measured.items():
        losses = sorted(run["loss"] for run in runs)
        epochs = round(statistics.median(run["epochs"] for run in runs))
        seconds = statistics.median(run["seconds"] for run in runs)
        lines.append(
            f"| {name} | {statistics.median(losses):.4f} ({losses[0]:.4f} to {losses[-1]:.4f}) "
            f"| {epochs} | {seconds:.0f} |"
        )
    path.write_text("\n".join(lines) + "\n")
    print(*lines, sep="\n")


def main():
    section = SEARCH["search"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=section["trials"])
    parser.add_argument("--epochs", type=int, nargs="+", default=section["epochs"])
    options = parser.parse_args()
    budget = count_epochs(options.trials, options.epochs, section["keep"])
    last, middle = options.epochs[-1], options.epochs[len(options.epochs) // 2]
    contenders = {
        "this search": lambda seed: search(seed, options.trials, options.epochs),
        f"random search, {last} epochs each": lambda seed: random_search(seed, budget, last),
        f"random search, {middle} epochs each": lambda seed: random_search(seed, budget, middle),
        "the grid of sweep.yaml": lambda seed: grid(seed, budget),
        **{
            f"{name} {version(package)}, Hyperband": lambda seed, name=name: other(
                name, seed, budget, last
            )
            for name, package in PACKAGES.items()
        },
    }
    os.sched_setaffinity(0, CORES)
    measured = {name: [] for name in contenders}
    RESULTS.mkdir(parents=True, exist_ok=True)
    for seed in range(options.seeds):
        for name, contender in contenders.items():
            measured[name].append(contender(seed))
            print(f"seed {seed}: {name}: {measured[name][-1]}", flush=True)
            (RESULTS / "search.json").write_text(json.dumps(measured, indent=2) + "\n")
    write_table(measured, RESULTS / "search.md")


if __name__ == "__main__":
    main()
