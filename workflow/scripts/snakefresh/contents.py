"""Files: their content as a hash, and writing them whole or not at all."""

import hashlib
import json
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

# What may be deleted at any time: hashes of large files, parts of source files, byte code.
CACHE = Path(".snakemake/snakefresh")
LARGE = (
    1_000_000  # bytes; the content of a larger file is hashed once, as long as it is the same file
)
MAX_SIZE = 100_000_000  # bytes of JSON; a larger file is none
TICK = 0.05  # seconds; a file may change twice within one tick of its clock


def digest(value):
    """Return 16 hexadecimal digits that identify bytes, text, or anything that JSON can hold."""
    if not isinstance(value, (bytes, str)):
        value = json.dumps(value, sort_keys=True)
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()[:16]


def open_file(path):
    """Open a file for reading. Raises OSError for a FIFO or a device, which might never end."""
    return open(path, "rb", opener=_open_regular)


def _open_regular(path, flags):
    descriptor = os.open(path, flags | os.O_NONBLOCK)  # a FIFO would wait for a writer
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a file")
    return descriptor


def read_json(path):
    """Return the value in a JSON file; None if there is none that can be read."""
    try:
        with open_file(path) as file:
            is_large = os.fstat(file.fileno()).st_size > MAX_SIZE
            return None if is_large else json.loads(file.read(MAX_SIZE))
    except (OSError, ValueError, RecursionError):
        return None


def content(path, remembers=True):
    """Return a hash of a file, or of all files in a folder; None if there is none.

    Unless it `remembers` large files, they are read again, whatever their times are.
    """
    try:
        if os.path.isdir(path):
            names = {*os.listdir(path)} - {".snakemake_timestamp"}  # of a folder that is an output
            return digest({name: content(os.path.join(path, name), remembers) for name in names})
        with open_file(path) as file:
            known = os.fstat(file.fileno())
            if known.st_size <= LARGE:
                return digest(file.read())
            return _remembered(path, file, known) if remembers else _digest_of_file(file)
    except OSError:
        return None


def _remembered(path, file, known):
    """The hash of a large file; it is remembered by all that changes when the file does."""
    stamp, memory = _stamp(known), _memory(path)
    if isinstance(old := read_json(memory), dict) and old.get("stamp") == stamp:
        return old["hash"]
    found = _digest_of_file(file)
    if time.time() - known.st_ctime > TICK:
        with suppress(OSError):
            write(memory, json.dumps({"stamp": stamp, "hash": found}))
    return found


def _digest_of_file(file):
    return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _stamp(known):
    return [known.st_size, known.st_mtime_ns, known.st_ctime_ns, known.st_ino]


def _memory(path):
    return CACHE / "contents" / digest(os.path.abspath(path))


def touched(path, known):
    """Remember the hash of a large file after its times, and nothing else, were changed."""
    with suppress(OSError):
        if (now := os.stat(path)).st_size > LARGE:
            write(_memory(path), json.dumps({"stamp": _stamp(now), "hash": known}))


def listing(path):
    """Return a hash of the names in a folder; None if there is no such folder."""
    try:
        return digest(sorted(name for name in os.listdir(path) if name != "__pycache__"))
    except OSError:
        return None


def write(path, text, durable=False):
    """Write a file of text or bytes, whole or not at all; make its folder if it is missing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}-{uuid4().hex}")
    try:
        with temporary.open("wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if not error.filename:  # a failed write does not name the file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
