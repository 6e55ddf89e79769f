"""What `make live` shows of running trainings, from their logs."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time

from project import CHECKOUT
from scratchnet.files import read_csv

TOOL = CHECKOUT / "workflow/tools/live.py"
RUN = "mnist-softmax-0000000{}"
PAGE = "results/live.html"


def write_log(folder, i, epochs, of=4, rate=0.1, end="", validated=True):
    """Write the log of the run `i` after so many epochs, and return its path."""
    log = folder / f"results/logs/train/{RUN.format(i)}/epoch-{of:04}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    stamp = "2026-11-30 17:08:27,424"
    settings = f'{{"training.learning_rate": {rate}, "training.seed": 0}}'
    lines = [f"{stamp} settings {settings}"]
    for epoch in range(1, epochs + 1):
        values = f"loss {1 / epoch:.4f}  accuracy 0.{epoch}000"
        values += f"  val_loss {2 / epoch:.4f}  val_accuracy 0.{epoch}500" if validated else ""
        lines.append(f"{stamp} epoch {epoch}/{of}  {values}  30.00 s")
    log.write_text("\n".join([*lines, *([f"{stamp} {end}"] if end else [])]) + "\n")
    return log


def write_checkpoint(folder, i, epoch=4):
    path = folder / f"results/runs/{RUN.format(i)}/checkpoints/epoch-{epoch:04}.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")


def live(folder):
    """The lines that the tool prints once, without a terminal."""
    command = [sys.executable, TOOL]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert found.stderr == ""
    return found.stdout.splitlines()


def test_running_trainings_come_first_named_by_what_differs_with_how_they_stand(tmp_path):
    write_log(tmp_path, 0, 4, rate=0.1)
    write_checkpoint(tmp_path, 0)
    write_log(tmp_path, 1, 1, rate=0.2, end="DivergenceError: the loss is nan")
    write_log(tmp_path, 2, 2, rate=0.3)
    write_log(tmp_path, 3, 0, rate=0.4)
    header, *rows = live(tmp_path)
    assert header.split("  ")[0] == "run"
    shown = {re.split("  +", row)[0]: re.split("  +", row)[1:] for row in rows}
    assert {*[*shown][:2]} == {"learning_rate 0.3", "learning_rate 0.4"}
    left = shown["learning_rate 0.3"].pop(5)  # two epochs of 30 s, since the log was written
    assert re.fullmatch(r"1:00|0:[2-5]\d", left)
    assert shown == {
        "learning_rate 0.3": ["2/4", "0.5000", "0.2000", "1.0000", "0.2500", "█▁"],
        "learning_rate 0.4": ["0/?", "?"],
        "learning_rate 0.1": ["4/4", "0.2500", "0.4000", "0.5000", "0.4500", "done", "█▃▂▁"],
        "learning_rate 0.2": ["1/4", "1.0000", "0.1000", "2.0000", "0.1500", "failed", "▁"],
    }


def test_a_run_alone_has_its_name_and_what_was_not_measured_has_no_column(tmp_path):
    write_log(tmp_path, 0, 1, validated=False)
    header, row = live(tmp_path)
    assert "val" not in header
    assert row.startswith(RUN.format(0))


def test_a_training_that_says_nothing_for_long_is_named(tmp_path):
    log = write_log(tmp_path, 0, 1)
    os.utime(log, (time.time() - 1000, time.time() - 1000))
    assert re.search(r"no news for 1[67]:\d\d", live(tmp_path)[1])


def test_epochs_of_earlier_segments_are_kept_and_earlier_runs_of_snakemake_are_not(tmp_path):
    first = write_log(tmp_path, 0, 2, of=2)
    second = write_log(tmp_path, 0, 2, of=4)
    text = second.read_text().replace("epoch 2/4", "epoch 4/4").replace("epoch 1/4", "epoch 3/4")
    second.write_text(text)
    os.utime(first, (1, 1))
    lock = tmp_path / "results/.lock"
    lock.touch()
    os.utime(lock, (1000, 1000))
    old = write_log(tmp_path, 1, 2)
    os.utime(old, (999, 999))
    (row,) = live(tmp_path)[1:]
    assert re.search(r"  4/4 .*  [▁-█]{4}$", row)


def test_without_results_nothing_is_made(tmp_path):
    assert live(tmp_path) == ["No training has begun."]
    assert [*tmp_path.iterdir()] == []


def test_text_of_a_log_is_neither_markup_nor_control_characters(tmp_path):
    for i, rate in enumerate(('"<b>\\u001b[2J"', '"x"')):
        write_log(tmp_path, i, 1, rate=rate)
    assert "\x1b" not in "".join(live(tmp_path))
    page = (tmp_path / PAGE).read_text()
    assert "&lt;b&gt;" in page and "<b>" not in page and "\x1b" not in page


def test_the_logs_of_the_pipeline_are_understood(project):
    history = read_csv(project.run_folder / "epoch-0004/history.csv")
    _, row = live(project.folder)
    assert row.startswith(project.run_folder.name)
    assert f"4/4    {float(history[-1]['loss']):.4f}  {float(history[-1]['accuracy']):.4f}" in row
    assert "done" in row


def test_in_a_terminal_it_goes_on_until_ctrl_c_and_the_page_loads_itself_until_then(tmp_path):
    write_log(tmp_path, 0, 1)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([sys.executable, TOOL], cwd=tmp_path, stdout=slave, stderr=slave)
    os.close(slave)
    text = ""
    while "3/4" not in text:
        text += os.read(master, 1 << 16).decode()
        if "1/4" in text and "3/4" not in text:
            page = (tmp_path / PAGE).read_text()
            write_log(tmp_path, 0, 3)
    assert '<meta http-equiv="refresh"' in page and page.count("<svg") == 2
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    os.close(master)
    page = (tmp_path / PAGE).read_text()
    assert "refresh" not in page and "no longer updated" in page and "3/4" in page
    frames = text.split("\x1b[J")[1:]
    assert all(len(line) < 80 for frame in frames for line in frame.splitlines())
