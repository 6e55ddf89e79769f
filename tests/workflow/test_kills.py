"""A run that is killed at any moment, and the same command again.

KILLS says how often; `make test-kills` does it 50 times.
"""

import os
import random
import re
import signal
import time
from contextlib import suppress

import pytest

from kills import find_jobs_of, results, start, start_in_terminal
from project import copy_with_small_data

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "4"))
SETTINGS = {
    "model": {"hidden": [200]},
    "training": {"epochs": 40, "checkpoint_every": 10, "momentum": 0.9},
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The results of a chained run that nobody disturbed, and the seconds that it took."""
    project = copy_with_small_data(tmp_path_factory.mktemp("undisturbed"))
    project.configure(SETTINGS)
    started = time.monotonic()
    project.run()
    return results(project), time.monotonic() - started


@pytest.mark.parametrize("seed", range(KILLS))
def test_after_a_kill_one_command_ends_with_the_same_bytes(new_project, undisturbed, seed):
    expected, duration = undisturbed
    rng = random.Random(seed)
    new_project.configure(SETTINGS)
    process = start(new_project)
    time.sleep(rng.uniform(0.5, duration))
    # Every other time the jobs are left alive, without their Snakemake.
    kill = os.killpg if seed % 2 else os.kill
    kill(process.pid, signal.SIGKILL)
    process.wait()
    new_project.run()
    assert results(new_project) == expected
    assert new_project.plan() == {}


def test_finished_segments_survive_a_kill(new_project):
    new_project.configure(SETTINGS)
    process = start(new_project)
    deadline = time.monotonic() + 60
    while not list(new_project.results.rglob("epoch-0020.npz")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert "to epoch 0010" not in new_project.run()


@pytest.mark.parametrize("seed", [None, *range(KILLS)])
def test_ctrl_c_ends_with_one_sentence(new_project, undisturbed, seed):
    """In a terminal, while the jobs are planned, or at any moment after the start of the first."""
    expected, duration = undisturbed
    new_project.configure(SETTINGS)
    process, terminal = start_in_terminal(new_project)
    output = b""
    while not re.search(b"Building DAG" if seed is None else b"Job [12]:", output):
        output += os.read(terminal, 4096)
    if seed is not None:
        time.sleep(random.Random(seed).uniform(0, duration - 1))
    os.write(terminal, b"\x03")
    time.sleep(0.01)
    os.write(terminal, b"\x03")  # who is impatient presses it twice
    with suppress(OSError):  # when the terminal has nobody left
        while part := os.read(terminal, 4096):
            output += part
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    _, _, after = output.decode().partition("^C")
    if after:  # otherwise it had ended before
        lines = [line.strip() for line in re.sub(r"\x1b\[K|\^C", "", after).splitlines()]
        assert [line for line in lines if line] == [
            "Stopping. The same command goes on from the last checkpoint."
        ]
        assert code == 1
    assert not find_jobs_of(new_project)
    new_project.run()
    assert results(new_project) == expected
