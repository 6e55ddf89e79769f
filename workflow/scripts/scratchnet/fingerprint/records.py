"""Records: the fingerprint that a result was made with, in a hidden file beside the result.

The record of epoch-0020.npz is .epoch-0020.npz.fingerprint. A job with several outputs has one
record, beside its first output.
"""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4


def record_path(output):
    """Return the path of the record of a result, for the path of its first output."""
    output = Path(output)
    return output.with_name(f".{output.name}.fingerprint")


def read_record(path):
    """Return the fingerprint in the record `path`, or None where there is none.

    A damaged record is returned as it is: it equals no fingerprint.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_record(path, fingerprint):
    """Write a record, whole or not at all. All files of the result must be complete."""
    temporary = path.with_name(f"{path.name}-{uuid4().hex}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(fingerprint)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def delete_record(path):
    """Delete a record, if there is one."""
    with suppress(FileNotFoundError):
        os.unlink(path)
