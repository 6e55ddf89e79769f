"""What is won stays won: ratios that were measured may get worse by half, and no more.

The longer campaign, with all contenders, is bench.py.
"""

import statistics
from pathlib import Path

import pytest

import bench

WORSE = 1.5
ROUNDS = 3  # at most: other work on the machine only makes a measurement worse


def assert_at_most(bound, measure):
    """Assert that `measure`, a function, returns at most `bound`, possibly at another attempt."""
    found = []
    while not found or (min(found) > bound and len(found) < ROUNDS):
        found.append(measure())
    assert min(found) <= bound, found


def ratio(seconds, peer):
    return statistics.median(seconds["scratchnet"]) / statistics.median(seconds[peer])


@pytest.mark.parametrize(
    ("widths", "batch_size", "peer", "measured"),
    [
        ([], 200, "limit", 1.85),
        ([], 200, "tensorflow", 0.78),
        ([128], 128, "limit", 1.3),
        ([128], 128, "tensorflow", 1.25),
    ],
)
def test_an_epoch(widths, batch_size, peer, measured):
    alone = {"one core": bench.CORES[:1]}

    def measure():
        seconds = bench.train(widths, batch_size, 9, ("scratchnet", peer), alone)["one core"]
        return ratio(seconds, peer)

    assert_at_most(WORSE * measured, measure)


def test_an_epoch_of_lenet_5():
    def measure(name, peer):
        seconds = bench.convolve(bench.LENET_5, [120, 84], 100, ("augmented", "keras"), 3)
        medians = {name: statistics.median(each) for name, each in seconds["one core"].items()}
        return medians[name] / medians[peer]

    assert_at_most(WORSE * 0.75, lambda: measure("scratchnet", "keras"))
    assert_at_most(WORSE * 1.3, lambda: measure("augmented", "scratchnet"))


def test_a_clean_run():
    # With AVX-512 Keras takes 10 s instead of 16; ours is mostly starts of processes: 5 s, not 6.
    measured = 0.47 if "avx512f" in Path("/proc/cpuinfo").read_text() else 0.34
    assert_at_most(
        WORSE * measured, lambda: ratio(bench.clean(3, ("scratchnet", "keras")), "keras")
    )


def test_nothing_to_do():
    assert_at_most(1.3, lambda: ratio(bench.idle(5), "an empty Snakefile"))


def test_planning_is_linear():
    def measure():
        seconds = {n: statistics.median(s) for n, s in bench.planning(3, (1, 50, 100)).items()}
        once = seconds["50 runs"] - seconds["1 runs"]
        return max(
            (seconds["100 runs"] - seconds["50 runs"]) / once, once / (0.5 * seconds["1 runs"])
        )

    assert_at_most(WORSE, measure)


def test_memory_does_not_grow_with_the_data():
    for stage, cases in bench.memory(1).items():
        assert cases["10 x"]["own"] <= cases["1 x"]["own"] + 30, stage
        assert cases["1 x"]["peak"] < 400, stage
