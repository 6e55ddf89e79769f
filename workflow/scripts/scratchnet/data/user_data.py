"""A dataset of the user's own: which files it consists of, and by what it is known.

It is known by the content of its files. Where they lie makes no difference.
"""

import hashlib
import re
from pathlib import Path

from scratchnet.errors import ConfigError

ROLES = ("train_images", "train_labels", "test_images", "test_labels")


def find_files(path):
    """The files of the dataset at `path`: {"npz": path}, or {one of ROLES: path} for IDX files.

    In a folder, files that have "train", or "test" or "t10k", and "images" or "labels" in their
    names are taken for IDX files, plain or .gz. Those of a test set may be missing. Raises
    ConfigError when there is no dataset at `path`.
    """
    path = Path(path).expanduser()
    if path.is_file() and path.suffix == ".npz":
        return {"npz": path}
    if not path.is_dir():
        raise ConfigError("there is no such .npz file, and no such folder")
    files = {}
    for file in sorted(file for file in path.iterdir() if file.is_file()):
        role = role_of(file)
        if role in files:
            raise ConfigError(f"{files[role].name} and {file.name} may both be the {role}")
        if role:
            files[role] = file
    missing = [role for role in ROLES[:2] if role not in files]
    if len(files.keys() & {*ROLES[2:]}) == 1:
        missing = [role for role in ROLES if role not in files]
    if missing:
        raise ConfigError(
            f"no IDX file in the folder is that of the {' and '.join(missing)}; "
            "they are called e.g. train-images-idx3-ubyte and train-labels-idx1-ubyte.gz"
        )
    return files


def role_of(file):
    """Which one of ROLES an IDX file has, by its name; None for any other file."""
    half = re.search("(?<![a-z])(train|t10k|test)", file.name)
    kind = re.search("images|labels", file.name)
    if file.name.startswith("."):
        return None
    if not (half and kind and re.search(r"[.-](idx\d?|ubyte)(\.gz)?$", file.name)):
        return None
    return f"{'train' if half[0] == 'train' else 'test'}_{kind[0]}"


def dataset_label(path):
    """What the dataset at `path` is called in results: its file name, as far as folders allow."""
    return re.sub("[^a-z0-9]+", "_", Path(path).stem.lower()).strip("_") or "data"


def hash_contents(files):
    """The sha256 of the content of `files`, a {role: path}, as hexadecimal digits."""
    digests = []
    for role, path in files.items():
        with path.open("rb") as file:
            digests.append((hashlib.file_digest(file, "sha256").hexdigest(), role))
    if len(digests) == 1:  # what sha256sum prints
        return digests[0][0]
    return hashlib.sha256(repr(sorted(digests)).encode()).hexdigest()
