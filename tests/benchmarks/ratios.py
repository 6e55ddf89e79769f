"""The ratios that count: what is compared, what was asked for, and what was measured.

A measurement of a work is {name: seconds of each round}; the contenders on two cores have names
that end in ", two cores".
"""

import statistics
from typing import NamedTuple

from pipelines import EMPTY

PEERS = ("pytorch", "pytorch_by_hand", "jax", "tensorflow", "keras", "scikit_learn")
TWO = ", two cores"
PEERS_ON_TWO = tuple(name + TWO for name in PEERS)


class Ratio(NamedTuple):
    """Seconds of `ours`, divided by those of the fastest of `theirs` that was measured.

    `target` is what it has to reach in bench.py. `bound` is what it must not exceed in the small
    doses of test_ratios.py, about half more than it was; without it, they do not measure it.
    """

    work: str
    ours: str
    theirs: tuple
    target: float | None
    bound: float | None = None

    def fastest(self, seconds):
        """Return the name of the fastest of `theirs`."""
        there = [name for name in self.theirs if name in seconds]
        return min(there, key=lambda name: statistics.median(seconds[name]))

    def of(self, seconds):
        """Return the ratio of the medians."""
        theirs = statistics.median(seconds[self.fastest(seconds)])
        return statistics.median(seconds[self.ours]) / theirs


RATIOS = (
    Ratio("softmax", "scratchnet", PEERS, 0.75, 1.17),
    Ratio("softmax", "scratchnet", ("limit",), 1.6, 2.8),
    Ratio("mlp", "scratchnet", PEERS, 1.1, 1.9),
    Ratio("mlp", "scratchnet", ("pytorch_by_hand",), 1.0),
    Ratio("mlp", "scratchnet", ("limit",), None, 1.95),
    Ratio("mlp", "scratchnet" + TWO, PEERS_ON_TWO, 1.0, 2.4),
    Ratio("mlp_800", "scratchnet", PEERS, None),
    Ratio("mlp_800", "replicas" + TWO, ("scratchnet",), 0.75),
    Ratio("lenet5", "scratchnet", ("keras", "pytorch"), 1.0, 1.1),
    Ratio("lenet5", "replicas" + TWO, ("scratchnet",), 0.6),
    Ratio("lenet5", "augmented", ("scratchnet",), 1.33, 1.95),
    Ratio("lenet5_normalized", "scratchnet", ("keras",), 1.0, 1.3),
    Ratio("keras_convnet", "scratchnet", ("keras", "pytorch"), 1.3),
    Ratio("keras_convnet", "replicas" + TWO, ("scratchnet",), 0.6, 0.9),
    Ratio("clean", "scratchnet", ("empty jobs",), 1.15, 1.6),
    Ratio("clean", "scratchnet", ("pytorch",), 0.85),
    Ratio("clean", "scratchnet", ("keras",), 0.35),
    Ratio("sweep", "scratchnet", ("jax",), 0.8),
    Ratio("sweep", "scratchnet", ("jax_vmap",), None),
    Ratio("sweep", "scratchnet", ("tensorflow",), None, 1.8),
    Ratio("idle", "scratchnet", (EMPTY,), 1.2, 1.3),
    Ratio("edits", "after an edit that changes no array", ("a clean run",), None),
    Ratio("planning", "1000 runs", (EMPTY,), None, 10.0),
    Ratio("planning", "1000 runs", ("100 runs",), None, 6.0),
    Ratio("planning", "10000 runs", ("1000 runs",), 11.0),
)
