"""Workflows in the shape of three public ones, written anew, and what it costs to adopt snakefresh.

words      Software Carpentry's: books are counted, the counts plotted and put into a table, and all
           of it archived. Scripts import one another; a program is called by a shell rule.
analysis   cookiecutter-reproducible-research's: a model is run, its results are plotted and tested.
           The report has `shadow`, so it is left alone; a script follows it.
grid       PyPSA-Eur's: rules in several files, which look up their params in the config; scripts
           that share `_helpers.py` and can be tried by hand; `run:` and `shell:`; inputs by name.

What is edited, and what runs then, is in words.yaml and so on: there is no old text of a file that
is new, and no new one of a file that is deleted.
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from toys import ENGINE, PATH, Toy

from project import planned, share_project

WORKFLOWS = Path(__file__).parent / "workflows"
CASES = {
    n: yaml.safe_load((WORKFLOWS / f"{n}.yaml").read_text()) for n in ("words", "analysis", "grid")
}
FOLDERS = ("results", "resources", "build")


class Workflow(Toy):
    """A copy of one of the workflows; an edit is (path, old text, new text)."""

    def plan(self, *arguments):
        super().plan(*arguments)
        return planned(self.output)

    def edit(self, *edits):
        for path, old, new in edits:
            if old is None:
                self.write(path, new)
            elif new is None:
                self.delete(path)
            else:
                self.replace(path, old, new)

    def undo(self, *edits):
        for path, old, new in reversed(edits):
            if new is None:
                shutil.copy(WORKFLOWS / self.folder.name / path, self.folder / path)
            else:
                self.edit((path, new, old))

    def contents(self):
        """{path: content} of all results that are there, without what is hidden."""
        files = [file for top in FOLDERS for file in (self.folder / top).rglob("*")]
        names = {str(file.relative_to(self.folder)): file for file in files if file.is_file()}
        return {
            name: file.read_bytes()
            for name, file in names.items()
            if "/." not in name and file.suffix != ".log"
        }


@pytest.fixture
def workflow(request, tmp_path_factory, tmp_path):
    """A copy of the workflow of this name, after it ran, and its cases."""

    def make(folder):
        shutil.copytree(WORKFLOWS / request.param, folder)
        Workflow(folder).run()

    source = share_project(tmp_path_factory, f"finished {request.param}", make).folder
    workflow = Workflow(shutil.copytree(source, tmp_path / request.param, symlinks=True))
    workflow.cases = CASES[request.param]
    return workflow


def table(section, *keys):
    """A test for each workflow, with these keys of a section; or for each case in the section."""
    found = []
    for name, cases in CASES.items():
        for case in cases[section] if isinstance(cases[section], list) else [cases[section]]:
            what = f"{name}: {case.get('what', section)}"
            found.append(pytest.param(name, *map(case.get, keys), id=what))
    return pytest.mark.parametrize(["workflow", *keys], found, indirect=["workflow"])


each = pytest.mark.parametrize("workflow", CASES, indirect=True)


# ---- What adoption costs.


def plain(text):
    """A Snakefile or a script before snakefresh was adopted."""
    text = re.sub(r"^from snakefresh import recorded\n\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^from snakefresh import watch\n\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n*^watch\(.*", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"\n    with recorded\(snakemake\):\n        pass\n", "", text)
    head, adopted, block = text.partition("    with recorded(snakemake):\n")
    return head + re.sub("^    ", "", block, flags=re.MULTILINE) if adopted else text


def make_plain(source, folder):
    """Copy the sources of a workflow, without snakefresh."""
    hidden = shutil.ignore_patterns(".*", *FOLDERS, "logs", "__pycache__")
    shutil.copytree(source, folder, ignore=hidden)
    for file in [*folder.rglob("Snakefile"), *folder.rglob("*.py")]:
        file.write_text(plain(file.read_text()))
        assert "snakefresh" not in file.read_text() and "recorded" not in file.read_text()
    return Workflow(folder)


@pytest.mark.parametrize("name", CASES)
def test_adoption_costs_few_lines(name):
    added = changed = 0
    for file in (WORKFLOWS / name).rglob("*"):
        if file.suffix in (".py", ".smk", "") and file.is_file():
            after = file.read_text()
            for line in difflib.ndiff(plain(after).splitlines(), after.splitlines()):
                added += line[0] == "+" and bool(line[2:].strip())
                changed += line[0] == "-" and bool(line[2:].strip())
    assert {"added": added - changed, "changed": changed} == CASES[name]["adoption"]


@pytest.mark.slow
@each
def test_results_are_those_of_plain_snakemake(workflow, tmp_path):
    other = make_plain(workflow.folder, tmp_path / "plain")
    other.run()
    assert workflow.contents() == other.contents()
    workflow.edit(*workflow.cases["many"])
    other.edit(*workflow.cases["many"])
    workflow.run()
    other.run("--forceall")
    assert workflow.contents() == other.contents()
    assert workflow.plan() == {}


# ---- What an edit makes stale; to undo it makes all current again.


@each
def test_nothing_to_do_after_edits_that_change_nothing(workflow):
    assert workflow.plan() == {}
    shutil.rmtree(workflow.folder / ".snakemake")
    workflow.edit(*workflow.cases["harmless"])
    assert workflow.plan() == {}


@pytest.mark.slow
@table("stale", "edits", "runs")
def test_an_edit(workflow, edits, runs):
    workflow.edit(*edits)
    assert workflow.plan() == runs
    workflow.undo(*edits)
    assert workflow.plan() == {}


# ---- What a run does.


@pytest.mark.slow
@table("same_bytes", "edits", "runs", "same")
def test_what_follows_the_same_bytes_is_cut_off(workflow, edits, runs, same):
    before = workflow.contents()
    workflow.edit(*edits)
    assert workflow.plan() == runs
    workflow.run()
    assert sorted(workflow.cut_off) == same
    assert workflow.contents() == before
    assert workflow.plan() == {}


@pytest.mark.slow
@table("idiom", "edits", "target", "later")
def test_an_idiom(workflow, edits, target, later, tmp_path):
    workflow.edit(*edits)
    workflow.run(target)
    assert workflow.plan(target) == {}
    workflow.edit(*later)
    assert workflow.plan(target) != {}
    workflow.run(target)
    other = make_plain(workflow.folder, tmp_path / "plain")
    other.run(target)
    assert workflow.contents()[target] == other.contents()[target]
    assert workflow.plan(target) == {}


@pytest.mark.slow
@pytest.mark.parametrize("workflow", ["grid"], indirect=True)
def test_a_script_can_be_tried_by_hand(workflow):
    for script in ("build_demand", "plot_network"):
        subprocess.run(
            [sys.executable, f"scripts/{script}.py"],
            cwd=workflow.folder,
            env=os.environ | {"PYTHONPATH": f"{ENGINE}{os.pathsep}."},
            check=True,
        )
    assert workflow.plan() == {}


@pytest.mark.slow
@pytest.mark.parametrize("workflow", ["words"], indirect=True)
def test_in_processes_of_their_own(workflow):
    """(Snakemake deletes its copies of scripts at its end, unlike the server of these tests.)"""
    shutil.rmtree(workflow.folder / "results")
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    environment = os.environ | {"PYTHONPATH": str(ENGINE), "PATH": PATH}
    own = {"cwd": workflow.folder, "env": environment, "check": True}
    subprocess.run(command, **own)
    done = subprocess.run([*command, "-n"], **own, capture_output=True, text=True)
    assert "Nothing to be done" in done.stdout + done.stderr
