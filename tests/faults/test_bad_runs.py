"""Runs to which something happens from outside: nothing that is there is harmed, and they recover.

Faults of configurations and of data are tested beside what reads them (test_config, test_raw,
test_idx, test_datasets, test_preprocessing), failing stages in test_failures, kills in test_kills.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from kills import results, start
from project import copy_with_small_data


@contextmanager
def mounted(folder, size):
    """A file system of its own in `folder`, of `size` bytes."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to mount: run as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def refused(project, *arguments, **options):
    """What Snakemake prints as it fails; no traceback is in it."""
    process = project.snakemake(*arguments, **options)
    output = process.stdout + process.stderr
    assert process.returncode == 1, output
    assert "Traceback" not in output
    return output


def recover(project):
    """Give the command again, as people do, until there is nothing left to do."""
    project.run()
    assert project.plan() == {}


@pytest.fixture
def expected(finished):
    return results(finished)


@pytest.mark.parametrize("kib", [8, 40, 80, 120, 180, 240, 300])
def test_a_disk_that_fills_up_at_any_stage(new_project, expected, kib):
    with mounted(new_project.results, f"{kib}k"):
        output = refused(new_project)
        assert "No space left on device" in output
        assert "The disk of results/ is full: make room, and run the command again." in output
        whole = results(new_project)
        assert whole.items() <= expected.items()  # what is there is whole, and as it should be
        remount(new_project.results, "size=100m")
        recover(new_project)
        assert results(new_project) == expected


@pytest.mark.parametrize("wanted", [["demo"], ["export"], ["--report", "results/report.html"]])
def test_a_disk_that_is_full_when_something_is_asked_for(project, wanted):
    moved = project.folder / "moved"
    project.results.rename(moved)
    with mounted(project.results, "100m"):
        subprocess.run(["cp", "-a", f"{moved}/.", project.results], check=True)
        before = set(results(project))
        used = shutil.disk_usage(project.results).used
        remount(project.results, f"size={used + 12_000}")
        output = refused(project, *wanted)
        assert "No space left on device" in output
        left = {path.name for path in project.results.rglob("*report*")}
        assert (set(results(project)), left) == (before, set())
        assert not [*project.results.rglob(".*-????????????????????????????????*")]
        remount(project.results, "size=100m")
        project.run(*wanted)


def test_a_file_that_may_not_grow_any_more(new_project, expected):
    """As with a quota. Python gets an error, where other programs get a signal."""
    few = (20_000, resource.RLIM_INFINITY)
    output = limited(new_project, resource.RLIMIT_FSIZE, few)
    assert "File too large: 'results/" in output, output
    assert results(new_project).items() <= expected.items()
    recover(new_project)
    assert results(new_project) == expected


def limited(project, kind, limits):
    """What Snakemake prints as it fails under a limit of the system."""
    process = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1"],
        cwd=project.folder,
        # Python 3.11 does not notice that it cannot write all of a .pyc file, and trips over it.
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(kind, limits),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "Traceback" not in process.stdout + process.stderr
    return process.stdout + process.stderr


def test_not_enough_memory_is_a_message_and_not_a_kill(project, expected):
    project.configure({"model": {"hidden": [100_000, 100_000]}})
    few = 900_000_000
    output = limited(project, resource.RLIMIT_DATA, (few, few))
    assert "MemoryError: Unable to allocate" in output
    assert "use a smaller network or batch_size" in output
    project.configure({})
    assert project.plan() == {}
    assert expected.items() <= results(project).items()


def test_results_that_are_read_only(project, expected):
    others = project.folder / "others"
    with mounted(others, "100m"):
        project.results.rename(project.folder / "moved")
        project.results.symlink_to(others)
        subprocess.run(["cp", "-a", f"{project.folder}/moved/.", others], check=True)
        assert project.plan() == {}
        remount(others, "ro")
        project.configure({"training": {"epochs": 5, "batch_size": 25}})
        output = refused(project)
        assert "Write-protected output files" in output or "Read-only file system" in output
        assert results(project) == expected
        remount(others, "rw")
        recover(project)
        assert expected.items() <= results(project).items()


def test_results_on_another_device_are_the_same(new_project, expected):
    with mounted(new_project.folder / "others", "100m") as others:
        new_project.results.symlink_to(others)
        new_project.run()
        assert results(new_project) == expected
        assert new_project.plan() == {}


def test_results_that_may_not_be_written_to(project, expected):
    folder = project.run_folder / "checkpoints"
    if subprocess.run(["chattr", "+i", folder], capture_output=True, check=False).returncode:
        pytest.skip("needs chattr, and to be root")
    try:
        project.configure({"training": {"epochs": 5, "batch_size": 25}})
        output = refused(project)
        assert "checkpoints/" in output
        assert "correct its permissions, and run the command again" in output
        assert results(project) == expected
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)
    recover(project)


@pytest.mark.parametrize("days", [-3650, 3650])
def test_a_clock_that_is_set_otherwise_makes_nothing_stale_and_hides_nothing(project, days):
    """Of a clock that was set back, files are left that are of the future."""
    moment = time.time() + days * 86400
    for path in (*project.results.rglob("*"), *(project.folder / ".snakemake").rglob("*")):
        os.utime(path, (moment, moment))
    assert project.plan() == {}
    project.configure({"training": {"epochs": 6, "batch_size": 25}})
    assert project.plan()["train"] == 1
    recover(project)


def test_two_runs_at_once_in_one_folder(new_project, expected):
    first = start(new_project)
    deadline = time.monotonic() + 60
    while not (new_project.results / ".traces").exists():  # a job has begun
        assert time.monotonic() < deadline
        time.sleep(0.01)
    output = refused(new_project)
    assert "Another run is active in results/" in output
    assert first.wait(timeout=120) == 0
    assert results(new_project) == expected


def test_a_batch_may_be_larger_than_the_data(project):
    project.configure({"training": {"epochs": 4, "batch_size": 1_000_000}})
    recover(project)


@pytest.mark.parametrize("rate", [1e30, 1e-30])
def test_any_learning_rate_ends_in_a_result_or_in_a_message(project, rate):
    project.configure({"model": {"hidden": [5]}, "training": {"epochs": 4, "learning_rate": rate}})
    if rate > 1:
        output = refused(project)
        assert "training diverged in epoch 1 of 4: " in output
        assert "with a learning rate of 1e+30. Try a lower training.learning_rate." in output
    else:
        recover(project)


def test_nothing_is_written_but_results_and_caches(tmp_path):
    project = copy_with_small_data(tmp_path / "a project")
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    before = files(project.folder)
    project.run(env={"HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": ""})
    project.run("demo", env={"HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": ""})
    written = {
        path.parts[0]
        for path in files(project.folder) - before
        if "__pycache__" not in path.parts  # Python's
    }
    assert written == {"results", ".snakemake"}
    assert {path.parts[0] for path in files(home)} <= {".cache", ".config"}  # of the libraries
    assert files(temporary) == set()


def files(folder):
    return {path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file()}
