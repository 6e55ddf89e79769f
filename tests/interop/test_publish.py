"""What is sent to MLflow, as far as no server is needed; tests/outside/test_mlflow.py has one."""

import json

import pytest

from scratchnet.errors import ConfigError
from scratchnet.interop.publish import list_metrics, read_server, shorten_message


def test_each_epoch_and_each_number_is_a_metric(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,loss,val_loss\n1,0.5,0.75\n2,0.25,0.5\n")
    metrics = {
        "epochs": 2,
        "test_accuracy": 0.9,
        "test_accuracy_interval": [0.8, 0.95],
        "temperature": None,
        "per_class": [],
    }
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "record.json").write_text('{"seconds": 1.5, "epochs": 2}')
    files = {"history": "history.csv", "metrics": "metrics.json", "record": "record.json"}
    assert list_metrics({key: tmp_path / name for key, name in files.items()}) == [
        ("loss", 0.5, 1),
        ("val_loss", 0.75, 1),
        ("loss", 0.25, 2),
        ("val_loss", 0.5, 2),
        ("epochs", 2, 2),
        ("test_accuracy", 0.9, 2),
        ("seconds", 1.5, 2),
    ]


@pytest.mark.parametrize(
    ("address", "shown"),
    {
        "http://localhost:5000": "http://localhost:5000",
        "https://me:p@ss@host/mlflow": "https://host/mlflow",
        "databricks://profile": "databricks://profile",
    }.items(),
)
def test_a_password_in_the_address_is_not_kept(monkeypatch, address, shown):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert read_server() == shown


@pytest.mark.parametrize("address", ["", "sqlite:///mlflow.db", "./mlruns"])
def test_what_is_no_server_is_refused(monkeypatch, address):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(ConfigError, match=r"`export MLFLOW_TRACKING_URI=http://localhost:5000`"):
        read_server()


def test_a_message_is_one_short_line_without_passwords_and_pages():
    page = "Response body: '\n<!DOCTYPE html>\n<html>' at http://me:secret@host/api\nfailed"
    assert shorten_message(page) == "Response body: a page of HTML"
    assert shorten_message("to http://me:secret@host/api\nfailed") == "to http://host/api failed"
    assert len(shorten_message("word " * 1000)) <= 500
