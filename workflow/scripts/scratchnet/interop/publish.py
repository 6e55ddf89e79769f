"""A run as a run of MLflow, on a tracking server.

Where the server is and how to log in is said by MLflow's own environment variables.
"""

import hashlib
import os
import re
import textwrap
from contextlib import suppress
from pathlib import Path

from requests import RequestException

from scratchnet.errors import ConfigError, MissingPackageError, PublishError
from scratchnet.files import read_csv, read_json, write_json

# Otherwise MLflow waits for minutes, tells its makers how it is used, and prints passwords.
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
ADVICE = (
    "See whether the server answers, and MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME, "
    "MLFLOW_TRACKING_PASSWORD and MLFLOW_TRACKING_TOKEN are right, and run the command again"
)
FILES = ("checkpoint", "config", "history", "metrics")  # that are sent, besides pictures
CONTENT = "scratchnet.content"  # the tag by which a run is found again


def read_server():
    """Return the address of the tracking server, without a password that may be in it.

    Raises ConfigError if MLFLOW_TRACKING_URI has none.
    """
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not re.match("https?://|databricks", address):
        raise ConfigError(
            "set MLFLOW_TRACKING_URI to the address of your MLflow server, as in "
            "`export MLFLOW_TRACKING_URI=http://localhost:5000`"
        )
    return _hide_login(address)


def read_experiment():
    """Return the name of the experiment that runs belong to."""
    return os.environ.get("MLFLOW_EXPERIMENT_NAME") or "Default"


def publish_run(path, name, files, pictures, settings, server, experiment):
    """Write a run to the tracking server, and to `path`, as JSON, where it is found there.

    `files` maps checkpoint, record, metrics, history and config to the paths of these results,
    `pictures` are the paths of its plots, and `settings` those of the run by key.

    MLflow can neither change params nor delete metrics. So a run with the same content is written
    again in its place, for example after a failure or with other pictures, and any other is a new
    one. Raises PublishError if the server does not take it, and MissingPackageError.
    """
    os.environ |= {key: value for key, value in DEFAULTS.items() if key not in os.environ}
    try:
        import mlflow
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"{error.name} is not installed. Only publish needs it. To install it, run: "
            "make tracking (or python3 workflow/tools/set_up.py tracking)"
        ) from error
    run = None
    try:
        client = mlflow.MlflowClient()
        experiment_id = mlflow.set_experiment(experiment).experiment_id
        run = _open_run(client, experiment_id, name, _hash_content(name, files))
        params = [mlflow.entities.Param(key, str(value)) for key, value in settings.items()]
        metrics = [  # at the time of the run: written again, they are the same
            mlflow.entities.Metric(key, value, run.info.start_time, epoch)
            for key, value, epoch in list_metrics(files)
        ]
        client.log_batch(run.info.run_id, metrics, params)
        for file in FILES:
            client.log_artifact(run.info.run_id, files[file])
        for picture in pictures:
            client.log_artifact(run.info.run_id, picture, "pictures")
        client.set_terminated(run.info.run_id)
    except (mlflow.MlflowException, RequestException, ImportError, ValueError) as error:
        if run:
            with suppress(Exception):
                client.set_terminated(run.info.run_id, "FAILED")
        problem = f"{name} is not published on {server}: {shorten_message(str(error))}"
        raise PublishError(f"{problem}. {ADVICE}") from error
    place = f"#/experiments/{experiment_id}/runs/{run.info.run_id}"
    write_json(path, {"page": f"{server.rstrip('/')}/{place}", "run_id": run.info.run_id})


def list_metrics(files):
    """Return what is measured, as (name, value, epoch); the names are those of Keras."""
    metrics = read_json(files["metrics"])
    metrics["seconds"] = read_json(files["record"])["seconds"]
    return [
        *(
            (key, float(value), int(row["epoch"]))
            for row in read_csv(files["history"])
            for key, value in row.items()
            if key != "epoch"
        ),
        *(
            (key, float(value), metrics["epochs"])
            for key, value in metrics.items()
            if isinstance(value, int | float)
        ),
    ]


def _hash_content(name, files):
    """Return what identifies a run: a hash of its name and its files."""
    digest = hashlib.sha256(name.encode())
    for file in FILES:
        digest.update(Path(files[file]).read_bytes())
    return digest.hexdigest()


def _open_run(client, experiment_id, name, content):
    """Return the run of MLflow with this content, or a new one."""
    for run in client.search_runs([experiment_id], f"tags.`{CONTENT}` = '{content}'"):
        client.update_run(run.info.run_id, "RUNNING")
        return run
    tags = {CONTENT: content, "mlflow.source.name": "scratchnet"}
    return client.create_run(experiment_id, tags=tags, run_name=name)


def _hide_login(text):
    """Return `text` without the user and the password in its addresses."""
    return re.sub(r"//[^/\s]*@", "//", text)


def shorten_message(message):
    """Return a message of MLflow as one line, without passwords, and without a page of HTML."""
    message = re.sub(r"'\s*<.*", "a page of HTML", _hide_login(message), flags=re.DOTALL)
    return textwrap.shorten(message, 500, placeholder="...")
