"""Remove the lock of a run that was killed, unless another run is active in this folder.

Snakemake's lock does not say which process holds it. So this looks at the processes of this
machine, and at the name of the machine that the run has written. It waits for jobs that outlive
their killed Snakemake: they still write results.
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
            f"A run on {host} has locked this folder. If it is no longer active there, run\n"
            "  snakemake --unlock"
        )
    runs, jobs = find_active_processes()
    if runs:
        sys.exit(f"Another run is active in this folder (process {runs[0]}). Wait for it to end.")
    if jobs:
        numbers = " ".join(map(str, jobs))
        print(f"Waiting for the jobs of a killed run. To end them instead: kill {numbers}")
    while jobs:
        time.sleep(0.2)
        _, jobs = find_active_processes()
    print("The last run was killed. Removing its lock; unfinished jobs run again.")
    command = [sys.executable, "-m", "snakemake", "--unlock"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:  # above all, a mistake in config.yaml
        sys.exit(f"The lock could not be removed:\n{process.stdout}{process.stderr}".rstrip())


def find_active_processes():
    """Return the ids of the Snakemake processes in this folder, and of their jobs.

    A job on a cluster is a Snakemake process in remote mode.
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
