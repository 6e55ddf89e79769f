"""Progress in a pseudo-terminal: one live line, with complete lines above it."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from project import CHECKOUT
from scratchnet.progress import AroundLiveLines

SCRIPTS = CHECKOUT / "workflow" / "scripts"

# Writes each word that it reads from stdin to its live line.
WRITER = """
import sys
from scratchnet.progress import LiveLine
line = LiveLine(sys.stderr)
for word in sys.stdin:
    line.write(word.strip() + " ")
    line.flush()
    print("written", flush=True)
"""

SHORT_TRAINING = """
import sys, time
from scratchnet.progress import progress
for _ in progress("a training", iterable=range(3), total=3):
    time.sleep(0.15)
print("the end", file=sys.stderr)
"""


TWO_EPOCHS = """
import time
import numpy as np
from scratchnet.training import loop

def train_epoch(network, optimizer, batches, rng, **options):
    for _ in batches:
        time.sleep(0.15)
    return {"loss": 1.0, "accuracy": 0.5}

loop.train_epoch = train_epoch
data = {name: np.zeros((2, 6), np.float32) for name in ("X_train", "Y_train")}
data |= {name: np.zeros((2, 0), np.float32) for name in ("X_validation", "Y_validation")}
settings = {"training.patience": None, "training.batch_size": 2, "training.seed": 0}
loop.train(loop.Training(None, None), data, settings, 2, "a run")
"""


DOWNLOAD = """
import sys
from pathlib import Path
from scratchnet.data.sources import _fetch
_fetch(sys.argv[1], Path(sys.argv[2]), timeout=5)
"""


@pytest.fixture
def terminal():
    """Yield the master and the slave of a pseudo-terminal with 100 columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    yield master, slave
    for end in (master, slave):
        os.close(end)


def python(code, stderr, *arguments, **options):
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stderr=stderr,
        env=environment,
        text=True,
        **options,
    )


def read(master):
    """Return all text written to the terminal since the last call."""
    os.set_blocking(master, False)
    text = b""
    while True:
        try:
            text += os.read(master, 1 << 16)
        except BlockingIOError:
            return text.decode()


def screen(text):
    """Return the lines that a terminal shows after printing `text`."""
    lines, column = [""], 0
    for part in re.split(r"(\r|\n|\x1b\[[0-9;]*[A-Za-z])", text):
        line = lines[-1]
        if part == "\r":
            column = 0
        elif part == "\n":
            lines.append("")
        elif part == "\x1b[K":
            lines[-1] = line[:column]
        elif not part.startswith("\x1b"):
            lines[-1] = line[:column].ljust(column) + part + line[column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines]


def test_one_process_owns_the_line_until_it_ends(terminal):
    master, slave = terminal
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with python(WRITER, slave, **pipes) as first, python(WRITER, slave, **pipes) as second:
        for process, word in ((first, "a"), (second, "b"), (first, "c")):
            print(word, file=process.stdin, flush=True)
            assert process.stdout.readline() == "written\n"
        first.stdin.close()
        first.wait()
        print("d", file=second.stdin, flush=True)
        assert second.stdout.readline() == "written\n"
    assert read(master) == "a c d "


def test_a_live_line_is_shown_during_training_and_removed_afterwards(terminal):
    master, slave = terminal
    assert python(SHORT_TRAINING, slave).wait() == 0
    text = read(master)
    assert "a training:  33%" in text
    assert screen(text) == ["the end", ""]


def test_the_live_line_of_a_training_moves_within_an_epoch(terminal):
    """An epoch of three batches takes longer than the line stays as it is."""
    master, slave = terminal
    assert python(TWO_EPOCHS, slave).wait() == 0
    shown = re.findall(r"a run: epoch ([\d.]+)/2, [\d:?]+ left(, loss 1.0000)?", read(master))
    counted = list(dict.fromkeys(epoch for epoch, _ in shown))
    assert counted == ["0.0", "0.3", "0.7", "1.0", "1.3", "1.7", "2.0"]
    assert {epoch for epoch, loss in shown if loss} >= {"1.3", "1.7", "2.0"}


class Slow(BaseHTTPRequestHandler):
    """Serve 400 kB in four parts, 0.2 s apart."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "400000")
        self.end_headers()
        for _ in range(4):
            self.wfile.write(bytes(100_000))
            self.wfile.flush()
            time.sleep(0.2)

    def log_message(self, *arguments):
        pass


def test_a_download_shows_its_progress_and_the_time_left(terminal, tmp_path):
    master, slave = terminal
    server = HTTPServer(("127.0.0.1", 0), Slow)
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/images.gz"
        assert python(DOWNLOAD, slave, url, tmp_path).wait() == 0
        server.shutdown()
    text = read(master)
    assert re.search(r"images\.gz: +\d+%\|.*k/400k \[\d\d:\d\d<\d\d:\d\d", text), text
    assert screen(text) == [""]


def test_without_a_terminal_no_live_line_is_shown():
    process = python(SHORT_TRAINING, subprocess.PIPE)
    assert process.communicate()[1] == "the end\n"


def test_complete_lines_replace_a_live_line():
    shown = io.StringIO()
    stream = AroundLiveLines(shown)
    for text in ("\n", "job 3 ", "is done", "\n"):
        if text != "is done":  # in the middle of a line
            shown.write("\repoch 7 of 20: a long live line\r" if text != "\n" else "")
        stream.write(text)
    assert screen(shown.getvalue()) == ["", "job 3 is done", ""]


@pytest.mark.slow
def test_the_live_lines_of_a_sweep_do_not_mix_with_other_output(new_project, terminal):
    """Two runs of 100 epochs each train at the same time on two cores."""
    epochs = {"epochs": 100}
    new_project.configure({"training": epochs, "sweep": {"training.seed": [0, 1]}})
    master, slave = terminal
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    process = subprocess.Popen(
        command, cwd=new_project.folder, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave
    )
    text = ""
    while process.poll() is None:
        text += read(master)
    text += read(master)
    assert process.returncode == 0, text
    live = (
        r"mnist-softmax-\w{8}: epoch \d+\.\d/100, [\d:?]+ left, "
        r"loss \d\.\d{4}, accuracy \d\.\d{4} \|"
    )
    assert re.search(live, text)
    lines = screen(text)
    assert not [line for line in lines if "left" in line]
    finished = [line for line in lines if "Finished jobid" in line]
    assert len(finished) == 11
    assert all(re.fullmatch(r"Finished jobid: \d+ \(Rule: \w+\)", line) for line in finished)
