"""The lock of a run stays while that run is active, wherever and by whomever it was started."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from kills import start, unlock
from project import copy_with_small_data, write_own_npz

OWNER = ".snakemake/owner.json"
FIRST_PID_NAMESPACE = 0xEFFFFFFC
# May read and write all files, as the file system of a shared folder allows, but is another user:
# of processes it sees the command line, and not the folder.
CAPABILITIES = "+dac_override,+dac_read_search"
OTHER_USER = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *(f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}"),
]
CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc"]
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs to be root")


@pytest.fixture(scope="module")
def trained_for_long(tmp_path_factory):
    """A project whose training takes minutes."""
    project = copy_with_small_data(tmp_path_factory.mktemp("locks") / "a project")
    project.configure({"model": {"hidden": [900, 900]}, "training": {"epochs": 9_999}})
    return project


@pytest.fixture
def active(trained_for_long):
    """A run of that project that is training; it is killed in the end."""
    process = start_training(trained_for_long)
    yield process
    kill(process)
    assert unlock(trained_for_long).returncode == 0


def kill(process):
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def start_training(project, *python_options):
    """Start a run; returns its process when it is training."""
    shutil.rmtree(project.folder / ".snakemake/scripts", ignore_errors=True)  # of killed runs
    process = start(project, *python_options)
    deadline = time.monotonic() + 120
    while not list(project.folder.glob(".snakemake/scripts/*train.py")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


def is_locked(project):
    return any(project.folder.glob(".snakemake/locks/*"))


def unlock_as(project, *prefix, folder=None):
    command = [*prefix, sys.executable, project.folder / "workflow/tools/unlock.py"]
    folder = folder or project.folder
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def change_owner(project, **values):
    path = project.folder / OWNER
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    "user", [[], pytest.param(OTHER_USER, marks=needs_root)], ids=["own", "another"]
)
def test_of_an_active_run(trained_for_long, active, user):
    process = unlock_as(trained_for_long, *user)
    assert process.returncode == 1, process.stdout + process.stderr
    assert f"Another run is active in this folder (process {active.pid})" in process.stderr
    assert is_locked(trained_for_long)


@needs_root
def test_of_a_run_in_another_container(trained_for_long, active):
    process = unlock_as(trained_for_long, *CONTAINER)
    assert process.returncode == 1, process.stdout + process.stderr
    assert "in another container" in process.stderr
    assert "snakemake --unlock" in process.stderr
    assert is_locked(trained_for_long)


@needs_root
def test_of_a_run_in_the_same_folder_under_another_path(trained_for_long, active, tmp_path):
    here = f"mount --bind '{trained_for_long.folder}' '{tmp_path}' && cd '{tmp_path}' && exec "
    python = f"'{sys.executable}' workflow/tools/unlock.py"
    process = unlock_as(trained_for_long, "unshare", "--mount", "sh", "-c", here + python)
    assert process.returncode == 1, process.stdout + process.stderr
    assert "Another run is active" in process.stderr
    assert is_locked(trained_for_long)


def test_of_a_run_that_was_started_with_options_of_python(trained_for_long):
    process = start_training(trained_for_long, "-I", "-B", "-X", "faulthandler")
    try:
        assert unlock(trained_for_long).returncode == 1
        assert is_locked(trained_for_long)
    finally:
        kill(process)
        assert unlock(trained_for_long).returncode == 0


@needs_root
def test_the_job_of_a_killed_run_is_waited_for_by_another_user(trained_for_long, active):
    os.kill(active.pid, signal.SIGKILL)
    active.wait()
    command = [sys.executable, "workflow/tools/unlock.py"]
    waiting = subprocess.Popen(
        [*OTHER_USER, *command], cwd=trained_for_long.folder, stdout=subprocess.PIPE, text=True
    )
    assert "Waiting for the jobs of a killed run" in waiting.stdout.readline()
    assert is_locked(trained_for_long)
    os.killpg(active.pid, signal.SIGKILL)
    assert waiting.wait(timeout=60) == 0
    assert not is_locked(trained_for_long)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"host": "elsewhere"}, "A run on elsewhere has locked this folder."),
        ({"host": "a\x1b[2J"}, r'A run on "a\u001b[2J" has locked this folder.'),
        ({"boot": "other", "machine": "other"}, "or on another machine of that name"),
        ({"boot": "other", "machine": None}, "or on another machine of that name"),
        ({"pid_namespace": 1}, "A run in another container"),
    ],
)
def test_of_a_run_that_may_be_active_elsewhere(trained_for_long, values, message):
    kill(start_training(trained_for_long))
    change_owner(trained_for_long, **values)
    process = unlock(trained_for_long)
    assert process.returncode == 1, process.stdout + process.stderr
    assert message in process.stderr
    assert is_locked(trained_for_long)
    trained_for_long.run("--unlock")


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"pid": 1}'])
def test_of_a_run_that_is_not_known(new_project, content):
    locks = new_project.folder / ".snakemake/locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/summary.csv\n")
    if content is not None:
        (new_project.folder / OWNER).write_text(content)
    process = unlock(new_project)
    assert process.returncode == 1, process.stdout + process.stderr
    assert "it is not known by which run" in process.stderr
    assert is_locked(new_project)


def test_of_a_killed_run_whose_process_number_is_used_again(trained_for_long):
    kill(start_training(trained_for_long))
    change_owner(trained_for_long, pid=os.getpid())
    process = unlock(trained_for_long)
    assert process.returncode == 0, process.stderr
    assert not is_locked(trained_for_long)


@pytest.mark.skipif(
    not Path("/etc/machine-id").is_file()
    or Path("/proc/self/ns/pid").stat().st_ino != FIRST_PID_NAMESPACE,
    reason="needs a machine of its own with an id",
)
def test_of_a_run_before_this_machine_was_started_again(trained_for_long):
    kill(start_training(trained_for_long))
    change_owner(trained_for_long, boot="another", pid=os.getpid())
    process = unlock(trained_for_long)
    assert process.returncode == 0, process.stderr
    assert not is_locked(trained_for_long)


def test_a_failing_start_in_a_locked_folder_does_not_hide_the_owner(trained_for_long, active):
    assert trained_for_long.snakemake().returncode == 1
    assert unlock(trained_for_long).returncode == 1
    assert is_locked(trained_for_long)


def test_nothing_is_written_through_a_link(new_project, tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    (new_project.folder / ".snakemake").mkdir()
    for name in ("owner.json", "planned", "modules.json"):
        (new_project.folder / ".snakemake" / name).symlink_to(victim)
    write_own_npz(new_project.folder / "own.npz")
    new_project.train()
    assert victim.read_text() == "precious"
