"""Writing files that appear complete or not at all."""

import csv
import hashlib
import json
import os
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4


@contextmanager
def atomic_write(path):
    """Yield a temporary name beside `path`; if the block succeeds, rename that file to `path`.

    The name is unique, so two jobs that write the same result do not interfere. If the block fails,
    nothing is left behind.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Keep the suffix: np.save and Matplotlib go by it.
    temporary = path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # or a power failure may leave an empty file
        temporary.replace(path)
    except OSError as error:
        if error.errno and not error.filename:  # a failed write does not name the file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def temporary_folder(name, folder):
    """Return a context manager with the path of a new folder in `folder`, deleted at the end.

    It is called `name` and a random number, so that `make prune` knows what a kill has left.
    """
    return TemporaryDirectory(prefix=f"{name}-{uuid4().hex}-", dir=folder)


def has_inodes(folder):
    """Return whether the disk of a folder has inodes left, without which no file can be made."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return True
    return disk.f_favail > 0 or not disk.f_files  # those that need no inodes have none


def hash_file(path):
    """Return the sha256 of the content of a file as hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path, text):
    """Write `text` to `path`, completely or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, value, indent=2):
    """Write `value` to `path` as JSON; with `indent=None` on a single line."""
    write_text(path, json.dumps(value, indent=indent) + "\n")


def read_json(path):
    """Return the value in a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_csv(path, header, rows):
    """Write `rows` of values below a `header` to a CSV file."""
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_rows(path, rows):
    """Write `rows`, an iterable of dicts with the same keys, below these keys to a CSV file."""
    rows = iter(rows)
    first = next(rows)
    write_csv(path, list(first), (row.values() for row in chain([first], rows)))


def read_csv(path, delimiter=","):
    """Return the rows of a CSV file, each as {column: text}."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))
