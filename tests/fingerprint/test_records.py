"""Records: beside the result, whole or not at all, and gone when they are deleted."""

import os
from pathlib import Path

import pytest

from scratchnet.fingerprint.records import delete_record, read_record, record_path, write_record

TEXT = '{"after": null, "code": {"ü.py": "1a2b"}, "settings": {}}'


@pytest.fixture
def record(tmp_path):
    return record_path(tmp_path / "epoch-0020.npz")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("epoch-0020.npz", ".epoch-0020.npz.fingerprint"),
        ("results/runs/a/epoch-0020.npz", "results/runs/a/.epoch-0020.npz.fingerprint"),
        ("/abs/train-images-idx3-ubyte", "/abs/.train-images-idx3-ubyte.fingerprint"),
        ("a folder/a.tar.gz", "a folder/.a.tar.gz.fingerprint"),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_record_is_a_hidden_file_beside_the_result_with_all_of_its_name(output, expected, kind):
    assert record_path(kind(output)) == Path(expected)


def test_results_that_differ_in_their_ending_have_records_of_their_own():
    assert record_path("a/history.png") != record_path("a/history.svg")


def test_what_is_written_reads_back(record):
    write_record(record, TEXT)
    assert read_record(record) == TEXT


def test_a_record_is_utf_8_whatever_the_system_says(record):
    write_record(record, TEXT)
    assert record.read_bytes() == TEXT.encode("utf-8")


def test_a_record_replaces_the_one_before(record):
    write_record(record, "a longer one")
    write_record(record, "short")
    assert read_record(record) == "short"


def test_without_a_record_there_is_none(record):
    assert read_record(record) is None


def test_without_its_folder_there_is_no_record(record):
    assert read_record(record.parent / "nowhere" / record.name) is None


def test_where_a_folder_should_be_and_is_a_file_there_is_no_record(record):
    record.write_text("a file")
    assert read_record(record / "folder" / record.name) is None


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", bytes(range(256))])
def test_a_damaged_record_is_some_text(record, content):
    record.write_bytes(content)
    assert read_record(record) is not None


def test_nothing_but_the_record_remains(record):
    write_record(record, TEXT)
    assert os.listdir(record.parent) == [record.name]


def test_the_content_is_on_the_disk_before_the_name_is(record, monkeypatch):
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: synced.append((os.fstat(fd).st_size, record.exists()))
    )
    write_record(record, "ten bytes.")
    assert synced == [(10, False)]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_record_that_cannot_be_written_leaves_the_old_one_and_nothing_else(
    record, monkeypatch, error
):
    write_record(record, "old")

    def fail(fd):
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(error):
        write_record(record, "new")
    assert {path.name: path.read_text() for path in record.parent.iterdir()} == {record.name: "old"}


def test_a_deleted_record_is_gone(record):
    write_record(record, TEXT)
    delete_record(record)
    assert read_record(record) is None
    assert os.listdir(record.parent) == []


def test_deleting_what_is_not_there_is_no_error(record):
    delete_record(record)
    delete_record(record.parent / "nowhere" / record.name)
