"""Training alone: an epoch of several networks, and the trainings of a sweep."""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from typing import NamedTuple

import yaml

from timing import CHECKOUT, CORES, HERE, check_losses, environment, take_turns

SETTINGS = {"": CORES[:1], ", two cores": CORES}  # what a name ends in, and the cores
OWN_ORDER = ("keras", "scikit_learn")  # who draws the order of the samples; see worker.py
# In the rule `train`, OpenBLAS has one thread, whatever there is.
THREADS = {"scratchnet": 1, "replicas": 1, "augmented": 1}


class Network(NamedTuple):
    """The layers and the batches, as in config.yaml, and how far losses may differ.

    `same_order` is for the same order of the samples, `own_order` is for OWN_ORDER. Convolutions
    amplify the rounding of the last digit, and the order matters more to them.
    """

    convolutions: list
    hidden: list
    batch_size: int
    same_order: float = 0.001
    own_order: float = 0.02
    normalization: str | None = None


def read_network(name):
    """Return the network of a ready-made configuration with convolutions."""
    text = (CHECKOUT / "workflow" / "configs" / f"{name}.yaml").read_text()
    config = yaml.safe_load(text)
    model = config["model"]
    convolutions = [{"padding": "valid"} | block for block in model["convolutions"]]
    return Network(convolutions, model["hidden"], config["training"]["batch_size"], 0.05, 0.1)


NETWORKS = {
    "softmax": Network([], [], 200),
    "mlp": Network([], [128], 128),
    "mlp_800": Network([], [800], 100),
    "lenet5": read_network("lenet5"),
    "lenet5_normalized": read_network("lenet5")._replace(normalization="batch"),
    "keras_convnet": read_network("keras_convnet"),
}


class Worker:
    """A contender in a process of its own, on `cores`; see contenders/worker.py."""

    def __init__(self, name, arrays, network, cores, images=None):
        threads = str(THREADS.get(name, len(cores)))
        command = [sys.executable, HERE / "contenders" / "worker.py", name]
        command += ["--batch_size", str(network.batch_size)]
        command += ["--convolutions", json.dumps(network.convolutions)]
        command += ["--normalization", network.normalization] if network.normalization else []
        command += ["--images", str(images)] if images else []
        self.name = name
        self.messages = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.hidden = network.hidden
        self.process = subprocess.Popen(
            command,
            env=environment(
                OMP_NUM_THREADS=threads,
                OPENBLAS_NUM_THREADS=threads,
                PYTHONPATH=str(CHECKOUT / "workflow" / "scripts"),
            ),
            # Not every library lets itself be told how many threads to start.
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.messages,
            text=True,
        )
        self.tell(str(arrays))

    def tell(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.messages.seek(0)
            sys.exit(f"{self.name} failed:\n{self.messages.read()}")
        return json.loads(line)

    def begin(self, seed, learning_rate):
        self.tell({"widths": self.hidden, "seed": seed, "learning_rate": learning_rate})

    def train_epoch(self):
        """Return the seconds of an epoch, and its loss as a list."""
        self.tell({"epochs": 1})
        answer = self.answer()
        return answer["seconds"], [answer["loss"]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def train(work, arrays, names, rounds, settings=SETTINGS, images=None):
    """Return {name: seconds of an epoch in each round}, on one core and on two.

    An epoch has all images, or the first so many.
    """
    network, tolerances = NETWORKS[work], {}
    with ExitStack() as stack:
        workers = {}
        for suffix, cores in settings.items():
            for name in names:
                worker = stack.enter_context(Worker(name, arrays, network, cores, images))
                workers[name + suffix] = worker
                tolerances[name + suffix] = (
                    network.own_order if name in OWN_ORDER else network.same_order
                )
        for worker in workers.values():
            assert worker.answer() == "ready"
            worker.begin(0, 0.01)
        contenders = {name: worker.train_epoch for name, worker in workers.items()}
        seconds, losses = take_turns(contenders, rounds)
    check_losses(losses, "scratchnet", tolerances)
    return seconds


def train_sweep(name, arrays, learning_rates, seeds, epochs=20):
    """Return the seconds of all trainings of a sweep, and their losses: a process on each core.

    Loading the libraries and the arrays counts. A process has some of the seeds.
    """
    started, answers = time.perf_counter(), []
    with ExitStack() as stack:
        shares = []
        for i, core in enumerate(CORES):
            worker = stack.enter_context(Worker(name, arrays, NETWORKS["softmax"], [core]))
            shares.append((worker, batch_runs(name, learning_rates, seeds[i :: len(CORES)])))
        for worker, trainings in shares:
            for seed, learning_rate in trainings:
                worker.begin(seed, learning_rate)
                worker.tell({"epochs": epochs})
        for worker, trainings in shares:
            assert worker.answer() == "ready"
            answers += [worker.answer()["loss"] for _ in trainings]
    losses = [loss for each in answers for loss in (each if isinstance(each, list) else [each])]
    return time.perf_counter() - started, sorted(losses)


def batch_runs(name, learning_rates, seeds):
    """Return what a process trains, one after another: (seed, learning rate), or lists of them."""
    if name == "jax_vmap":
        return [(seeds, learning_rates)]
    return [(seed, learning_rate) for seed in seeds for learning_rate in learning_rates]
