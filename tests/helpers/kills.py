"""Runs that can be killed, and how to recover from that."""

import os
import pty
import subprocess
import sys

import psutil


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


def start(project, *python_options):
    """Snakemake in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, *python_options, "-m", "snakemake", "--cores", "2"],
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


def unlock(project):
    """The finished process of the first half of `make run`."""
    command = [sys.executable, project.folder / "workflow" / "tools" / "unlock.py"]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)


def recover(project):
    """What `make run` does, in the project's folder."""
    process = unlock(project)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout + project.run()
