"""The locks of a results folder, as the kernel keeps them."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from project import CHECKOUT
from scratchnet.errors import ResultsError
from scratchnet.lock import lock_results

# Locks the folder, starts a job that inherits the lock, and ends. Prints the job's process id.
KILLED_RUN = """
import subprocess, sys
from scratchnet.lock import lock_results
jobs = lock_results(sys.argv[1])
nothing = subprocess.DEVNULL
print(subprocess.Popen(["sleep", "60"], stdout=nothing, pass_fds=jobs).pid)
"""


@pytest.fixture(autouse=True)
def _time_limit():
    """A lock that should have been refused fails the test, rather than being waited for."""

    def fail(*_):
        pytest.fail("still waiting for a lock after 30 s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def job(tmp_path):
    """The process id of a job in `tmp_path` whose run has ended."""
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT / "workflow/scripts")}
    command = [sys.executable, "-c", KILLED_RUN, tmp_path]
    return int(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def test_a_second_run_is_refused_through_a_link_too(tmp_path):
    lock_results(tmp_path / "results")
    (tmp_path / "link").symlink_to("results")
    for name in ("results", "link"):
        with pytest.raises(ResultsError, match=f"Another run is active in .*/{name}/"):
            lock_results(tmp_path / name)


def test_the_jobs_of_a_run_that_has_ended_are_waited_for(job, tmp_path, monkeypatch, capsys):
    flock = fcntl.flock

    def end_job_before_waiting(file, operation):
        if operation == fcntl.LOCK_EX:
            os.kill(job, signal.SIGKILL)
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", end_job_before_waiting)
    assert len(lock_results(tmp_path)) == 1
    assert capsys.readouterr().out == "Waiting for the jobs of a run that was killed\n"


def test_without_locks_in_the_file_system_a_run_goes_on(tmp_path, monkeypatch, capsys):
    def fail(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    assert lock_results(tmp_path) == []
    assert "cannot be locked: start no other run" in capsys.readouterr().out


def test_folders_in_it_that_are_links_are_locked_too(tmp_path):
    """As where only the arrays or the runs are on a larger disk."""
    shared = tmp_path / "shared"
    shared.mkdir()
    for name in ("one", "another"):
        (tmp_path / name / "runs/mnist").mkdir(parents=True)
        (tmp_path / name / "data").symlink_to(shared)
        (tmp_path / name / "latest").symlink_to("runs/mnist")
    assert len(lock_results(tmp_path / "one")) == 2
    with pytest.raises(ResultsError, match=r"Another run is active in .*/another/"):
        lock_results(tmp_path / "another")


@pytest.mark.parametrize("name", ["results", "results/runs"])
def test_a_link_to_nothing_is_named(tmp_path, name):
    link = tmp_path / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("/nowhere/else")
    with pytest.raises(ResultsError, match=f"{name} is a link to /nowhere/else, which does not"):
        lock_results(tmp_path / "results")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(ResultsError, match=r"results/ cannot be written: .*File exists"):
        lock_results(tmp_path / "results")
