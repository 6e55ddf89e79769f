"""The workflow on a real Slurm cluster of two nodes, through node failures and worse.

Whatever happens on the way, the results are the same bytes as those of a run without a cluster.
"""

import os
import re
import subprocess
import sys
import time

import psutil
import pytest
import yaml

from expected import AFTER_TRAINING, DATA, RUN, once
from project import CHECKOUT, Project, copy_workflow, planned
from slurm import MISSING, PACKAGES, Slurm

pytestmark = pytest.mark.skipif(
    bool(MISSING),
    reason=f"no {', '.join(MISSING)}; install them with: apt install {' '.join(PACKAGES)}",
)

# Three segments, each long enough for something to happen to it.
LONG = {
    "model": {"hidden": [300]},
    "training": {"epochs": 6, "checkpoint_every": 2, "optimizer": "adam", "batch_size": 50},
}
SEARCH = {
    "validation_fraction": 0.1,
    "search": {
        "trials": 4,
        "space": {"training.learning_rate": {"log_uniform": [0.01, 0.5]}},
        "epochs": [1, 2],
        "keep": 0.5,
    },
}
EIGHT = {"training": {"epochs": 2}, "sweep": {"training.seed": list(range(8))}}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    with Slurm(tmp_path_factory.mktemp("slurm") / "cluster") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    """A folder with the real MNIST."""
    if (CHECKOUT / "results/data/mnist/source.json").exists():
        return CHECKOUT / "results/data/mnist"
    project = copy_workflow(tmp_path_factory.mktemp("raw"))
    project.run("results/data/mnist/source.json")
    return project.results / "data/mnist"


class ClusterProject(Project):
    """The workflow on the real MNIST, run on a cluster (or, without one, here)."""

    options = ("--profile", "profiles/slurm")

    def __init__(self, folder, raw, cluster=None):
        copy_workflow(folder)
        super().__init__(folder)
        self.raw, self.cluster = raw, cluster

    def configure(self, settings):
        settings = settings | {"download": {"folder": str(self.raw)}}
        (self.folder / "config.yaml").write_text(yaml.safe_dump(settings))

    def snakemake(self, *arguments):
        if not self.cluster:
            return super().snakemake(*arguments)
        process = self.start(*arguments)
        process.wait(timeout=400)
        return subprocess.CompletedProcess(process.args, process.returncode, self.output(), "")

    def start(self, *arguments):
        """Start Snakemake on the cluster; returns the process."""
        with (self.folder / "output").open("w") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "snakemake", *self.options, *arguments],
                cwd=self.folder,
                env=os.environ | self.cluster.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def finish(self, process):
        """Wait for what `start` returned, which must succeed; returns what it printed."""
        assert process.wait(timeout=400) == 0, self.output()
        return self.output()

    def output(self):
        return (self.folder / "output").read_text()

    def made(self):
        """The bytes of every result but those that tell how long something took."""
        return {
            path.relative_to(self.results).as_posix(): path.read_bytes()
            for folder in ("data", "runs", "searches")
            for path in (self.results / folder).rglob("*")
            if (path.is_file() and "checkpoints/" not in str(path)) or path.suffix == ".npz"
        }


@pytest.fixture
def project(tmp_path, raw, cluster):
    """A new project for the cluster."""
    return ClusterProject(tmp_path / "project", raw, cluster)


@pytest.fixture(scope="session")
def made_here(tmp_path_factory, raw):
    """A function that gives the results of a configuration, made without a cluster."""
    made = {}

    def run(name, settings):
        if name not in made:
            project = ClusterProject(tmp_path_factory.mktemp(name) / "project", raw)
            project.configure(settings)
            project.run()
            made[name] = project.made()
        return made[name]

    return run


def until(condition, seconds=60):
    """Wait until `condition()` is true; returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.1)
    return value


def run_default_and_more_epochs(project, made_here):
    """The default run, twice, and then with two epochs more."""
    project.configure({})
    assert planned(project.run()) == once(DATA | RUN)
    assert project.made() == made_here("default", {})
    assert "Nothing to be done" in project.run()
    project.configure({"training": {"epochs": 22}})
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)


def test_the_default_run_is_the_local_one(project, made_here):
    run_default_and_more_epochs(project, made_here)
    project.configure({"training": {"learning_rate": 0.1}})
    assert project.plan() == once(RUN)


@pytest.mark.parametrize("arguments", [(), ("--slurm-array-jobs", "train")], ids=["jobs", "array"])
def test_a_sweep_uses_both_nodes_and_ends_like_the_local_one(project, made_here, arguments):
    project.configure(EIGHT)
    process = project.start(*arguments)
    nodes = set()
    while process.poll() is None and nodes != {"n1", "n2"}:
        nodes |= {node for _, _, node in project.cluster.jobs("RUNNING").values()}
        time.sleep(0.2)
    project.finish(process)
    assert nodes == {"n1", "n2"}
    assert project.made() == made_here("eight", EIGHT)
    assert "Nothing to be done" in project.run()


def test_a_search_ends_like_the_local_one(project, made_here):
    project.configure(SEARCH)
    output = project.run()
    assert output.count("Ranking the trials") == 2
    assert len([path for path in project.made() if "/rung-" in path and path.endswith(".csv")]) == 2
    assert project.made() == made_here("search", SEARCH)
    assert "Nothing to be done" in project.run()


@pytest.fixture
def training(project):
    """A project in its second segment: it, the Snakemake, the job's number, and its node."""
    project.configure(LONG)
    process = project.start()

    def second_segment():
        assert process.poll() is None, project.output()
        logs = list(project.results.glob("logs/train/*/epoch-0004.log"))
        return logs and "epoch 3/4" in logs[0].read_text()

    until(second_segment, 120)
    ((job, (_, _, node)),) = project.cluster.jobs("RUNNING").items()
    yield project, process, job, node
    if process.poll() is None:
        process.kill()
        process.wait()
    project.cluster.run("scancel", "--user=root")
    for node in project.cluster.down():
        project.cluster.start_node(node)


def test_make_live_follows_a_training_on_a_node(training):
    project, *_ = training
    table = project.tool("live.py").stdout
    assert re.search(r" [34]/4 +0\.\d{4} ", table), table


def assert_nothing_was_lost(project, made_here):
    assert project.made() == made_here("long", LONG)
    assert "Nothing to be done" in project.run()


def test_a_node_that_dies_costs_its_segment_only(training, made_here):
    project, process, job, node = training
    project.cluster.cut_power(node)
    output = project.finish(process)
    assert "Restarts=1" in project.cluster.run("scontrol", "show", "job", job)
    assert output.count("Training") == 3
    assert_nothing_was_lost(project, made_here)


def test_a_cancelled_job_is_submitted_again(training, made_here):
    project, process, job, _ = training
    project.cluster.run("scancel", job)
    output = project.finish(process)
    assert "Trying to restart" in output
    assert_nothing_was_lost(project, made_here)


def test_a_job_over_its_time_is_submitted_again_with_more(training, made_here):
    """The training is stopped, so that a minute passes without it."""
    project, process, job, _ = training
    project.cluster.run("scontrol", "update", f"jobid={job}", "timelimit=1")
    for script in psutil.process_iter(["cwd", "cmdline"]):
        command = " ".join(script.info["cmdline"] or [])
        if script.info["cwd"] == str(project.folder) and command.endswith(".train.py"):
            script.suspend()
    output = project.finish(process)
    assert "TIMEOUT" in output
    assert "Trying to restart" in output
    assert_nothing_was_lost(project, made_here)


def test_the_controller_may_be_away_for_a_while(training, made_here):
    project, process, _, _ = training
    project.cluster.kill_controller()
    time.sleep(20)
    project.cluster.start_controller()
    project.finish(process)
    assert_nothing_was_lost(project, made_here)


def test_a_node_that_freezes_and_thaws_runs_its_job_twice_and_harms_nothing(training, made_here):
    project, process, _, node = training
    project.cluster.freeze(node)
    until(lambda: [n for _, _, n in project.cluster.jobs("RUNNING").values() if n != node])
    project.cluster.thaw(node)
    project.finish(process)
    assert_nothing_was_lost(project, made_here)


def test_snakemake_killed_and_started_again_ends_the_same(training, made_here):
    project, process, _, _ = training
    process.kill()
    process.wait()
    project.finish(project.start())
    assert_nothing_was_lost(project, made_here)
