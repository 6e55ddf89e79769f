"""Files appear complete or not at all; a failed job ends with a helpful message."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hostile import HARMLESS, HOSTILE, assert_is_harmless
from scratchnet.errors import escape, show_name
from scratchnet.files import (
    atomic_write,
    read_csv,
    read_json,
    write_csv,
    write_json,
    write_rows,
    write_text,
)

SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "result.npy"


# ---- Atomic writes.


def test_a_file_appears_when_the_block_ends(path):
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"


def test_old_content_stays_until_the_block_ends(path):
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_the_temporary_file_is_in_the_folder_of_the_result(path):
    with atomic_write(path) as temporary:
        temporary.touch()
        assert temporary.parent == path.parent


def test_the_temporary_file_is_hidden_and_keeps_the_suffix(path):
    with atomic_write(path) as temporary:
        temporary.touch()
        assert (temporary.name[0], temporary.suffix) == (".", ".npy")


def test_nothing_but_the_result_remains(path):
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert os.listdir(path.parent) == [path.name]


def test_a_missing_folder_is_created(tmp_path):
    with atomic_write(tmp_path / "a" / "b" / "c.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_block_leaves_only_the_old_content(path, error):
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise error
    assert {p.name: p.read_text() for p in path.parent.iterdir()} == {path.name: "old"}


def test_a_failed_block_creates_no_file(path):
    with pytest.raises(ValueError), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise ValueError
    assert os.listdir(path.parent) == []


def test_a_block_that_writes_nothing_fails_and_keeps_the_old_content(path):
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic_write(path):
        pass
    assert path.read_text() == "old"


def test_two_concurrent_writers_do_not_interfere(path):
    with atomic_write(path) as first, atomic_write(path) as second:
        first.write_text("first " * 100)
        second.write_text("second")
        assert first.read_text() == "first " * 100
    # The inner block ends first, so the outer one replaces its file.
    assert path.read_text() == "first " * 100


def test_a_failed_writer_does_not_affect_another(path):
    with atomic_write(path) as first:
        first.write_text("first")
        with pytest.raises(ValueError), atomic_write(path) as second:
            second.write_text("second")
            raise ValueError
    assert {p.name: p.read_text() for p in path.parent.iterdir()} == {path.name: "first"}


# ---- Text, JSON and CSV.


def test_text_is_written_as_utf_8(path):
    write_text(path, "µ\n")
    assert path.read_bytes() == b"\xc2\xb5\n"


@pytest.mark.parametrize("value", [None, 1.5, "µ", [1, [2]], {"b": 1, "a": {"c": None}}], ids=str)
def test_json_round_trip(path, value):
    write_json(path, value)
    assert read_json(path) == value


def test_json_keeps_the_key_order_and_ends_with_a_newline(path):
    write_json(path, {"b": 1, "a": 2})
    assert path.read_text() == '{\n  "b": 1,\n  "a": 2\n}\n'


def test_csv_reads_back_as_text(path):
    write_csv(path, ["name", "n"], [("a", 1), ("b", 0.1), ("c", None)])
    assert read_csv(path) == [
        {"name": "a", "n": "1"},
        {"name": "b", "n": "0.1"},
        {"name": "c", "n": ""},
    ]


@pytest.mark.parametrize(
    "text",
    ["a,b", 'say "a"', "two\nlines", "two\r\nlines", " a ", "µ", "[1, 2]", "-1", "=1+1", "@"],
)
def test_csv_quotes_special_characters(path, text):
    write_csv(path, ["a", text], [(text, 1)])
    assert read_csv(path) == [{"a": text, text: "1"}]


def test_csv_rows_end_with_a_newline(path):
    write_csv(path, ["a", "b"], iter([(1, 2), (3, 4)]))
    assert path.read_bytes() == b"a,b\n1,2\n3,4\n"


def test_rows_have_their_keys_as_the_header(path):
    write_rows(path, ({"a": n, "b": n * n} for n in (1, 2)))
    assert path.read_text() == "a,b\n1,1\n2,4\n"


def test_a_csv_file_whose_rows_fail_is_not_created(path):
    with pytest.raises(ZeroDivisionError):
        write_csv(path, ["a"], ([1 / n] for n in (1, 0)))
    assert os.listdir(path.parent) == []


# ---- Jobs.


@pytest.fixture
def job(tmp_path):
    """Return a function that runs Python lines as a job: -> exit code, stderr, log."""

    def run(*lines):
        log = tmp_path / "logs" / "job.log"
        code = [
            "import logging",
            "from types import SimpleNamespace",
            "from snakefresh import RecordError",
            "from scratchnet import errors, job",
            f"with job.stage_job(SimpleNamespace(log=[{str(log)!r}])):",
            *(f"    {line}" for line in lines),
        ]
        process = subprocess.run(
            [sys.executable, "-c", "\n".join(code)],
            env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return process.returncode, process.stderr, log.read_text()

    return run


def test_the_content_is_synced_to_disk_before_the_rename(tmp_path, monkeypatch):
    path, synced = tmp_path / "a.txt", []
    monkeypatch.setattr(
        os, "fsync", lambda fd: synced.append((os.fstat(fd).st_size, path.exists()))
    )
    write_text(path, "ten bytes.")
    assert synced == [(10, False)]


USER_ERRORS = {
    "errors.DataError('no such data')": "DataError: no such data",
    "errors.ConfigError('no such key')": "ConfigError: no such key",
    "errors.DivergenceError('the loss is nan')": "DivergenceError: the loss is nan",
    "errors.ScratchnetError('whatever')": "ScratchnetError: whatever",
    "RecordError('a.npy changed')": "RecordError: a.npy changed",
    "FileNotFoundError(2, 'No such file', 'a.npy')": (
        "FileNotFoundError: [Errno 2] No such file: 'a.npy'"
    ),
    "OSError(28, 'No space left on device', 'a.npy')": (
        "OSError: [Errno 28] No space left on device: 'a.npy'. Finished results are kept: free "
        "some space on the disk, and run the command again."
    ),
    "PermissionError(13, 'Permission denied', 'a.npy')": (
        "PermissionError: [Errno 13] Permission denied: 'a.npy'. Finished results are kept: "
        "correct its permissions, and run the command again."
    ),
    "MemoryError('Unable to allocate 1 TiB')": (
        "MemoryError: Unable to allocate 1 TiB. Finished results are kept: close other programs, "
        "or use a smaller network or batch_size, and run the command again."
    ),
}


@pytest.mark.parametrize(("error", "message"), USER_ERRORS.items())
def test_an_error_that_the_user_can_fix_shows_only_its_message(job, error, message):
    code, stderr, log = job(f"raise {error}")
    assert (code, stderr) == (1, f"{message}\n")
    assert message in log
    assert "Traceback" not in log


def test_any_other_error_shows_its_traceback_in_the_terminal_and_in_the_log(job):
    code, stderr, log = job("{}['missing']")
    assert code == 1
    for text in (stderr, log):
        assert "Traceback (most recent call last)" in text
        assert "KeyError: 'missing'" in text


def test_a_successful_job_prints_nothing(job):
    assert job("logging.getLogger('scratchnet.training.loop').info('epoch 1')")[:2] == (0, "")


@pytest.mark.parametrize("level", ["info", "warning"])
def test_the_log_file_has_the_log_messages_of_the_library(job, level):
    *_, log = job(f"logging.getLogger('scratchnet.training.loop').{level}('epoch 1/2')")
    (line,) = log.splitlines()
    assert line.endswith(" epoch 1/2")


def test_the_log_file_has_only_the_last_attempt(job):
    job("logging.info('first')")
    *_, log = job("logging.info('second')")
    assert "first" not in log


def test_an_error_shows_the_bytes_of_names_that_are_not_utf_8_in_any_terminal(job, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    code, stderr, log = job(r"raise errors.DataError('\xfc\udcff.png is damaged \ud800')")
    assert code == 1
    assert stderr == "DataError: \\xfc\\xff.png is damaged \\ud800\n"
    assert log.endswith(" DataError: ü\\xff.png is damaged \\ud800\n")


def test_characters_of_a_name_that_python_has_read_as_bytes_are_restored():
    """As where the locale is ASCII."""
    assert escape("\udcc3\udcbc \udcff\udcfe.png") == r"ü \xff\xfe.png"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("function", [escape, show_name])
def test_control_characters_are_escaped(function, text):
    assert_is_harmless(function(text))
    assert function(text) != text


@pytest.mark.parametrize("text", HARMLESS)
def test_all_other_text_stays_as_it_is(text):
    assert escape(text) == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("raised", ["errors.DataError", "OSError"])
def test_no_message_of_a_job_has_control_characters(job, raised, text):
    """A message may have several lines; those of what was read are escaped where they are named."""
    code, stderr, log = job(f"raise {raised}({text!r})")
    assert code == 1
    for output in (stderr, log):
        assert_is_harmless(output, is_one_line=False)


def test_no_line_in_a_log_has_control_characters(job):
    *_, log = job(r"logging.warning('http://server: \x1b[2J\x85 forged')")
    assert log.endswith(" http://server: \\x1b[2J\\x85 forged\n")
