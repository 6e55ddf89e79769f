"""Two runs of Snakemake in one results folder, and runs after a kill."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest

from kills import find_jobs_of, start, wait_for_jobs
from project import Project, append, copy_with_small_data
from scratchnet.job import stage_job


@pytest.fixture(scope="module")
def trained_for_long(tmp_path_factory):
    """A project whose training takes minutes."""
    project = copy_with_small_data(tmp_path_factory.mktemp("locks") / "a project")
    project.configure({"model": {"hidden": [900, 900]}, "training": {"epochs": 9_999}})
    return project


@pytest.fixture
def active(trained_for_long):
    """A run of that project that is training; it is killed in the end."""
    process = until_training(trained_for_long, lambda: start(trained_for_long))
    yield process
    kill(process)


def until_training(project, action):
    """Wait until `action` has led to a training; return its result."""
    scripts = project.folder / ".snakemake/scripts"
    shutil.rmtree(scripts, ignore_errors=True)  # of killed runs
    result = action()
    deadline = time.monotonic() + 120
    while not any(
        str(script) in line
        for line in find_jobs_of(project)
        for script in scripts.glob("*train.py")
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return result


def kill(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def contents(project):
    return {
        path: path.read_bytes()
        for path in project.results.rglob("*")
        if path.is_file() and path.suffix != ".log"
    }


def test_a_second_run_is_refused_in_one_sentence(trained_for_long, active):
    before = contents(trained_for_long)
    process = trained_for_long.snakemake()
    assert process.returncode == 1
    *_, last = process.stderr.rstrip().splitlines()
    assert last == "Another run is active in results/: wait until it has ended, or end it"
    assert "Traceback" not in process.stderr
    assert contents(trained_for_long) == before
    assert active.poll() is None


def test_what_only_shows_something_is_not_refused(trained_for_long, active):
    assert trained_for_long.plan()["train"] == 1


def test_a_second_run_in_another_folder_with_the_same_results_is_refused(
    trained_for_long, active, tmp_path
):
    other = Project(tmp_path / "another")
    skipped = shutil.ignore_patterns("results", ".snakemake")
    shutil.copytree(trained_for_long.folder, other.folder, ignore=skipped)
    other.results.symlink_to(trained_for_long.results)
    process = other.snakemake()
    assert process.returncode == 1
    assert "Another run is active in results/" in process.stderr


def test_after_a_kill_of_snakemake_alone_its_job_is_waited_for(trained_for_long, active):
    os.kill(active.pid, signal.SIGKILL)
    active.wait()
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    following = subprocess.Popen(
        command, cwd=trained_for_long.folder, start_new_session=True, stdout=subprocess.PIPE
    )
    try:
        line = following.stdout.readline()
        assert line == b"Waiting for the jobs of a run that was killed\n"
        until_training(trained_for_long, lambda: os.killpg(active.pid, signal.SIGKILL))
    finally:
        kill(following)


def test_when_its_terminal_is_closed_a_run_ends_with_its_jobs(trained_for_long, active):
    os.kill(active.pid, signal.SIGHUP)
    assert active.wait(timeout=60) == 1
    wait_for_jobs(trained_for_long)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_library_is_loaded_is_answered_in_one_sentence(new_project, number):
    append(
        new_project.folder / "workflow/scripts/scratchnet/planning/runs.py",
        "\nprint('loading', flush=True)\nimport time; time.sleep(20)\n",
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=new_project.folder, **options) as process:
        while process.stdout.readline() != "loading\n":
            pass
        process.send_signal(number)
        last = "Stopping. The same command goes on from the last checkpoint.\n"
        assert process.stdout.read() == f"\n{last}"
    assert process.returncode == 1
    assert not new_project.results.exists()


def test_after_a_kill_of_all_the_same_command_goes_on(trained_for_long, active):
    kill(active)
    kill(until_training(trained_for_long, lambda: start(trained_for_long)))


def test_nothing_is_written_through_a_link(project, tmp_path):
    """Whatever a file of a run is replaced by, and all files are written again."""
    files = [path for path in project.results.rglob("*") if path.is_file()]
    victims = [tmp_path / str(number) for number in range(len(files))]
    for path, victim in zip(files, victims):
        victim.write_text("precious")
        path.unlink(missing_ok=True)  # one may be below the link results/latest
        if path.parent.exists():
            path.symlink_to(victim)
    project.run("--forceall")
    assert {victim.read_text() for victim in victims} == {"precious"}


def test_nor_is_a_log_if_the_link_is_made_when_the_job_begins(tmp_path, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", True)
    victim, log = tmp_path / "victim", tmp_path / "train.log"
    victim.write_text("precious")
    log.symlink_to(victim)
    with stage_job(SimpleNamespace(log=[log])):
        pass
    assert victim.read_text() == "precious"
    assert not log.is_symlink()
