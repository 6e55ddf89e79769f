"""Runs that can be killed."""

import fcntl
import os
import pty
import subprocess
import sys
from contextlib import suppress

import psutil

from scratchnet.lock import JOBS


def results(project):
    """{path: bytes} of the checkpoints, the metrics and the pictures.

    Not of the records, which say how long a training took, and not of what a killed job was
    writing, under a temporary name: `make prune` takes that away.
    """
    return {
        path.relative_to(project.results).as_posix(): path.read_bytes()
        for folder in ("runs", "data")
        for path in sorted((project.results / folder).rglob("*"))
        if path.is_file() and path.parent.name + path.suffix != "checkpoints.json"
        if not path.name.startswith(".")
    }


def start(project):
    """Snakemake in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2"],
        cwd=project.folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def start_in_terminal(project):
    """Snakemake in a terminal of its own; returns its process id and the terminal."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(project.folder)
        os.execv(sys.executable, [sys.executable, "-m", "snakemake", "--cores", "2"])
    return process, terminal


def find_jobs_of(project):
    """The command lines of processes that have to do with the project's folder."""
    lines = (" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"]))
    return [line for line in lines if f"{project.folder}/" in line]


def wait_for_jobs(project):
    """Wait until the jobs of a killed run have ended."""
    with suppress(FileNotFoundError), open(project.results / JOBS) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
