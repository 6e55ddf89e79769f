"""A local server, a source that works, and an npm."""

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
