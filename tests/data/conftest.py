"""Fixtures of downloads: a local server, a working source, and a fake npm."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

import samples
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
