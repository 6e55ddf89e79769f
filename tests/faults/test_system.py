"""Calls of the system that fail, disks without inodes, and clocks that are set otherwise.

helpers/faults.c is preloaded into Snakemake and its jobs.
"""

import errno
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

import pytest
from test_bad_runs import mounted, recover, refused, remount

from kills import results
from project import CHECKOUT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    if not (sys.platform == "linux" and shutil.which("cc")):
        pytest.skip("needs Linux and a C compiler")
    path = tmp_path_factory.mktemp("faults") / "faults.so"
    source = CHECKOUT / "tests/helpers/faults.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", path, source, "-ldl"], check=True)
    return path


@pytest.fixture
def start(library, tmp_path):
    """Start Snakemake in a project with the library; `set_clock` sets its clock, at any time."""

    def start(project, *arguments, **environment):
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            cwd=project.folder,
            env=os.environ
            | {"LD_PRELOAD": str(library), "CLOCK": str(tmp_path / "clock")}
            | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    return start


@pytest.fixture
def set_clock(tmp_path):
    path = tmp_path / "clock"
    path.write_bytes(bytes(8))

    def set_clock(seconds):
        """Set the clock of the processes that are started, but not that of the files."""
        with path.open("r+b") as file:  # it is mapped
            file.write(struct.pack("d", seconds))

    return set_clock


@pytest.fixture
def expected(finished):
    return results(finished)


def output_of(process):
    """What a started process prints; its exit code must be 0."""
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    return output


FAULTS = {
    ("write", errno.EDQUOT, "*.npy"): "free some space in your quota",
    ("write", errno.EIO, "*metrics*.json"): "whether the disk, or the connection to it, is broken",
    ("fsync", errno.EIO, "*.npz"): "whether the disk, or the connection to it, is broken",
    ("fsync", errno.ESTALE, "*.npz.record-*"): "whether the file server still has this folder",
}


@pytest.mark.parametrize("fault", FAULTS, ids="{0[0]} {0[1]} {0[2]}".format)
def test_a_call_that_fails_is_one_sentence(new_project, expected, start, fault):
    call, number, pattern = fault
    process = start(new_project, FAULT=f"{call} {number} {pattern}")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "Traceback" not in output
    (line,) = {line for line in output.splitlines() if FAULTS[fault] in line}
    assert os.strerror(number) in line
    assert re.search(pattern.replace("*", r"[^']*").replace("-[^']*", ""), line)
    assert results(new_project).items() <= expected.items()
    recover(new_project)
    assert results(new_project) == expected


def test_an_input_that_cannot_be_read_is_not_called_damaged(project, start):
    project.configure({"training": {"epochs": 5, "batch_size": 25}})
    process = start(project, FAULT=f"read {errno.EIO} *X_train.npy")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "X_train.npy cannot be read (Input/output error). If it stays so, delete it." in output
    assert "Traceback" not in output
    recover(project)


@pytest.mark.parametrize("inodes", [60, 100])
def test_a_disk_without_inodes(new_project, expected, inodes):
    with mounted(new_project.results, "100m"):
        remount(new_project.results, f"nr_inodes={inodes}")
        output = refused(new_project)
        assert "has no inodes left" in output
        assert results(new_project).items() <= expected.items()
        remount(new_project.results, "nr_inodes=10000")
        recover(new_project)
        assert results(new_project) == expected


@pytest.mark.parametrize("name", ["results", "results/data", "results/logs"])
def test_a_link_to_nothing(new_project, name):
    link = new_project.folder / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("/nowhere")
    assert f"{name} is a link to /nowhere, which does not exist" in refused(new_project)
    link.unlink()
    recover(new_project)


@pytest.mark.parametrize("seconds", [-20, 20, -864_000])
def test_a_file_server_with_another_clock(new_project, expected, start, set_clock, seconds):
    """Its files are `-seconds` ahead of the clock of the processes."""
    set_clock(seconds)
    output_of(start(new_project))
    assert results(new_project) == expected
    assert "Nothing to be done" in output_of(start(new_project, "--dry-run"))
    new_project.configure({"training": {"epochs": 5, "batch_size": 25}})
    output_of(start(new_project))
    assert new_project.plan() == {}
    assert expected.items() <= results(new_project).items()


def until_a_job_runs(project):
    deadline = time.monotonic() + 120
    while not list(project.results.glob("logs/**/*.log")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_clock_that_steps_back_and_forth_during_a_run(new_project, expected, start, set_clock):
    process = start(new_project)
    until_a_job_runs(new_project)
    step = 0
    while process.poll() is None:
        step += 1
        set_clock((-1) ** step * 3600 * step)
        time.sleep(0.5)
    output_of(process)
    assert step > 2
    assert results(new_project) == expected
    assert new_project.plan() == {}


def test_a_run_that_is_suspended(new_project, expected, start, set_clock):
    """Nobody takes its lock away, however long it is."""
    process = start(new_project)
    until_a_job_runs(new_project)
    os.killpg(process.pid, signal.SIGSTOP)
    set_clock(7200)
    assert "Another run is active in results/" in refused(new_project)
    os.killpg(process.pid, signal.SIGCONT)
    output_of(process)
    assert results(new_project) == expected
    assert new_project.plan() == {}
