"""The user's own dataset: its files, and the hash of their content, which identifies it.

The location of the files makes no difference.
"""

import hashlib
import re
from pathlib import Path

from scratchnet.errors import ConfigError

ROLES = ("train_images", "train_labels", "test_images", "test_labels")


def find_files(path: str | Path) -> dict[str, Path]:
    """Return the files of the dataset at `path`: {"npz": path}, or IDX files by ROLES.

    In a folder, these are the files, plain or .gz, with "train", "test" or "t10k", and "images" or
    "labels" in their names. The test files may be missing. Raises ConfigError if there is no
    dataset at `path`.
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
            f"the folder has no IDX file of the {' and '.join(missing)}; "
            "their names are e.g. train-images-idx3-ubyte and train-labels-idx1-ubyte.gz"
        )
    return files


def role_of(file: Path) -> str | None:
    """Return the role of an IDX file, one of ROLES, given its name; None for any other file."""
    half = re.search("(?<![a-z])(train|t10k|test)", file.name)
    kind = re.search("images|labels", file.name)
    if file.name.startswith("."):
        return None
    if not (half and kind and re.search(r"[.-](idx\d?|ubyte)(\.gz)?$", file.name)):
        return None
    return f"{'train' if half[0] == 'train' else 'test'}_{kind[0]}"


def dataset_label(path: str | Path) -> str:
    """Return the name of the dataset at `path` in results: its file name, in a-z, 0-9 and _."""
    return re.sub("[^a-z0-9]+", "_", Path(path).stem.lower()).strip("_") or "data"


def hash_contents(files: dict[str, Path]) -> str:
    """Return the sha256 of the content of `files`, {role: path}, as hexadecimal digits."""
    digests = []
    for role, path in files.items():
        with path.open("rb") as file:
            digests.append((hashlib.file_digest(file, "sha256").hexdigest(), role))
    if len(digests) == 1:  # what sha256sum prints
        return digests[0][0]
    return hashlib.sha256(repr(sorted(digests)).encode()).hexdigest()
