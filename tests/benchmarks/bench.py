"""Times the pipeline side by side with what its users would pick instead.

    python tests/benchmarks/bench.py [--works softmax mlp clean ...] [--rounds N]

writes results/benchmarks/measured.json (all seconds), peers.md (to read) and peers.png.
Whatever is compared takes turns in one call, several rounds of it: machines are noisy, so ratios of
medians count. A work that is left out keeps the figures of the call before.
"""

import argparse
import json
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "helpers"), str(TESTS.parent / "workflow" / "scripts")]

import report  # noqa: E402
from memory import memory  # noqa: E402
from pipelines import clean, edits, idle, planning, prepared, sweep  # noqa: E402
from timing import CHECKOUT, RAW  # noqa: E402
from trainings import train  # noqa: E402

RESULTS = CHECKOUT / "results" / "benchmarks"

FRAMEWORKS = ("pytorch", "jax", "tensorflow", "keras")
ALL = ("scratchnet", "limit", *FRAMEWORKS, "pytorch_by_hand", "scikit_learn", "notebook")
# Who takes part in what; contenders/ has the contenders in training.
CONTENDERS = {
    "softmax": ALL,
    "mlp": ALL,
    "mlp_800": ("scratchnet", "replicas", *FRAMEWORKS),
    "lenet5": ("scratchnet", "replicas", "augmented", *FRAMEWORKS),
    "lenet5_normalized": ("scratchnet", "keras"),
    "keras_convnet": ("scratchnet", "replicas", "pytorch", "keras"),
    "clean": ("scratchnet", "empty jobs", "pytorch", "keras"),
    "sweep": ("scratchnet", "pytorch", "pytorch_by_hand", "jax", "jax_vmap", "tensorflow"),
}


def train_all(work, rounds, **options):
    return train(work, prepared().arrays, CONTENDERS[work], rounds, **options)


# How each work is measured, for a number of rounds that a quick one takes.
WORKS = {
    "softmax": lambda n: train_all("softmax", n),
    "mlp": lambda n: train_all("mlp", n),
    "mlp_800": lambda n: train_all("mlp_800", max(1, n // 2)),
    "lenet5": lambda n: train_all("lenet5", max(1, n // 2)),
    "lenet5_normalized": lambda n: train_all("lenet5_normalized", max(1, n // 2)),
    "keras_convnet": lambda n: train_all("keras_convnet", max(1, n // 3), images=20_000),
    "clean": lambda n: clean(CONTENDERS["clean"], n),
    "sweep": lambda n: sweep(CONTENDERS["sweep"], max(1, n // 3)),
    "idle": idle,
    "edits": lambda n: edits(max(1, n // 2)),
    "planning": lambda n: planning(max(1, n // 7)),
    "memory": lambda n: memory(),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if not RAW.exists():
        sys.exit(f"{RAW} is not there: the benchmarks use what `make run` has downloaded")
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = RESULTS / "measured.json"
    measured = json.loads(record.read_text()) if record.exists() else {}
    for work in arguments.works:
        started = time.perf_counter()
        print(f"{work} ... ", end="", flush=True)
        measured[work] = WORKS[work](arguments.rounds)
        print(f"{time.perf_counter() - started:.0f} s", flush=True)
        record.write_text(json.dumps(measured, indent=1))
    report.write(measured, RESULTS / "peers.md", RESULTS / "peers.png")
    print((RESULTS / "peers.md").read_text())


if __name__ == "__main__":
    main()
