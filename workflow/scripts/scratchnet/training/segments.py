"""Training from one checkpoint to the next: what the stage `train` does."""

import json
import logging
import mmap
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from scratchnet.errors import DivergenceError
from scratchnet.files import read_json, write_json
from scratchnet.training.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from scratchnet.training.environment import describe_environment
from scratchnet.training.from_settings import make_initial_weights, make_training
from scratchnet.training.loop import train

log = logging.getLogger(__name__)

LARGE = 500_000_000  # bytes
ARRAYS = ("X_train", "Y_train", "X_validation", "Y_validation")


# The threads of a job are for the replicas of the network. Snakemake offers them to OpenBLAS, too.
@threadpool_limits.wrap(limits=1)
def train_to_checkpoint(
    name, data, manifest, settings, epochs, start, checkpoint, record, may_diverge=False, threads=1
):
    """Train the run `name` to `epochs` epochs; write its checkpoint (.npz) and its record (.json).

    `data` maps ARRAYS to .npy paths, and `manifest` is the path of their manifest. `start` has the
    paths of the checkpoint and the record to continue from; if it is empty, training starts with
    initial weights. The checkpoint is always the same bytes. The record has the epochs, the seconds
    of all training so far, and the environment. Raises DivergenceError, and ConfigError if the
    images are too small for the convolutions; then nothing is written. A trial of a search
    `may_diverge`: then the checkpoint says so, and has no weights. The number of `threads` changes
    no result.
    """
    started = time.perf_counter()
    log.info("settings %s", json.dumps(dict(settings)))  # `make live` names runs by them
    data = {name: open_array(path) for name, path in data.items()}
    try:
        training = _start_training(data, read_json(manifest), settings, start)
        train(training, data, settings, epochs, name, threads)
    except DivergenceError as error:
        if not may_diverge:
            raise
        log.warning(error)
        state = Checkpoint({}, {}, error.history, diverged={"why": error.why})
    else:
        state = Checkpoint(
            training.network.weights(),
            training.optimizer.state,
            training.history,
            training.best,
        )
    save_checkpoint(checkpoint, state)
    seconds = read_json(start[1])["seconds"] if start else 0.0
    seconds += time.perf_counter() - started
    write_json(
        record,
        {
            "epochs": len(state.history["loss"]),
            "seconds": round(seconds, 3),
            "environment": describe_environment(),
        },
    )


def open_array(path):
    """Return the array in a .npy file as a memory map, fit to be read in random order.

    At a page that is not in memory, the system also reads those around it. Once an array is larger
    than memory, this makes it read most of the file for each batch.
    """
    array = np.load(path, mmap_mode="r")
    if array.nbytes > LARGE:
        with Path(path).open("rb") as file:  # in order, which is fast: it may fit into memory
            while file.read(2**24):
                pass
        array.base.madvise(mmap.MADV_RANDOM)  # from now on, single pages
    return array


def _start_training(data, manifest, settings, start):
    """Return the Training to continue."""
    n_out, n = data["Y_train"].shape
    if not start:
        weights = make_initial_weights(settings, manifest["image_shape"], n_out)
        return make_training(weights, settings, manifest, n)
    state = load_checkpoint(start[0])
    training = make_training(state.network.values(), settings, manifest, n)
    training.optimizer.state = state.optimizer
    training.history, training.best = state.history, state.best
    return training
