"""A run as one archive that can be given away: writing it, and checking one.

The archive is a .zip with one folder. SHA256SUMS in it has the sha256 of each other file, in the
form of the program sha256sum. Nothing is compressed, and no file has a time: the same results give
the same bytes, with any version of zlib.
"""

import hashlib
import json
import re
import stat
import struct
import zipfile
from io import BytesIO
from pathlib import Path

from scratchnet.errors import DataError, shorten_list, show_name
from scratchnet.files import atomic_write, read_json
from scratchnet.interop.model_card import describe_run

SUMS = "SHA256SUMS"
REQUIRED = ("README.md", "config.yaml", "checkpoint.npz", "metrics.json", "record.json")
# The names of files: none is hidden, leads out of its folder, or means something to a system.
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+")
# What zipfile may raise where an archive is damaged or lies.
ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    OverflowError,
    MemoryError,
)


def bundle_run(path, name, files, pictures, settings):
    """Write the archive `path` of a run: a folder called `name`, with a model card in it.

    `files` maps checkpoint, record, manifest, metrics, history, predictions, confusion,
    calibration, config, arrays and readme to the paths of these results, and `pictures` are the
    paths of its plots. `settings` are those of the run, by key. How long the training took is left
    out: it differs each time.
    """
    record = {key: value for key, value in read_json(files["record"]).items() if key != "seconds"}
    members = {
        "checkpoint.npz": files["checkpoint"],
        "config.yaml": files["config"],
        "manifest.json": files["manifest"],
        "metrics.json": files["metrics"],
        "network/README.md": files["readme"],
        "network/network.npz": files["arrays"],
        **{f"{name}.csv": files[name] for name in ("history", "predictions")},
        **{f"{name}.csv": files[name] for name in ("confusion", "calibration")},
        **{f"pictures/{Path(picture).name}": picture for picture in pictures},
    }
    drawn = [member for member in members if member.startswith("pictures/")]
    contents = {member: Path(source).read_bytes() for member, source in members.items()}
    contents["record.json"] = f"{json.dumps(record, indent=2)}\n".encode()
    card = describe_run(name, settings, files, record["environment"], drawn)
    contents["README.md"] = card.encode()
    contents[SUMS] = _list_sums(contents)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        _write_archive(file, {f"{name}/{member}": contents[member] for member in contents})


def _list_sums(contents):
    """Return the lines of SHA256SUMS for `contents`, {name: bytes}, as bytes."""
    sums = {name: hashlib.sha256(contents[name]).hexdigest() for name in sorted(contents)}
    return "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()


def _write_archive(file, contents):
    """Write `contents`, {name: bytes}, to an open file: the same always gives the same bytes."""
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name)  # its time is fixed
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, contents[name])


def check_bundle(path):
    """Return the name of the folder in the archive `path`, its number of files, and its sha256.

    Nothing is unpacked. Raises DataError unless all files that belong to a run are there, have the
    content that SHA256SUMS says, and the archive is to the byte what `bundle_run` makes of them:
    there is nothing else in it, and no name that leads out of the folder.
    """
    shown = show_name(path)
    if not Path(path).is_file():
        raise DataError(f"there is no file {shown}")
    try:
        content = Path(path).read_bytes()
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
            for entry in entries:
                name = show_name(entry.filename)
                if not NAME.fullmatch(entry.filename):
                    raise DataError(f"{name} is not the name of a file in the folder of a run")
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise DataError(f"{name} is compressed, which `snakemake bundle` does not do")
            if sum(entry.file_size for entry in entries) > len(content):
                raise DataError("its files are larger than it is")
            contents = {entry.filename: archive.read(entry) for entry in entries}
        folder = _check_contents(contents)
        again = BytesIO()
        _write_archive(again, contents)
        if again.getvalue() != content:
            raise DataError("there is something else in it, or it was packed by something else")
    except DataError as error:
        raise DataError(f"{shown}: {error}") from None
    except ERRORS as error:
        raise DataError(
            f"{shown} is damaged, or is not an archive of a run: {show_name(error)}"
        ) from None
    return folder, len(contents), hashlib.sha256(content).hexdigest()


def _check_contents(contents):
    """Return the folder of `contents`, {name: bytes}; raise DataError if they are no whole run."""
    folders = {name.partition("/")[0] for name in contents}
    if len(folders) != 1:
        raise DataError(f"it has {len(folders)} folders; that of a run has one")
    (folder,) = folders
    members = {name.partition("/")[2]: content for name, content in contents.items()}
    _refuse({SUMS} - members.keys(), "is missing")
    lines = members.pop(SUMS).decode().splitlines()
    listed = dict(line.split("  ")[::-1] for line in lines)
    _refuse({*REQUIRED, *listed} - members.keys(), "is missing")
    _refuse(members.keys() - listed.keys(), f"is not in {SUMS}")
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    _refuse({name for name in members if digests[name] != listed[name]}, "is damaged")
    return folder


def _refuse(names, problem):
    if names:
        shown = ", ".join(shorten_list(sorted(map(show_name, names)), 5))
        raise DataError(f"{shown} {problem}")
