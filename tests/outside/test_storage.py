"""Whole runs with their results in a store: in a folder through the plugin fs, and in S3.

S3 is emulated on this machine by moto.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from expected import AFTER_TRAINING, EVERYTHING, RUN, once
from project import append, copy_with_small_data, planned, set_key
from stores import KEYS, S3Project, StoredProject, made_in, s3_server

SCHEDULER = Path(__file__).parents[1] / "cluster/shell_scheduler.py"


@pytest.fixture
def stored(tmp_path):
    return StoredProject(copy_with_small_data(tmp_path / "a project").folder, tmp_path / "store")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def edit_and_undo(project, finished):
    """A run from nothing, and what follows edits; the results are those of a local run."""
    assert planned(project.run()) == once(EVERYTHING)
    assert project.made() == made_in(finished.results)
    assert project.plan() == {}
    set_key(project, "training.learning_rate", 0.1)
    assert planned(project.run()) == once(RUN)
    set_key(project, "training.learning_rate", 0.01)
    assert planned(project.run()) == once({"summarize"})
    set_key(project, "training.epochs", 6)
    assert planned(project.run()) == once({"train"} | AFTER_TRAINING)
    assert project.plan() == {}


def test_a_folder_through_fs(stored, finished):
    edit_and_undo(stored, finished)
    assert not (stored.folder / "results").exists()


def test_the_store_of_one_is_the_folder_of_another(stored):
    """What was made with a store is current where it is copied to, and the other way round."""
    stored.run()
    local = copy_with_small_data(stored.folder.parent / "another")
    stored.results.rename(local.results)
    assert local.plan() == once({"summarize"})  # which also makes the link results/latest
    append(local.folder / "workflow/scripts/evaluate.py")
    local.run()
    local.results.rename(stored.results)
    append(stored.folder / "workflow/scripts/evaluate.py")
    assert stored.plan() == {}


def test_a_failed_stage_is_stale_until_it_succeeds(stored):
    stored.run()
    script = stored.folder / "workflow/scripts/evaluate.py"
    script.write_text(script.read_text() + "    raise OSError('broken')\n")
    for _ in range(2):
        process = stored.snakemake()
        assert process.returncode == 1
        assert stored.plan() == once(AFTER_TRAINING)
    log = next((stored.results / "logs/evaluate").rglob("*.log"))
    assert "broken" in log.read_text()


def test_a_killed_run_goes_on_to_the_same(stored, finished):
    """Killed with all its jobs, four times, when another result has come into the store."""
    for kill in range(1, 5):
        process = stored.start(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(stored.results.rglob("*.fingerprint"))) <= kill:
            time.sleep(0.05)
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        unlock = [sys.executable, "workflow/tools/unlock.py"]
        subprocess.run(unlock, cwd=stored.folder, check=True)
    stored.run()
    assert stored.made() == made_in(finished.results)
    assert stored.plan() == {}


def test_s3(tmp_path, server, finished):
    project = S3Project(copy_with_small_data(tmp_path / "a project").folder, server)
    edit_and_undo(project, finished)
    time.sleep(2)  # later than all records by more than a second, or some were copied once more
    server.bucket.put_object(Key="group/results/later")
    assert project.plan() == {}
    with server.requests() as requests:
        assert project.plan() == {}
    assert [line.split("&")[0] for line in requests] == [
        *("HEAD /bucket ", "HEAD /bucket "),  # by the project, and by the plugin
        "GET /bucket prefix=group%2Fresults",
    ]
    item = next(iter(server.bucket.objects.filter(Prefix="group/results/summary.csv")))
    item.delete()
    assert project.plan() == once({"summarize"})


def test_a_bucket_that_is_not_there_is_named(tmp_path, server):
    project = S3Project(copy_with_small_data(tmp_path / "a project").folder, server)
    process = project.snakemake("-n", "--default-storage-prefix", "s3://another/group")
    assert process.returncode == 1
    assert "s3:// and a bucket that exists" in process.stdout + process.stderr
    assert KEYS["SNAKEMAKE_STORAGE_S3_SECRET_KEY"] not in process.stdout + process.stderr


def test_nothing_is_shared_but_the_store(stored, finished, tmp_path):
    """Each submitted job runs in a new folder, with the sources that Snakemake deploys there."""
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *command], cwd=stored.folder, check=True)
    machines = tmp_path / "machines"
    scheduler = f"'{sys.executable}' '{SCHEDULER}'"
    stored.options += (
        *("--profile", "profiles/storage", "--executor", "cluster-generic"),
        *("--shared-fs-usage", "none", "--job-deploy-sources"),
        *("--remote-job-local-storage-prefix", "copies"),
        *("--cluster-generic-submit-cmd", f"{scheduler} submit --apart '{machines}'"),
        *("--cluster-generic-status-cmd", f"{scheduler} status"),
    )
    assert planned(stored.run()) == once(EVERYTHING)
    assert len(list(machines.iterdir())) == 2  # preprocess and train
    assert stored.made() == made_in(finished.results)
    set_key(stored, "training.epochs", 6)
    assert planned(stored.run()) == once({"train"} | AFTER_TRAINING)
    assert stored.plan() == {}
