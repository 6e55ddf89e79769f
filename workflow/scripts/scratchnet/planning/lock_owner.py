"""Which process has locked the folder. Snakemake's lock does not say, so each run writes it."""

import os
import platform
from contextlib import suppress
from pathlib import Path

from scratchnet.files import read_json, write_json

LOCKS = Path(".snakemake/locks")
OWNER = Path(".snakemake/owner.json")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
MACHINE_ID = Path("/etc/machine-id")
PID_NAMESPACE = Path("/proc/self/ns/pid")


def is_locked():
    """Return whether a run is active in this folder, or was killed there."""
    return LOCKS.is_dir() and any(LOCKS.iterdir())


def identify_process():
    """Return what tells this process from all others, on this machine and elsewhere.

    `machine`, `boot` and `pid_namespace` are None where the system does not have them.
    """
    import psutil  # only by runs, and where there is a lock

    return {
        "host": platform.node(),
        "machine": _read_id(MACHINE_ID),
        "boot": _read_id(BOOT_ID),
        "pid_namespace": PID_NAMESPACE.stat().st_ino if PID_NAMESPACE.exists() else None,
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
    }


def _read_id(path):
    with suppress(OSError, UnicodeError):
        return path.read_text(encoding="ascii").strip() or None
    return None


def write_owner():
    """Write that this process is the one that locks the folder."""
    write_json(OWNER, identify_process())


def read_owner():
    """Return what the last run wrote about its process, or None if that cannot be read."""
    with suppress(OSError, ValueError):
        owner = read_json(OWNER)
        if isinstance(owner, dict) and owner.keys() >= identify_process().keys():
            return owner
    return None
