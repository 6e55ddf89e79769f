"""A long-lived project beside fresh ones, and the faults that the comparison has to find.

`make test` takes a few steps; STEPS says how many (`make test-differential`: 500 for each seed, and
the faults).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from holes import HOLES

from project import CHECKOUT

STEPS = int(os.environ.get("STEPS", "2"))
SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "1 2" if STEPS >= 100 else "1").split()]
MAX_STEPS_TO_FIND_A_FAULT = 60


def walk(*arguments):
    command = [sys.executable, Path(__file__).with_name("walk.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_results_are_those_of_a_fresh_project(seed):
    process = walk("--steps", STEPS, "--seed", seed)
    print(process.stdout)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.parametrize("hole", sorted(HOLES))
def test_the_workflow_has_what_a_fault_changes(hole):
    for file, text, _ in HOLES[hole].edits:
        assert text in (CHECKOUT / file).read_text(), file


if STEPS >= 100:  # the faults take minutes each

    @pytest.mark.parametrize("hole", sorted(HOLES))
    def test_a_fault_that_is_put_back_is_found(hole):
        process = walk("--steps", MAX_STEPS_TO_FIND_A_FAULT, "--seed", 3, "--hole", hole)
        print(process.stdout)
        assert process.returncode == 1, process.stdout + process.stderr
        assert ": after" in process.stdout, process.stdout + process.stderr
