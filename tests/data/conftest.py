"""Fixtures of downloads: a local server, a working source, and a fake npm; and of preprocessing."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import numpy as np
import pytest

import samples
from scratchnet.data.preprocessing import preprocess
from scratchnet.data.user_data import hash_contents
from sources import send


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
    """A function that starts a server; it returns the address and the list of requested paths.

    It takes {path: answer}. An answer is the bytes to send, or a function of the request handler
    and of an event that is set when the test is over.
    """
    is_over, servers = Event(), []

    def start(answers, tls=None):
        requested = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                requested.append(self.path)
                answer = answers.get(self.path)
                if answer is None:
                    self.send_error(404)
                elif callable(answer):
                    answer(self, is_over)
                else:
                    send(self, answer, len(answer))

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", requested

    yield start
    is_over.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def good(serve):
    """A source that provides the dataset."""
    return serve({"/mnist.npz": samples.keras_npz()})[0] + "/mnist.npz"


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """A function that puts a fake npm, a shell script of the given lines, first on the PATH."""

    def install(*lines):
        path = tmp_path / "bin" / "npm"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(["#!/bin/sh", *lines]))
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)

    return install


@pytest.fixture
def outputs(tmp_path):
    """The paths of the arrays and of the manifest."""
    names = [f"{kind}_{part}" for part in ("train", "validation", "test") for kind in "XY"]
    paths = {name: tmp_path / "out" / f"{name}.npy" for name in names}
    return paths | {"manifest": tmp_path / "out" / "manifest.json"}


@pytest.fixture
def preprocessed_npz(tmp_path, outputs):
    """A function that preprocesses {name: array} as the user's own .npz file.

    It returns the arrays, memory-mapped as in training, and the manifest.
    """

    def run(arrays, test_fraction=0.25, validation_fraction=0.25):
        files = {"npz": tmp_path / "mine.npz"}
        files["npz"].write_bytes(samples.npz(arrays))
        preprocess(files, hash_contents(files), test_fraction, validation_fraction, outputs)
        manifest = json.loads(outputs["manifest"].read_text())
        made = {name: path for name, path in outputs.items() if name != "manifest"}
        return {name: np.load(path, mmap_mode="r") for name, path in made.items()}, manifest

    return run
