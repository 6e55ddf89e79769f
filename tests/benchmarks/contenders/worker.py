"""The contenders in training: the same network on the same arrays, each in its own way.

    python worker.py NAME --batch_size B

has a thread for each core that it may use, and is told what to do by lines of JSON. The first is
the folder of the arrays; when they are placed it says so. A line {"widths": [...], "seed": s,
"learning_rate": a} begins another training, with hidden layers of these widths and weights that are
the same for everybody. A line {"epochs": n} is answered with the seconds that n more epochs took,
and the mean loss of the samples in the last of them. With lists of seeds and of learning rates, all
their combinations are trained together, and the loss is a list.

A contender is a function from the arrays to `start`, a function from weights, a learning rate and a
seed to `epoch`, a function that trains one epoch and returns its loss. X (784, n) and Y (10, n) are
sample-contiguous, and a weight matrix is (n_out, n_in + 1) with the bias as its last column. Some
also train networks that begin with `convolutions`, as in config.yaml (--convolutions, as JSON), or
that have batch normalisation.
Where the contender has the loop over the batches, each epoch's order is a permutation that
`numpy.random.default_rng(seed)` draws, the same for all. Keras and scikit-learn draw their own.
"""

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from weights import initial_weights

MODULES = {
    "in_numpy": ("scratchnet", "replicas", "augmented", "limit", "notebook"),
    "in_pytorch": ("pytorch", "pytorch_by_hand"),
    "in_jax": ("jax", "jax_vmap"),
    "in_tensorflow": ("tensorflow", "keras"),
    "in_scikit_learn": ("scikit_learn",),
}
MODULE_OF = {name: module for module, names in MODULES.items() for name in names}
MAPPED = ("scratchnet", "replicas", "augmented", "limit")  # the others hold their data in memory


def load(folder, n, in_memory):
    """Return the first `n` samples of the arrays in `folder`; of all of them, for None."""
    X, Y = (np.load(folder / f"{name}_train.npy", mmap_mode="r")[:, :n] for name in "XY")
    return (np.array(X, order="F"), np.array(Y, order="F")) if in_memory else (X, Y)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=MODULE_OF)
    parser.add_argument("--batch_size", type=int, required=True)
    parser.add_argument("--convolutions", type=json.loads, default=[])
    parser.add_argument("--normalization")
    parser.add_argument("--images", type=int)
    arguments = parser.parse_args()

    commands = map(json.loads, sys.stdin)
    X, Y = load(Path(next(commands)), arguments.images, arguments.name not in MAPPED)
    contender = getattr(importlib.import_module(MODULE_OF[arguments.name]), arguments.name)
    convolutions = arguments.convolutions
    options = {"convolutions": convolutions} if convolutions else {}
    options |= {"normalization": arguments.normalization} if arguments.normalization else {}
    start = contender(X, Y, arguments.batch_size, len(os.sched_getaffinity(0)), **options)
    print(json.dumps("ready"), flush=True)
    epoch = None
    for command in commands:
        if "epochs" in command:
            started = time.perf_counter()
            losses = [epoch() for _ in range(command["epochs"])]
            answer = {"seconds": time.perf_counter() - started, "loss": losses[-1]}
            print(json.dumps(answer), flush=True)
            continue
        widths, seed = command["widths"], command["seed"]
        if isinstance(seed, list):
            weights = [initial_weights(widths, convolutions, each) for each in seed]
        else:
            weights = initial_weights(widths, convolutions, seed)
        epoch = start(weights, command["learning_rate"], seed)


if __name__ == "__main__":
    main()
