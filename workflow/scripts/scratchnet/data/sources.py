"""Download the public datasets and verify them.

A dataset is four IDX files with known sha256 hashes. Sources are tried in order until one provides
all four. If the hashes of the IDX files are known, they may come in any container (plain, .gz,
.tgz, .zip, or Keras's .npz). For KMNIST and EMNIST, only the hashes of the published archives are
known.
"""

import errno
import gzip
import hashlib
import io
import logging
import os
import subprocess
import threading
import time
import zipfile
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import numpy as np
import pooch
import requests

from scratchnet.data.containers import unpack
from scratchnet.data.idx import encode_idx
from scratchnet.data.packages import PACKAGE_MANAGERS, download_package
from scratchnet.data.registry import FILES, Dataset
from scratchnet.errors import DataError, show_name
from scratchnet.files import atomic_write, hash_file, temporary_folder, write_json
from scratchnet.progress import progress

log = logging.getLogger(__name__)

MAX_DOWNLOAD_SIZE = 1_000_000_000  # bytes; the largest file, EMNIST's, has 560 MB
MIN_RATE = 10_000  # bytes per second, on average; so that MAX_DOWNLOAD_SIZE takes a day at most
# Errors of the local disk rather than of a source: full, over quota, or read-only.
LOCAL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def download(dataset: Dataset, destination: Path, user_folder: str | None, timeout: float):
    """Write the IDX files of `dataset` and a record of their source to the folder `destination`.

    `user_folder` (or None) is tried first. `timeout` is the time in seconds that a server may take
    to accept a connection, and to send the next bytes; three times as long after the start of a
    file, its average rate must be MIN_RATE. Raises DataError, with the reason for each source, if
    no source provides files with the expected hashes.
    """
    sources = ((str(user_folder),) if user_folder else ()) + dataset.sources
    failures = []
    for source in sources:
        try:
            with temporary_folder(".download", destination) as temporary:
                files = pick_files(_get_files(source, dataset, Path(temporary), timeout), dataset)
        except (OSError, DataError, subprocess.SubprocessError) as error:
            if isinstance(error, OSError) and error.errno in LOCAL_ERRNOS:
                raise
            failures.append(f"{show_name(source)}: {_explain(error)}")
            log.warning(failures[-1])
            continue
        for name, content in files.items():
            with atomic_write(destination / name) as path:
                path.write_bytes(content)
        sha256 = {name: hashlib.sha256(files[name]).hexdigest() for name in FILES}
        record = {"source": source, "sha256": sha256}
        write_json(destination / "source.json", record)
        log.info("%s: %d files, each with the expected sha256", source, len(files))
        return
    raise DataError(
        "the dataset could not be obtained from any source:\n  "
        + "\n  ".join(failures)
        + f"\nTo provide the files yourself: put {', '.join(dataset.sha256)} (plain, .gz, .zip, or "
        "as Keras's .npz; for KMNIST and EMNIST the published archives) into a folder, and name "
        "the folder in config.yaml under download: folder."
    )


def pick_files(paths: list[Path], dataset: Dataset) -> dict[str, bytes]:
    """Return {name: content} of the IDX files of `dataset`, found by hash in the files `paths`.

    A damaged file is ignored if the other files contain everything. Raises DataError if an IDX file
    is not found.
    """
    if dataset.members:
        return _pick_from_archive(paths, dataset)
    names = {sha256: name for name, sha256 in dataset.sha256.items()}
    found, damages = {}, []
    for path in paths:
        try:
            packed_name = names.get(hash_file(path))
            for content in unpack(path, dataset.max_file_size):
                name = packed_name or names.get(hashlib.sha256(content).hexdigest())
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


def _pick_from_archive(paths, dataset):
    """Return the same as `pick_files`, for a dataset published as one .zip with a known hash."""
    ((name, sha256),) = dataset.sha256.items()
    for path in paths:
        if hash_file(path) == sha256:
            with zipfile.ZipFile(path) as archive:
                return {
                    file: _transpose_back(gzip.decompress(archive.read(member)), dataset)
                    for file, member in dataset.members.items()
                }
    raise DataError(f"nothing in it has the sha256 of {name}")


def _transpose_back(content, dataset):
    """Return the `content` of an IDX file; images of a transposed dataset are transposed back."""
    images_magic = encode_idx(np.empty((0, 0, 0), np.uint8))[:4]
    if not dataset.transposed or not content.startswith(images_magic):
        return content
    n, height, width = np.frombuffer(content, ">u4", 3, offset=4)
    images = np.frombuffer(content, np.uint8, offset=16).reshape(n, height, width)
    return encode_idx(images.transpose(0, 2, 1))


def _get_files(source: str, dataset: Dataset, temporary: Path, timeout: float) -> list[Path]:
    """Return the paths of the files of `source`; downloads go to the folder `temporary`."""
    manager, _, package = source.partition(":")
    if manager in PACKAGE_MANAGERS:
        return [download_package(manager, package, temporary)]
    if source.startswith(("https://", "http://")):
        urls = dict.fromkeys(source.format(file=file) for file in dataset.sha256)
        return [_fetch(url, temporary, timeout) for url in urls]
    # Path.expanduser would fail for a name such as ~1, if there is no user 1.
    folder = Path(os.path.expanduser(source))
    if not folder.is_dir():
        raise DataError("no such folder")
    endings = (".npz", ".gz", ".tgz", ".zip", "ubyte")
    return sorted(p for p in folder.iterdir() if p.is_file() and p.name.lower().endswith(endings))


def _fetch(url: str, folder: Path, timeout: float) -> Path:
    """Download `url` into `folder` and return the path of the file.

    Raises DataError if the server sends too much or too slowly, or redirects to another scheme.
    """
    path = folder / url.rsplit("/", 1)[-1]
    failures = []

    def check(response, **_):
        if response.is_redirect:
            target = urljoin(response.url, response.headers["location"])
            if urlsplit(target).scheme != urlsplit(url).scheme:
                raise DataError(f"the server redirects {url} to {target}")

    def get():
        try:
            downloader(url, file, None)
        except Exception as error:
            failures.append(error)

    # Any total but 0: pooch tests bool(bar), which needs one, and then sets the actual total.
    with progress(path.name, total=1, unit="B", unit_scale=True) as bar:
        downloader = pooch.HTTPDownloader(
            progressbar=bar, chunk_size=1 << 13, timeout=timeout, hooks={"response": check}
        )
        with _BoundedFile(path, "wb") as file:
            # In a thread that can be left behind: it may wait for a name server or for the end of a
            # header, which no timeout limits. It ends when it writes to the closed file.
            thread = threading.Thread(target=get, daemon=True)
            thread.start()
            started = time.monotonic()
            thread.join(0.1)
            while thread.is_alive():
                if time.monotonic() - started > 3 * timeout + file.tell() / MIN_RATE:
                    raise DataError(f"the server sends less than {MIN_RATE // 1000} kB/s")
                thread.join(0.1)
    if failures:
        raise failures[0]
    return path


class _BoundedFile(io.FileIO):
    """A file that accepts at most MAX_DOWNLOAD_SIZE bytes."""

    def write(self, content):
        if self.tell() + len(content) > MAX_DOWNLOAD_SIZE:
            raise DataError(f"the server sends more than {MAX_DOWNLOAD_SIZE} bytes")
        return super().write(content)


def _explain(error):
    """Return in a few words why a source failed."""
    match error:
        case requests.HTTPError():
            return f"the server answered {error.response.status_code} {error.response.reason}"
        case requests.RequestException() if "timed out" in str(error):
            return "the server took too long to answer"
        case requests.exceptions.SSLError():
            return "its certificate is not trusted"
        case requests.exceptions.ProxyError():
            return "the proxy did not connect"
        case requests.ConnectionError():
            return "could not connect"
        case FileNotFoundError(filename="npm"):
            return "npm is not installed"
        case subprocess.TimeoutExpired():
            return f"it took longer than {error.timeout} s"
        case _:
            return str(error)
