"""Snakemake, loaded once and forked for each run. For programs with one thread only."""

import os
import signal
import sys
import time
from pathlib import Path

import jsonschema  # noqa: F401  (what the Snakefile will import besides)
import yaml  # noqa: F401
from snakemake.cli import main


def start(folder, arguments, output):
    """Start `snakemake` with these arguments in a process group of its own; returns its number."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    os.chdir(folder)
    with open(output, "wb") as file, open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["snakemake", *arguments]
    # The library that this program uses is not the one of the folder.
    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("scratchnet", "snakefresh")
    ]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if not path.endswith("workflow/scripts")]
    code = 1
    try:
        main(arguments)
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run(folder, *arguments):
    """Run `snakemake --cores 2`; returns its exit code and all that it printed."""
    output = Path(folder) / ".output"
    process = start(folder, ["--cores", "2", *map(str, arguments)], output)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), output.read_text()


def run_and_kill(folder, seconds, whole_group, *arguments):
    """Start a run and kill it after some seconds, with its jobs or without.

    Returns whether it was still alive then.
    """
    output = Path(folder) / ".output"
    process = start(folder, ["--cores", "2", *map(str, arguments)], output)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitpid(process, os.WNOHANG)[0]:
            return False
        time.sleep(0.01)
    (os.killpg if whole_group else os.kill)(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return True
