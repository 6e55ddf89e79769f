"""Files that appear whole or not at all."""

import csv
import json
import os
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def atomic_write(path):
    """Give a temporary name beside `path`; when the block ends well, move it to `path`.

    The name is used once, so two jobs that write the same result cannot mix. When the
    block fails, nothing stays behind.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last: np.save and matplotlib go by it.
    temporary = path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # else a power cut may leave the name without the content
        temporary.replace(path)
    except OSError as error:
        if error.errno and not error.filename:  # a write does not say where it failed
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Write `text` to `path`, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, value, indent=2):
    """Write `value` to `path` as JSON; without an `indent` on one line, for what is long."""
    write_text(path, json.dumps(value, indent=indent) + "\n")


def read_json(path):
    """The value in a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_csv(path, header, rows):
    """Write `rows` of values below a `header` to a CSV file."""
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_csv(path, delimiter=","):
    """The rows of a CSV file, each a {column: text}."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))
