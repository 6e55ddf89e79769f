"""The user's own dataset: find its files, and hash their contents.

The hash identifies the dataset; its location does not matter.
"""

import gzip
import hashlib
import os
import re
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from scratchnet.data.idx import read_shape
from scratchnet.data.image_arrays import check_images, find_splits, read_npy_header
from scratchnet.data.image_folder import find_samples, read_labels
from scratchnet.data.labels import check_labels
from scratchnet.errors import ConfigError, DataError, show_name
from scratchnet.files import hash_file, read_json, write_json

MAX_LABEL = 60
TICK = 0.05  # seconds
ROLES = ("train_images", "train_labels", "test_images", "test_labels")


def find_files(path: str | Path) -> dict[str, Path]:
    """Return the files of the dataset at `path`: {"npz": path}, IDX files by ROLES, or a folder.

    In a folder, these are the IDX files, plain or .gz, whose names contain "train", "test" or
    "t10k", and "images" or "labels". The two test files may be missing. A folder without IDX files
    is one of image files, {"folder": path}. Raises ConfigError if there is no dataset at `path`.
    """
    # Path.expanduser would fail for a name such as ~1.npz, if there is no user 1.npz.
    path = Path(os.path.expanduser(path))
    if path.is_file() and path.suffix.lower() == ".npz":
        return {"npz": path}
    if not path.is_dir():
        raise ConfigError("there is no such .npz file, and no such folder")
    files = {}
    for file in sorted(file for file in path.iterdir() if file.is_file()):
        role = find_role(file)
        if role in files:
            names = " and ".join(show_name(each.name) for each in (files[role], file))
            raise ConfigError(f"{names} may both be the {role}")
        if role:
            files[role] = file
    if not files:
        find_samples(str(path))
        return {"folder": path}
    missing = [role for role in ROLES[:2] if role not in files]
    if len(files.keys() & {*ROLES[2:]}) == 1:
        missing = [role for role in ROLES if role not in files]
    if missing:
        raise ConfigError(
            f"the folder has no IDX file of the {' and '.join(missing)}; "
            "their names are e.g. train-images-idx3-ubyte and train-labels-idx1-ubyte.gz"
        )
    return files


def find_role(file: Path) -> str | None:
    """Return the role of an IDX file, one of ROLES, from its name; None for any other file."""
    name = file.name.lower()
    split = re.search("(?<![a-z])(train|t10k|test)", name)
    kind = re.search("images|labels", name)
    if name.startswith("."):
        return None
    if not (split and kind and re.search(r"[.-](idx\d?|ubyte)(\.gz)?$", name)):
        return None
    return f"{'train' if split[0] == 'train' else 'test'}_{kind[0]}"


def has_test_split(files: dict[str, str | Path]) -> bool:
    """Return whether a dataset, {role: path} from `find_files`, has test images or labels.

    Only the names in an .npz file are read. One that is damaged has none: reading its arrays tells
    what is wrong with it.
    """
    if "folder" in files:
        return find_samples(str(files["folder"])).samples[-1].split == "test"
    if "npz" not in files:
        return "test_images" in files
    try:
        with zipfile.ZipFile(files["npz"]) as archive:
            return "test" in find_splits(_names_in(archive))
    except Exception:  # zipfile raises any exception for invalid bytes
        return False


def _names_in(archive):
    """Return the names of the arrays in an open .npz file."""
    return [name.removesuffix(".npy") for name in archive.namelist()]


def describe_left_out(files: dict[str, str | Path]) -> str:
    """Return which files in a folder of images are not in the dataset, in words, or ""."""
    return find_samples(str(files["folder"])).left_out if "folder" in files else ""


def read_image_shape(files: dict[str, str | Path]) -> tuple[int, ...] | None:
    """Return the shape of an image of a dataset, {role: path}: (height, width), or with 3 colours.

    Only the header of the file is read, or the first of image files. Return None if it is not as
    expected: reading the images tells what is wrong with them.
    """
    try:
        if "folder" in files:
            from scratchnet.data.image_reader import read_pixels  # Pillow is not needed otherwise

            folder = str(files["folder"])
            first = find_samples(folder).samples[0].file
            shape = 1, *read_pixels(os.path.join(folder, first), None, False, 255).shape
        elif "npz" in files:
            with zipfile.ZipFile(files["npz"]) as archive:
                name, _ = find_splits(_names_in(archive))["train"]
                with archive.open(f"{name}.npy") as file:
                    shape, *_ = read_npy_header(file)
        else:
            path = Path(files["train_images"])
            with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
                shape = read_shape(file, (3, 4), path)
        # The stand-in for the array takes no memory.
        _, *shape = check_images(np.broadcast_to(np.uint8(0), shape), "images").shape
        return tuple(shape[:2] + [3] * len(shape[2:]))
    except Exception:  # zipfile and NumPy raise any exception for invalid bytes
        return None


def read_classes(files: dict[str, str | Path]) -> list[str] | None:
    """Return the different labels of a dataset, {role: path}, as text, in ascending order.

    Return None if they cannot be read: preprocessing tells what is wrong with them.
    """
    try:
        if "folder" in files:
            samples = find_samples(str(files["folder"])).samples
            labels = [read_labels(sample.label for sample in samples)]
        elif "npz" in files:
            with np.load(files["npz"]) as archive:
                names = [y for _, y in find_splits(archive.files).values()]
                labels = [check_labels(archive[name], name) for name in names]
        else:
            labels = [_read_idx_labels(files[role]) for role in ROLES[1::2] if role in files]
        return np.unique(np.concatenate([each.ravel() for each in labels])).astype(str).tolist()
    except Exception:  # zipfile and NumPy raise any exception for invalid bytes
        return None


def _read_idx_labels(path):
    path = Path(path)
    with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
        read_shape(file, (1,), path)
        return np.frombuffer(file.read(), np.uint8)


def dataset_label(path: str | Path) -> str:
    """Return a name for the dataset at `path`: its file name, reduced to a-z, 0-9 and _.

    It is a part of names of folders, which may have 255 characters, so it has MAX_LABEL at most.
    """
    label = re.sub("[^a-z0-9]+", "_", Path(path).stem.lower()).strip("_")
    return label[:MAX_LABEL].rstrip("_") or "data"


def hash_contents(files: dict[str, Path], memory: str | Path | None = None) -> str:
    """Return the sha256 of the contents of `files`, {role: path}, as hexadecimal digits.

    For a single file, it is what sha256sum prints, whatever its role. Of a folder of images, the
    names of its files count as well. Hashes of these are kept in the folder `memory`, if there is
    one, and no file is read again whose times and size are the same.
    """
    if "folder" not in files:
        return combine_hashes({role: hash_file(path) for role, path in files.items()})
    folder = str(files["folder"])
    paths = {file: os.path.join(folder, file) for file in find_samples(folder).files}
    if memory is None:
        return combine_hashes({file: hash_file(path) for file, path in paths.items()})
    name = hashlib.sha256(os.path.abspath(folder).encode(errors="surrogateescape")).hexdigest()
    path = Path(memory, f"{name[:16]}.json")
    return combine_hashes(_remember_hashes(paths, path))


def _remember_hashes(paths, memory):
    """Return {file: sha256} of {file: path}; those of files as they were are in the file `memory`.

    That is written again if there are others.
    """
    try:
        known = dict(read_json(memory))
    except (OSError, ValueError, TypeError):
        known = {}
    found, started = {}, time.time()
    for file, path in paths.items():
        now = os.stat(path)
        stamp = [now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino]
        *before, sha256 = known.get(file, [None])
        found[file] = [*stamp, sha256 if before == stamp else hash_file(path)]
    if found != known:
        # A file may change twice within one tick of its clock.
        old = {file: entry for file, entry in found.items() if entry[2] < (started - TICK) * 1e9}
        with suppress(OSError):
            write_json(memory, old, indent=None)
    return {file: sha256 for file, (*_, sha256) in found.items()}


def combine_hashes(hashes: dict[str, str]) -> str:
    """Return `hash_contents` of files with these `hashes`, {role: sha256}."""
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    digests = sorted((sha256, role) for role, sha256 in hashes.items())
    return hashlib.sha256(repr(digests).encode()).hexdigest()


def check_hash(name: str, expected: str, found: str):
    """Raise DataError if the file called `name` in messages has another hash than expected."""
    if found != expected:
        raise DataError(
            f"{name} changed while it was in use: the sha256 was {expected}, and is {found} now; "
            "run the command again when nothing writes to it any more"
        )
