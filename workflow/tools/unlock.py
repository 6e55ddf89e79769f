"""Take away the lock of a run that was killed, if no other run is at work in this folder.

Snakemake's lock does not say whose it is. So the processes of this machine are looked at, and the
name of the machine that a run left behind. Jobs that outlive their killed Snakemake are waited for:
what they write is of the run that is to be repeated.
"""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

LOCKS = Path(".snakemake/locks")
HOST = Path(".snakemake/host")  # written by the Snakefile when a run starts


def main():
    if not (LOCKS.is_dir() and any(LOCKS.iterdir())):
        return
    host = HOST.read_text() if HOST.exists() else platform.node()
    if host != platform.node():
        sys.exit(
            f"A run on {host} has locked this folder. If it is no longer at work there, run\n"
            "  snakemake --unlock"
        )
    runs, jobs = at_work_here()
    if runs:
        sys.exit(f"Another run is at work in this folder (process {runs[0]}). Wait for it to end.")
    if jobs:
        numbers = " ".join(map(str, jobs))
        print(f"Waiting for what a killed run left at work. To end it instead: kill {numbers}")
    while jobs:
        time.sleep(0.2)
        _, jobs = at_work_here()
    print("The last run was killed. Taking its lock away; what it was doing is done again.")
    command = [sys.executable, "-m", "snakemake", "--unlock"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:  # above all, a mistake in config.yaml
        sys.exit(f"The lock is still there:\n{process.stdout}{process.stderr}".rstrip())


def at_work_here():
    """The processes in this folder that are a Snakemake, and those that are a job of one.

    A job on a cluster is a Snakemake in the mode "remote".
    """
    import psutil  # only where there is a lock, so that `make run` starts quickly

    runs, jobs = [], []
    here = os.getcwd()
    for process in psutil.process_iter(["pid", "cwd", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.info["cwd"] != here or process.pid == os.getpid():
            continue
        is_snakemake = any(Path(word).name == "snakemake" for word in words[:3])
        if any(".snakemake/scripts/" in word for word in words) or (
            is_snakemake and "remote" in words
        ):
            jobs.append(process.pid)
        elif is_snakemake:
            runs.append(process.pid)
    return runs, jobs


if __name__ == "__main__":
    main()
