"""Remove the lock of a run that was killed, unless another run is active in this folder.

Snakemake's lock does not say which process holds it, so each run writes that beside the lock. The
lock stays if that process is active, or may be: on another machine, or in another container. This
also waits for jobs that outlive their killed Snakemake: they still write results.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from scratchnet.errors import show_name
from scratchnet.planning.lock_owner import identify_process, is_locked, read_owner

SCRIPTS = Path(".snakemake/scripts")
STARTED_TOLERANCE = 2  # seconds: the start of a process is computed from the time of the last boot
FIRST_PID_NAMESPACE = 0xEFFFFFFC  # of a Linux machine itself, not of a container
BY_HAND = "If no run is active in this folder, remove its lock: snakemake --unlock"


def main():
    if not is_locked():
        return
    if reason := find_reason_to_keep(read_owner()):
        sys.exit(reason)
    jobs = find_jobs()
    if jobs:
        numbers = " ".join(map(str, jobs))
        print(
            f"Waiting for the jobs of a killed run. To end them instead: kill {numbers}", flush=True
        )
    while find_jobs():
        time.sleep(0.2)
    print("The last run was killed. Removing its lock; unfinished jobs run again.", flush=True)
    command = [sys.executable, "-m", "snakemake", "--unlock"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:  # above all, a mistake in config.yaml
        sys.exit(f"The lock could not be removed:\n{process.stdout}{process.stderr}".rstrip())


def find_reason_to_keep(owner):
    """Return why the lock must stay, or None if the run that made it has certainly ended.

    `owner` is what that run wrote about its process, or None.
    """
    import psutil  # only where there is a lock, so that `make run` starts quickly

    if owner is None:
        return f"This folder is locked, and it is not known by which run. {BY_HAND}"
    here = identify_process()
    if owner["host"] != here["host"]:
        return f"A run on {show_name(owner['host'])} has locked this folder. {BY_HAND}"
    if owner["pid_namespace"] != here["pid_namespace"]:
        return f"A run in another container has locked this folder. {BY_HAND}"
    if owner["boot"] != here["boot"]:
        is_same = owner["machine"] is not None and owner["machine"] == here["machine"]
        if is_same and owner["pid_namespace"] == FIRST_PID_NAMESPACE:
            return None  # this machine was started again
        return (
            f"A run has locked this folder before {here['host']} was started again, or on another "
            f"machine of that name. {BY_HAND}"
        )
    try:
        started = psutil.Process(owner["pid"]).create_time()
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        started = owner["started"]  # there is a process, and nothing shows that it is another one
    if abs(started - owner["started"]) > STARTED_TOLERANCE:
        return None
    return f"Another run is active in this folder (process {owner['pid']}). Wait for it to end."


def find_jobs():
    """Return the ids of the processes on this machine that are jobs of this folder.

    They run a script that Snakemake wrote into this folder, or are a Snakemake process in remote
    mode, as on a cluster.
    """
    import psutil

    jobs = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        scripts = [Path(word) for word in words if f"/{SCRIPTS}/" in word]
        is_remote = "remote" in words and any(Path(word).name == "snakemake" for word in words)
        if any((SCRIPTS / script.name).exists() for script in scripts) or (
            is_remote and is_in_this_folder(process)
        ):
            jobs.append(process.pid)
    return jobs


def is_in_this_folder(process):
    """Return whether a process works in this folder; of another user's it cannot be told: True."""
    import psutil

    try:
        return os.path.samefile(process.cwd(), ".")
    except psutil.NoSuchProcess:
        return False
    except (psutil.AccessDenied, OSError):
        return True


if __name__ == "__main__":
    main()
