"""What the script of a stage does around its work, so that its record is true."""

import json
import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from scratchnet.fingerprint.records import delete_record, read_record, record_path, write_record
from scratchnet.fingerprint.values import digest

ADVICE = "Run the command again."


class PlanError(Exception):
    """A job does not match the plan: its code or its inputs have changed since."""


@contextmanager
def recorded(snakemake):
    """Yield the fingerprint of a job, {"settings": ..., ...}; record it when the block succeeds.

    `snakemake` is the object of that name in scripts; its params have the `fingerprint` that the
    Tracker made. If the block fails, or the process is killed, there is no record. Raises
    PlanError if the code differs from what was planned, or if the results that the job reads have
    other fingerprints than planned.
    """
    plan = snakemake.params.fingerprint
    record = record_path(snakemake.output[0])
    delete_record(record)
    files, root = plan["files"], Path(snakemake.scriptdir).resolve()
    known = _imported_files(plan["packages"])
    _check_code(files, root)
    _check_imports(known.items(), files, root)
    _check_results(plan["made_from"], plan["latency_wait"])
    yield json.loads(plan["text"])
    _check_imports(_imported_files(plan["packages"]).items() - known.items(), files, root)
    write_record(record, plan["text"])


def _check_code(files, root):
    """Raise PlanError unless the content of `files`, {path below `root`: hash}, is as it was."""
    changed = [name for name, known in files.items() if _hash_of_file(root / name) != known]
    if changed:
        raise PlanError(f"{', '.join(changed)} changed after this run was planned. {ADVICE}")


def _hash_of_file(path):
    return digest(path.read_bytes()) if path.is_file() else None


def _imported_files(packages):
    """Return the file of each module of `packages` that this process has imported, by name."""
    return {
        name: Path(module.__file__).resolve()
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in packages and getattr(module, "__file__", None)
    }


def _check_imports(modules, files, root):
    """Raise PlanError if one of `modules`, (name, file) pairs, is not in `files` or has changed."""
    for name, file in sorted(modules):
        if not file.is_relative_to(root):
            raise PlanError(
                f"{name} was imported from {file}, not from {root}, which its fingerprint describes"
            )
        path = file.relative_to(root).as_posix()
        if path not in files:
            raise PlanError(f"{name} was imported, but no import statement names it")
        _check_code({path: files[path]}, root)


def _check_results(made_from, latency_wait):
    """Raise PlanError if a record does not have the hash in `made_from`, {path: hash}.

    On a network file system a record may take a while to appear: up to `latency_wait` seconds.
    """
    deadline = time.monotonic() + latency_wait
    for path, expected in made_from.items():
        while _hash_of_record(path) != expected:
            if time.monotonic() > deadline:
                raise PlanError(
                    f"the result beside {path} was made with other settings or code than planned. "
                    f"{ADVICE}"
                )
            time.sleep(0.1)
            with suppress(OSError):
                os.listdir(os.path.dirname(path))  # makes a network file system look again


def _hash_of_record(record):
    text = read_record(record)
    return text and digest(text)
