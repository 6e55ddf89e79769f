"""How everything is timed: contenders take turns, and all must come to the same loss."""

import os
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
RAW = CHECKOUT / "results" / "data" / "mnist"
CORES = sorted(os.sched_getaffinity(0))[:2]


def take_turns(contenders, rounds, warm_up=1):
    """Return {name: seconds of each round} and {name: losses of all rounds}.

    A contender is a function that returns its seconds and a list of losses. In each round all take
    their turns, so that whatever else the machine does falls on all of them. The rounds to warm up
    come first and are not timed.
    """
    seconds, losses = {name: [] for name in contenders}, {name: [] for name in contenders}
    for round in range(warm_up + rounds):
        for name, measure in contenders.items():
            taken, found = measure()
            losses[name] += found
            if round >= warm_up:
                seconds[name].append(taken)
    return seconds, losses


def check_losses(losses, ours, tolerances):
    """Exit unless all losses are those of `ours`: nobody wins by doing less.

    `tolerances` has the relative difference that is allowed, by name. No loss is compared with
    None, which stands for another function than the loss of `ours`.
    """
    for name, values in losses.items():
        for expected, value in zip(losses[ours], values, strict=True):
            if value is not None and not abs(expected - value) <= tolerances[name] * expected:
                sys.exit(f"{name} came to a loss of {value}, {ours} to {expected}")


def environment(**variables):
    """Return the environment of a process: TensorFlow without its talk, JAX without a search.

    All contenders have the settings of memory that the workflow gives its jobs. Where OpenBLAS is
    told to do without AVX-512, TensorFlow's products do without it, too: both then have the same
    instructions, on any machine.
    """
    if os.environ.get("OPENBLAS_CORETYPE", "").lower() in ("haswell", "zen"):
        variables = {"ONEDNN_MAX_CPU_ISA": "AVX2"} | variables
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
    return os.environ | quiet | read_memory_settings() | variables


@cache
def read_memory_settings():
    """Return the variables for the C library that scratchnet/opening.py sets."""
    text = (CHECKOUT / "workflow/scripts/scratchnet/opening.py").read_text()
    found = re.findall(r'environ\.setdefault\("(MALLOC_\w+)", str\((\d+) \* 1024\*\*2\)\)', text)
    return {name: str(int(mib) * 1024**2) for name, mib in found}


def seconds_of(command, folder):
    """Run a command in `folder`; return its seconds."""
    started = time.perf_counter()
    process = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment(), capture_output=True, text=True
    )
    if process.returncode:
        sys.exit(f"{command} failed:\n{process.stdout}{process.stderr}")
    return time.perf_counter() - started
