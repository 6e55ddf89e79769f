"""One run at a time in a results folder, and none before the jobs of a killed run have ended.

The kernel keeps these locks: each ends with the last process that has its file open, however that
process ends. Folders whose `results` are links to one folder share its locks, and so do those in
which a folder of `results` is such a link.
"""

import fcntl
import os
from contextlib import suppress
from itertools import chain
from pathlib import Path

from scratchnet.errors import ResultsError, describe_owner

RUN, JOBS = ".lock", ".jobs.lock"


def lock_results(folder):
    """Lock the results in `folder` for this process; return the file descriptors for its jobs.

    Jobs that inherit the descriptors keep later runs waiting until they have ended. There are none
    where the file system has no locks. Raises ResultsError if another run has locked the folder, or
    one that a link in it leads to.
    """
    folder, locked = Path(folder), []
    try:
        _refuse_dangling(folder)
        folder.mkdir(parents=True, exist_ok=True)
        locked += [[_open(folder / name) for name in (RUN, JOBS)]]
        links = [path for path in folder.iterdir() if _leads_elsewhere(path)]
        for link in links:
            _refuse_dangling(link)
        for place in {link.resolve() for link in links if os.access(link, os.W_OK)}:
            locked += [[_open(place / name) for name in (RUN, JOBS)]]
    except OSError as error:
        whose = describe_owner(error.filename or folder)
        raise ResultsError(f"{folder}/ cannot be written: {error}{whose}") from error
    for_jobs = [jobs for _, jobs in locked]
    try:
        for run, _ in locked:
            fcntl.flock(run, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for jobs in for_jobs:
            _wait_for(jobs)
    except BlockingIOError:
        for descriptor in chain(*locked):
            os.close(descriptor)
        message = f"Another run is active in {folder}/: wait until it has ended, or end it"
        raise ResultsError(message) from None
    except OSError:  # a network file system
        print(f"{folder}/ cannot be locked: start no other run before this one has ended")
        for_jobs = []
    with suppress(PermissionError):  # of a file that another user made
        os.utime(locked[0][0])  # when this run began, by the clock of the file system
    return for_jobs


def _leads_elsewhere(path):
    """Return whether `path` is a link to a folder that is not beside it, or to nothing."""
    if not path.is_symlink() or path.is_file() or path.suffix:
        return False
    return not path.resolve().is_relative_to(path.parent.resolve())


def _refuse_dangling(path):
    if path.is_symlink() and not path.exists():
        raise ResultsError(
            f"{path} is a link to {path.readlink()}, which does not exist: make that folder, or "
            "delete the link"
        )


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
