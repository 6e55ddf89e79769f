"""Results that belong to another user: they are kept or replaced, and it is said whose they are."""

import os
import shutil
import stat
import subprocess
import sys

import pytest

from kills import results

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs setpriv, and to be root"
)
OTHER = 54321
WITHOUT_RIGHTS = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", sys.executable]
SENTENCE = "belongs to user 54321. Ask them, or name another folder with --directory"


def python(project, *arguments):
    """Run Python without root's rights on files of other users; return its exit code and output."""
    command = [*WITHOUT_RIGHTS, *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.run(command, cwd=project.folder, check=False, **options)
    assert "Traceback" not in process.stdout
    return process.returncode, process.stdout


def give_away(project, folders, files):
    """Give the results to the other user, with these permissions for anybody else."""
    for path in [project.results, *project.results.rglob("*")]:
        if not path.is_symlink():
            os.chown(path, OTHER, OTHER)
            path.chmod(0o700 | folders if path.is_dir() else 0o600 | files)


SNAKEMAKE = ("-m", "snakemake", "--cores", "2")
PRUNE = ("workflow/tools/prune.py", "config.yaml", "--delete")


def test_in_a_folder_that_may_be_written_they_are_replaced(project):
    give_away(project, 0o77, 0o44)
    project.configure({"plots": {"style": "dark_background"}})
    code, output = python(project, *SNAKEMAKE)
    assert code == 0, output
    assert (project.results / "runs").stat().st_uid == OTHER
    assert {path.stat().st_uid for path in project.results.rglob("history.png")} == {0}


@pytest.mark.parametrize("command", [SNAKEMAKE, PRUNE], ids=["run", "prune"])
def test_in_a_folder_that_may_only_be_read_they_are_kept(project, command):
    give_away(project, 0o55, 0o44)
    before = results(project)
    assert python(project, *SNAKEMAKE)[0] == 0  # there is nothing to be done
    project.configure({"training": {"epochs": 3}})
    code, output = python(project, *command)
    assert code == 1
    assert SENTENCE in output
    assert results(project) == before


@pytest.mark.parametrize("arguments", [SNAKEMAKE, (*SNAKEMAKE, "-n")], ids=["run", "dry run"])
def test_if_they_may_not_be_read_it_is_said(project, arguments):
    give_away(project, 0, 0)
    code, output = python(project, *arguments)
    assert code == 1
    assert f"results/ cannot be read: results {SENTENCE}" in output


def test_results_are_as_shared_as_their_folder_and_the_umask_say(new_project):
    new_project.results.mkdir()
    os.chown(new_project.results, 0, OTHER)
    new_project.results.chmod(0o2775)
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    subprocess.run(command, cwd=new_project.folder, umask=0o002, check=True)
    found = {path: path.lstat() for path in new_project.results.rglob("*") if path.exists()}
    assert {known.st_gid for known in found.values()} == {OTHER}
    modes = {stat.filemode(known.st_mode) for known in found.values()}
    assert modes == {"drwxrwsr-x", "-rw-rw-r--", "lrwxrwxrwx"}
