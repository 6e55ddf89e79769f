"""One run at a time in a results folder, and none before the jobs of a killed run have ended.

The kernel keeps these locks: each ends with the last process that has its file open, however that
process ends. Folders whose `results` are links to one folder share its locks.
"""

import fcntl
import os
from pathlib import Path

from scratchnet.errors import ResultsError, describe_owner

RUN, JOBS = ".lock", ".jobs.lock"


def lock_results(folder):
    """Lock the results in `folder` for this process; return the file descriptor for its jobs.

    Jobs that inherit the descriptor keep later runs waiting until they have ended. It is None where
    the file system has no locks. Raises ResultsError if another run has locked the folder.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        run, jobs = (_open(Path(folder, name)) for name in (RUN, JOBS))
    except OSError as error:
        whose = describe_owner(error.filename or folder)
        raise ResultsError(f"{folder}/ cannot be written: {error}{whose}") from error
    try:
        fcntl.flock(run, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _wait_for(jobs)
    except BlockingIOError:
        os.close(run)
        os.close(jobs)
        message = f"Another run is active in {folder}/: wait until it has ended, or end it"
        raise ResultsError(message) from None
    except OSError:  # a network file system
        print(f"{folder}/ cannot be locked: start no other run before this one has ended")
        return None
    return jobs


def _open(path):
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        if not path.exists():
            raise
        return os.open(path, os.O_RDONLY)  # another user's, who shares the folder


def _wait_for(jobs):
    try:
        fcntl.flock(jobs, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Waiting for the jobs of a run that was killed", flush=True)
        fcntl.flock(jobs, fcntl.LOCK_EX)
