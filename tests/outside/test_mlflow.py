"""`snakemake publish` with a real MLflow server, asked through its REST interface.

The server has an environment of its own in .venv/mlflow, which needs a package index once.
"""

import fcntl
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import pytest
import requests

from expected import once
from project import set_key
from scratchnet.files import read_csv, read_json
from scratchnet.planning.settings import read_settings

pytestmark = [
    pytest.mark.xdist_group("mlflow"),
    pytest.mark.skipif(
        not importlib.util.find_spec("mlflow"),
        reason="needs MLflow's client: python3 workflow/tools/set_up.py test tracking",
    ),
]
ENVIRONMENT = Path(sys.prefix) / "mlflow"
SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of an MLflow server without runs."""
    python, version = ENVIRONMENT / "bin/python", metadata.version("mlflow-skinny")
    with ENVIRONMENT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of pytest may be making it
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        install = [python, "-m", "pip", "install", "--quiet", f"mlflow=={version}"]
        if subprocess.run(install, check=False).returncode:
            pytest.skip(f"needs a package index once, to install mlflow {version} in {ENVIRONMENT}")
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                ENVIRONMENT / "bin/mlflow",
                "server",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--backend-store-uri",
                f"sqlite:///{folder}/mlflow.db",
                "--workers",
                "1",
                "--artifacts-destination",
                folder / "artifacts",
            ],
            env=os.environ | SETTINGS,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 120
        while not answers(f"{address}/health"):
            assert process.poll() is None and time.monotonic() < deadline, (
                folder / "log"
            ).read_text()
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def answers(address):
    try:
        return requests.get(address, timeout=5).ok
    except requests.ConnectionError:
        return False


class Experiment:
    """An experiment of its own on the server, and a project that publishes to it."""

    def __init__(self, project, server, name):
        self.project, self.server, self.name = project, server, name

    def environment(self, server=None):
        return {
            "MLFLOW_TRACKING_URI": server or self.server,
            "MLFLOW_EXPERIMENT_NAME": self.name,
        }

    def publish(self, *arguments, server=None):
        return self.project.snakemake("publish", *arguments, env=self.environment(server))

    def plan(self, server=None):
        return self.project.plan("publish", env=self.environment(server))

    def ask(self, method, what, **arguments):
        address = f"{self.server}/api/2.0/mlflow/{what}"
        kind = {"get": "params", "post": "json"}[method]
        answer = requests.request(method, address, timeout=30, **{kind: arguments})
        answer.raise_for_status()
        return answer.json()

    def runs(self):
        """The runs on the server, the newest first."""
        found = self.ask("get", "experiments/get-by-name", experiment_name=self.name)
        number = found["experiment"]["experiment_id"]
        return self.ask("post", "runs/search", experiment_ids=[number])["runs"]

    def history(self, run, key):
        """The (step, value) of a metric in the order in which they were written."""
        number = run["info"]["run_id"]
        found = self.ask("get", "metrics/get-history", run_id=number, metric_key=key)
        return [(each["step"], each["value"]) for each in found["metrics"]]

    def artifact(self, run, path):
        address = f"{self.server}/get-artifact"
        content = requests.get(
            address, params={"run_id": run["info"]["run_id"], "path": path}, timeout=30
        )
        content.raise_for_status()
        return content.content


@pytest.fixture
def experiment(project, server, request):
    return Experiment(project, server, request.node.name)


def succeed(process):
    assert process.returncode == 0, process.stdout + process.stderr


def test_a_run_on_the_server_is_the_run_here(experiment):
    set_key(experiment.project, "validation_fraction", 0.25)
    set_key(experiment.project, "training.epochs", 300)  # more metrics than a request may have
    experiment.project.run()
    succeed(experiment.publish())
    (run,) = experiment.runs()
    path = Path(read_csv(experiment.project.results / "summary.csv")[0]["folder"])
    folder = experiment.project.folder / path
    assert run["info"]["run_name"] == f"{path.parent.name}-{path.name}"
    assert run["info"]["status"] == "FINISHED"
    settings = read_settings(folder / "config.yaml")
    assert "training.learning_rate" in settings
    params = {each["key"]: each["value"] for each in run["data"]["params"]}
    assert params == {key: str(value) for key, value in settings.items()}
    history = read_csv(folder / "history.csv")
    for key in ("loss", "accuracy", "val_loss", "val_accuracy"):
        expected = [(int(row["epoch"]), float(row[key])) for row in history]
        assert experiment.history(run, key) == expected
    tested = read_json(folder / "metrics.json")
    assert experiment.history(run, "test_accuracy") == [(300, tested["test_accuracy"])]
    sent = {f"pictures/{path.name}": path for path in folder.glob("*.png")}
    assert len(sent) == 5
    sent |= {name: folder / name for name in ("config.yaml", "metrics.json", "history.csv")}
    sent["epoch-0300.npz"] = folder.parent / "checkpoints/epoch-0300.npz"
    for name, source in sent.items():
        assert experiment.artifact(run, name) == source.read_bytes()
    published = read_json(folder / "published.json")
    assert published["run_id"] == run["info"]["run_id"]
    assert published["page"].startswith(f"{experiment.server}/#/experiments/")


def test_a_run_is_published_once_and_another_one_is_another(experiment):
    project = experiment.project
    succeed(experiment.publish())
    assert experiment.plan() == {}
    (first,) = experiment.runs()
    # Another address is another server, until that says that it has the run.
    elsewhere = experiment.server.replace("127.0.0.1", "me:hunter2@localhost")
    assert experiment.plan(elsewhere) == once({"publish_run"})
    set_key(project, "plots.style", "dark_background")
    process = experiment.publish(server=elsewhere)
    succeed(process)
    assert "hunter2" not in process.stdout + process.stderr
    for path in [*project.results.rglob("*"), *project.folder.rglob(".snakemake/**/*")]:
        assert path.is_dir() or b"hunter2" not in path.read_bytes()
    (again,) = experiment.runs()
    assert again["info"]["run_id"] == first["info"]["run_id"]
    assert len(experiment.history(again, "loss")) == 4
    picture = project.run_folder / "epoch-0004/history.png"
    assert experiment.artifact(again, "pictures/history.png") == picture.read_bytes()
    set_key(project, "training.epochs", 6)
    succeed(experiment.publish())
    newest, old = experiment.runs()
    assert old["info"]["run_id"] == first["info"]["run_id"]
    assert [step for step, _ in experiment.history(newest, "loss")] == [1, 2, 3, 4, 5, 6]
    assert experiment.plan() == {}


class Proxy(ThreadingHTTPServer):
    """A server between: of the paths that `refused` matches, it answers `answer` (code, body)."""

    def __init__(self, server, refused, answer):
        super().__init__(("127.0.0.1", 0), Between)
        self.server, self.refused, self.answer = server, refused, answer
        self.address = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Between(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        code, content = self.server.answer
        if not re.search(self.server.refused, self.path):
            address = f"{self.server.server}{self.path}"
            headers = {"Content-Type": self.headers.get("Content-Type", "text/plain")}
            answer = requests.request(self.command, address, data=body, headers=headers, timeout=30)
            code, content = answer.status_code, answer.content
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_PATCH = do_GET

    def log_message(self, *arguments):
        pass


def test_an_interrupted_upload_is_no_published_run_and_is_continued(experiment):
    project = experiment.project
    proxy = Proxy(experiment.server, r"/weights\.png", (507, b"no space"))
    process = experiment.publish(server=proxy.address)
    assert process.returncode == 1
    assert "weights.png" in process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    assert not list(project.results.rglob("published.json"))
    (failed,) = experiment.runs()
    assert failed["info"]["status"] == "FAILED"
    assert experiment.plan(proxy.address) == once({"publish_run"})
    proxy.refused = "^never$"
    succeed(experiment.publish(server=proxy.address))
    (run,) = experiment.runs()
    assert run["info"]["run_id"] == failed["info"]["run_id"]
    assert run["info"]["status"] == "FINISHED"
    assert len(experiment.history(run, "loss")) == 4
    picture = project.run_folder / "epoch-0004/weights.png"
    assert experiment.artifact(run, "pictures/weights.png") == picture.read_bytes()


REFUSALS = {
    "nobody listens": (None, "Connection refused"),
    "wrong password": ((401, b"You are not authenticated."), "error code 401.*authenticated"),
    "page of a proxy": ((200, b"<html>\n<body>Log in</body></html>"), "a page of HTML. See"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_server_that_refuses_is_named_in_one_sentence(project, kind):
    answer, said = REFUSALS[kind]
    address = Proxy("", "", answer).address if answer else f"http://127.0.0.1:{free_port()}"
    started = time.monotonic()
    url = address.replace("//", "//me:secret@")
    process = project.snakemake("publish", env={"MLFLOW_TRACKING_URI": url})
    output = process.stdout + process.stderr
    assert process.returncode == 1
    assert time.monotonic() - started < 60
    (line,) = re.findall(r"^PublishError: .*$", output, re.MULTILINE)
    assert f"is not published on {address}: " in line and re.search(said, line)
    assert line.endswith("are right, and run the command again")
    assert "Traceback" not in output and "secret" not in output
